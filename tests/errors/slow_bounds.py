"""Slow transcriptions of the formulas behind the upper ends, in Fractions where a formula is rational.

Norms of matrices come from a plain singular value decomposition. Nothing here is rounded outward.
"""

import itertools
import math
from fractions import Fraction

import numpy as np
from problems import UNIT


def rational(integers):
    return np.vectorize(lambda v: Fraction(int(v), UNIT), otypes=[object])(integers)


def exact(values):
    return np.vectorize(Fraction, otypes=[object])(np.asarray(values, dtype=np.float64))


def parts(layer):
    """W, E+, E-, b, e as Fractions."""
    bias = np.zeros(layer.target.outputs) if layer.target.bias is None else layer.target.bias
    return tuple(map(rational, (layer.target.weight, layer.positive, layer.negative, bias, layer.bias)))


def side(plus, minus, domain):
    """sup of sum_j plus_j x_j^+ - minus_j x_j^- for every row; over a ball in float64."""
    if domain.norm == "l2":
        slopes = np.maximum(np.maximum(plus, -minus), 0).astype(np.float64)
        return exact(domain.radius * np.sqrt((slopes**2).sum(axis=1)))
    total = 0
    for p, m, low, high in zip(plus.T, minus.T, exact(domain.low), exact(domain.high), strict=True):
        ends = [(p if end >= 0 else m) * end for end in (low, high)] + [0 * p] * bool(low <= 0 <= high)
        total = total + np.maximum.reduce(ends)
    return total


def sums(matrix, low, high):
    rising, falling = np.maximum(matrix, 0), np.minimum(matrix, 0)
    return rising @ low + falling @ high, rising @ high + falling @ low


def relu(values):
    return np.maximum(values, 0)


def slow_vector(layers, box):
    _, plus, minus, _, slip = parts(layers[0])
    error = np.maximum(side(plus, minus, box) + slip, side(-plus, -minus, box) - slip)
    low, high = exact(box.low), exact(box.high)
    for before, layer in itertools.pairwise(layers):
        low, high = (relu(end + parts(before)[3]) for end in sums(parts(before)[0], low, high))
        weight, plus, _, _, slip = parts(layer)
        error = abs(weight + plus) @ error + abs(plus) @ high + abs(slip)
    return max(error)


def spectral(matrix):
    return float(np.linalg.norm(matrix, 2))


def slow_first(layer, domain):
    if domain.norm == "linf":
        sizes = np.maximum(abs(layer.plus) * (domain.high > 0), abs(layer.minus) * (domain.low < 0))
        return float(sizes.sum(axis=1).max())
    columns = np.maximum(np.linalg.norm(layer.plus, axis=0), np.linalg.norm(layer.minus, axis=0))
    return min(spectral(np.hstack([layer.plus, -layer.minus])), float(np.linalg.norm(columns)))


def slow_scalar(layers, domain):
    if domain.norm == "l2":
        of_matrix, of_vector = spectral, np.linalg.norm
    else:
        of_matrix, of_vector = (lambda m: abs(m).sum(axis=1).max()), (lambda v: abs(v).max())
    error, target, ticket = 0.0, domain.reach, domain.reach
    for i, layer in enumerate(layers):
        s, eta = of_matrix(layer.target.matrix), of_matrix(layer.plus) if i else slow_first(layer, domain)
        through = min(of_matrix(layer.target.matrix + layer.plus), s + eta) if i else s + eta
        slip, bias = of_vector(layer.shift), of_vector(layer.target.shift)
        error = min(s * error + eta * ticket, through * error + eta * target) + slip
        target = s * target + bias
        ticket = min(through * ticket + of_vector(layer.target.shift + layer.shift), target + error)
    return error


def slow_first_ranges(layer, domain):
    weight, plus, minus, bias, slip = parts(layer)

    def both(p, m, shift):
        return shift - side(-p, -m, domain), shift + side(p, m, domain)

    z, change = both(weight, weight, bias), both(plus, minus, slip)
    return slow_meet(z, both(weight + plus, weight + minus, bias + slip), change)


def slow_meet(z, ticket, change):
    return *z, np.maximum(ticket[0], z[0] + change[0]), np.minimum(ticket[1], z[1] + change[1]), *change


def slow_behind(low, high, ticket_low, ticket_high, least, most):
    change = np.vectorize(lambda z, d: max(z + d, 0) - max(z, 0), otypes=[object])
    top, bottom = change(np.where(most >= 0, high, low), most), change(np.where(least >= 0, low, high), least)
    ends = relu(low), relu(high), relu(ticket_low), relu(ticket_high)
    return *ends, np.maximum(bottom, -relu(high)), np.minimum(top, relu(ticket_high))


def slow_ranges(layer, low, high, ticket_low, ticket_high, least, most):
    weight, plus, _, bias, slip = parts(layer)
    through, by_error = sums(weight, least, most), sums(plus, ticket_low, ticket_high)
    through2, by_error2 = sums(weight + plus, least, most), sums(plus, low, high)
    one, other = (
        [slip + a + b for a, b in zip(*pair, strict=True)] for pair in ((through, by_error), (through2, by_error2))
    )
    z = [bias + end for end in sums(weight, low, high)]
    ticket = [bias + slip + end for end in sums(weight + plus, ticket_low, ticket_high)]
    return slow_meet(z, ticket, (np.maximum(one[0], other[0]), np.minimum(one[1], other[1])))


def slow_averaged(layers, domain, longest):
    """The sum over all cuts; products of more than `longest` matrices are bounded by their factors' norms."""
    inputs = domain.dimension
    if domain.norm == "l2":
        centre, scale = np.zeros(inputs), np.full(inputs, domain.radius)
    else:
        centre, half = (domain.low + domain.high) / 2, (domain.high - domain.low) / 2
        scale = half * math.sqrt(np.count_nonzero(half))
    first, by_rows = layers[0], domain.norm == "linf"
    both = first.plus * scale if domain.nonnegative else np.hstack([first.plus * scale, -first.minus * scale])

    def norm(matrices, rows=False):
        product = matrices[0]
        for matrix in matrices[1:]:
            product = matrix @ product
        if len(matrices) > longest:
            last = np.linalg.norm(matrices[-1], axis=1) if rows else spectral(matrices[-1])
            return last * math.prod(map(spectral, matrices[:-1]))
        if len(matrices) == 1 and matrices[0] is both and domain.norm == "l2":
            return slow_first(first, domain) * domain.radius
        return np.linalg.norm(product, axis=1) if rows else spectral(product)

    def chain(matrices):
        total = 0
        for cuts in itertools.product([False, True], repeat=len(matrices) - 1):
            places = [0, *(i + 1 for i, cut in enumerate(cuts) if cut), len(matrices)]
            segments = [matrices[a:b] for a, b in itertools.pairwise(places)]
            total = total + math.prod(norm(s) for s in segments[:-1]) * norm(segments[-1], by_rows)
        return total / 2 ** (len(matrices) - 1)

    total, before, h = 0, [], centre
    for i, layer in enumerate(layers):
        behind_ = [later.target.matrix + later.plus for later in layers[i + 1 :]]
        offset = (layer.plus @ relu(h) + (0 if i else -layer.minus @ relu(-h))) + layer.shift
        total = total + chain([*before, layer.plus if i else both, *behind_])
        if offset.any():
            total = total + chain([offset[:, None], *behind_])
        before.append(layer.target.matrix if i else layer.target.matrix * scale)
        h = relu(layer.target.matrix @ h + layer.target.shift)
    return float(np.max(total))


def slow_reach(a, h, shift, hidden, region, box):
    """The form's bound over a box with the same lines, and the least that roundings may cost in it, both rational.

    Where a form meets a matrix of n rows, its computed coefficients are off by up to n u |form| |matrix|, which counts
    times the largest moduli of the variables; so does each constant.
    """
    cost = Fraction(0)
    for here, before in reversed(list(zip(hidden, [None, *hidden[:-1]], strict=True))):
        layer = here.layer
        sizes = before.sizes if before else (0 * region.sizes, region.sizes)
        d, target = (exact(size[0]) for size in sizes)
        ticket, error, minus, weight, slip, bias = (
            exact(part) for part in (layer.ticket, layer.error, layer.minus, layer.weight, layer.slip, layer.bias)
        )
        lines = [[exact(end[0]) for end in vars(line).values()] for line in (here.change, here.relu)]
        moved = []
        for form, (rise, over, slope, under) in zip((a, h), lines, strict=True):
            moved.append(relu(form) * rise + np.minimum(form, 0) * slope)
            shift = shift + relu(form) @ over - np.minimum(form, 0) @ under
            cost += abs(form) @ np.maximum(over, under)
        shift = shift + moved[0] @ slip + moved[1] @ bias
        errors = abs(error) if before else np.maximum(abs(error), abs(minus))
        moduli = abs(moved[0]) @ (abs(ticket) @ d + errors @ target + abs(slip))
        cost += layer.units * (moduli + abs(moved[1]) @ (abs(weight) @ target + abs(bias)))
        a, h = moved[0] @ ticket, moved[0] @ error + moved[1] @ weight
    return shift + side(h[None], (moved[0] @ minus + moved[1] @ weight)[None], box)[0], cost / 2**53


def slow_pad(a, h, shift, hidden, region):
    """The bound of one form by `reach_of` without roundings, and what is added for them, rational.

    2^-52 of (units + 8) the constants of lines, (2 units + 8) the moduli of the variables that a form meets, and
    (all units and inputs + 4) the constants and what the inputs reach.
    """
    size, slack = abs(shift), Fraction(0)
    for here, before in reversed(list(zip(hidden, [None, *hidden[:-1]], strict=True))):
        layer, r = here.layer, here.ranges
        ticket, error, minus, weight, slip, bias = (
            abs(exact(part)) for part in (layer.ticket, layer.error, layer.minus, layer.weight, layer.slip, layer.bias)
        )
        d, target = (exact(part[0]) for part in (before.sizes if before else (0 * region.sizes, region.sizes)))
        moved = []
        for form, line in ((a, here.change), (h, here.relu)):
            rise, over, slope, under = (exact(part[0]) for part in vars(line).values())
            moved.append(relu(form) * rise + np.minimum(form, 0) * slope)
            shift = shift + relu(form) @ over - np.minimum(form, 0) @ under
            constants = abs(form) @ np.maximum(abs(over), abs(under))
            size, slack = size + constants, slack + (layer.units + 8) * constants
        errors = error if before else np.maximum(error, minus)
        largest = [
            np.maximum(abs(exact(low[0])), abs(exact(high[0]))) for low, high in ((r.least, r.most), (r.low, r.high))
        ]
        moduli = abs(moved[0]) @ (ticket @ d + errors @ target + slip + largest[0])
        moduli += abs(moved[1]) @ (weight @ target + bias + largest[1])
        slack += (2 * layer.units + 8) * moduli
        shift = shift + moved[0] @ exact(layer.slip) + moved[1] @ exact(layer.bias)
        size += abs(moved[0]) @ slip + abs(moved[1]) @ bias
        a, h = moved[0] @ exact(layer.ticket), moved[0] @ exact(layer.error) + moved[1] @ exact(layer.weight)
    below = moved[0] @ exact(layer.minus) + moved[1] @ exact(layer.weight)
    total = Fraction(region.reach_up(*(part.astype(np.float64)[None, None] for part in (h, below)))[0, 0])
    rows = sum(here.layer.units for here in hidden) + hidden[0].layer.inputs
    return shift + total, (slack + (rows + 4) * (size + abs(total))) / 2**52

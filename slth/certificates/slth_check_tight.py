# mypy: allow-untyped-defs
"""Checks one certificate by tighter methods too: python slth_check_tight.py FILE [--target-digest SHA256].

It needs numpy and slth_check.py beside it, and nothing else of slth. docs/certificate-format.md specifies the methods:
coupled intervals, linear difference bounds, splitting (whose parts the file lists) and averaged operators. What
slth_check.py accepts is accepted here too; whatever else is accepted is proved by the method that the claim names.
"""

import math
from fractions import Fraction

import numpy as np

if __package__:
    from slth.certificates import slth_check as core
else:  # the two files alone in a folder
    import slth_check as core  # type: ignore[import-not-found,no-redef]

EPS, PAD, need = core.EPS, core.PAD, core.need
SMALL, LARGE = 2.0**-900, 2.0**300
"""Ranges are made wider until their ends are 0 or not below SMALL; a range beyond LARGE proves nothing."""

LEAF, DEEPEST = 255, 1000
ENTRIES, PARTS = 1 << 18, 1 << 16
"""Entries of one array of a backward pass; parts that are bounded at once, times the widest layer."""

LONGEST, WIDEST = 4, 1 << 22
"""Products of more matrices, or of more entries, are bounded by products of norms."""

MOST_WORK = 1 << 36
"""Proofs of more work are refused, so that a file cannot keep the checker busy; a unit is about a nanosecond or two."""


def affordable(layers, parts):
    """Refuses forms for so many parts if they are too much work: every form runs back through all layers."""
    forms = 1 + sum(len(w) for w, *_ in layers[1:])
    need(parts * forms * sum(400 * len(w) + w.size for w, *_ in layers) <= MOST_WORK, 33)


def above(total, size, terms):
    """At least a sum of so many terms, computed as total, the moduli of the terms as size; no term underflows."""
    return total + (terms + 4) * EPS * size


def wider(low, high):
    """The ranges, wider where an end is so small that its products could underflow."""
    low = np.where(np.abs(low) < SMALL, np.where(low < 0, -SMALL, 0.0), low)
    return low, np.where(np.abs(high) < SMALL, np.where(high > 0, SMALL, 0.0), high)


class Boxes:
    """Boxes of inputs, low and high (boxes, inputs)."""

    def __init__(self, low, high):
        self.low, self.high = wider(low, high)
        self.sizes = np.maximum(-self.low, self.high)

    def reach(self, plus, minus):
        """At least the sum of plus_j x_j where x_j > 0 and minus_j x_j elsewhere, (boxes, rows)."""
        found, step = [], max(1, ENTRIES // self.low.size)
        for i in range(0, plus.shape[1], step):
            p, m = plus[:, i : i + step], minus[:, i : i + step]
            low, high = self.low[:, None], self.high[:, None]
            best = np.maximum(np.where(low >= 0, p, m) * low, np.where(high >= 0, p, m) * high)
            best = np.where((low < 0) & (high > 0), np.maximum(best, 0.0), best)
            found.append(above(best.sum(axis=2), np.abs(best).sum(axis=2), best.shape[2]))
        return np.concatenate(found, axis=1)


class Ball:
    """The ball around 0, with the methods of boxes."""

    def __init__(self, radius, inputs):
        self.radius, self.sizes = radius, np.full((1, inputs), radius)

    def reach(self, plus, minus):
        slopes = np.maximum(np.maximum(plus, -minus), 0.0)
        n = slopes.shape[2]
        return self.radius * np.sqrt(np.square(slopes).sum(axis=2) + n * PAD) * (1 + (n + 8) * EPS)


def met(z_low, z_high, y_low, y_high, low, high):
    """Ranges of z, y = z + D and D; that of y lies within the sum of the other two."""
    need(all((np.abs(end) < LARGE).all() for end in (z_low, z_high, y_low, y_high, low, high)), 30, "beyond 2^300")
    y_low = np.maximum(y_low, np.nextafter(z_low + low, -np.inf))
    return z_low, z_high, y_low, np.minimum(y_high, np.nextafter(z_high + high, np.inf)), low, high


def first(layer, region):
    """The ranges of the first layer, (regions, units) each."""
    w, plus, minus, v, slip, b, both = layer
    need((np.abs(w + minus) < 32).all(), 27, "2^53")  # else W + E- might not be exact
    ends = []
    for p, m, shift in ((w, w, b), (v, w + minus, both), (plus, minus, slip)):
        for sign in (-1.0, 1.0):
            end = region.reach(sign * p[None], sign * m[None])
            ends.append(sign * above(end + sign * shift, np.abs(end) + np.abs(shift), 1))
    return met(*ends)


def change(z, d, towards):
    """relu(z + d) - relu(z), rounded towards one side."""
    risen = z + d
    return np.where(z >= 0, np.maximum(d, -z), np.where(risen > 0, np.maximum(np.nextafter(risen, towards), 0.0), 0.0))


def behind(z_low, z_high, y_low, y_high, low, high):
    """Ranges of h = relu(z), of k = relu(y) and of d = k - h; d rises with D, and with z just where D >= 0."""
    h_low, h_high, k_low, k_high = (np.maximum(end, 0.0) for end in (z_low, z_high, y_low, y_high))
    d_low = np.maximum(change(np.where(low >= 0, z_low, z_high), low, -np.inf), -h_high)
    d_high = np.minimum(change(np.where(high >= 0, z_high, z_low), high, np.inf), k_high)
    return *wider(h_low, h_high), *wider(k_low, k_high), *wider(d_low, d_high)


def spread(shift, *parts):
    """The range of shift + the sum of M v over the (M, low, high), low <= v <= high."""
    ends = []
    for sign in (-1.0, 1.0):
        total, size, terms = sign * shift, np.abs(shift), 2
        for m, low, high in parts:
            rising, falling = np.maximum(sign * m, 0.0).T, np.maximum(-sign * m, 0.0).T
            total = total + high @ rising - low @ falling
            size = size + np.abs(high) @ rising + np.abs(low) @ falling
            terms += 2 * len(rising)
        ends.append(sign * above(total, size, terms))
    return ends


def interval(layer, after):
    """The ranges of a layer behind a ReLU."""
    w, plus, _, v, slip, b, both = layer
    h, k, d = after[:2], after[2:4], after[4:]
    one, other = spread(slip, (w, *d), (plus, *k)), spread(slip, (v, *d), (plus, *h))
    changes = np.maximum(one[0], other[0]), np.minimum(one[1], other[1])
    return met(*spread(b, (w, *h)), *spread(both, (v, *k)), *changes)


def chord(low, high, at_low, at_high):
    """A slope in [0, 1], about that of the chord, and the constant that puts a line of this slope above both ends."""
    slope = (at_high - at_low) / (high - low)
    slope = np.where(slope > SMALL, np.minimum(slope, 1.0), 0.0)  # 0 where it is not a number, as both ends are one
    pad = 4 * EPS * (np.abs(low) + np.abs(high) + np.abs(at_low) + np.abs(at_high)) + PAD
    return slope, np.maximum(at_low - slope * low, at_high - slope * high) + pad


def lines(z_low, z_high, y_low, y_high, low, high):
    """Slope and constant of lines above and below h over z, then above and below d over D."""
    zero = np.zeros_like(z_low)
    on = z_low >= 0
    bent = ~on & (z_high > 0)
    slope, constant = chord(z_low, z_high, np.maximum(z_low, 0.0), np.maximum(z_high, 0.0))
    h = np.where(on, 1.0, np.where(bent, slope, 0.0)), np.where(bent, constant, 0.0)
    h += np.where(on | (z_high > -z_low), 1.0, 0.0), zero
    slope, constant = chord(low, high, *(change(np.where(end >= 0, z_high, z_low), end, np.inf) for end in (low, high)))
    sure, none = y_low >= 0, y_high <= 0
    d = np.where(sure, 1.0, np.where(none, 0.0, slope)), np.where(sure | none, 0.0, constant)
    slope, constant = chord(-high, -low, np.maximum(-high, 0.0), np.maximum(-low, 0.0))  # -min(D, 0) over -D
    return *h, *d, np.where(on, 1.0, np.where(bent, slope, 0.0)), np.where(bent, -constant, 0.0)


def dot(form, values):
    """(regions or 1, rows, units) times (regions, units)."""
    return np.matmul(form, values[:, :, None])[:, :, 0]


def carried(form, slope, constant, slope_below, constant_below):
    """A form on h or d as one on z or D that is above it, its constant, and the moduli in this constant."""
    up, down = np.maximum(form, 0.0), np.minimum(form, 0.0)
    moduli = dot(np.abs(form), np.maximum(np.abs(constant), np.abs(constant_below)))
    return up * slope[:, None] + down * slope_below[:, None], dot(up, constant) + dot(down, constant_below), moduli


def linear(on_d, on_h, shift, hidden, region):
    """At least on_d d + on_h h + shift over every region, for d and h of the last hidden layer, (regions, rows)."""
    widest = max(max(w.shape) for (w, *_), _, _ in hidden)
    step = max(1, ENTRIES // (len(region.sizes) * widest))
    pieces = (slice(i, i + step) for i in range(0, len(shift), step))
    return np.concatenate([backward(on_d[None, i], on_h[None, i], shift[None, i], hidden, region) for i in pieces], 1)


def backward(a, q, constant, hidden, region):
    """The same for a few rows, (1, rows, units), layer by layer back to the inputs."""
    size, slack, n = np.abs(constant), 0.0, 8 * len(hidden)
    for layer in reversed(hidden):
        (w, plus, minus, v, slip, b, _), curves, (of_d, of_z) = layer
        q, c, moduli = carried(q, *curves[:4])
        a, c_d, moduli_d = carried(a, *curves[4:])
        constant, size = constant + c + c_d, size + moduli + moduli_d
        constant = constant + a @ slip + q @ b
        size = size + np.abs(a) @ np.abs(slip) + np.abs(q) @ np.abs(b)
        slack, n = slack + (2 * len(w) + 8) * (dot(np.abs(a), of_d) + dot(np.abs(q), of_z)), n + len(w)
        below = a @ minus + q @ w if layer is hidden[0] else None  # for inputs < 0
        a, q = a @ v, a @ plus + q @ w
    total = region.reach(q, below)
    pad = EPS * (slack + (n + 8) * (size + np.abs(total))) * (1 + (4 * n + 64) * EPS) + 2.0**-560
    return np.nextafter(total + constant + pad, np.inf)


def errors(layers, region, by_lines=True):
    """At least |g_k - f_k| for every output k over every region, (regions, outputs)."""
    ranges, hidden = first(layers[0], region), []
    d, h = np.zeros_like(region.sizes), region.sizes
    for i, layer in enumerate(layers[1:], 1):
        w, plus, minus, v, slip, b, _ = layers[i - 1]
        errors_in = np.abs(plus) if i > 1 else np.maximum(np.abs(plus), np.abs(minus))
        of_d = d @ np.abs(v).T + h @ errors_in.T + np.abs(slip) + np.maximum(-ranges[4], ranges[5])
        of_z = h @ np.abs(w).T + np.abs(b) + np.maximum(-ranges[0], ranges[1])
        hidden.append((layers[i - 1], lines(*ranges), (of_d, of_z)))
        after = behind(*ranges)
        d, h, ranges = np.maximum(-after[4], after[5]), after[1], interval(layer, after)
        if by_lines:
            w, plus, _, v, slip, b, _ = layer
            z, y, moved = ranges[:2], ranges[2:4], ranges[4:]
            low, high = (linear(s * v, s * plus, s * slip, hidden, region) for s in (-1.0, 1.0))
            moved = np.maximum(moved[0], -low), np.minimum(moved[1], high)
            if i + 1 < len(layers):
                low, high = (linear(0.0 * w, s * w, s * b, hidden, region) for s in (-1.0, 1.0))
                z = np.maximum(z[0], -low), np.minimum(z[1], high)
            ranges = met(*z, *y, *moved)
    return np.maximum(np.maximum(-ranges[4], ranges[5]), 0.0)


def euclidean(rows):
    """At least the l2 norms of rows."""
    return np.sqrt(np.square(rows).sum(axis=1) + rows.shape[1] * PAD) * (1 + (rows.shape[1] + 8) * EPS)


def radius(domain):
    """That of a ball, or a larger one where products with it could underflow."""
    return max(float.fromhex(domain["radius"]), 2.0**-300)


def without_biases(layers):
    """Whether f(tx) = t f(x) and g(tx) = t g(x) for t >= 0."""
    return not any(part.any() for layer in layers for part in layer[4:])


def whole(layers, domain, tensors, by_lines=True):
    """The error over the domain, as one region."""
    affordable(layers, by_lines)
    if domain["name"] == "box":
        return float(errors(layers, Boxes(tensors["low"][None], tensors["high"][None]), by_lines).max())
    ball = Ball(radius(domain), layers[0][0].shape[1])
    return euclidean(errors(layers, ball, by_lines)).item()


def coupled(layers, domain, tensors):
    """Coupled intervals."""
    return whole(layers, domain, tensors, by_lines=False)


def faces(layers, low, high):
    """Boxes on whose union the supremum is attained: without biases the faces through which rays leave."""
    ends = [(j, high[j]) for j in np.flatnonzero(high > 0)] + [(j, low[j]) for j in np.flatnonzero(low < 0)]
    found = [(low.copy(), high.copy(), 0) for _ in ends]
    for (j, end), (a, b, _) in zip(ends, found, strict=True):
        a[j] = b[j] = end
    return found if found and without_biases(layers) else [(low, high, 0)]


def leaves(splits, boxes):
    """The parts that the splits leave whole: axes in preorder, LEAF for a part that is not split."""
    stack = boxes[::-1]
    for axis in splits.tolist():
        need(stack, 31, "more nodes than parts")
        low, high, depth = stack.pop()
        if axis == LEAF:
            yield low, high
            continue
        need(axis < len(low), 31, "no such axis")
        need(depth < DEEPEST, 31, "too deep")
        a, b = float(low[axis]), float(high[axis])
        left, right = high.copy(), low.copy()
        left[axis] = right[axis] = 0.0 if a < 0 < b else min(max(a / 2 + b / 2, a), b)
        stack += [(right, high, depth + 1), (low, left, depth + 1)]
    need(not stack, 31, "parts are missing")


def batches(parts, count):
    """Lists of so many parts, and one of the rest."""
    found = []
    for part in parts:
        found.append(part)
        if len(found) == count:
            yield found
            found = []
    if found:
        yield found


def splitting(layers, domain, tensors):
    """The largest bound of the parts in the file."""
    inputs, ball = layers[0][0].shape[1], domain["name"] == "ball"
    need("splits" in tensors and inputs <= LEAF, 32, "no splits, or more than 255 inputs")
    need(not ball or without_biases(layers), 32, "a ball and biases")
    affordable(layers, np.count_nonzero(tensors["splits"] == LEAF))
    low, high = (-np.ones(inputs), np.ones(inputs)) if ball else (tensors["low"], tensors["high"])
    worst, count = 0.0, max(1, PARTS // max(max(w.shape) for w, *_ in layers))
    for batch in batches(leaves(tensors["splits"], faces(layers, low, high)), count):
        low, high = (np.array(ends) for ends in zip(*batch, strict=True))
        outputs = errors(layers, Boxes(low, high))
        if ball:
            nearest = np.square(np.maximum(np.maximum(low, -high), 0.0)).sum(axis=1)  # at least 1, on a face
            least = np.sqrt(nearest) * (1 - (inputs + 8) * EPS)
            outputs = radius(domain) * euclidean(outputs) / least * (1 + 8 * EPS)
        worst = max(worst, float(outputs.max()))
    return worst


def frobenius(a):
    """At least the Frobenius norm."""
    return Fraction(euclidean(a.ravel()[None]).item()) if a.any() else Fraction(0)


class Chains:
    """Norms of products M_k T ... T M_1 with diagonal T in [0, 1]; parts are (matrix, its distance from the exact one).

    Names run from M_1 to M_k. The norms are l2; for a box the last segment counts row by row.
    """

    def __init__(self, parts, norms, by_rows):
        self.parts, self.norms, self.by_rows = parts, norms, by_rows

    def product(self, names):
        value, off = self.parts[names[0]]
        for name in names[1:]:
            matrix, distance = self.parts[name]
            one, two = frobenius(matrix), frobenius(value)
            off = Fraction((len(value) + 2) * EPS) * one * two + distance * (two + off) + one * off + Fraction(PAD)
            value = matrix @ value
        return value, off

    def long(self, names):
        size = max(len(self.parts[name][0]) for name in names) * self.parts[names[0]][0].shape[1]
        return len(names) > 1 and (len(names) > LONGEST or size > WIDEST)

    def norm(self, names):
        if names not in self.norms:
            if self.long(names):
                middle = len(names) // 2
                found = self.norm(names[:middle]) * self.norm(names[middle:])
            else:
                value, off = self.product(names)
                found = core.spectral(value) + off
            self.norms[names] = upward(found)
        return self.norms[names]

    def last(self, names):
        """The norms of the last segment, one or one per row."""
        if not self.by_rows:
            return [self.norm(names)]
        if self.long(names):
            return [row * self.norm(names[:-1]) for row in self.last(names[-1:])]
        value, off = self.product(names)
        return [Fraction(float(row)) + off for row in euclidean(value)]

    def chain(self, names):
        """The average over all ways to cut the product, one or one per row."""
        averages = []
        for j, _ in enumerate(names, 1):
            cuts = [(Fraction(1, 2 ** (j - 1)), names[:j])]
            cuts += [(averages[i - 1] / 2 ** (j - i), names[i:j]) for i in range(1, j)]
            if j == len(names):
                found = [[weight * row for row in self.last(part)] for weight, part in cuts]
                return [sum(column) for column in zip(*found, strict=True)]
            averages.append(upward(sum(weight * self.norm(part) for weight, part in cuts)))


def upward(value):
    """A short number not below, so that fractions do not grow from layer to layer."""
    need(value < 2**1000, 30, "beyond 2^1000")
    return Fraction(math.nextafter(float(value), math.inf)) if value else value


def halves(low, high):
    """The middles of ranges, and at least the distances of their ends from there; 0 where the ends are equal."""
    middle = np.where(low == high, low, low / 2 + high / 2)
    return middle, np.nextafter(np.maximum(high - middle, middle - low), np.inf) * (low < high)


def column(low, high):
    """The middle of a range of columns, and how far from it the exact column may be."""
    middle, half = halves(low, high)
    return middle.T, frobenius(half)


def averaged(layers, domain, tensors):
    """Averaged operators: for the error of every layer the average over all cuts of what stands around it."""
    pairs = ((w.shape[1], len(u)) for i, (w, *_) in enumerate(layers) for u, *_ in layers[i : i + LONGEST])
    need(16 * sum(n * m * min(n, m) for n, m in pairs) <= MOST_WORK, 33)
    w, plus, minus, *_ = layers[0]
    start, norms = np.hstack([plus, -minus]), {}
    if domain["name"] == "ball":
        centre, scale = np.zeros(w.shape[1]), float.fromhex(domain["radius"])
        norms["E0",] = core.both_signs(plus, minus) * Fraction(scale)
    else:
        low, high = tensors["low"], tensors["high"]
        centre, half = halves(low, high)
        scale = half * math.sqrt(np.count_nonzero(half)) * (1 + 4 * EPS)
        start = plus if (low >= 0).all() else start
    parts = {}
    for name, matrix in (("W0", w), ("E0", start)):
        value = matrix * np.resize(scale, matrix.shape[1])
        parts[name] = value, frobenius(value) * Fraction(EPS) + value.size * Fraction(PAD)
    point, ranges = Boxes(centre[None], centre[None]), None
    for i, (w, plus, _, v, slip, *_) in enumerate(layers):
        if i:
            after = behind(*ranges)
            parts |= {f"W{i}": (w, 0), f"E{i}": (plus, 0), f"V{i}": (v, 0)}
            parts[f"v{i}"] = column(*spread(slip, (plus, *after[:2])))
        ranges = interval(layers[i], after) if i else first(layers[0], point)
        parts.setdefault("v0", column(*ranges[4:]))
    chains, total = Chains(parts, norms, domain["name"] == "box"), []
    for i in range(len(layers)):
        through = tuple(f"V{j}" for j in range(i + 1, len(layers)))
        rows = chains.chain((*(f"W{j}" for j in range(i)), f"E{i}", *through))
        offset = chains.chain((f"v{i}", *through))
        total = [a + b + c for a, b, c in zip(rows, offset, total or [0] * len(rows), strict=True)]
    return max(total)


METHODS = {
    "coupled intervals": coupled,
    "linear difference bounds": whole,
    "splitting": splitting,
    "averaged operators": averaged,
}


@np.errstate(all="ignore")
def check(data, trusted=None):
    """The manifest of a file and a proved error, at most the claimed one; raises Refused."""
    return core.check(data, trusted, METHODS)


@np.errstate(all="ignore")
def main(arguments=None):
    return core.main(arguments, __doc__, METHODS)


if __name__ == "__main__":
    raise SystemExit(main())

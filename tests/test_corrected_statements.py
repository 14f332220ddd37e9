"""Statements that are easily written down wrong: the right form, and the counterexample to the wrong one."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from problems import UNIT, effective, random_layers, rational_difference
from scipy.stats import binom

from slth.assignment import adaptive, block
from slth.bounds import Direction
from slth.confidence import binomial_interval, quantile_interval
from slth.errors.domain import Ball, Box
from slth.errors.recursion import Scale, recursion, scalar, scales
from slth.errors.rounding import spectral_up
from slth.gadget import LARGEST_SUM_TERMS, EffectiveLayer
from slth.grid import LARGEST_EXACT, LARGEST_WEIGHT, to_float
from slth.laws import Uniform
from slth.networks.layers import Dense
from slth.references import FISCHER2022_PLANT
from slth.subset_sum import SubsetSums, best
from slth.theorems import gadhikar2023_sparse_source as gadhikar
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems import pensia2020_subset_sum as pensia

CLOSE = 1 + 1e-9

integers = st.integers(-50, 50)


def split(x):
    """(x+, x-) of a list of numbers."""
    return [max(v, 0) for v in x] + [max(-v, 0) for v in x]


def times(matrix, x):
    return [sum(a * b for a, b in zip(row, x, strict=True)) for row in matrix]


def squares(x):
    return sum(v * v for v in x)


# The recursion --------------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(integers, integers), min_size=1, max_size=6))
def test_positive_and_negative_parts_together_move_at_most_as_far_as_the_vector(pairs):
    a, b = zip(*pairs, strict=True)
    apart = [p - q for p, q in zip(split(a), split(b), strict=True)]
    assert squares(apart) <= squares(p - q for p, q in pairs)
    assert squares(split(a)) == squares(a)
    if all(p * q >= 0 for p, q in pairs):  # no coordinate changes its sign
        assert squares(apart) == squares(p - q for p, q in pairs)


@given(st.integers(0, 2**32))
def test_the_difference_of_a_block_at_two_points_is_the_target_plus_the_errors_of_both_parts(seed):
    # block(a) - block(b) = W (a - b) + [E+, -E-] ((a+, a-) - (b+, b-)), so its Lipschitz constant is at most s + eta
    rng = np.random.default_rng(seed)
    w, plus, minus = (rng.integers(-9, 10, (3, 4)) for _ in range(3))
    a, b = (rng.integers(-9, 10, 4) for _ in range(2))

    def block_of(x):
        return (w + plus) @ np.maximum(x, 0) - (w + minus) @ np.maximum(-x, 0)

    both = np.hstack([plus, -minus])
    apart = np.array(split(a.tolist())) - np.array(split(b.tolist()))
    difference = block_of(a) - block_of(b)
    assert np.array_equal(difference, w @ (a - b) + both @ apart)
    slack = Fraction(spectral_up(w.astype(float))) + Fraction(spectral_up(both.astype(float)))
    assert int(squares(difference.tolist())) <= slack**2 * int(squares((a - b).tolist()))


def test_the_norm_of_both_parts_side_by_side_wastes_a_factor_of_root_two():
    # [W, -W] [W, -W]^T = 2 W W^T: with it in place of s + eta, one layer without errors would cost sqrt 2
    w = np.array([[3, 1], [-2, 5], [4, 0]])
    both = np.hstack([w, -w])
    assert np.array_equal(both @ both.T, 2 * w @ w.T)
    layer = effective(w / 16.0)
    assert scales([layer], Ball(2))[0].ticket <= spectral_up(w / 16.0) * CLOSE


def cells(layer):
    """E_s for every sign pattern s of the inputs: column j of E+ or of -E-."""
    for signs in itertools.product((True, False), repeat=layer.target.inputs):
        yield np.where(np.array(signs), layer.plus, -layer.minus)


@given(st.integers(0, 2**32))
def test_the_first_error_is_at_least_the_largest_norm_over_the_sign_cells_and_at_most_its_cheap_bound(seed):
    rng = np.random.default_rng(seed)
    layer = random_layers(rng, [4, 3], spread=2.0**-3)[0]
    error = scales([layer], Ball(4))[0].error
    largest = max(float(np.linalg.norm(cell, 2)) for cell in cells(layer))
    columns = [max(squares(p), squares(m)) for p, m in zip(layer.plus.T.tolist(), layer.minus.T.tolist(), strict=True)]
    assert largest / CLOSE <= error <= math.sqrt(sum(columns)) * CLOSE


@given(st.integers(0, 2**32))
def test_the_error_over_the_sign_cells_serves_as_lipschitz_slack_too(seed):
    # x -> E+ x+ - E- x- is linear on every cell, so its constant is the largest norm of a cell
    rng = np.random.default_rng(seed)
    layer = random_layers(rng, [3, 2], spread=2.0**-3)[0]
    error = Fraction(scales([layer], Ball(3))[0].error)
    plus, minus = ([[int(v) for v in row] for row in part] for part in (layer.positive, layer.negative))
    a, b = (rng.integers(-9, 10, 3).tolist() for _ in range(2))

    def slip(x):
        up, down = split(x)[:3], split(x)[3:]
        return [p - m for p, m in zip(times(plus, up), times(minus, down), strict=True)]

    apart = [p - q for p, q in zip(slip(a), slip(b), strict=True)]
    assert squares(apart) <= (error * UNIT) ** 2 * squares(p - q for p, q in zip(a, b, strict=True))


def test_one_tolerance_per_weight_is_enough_in_the_first_layer_too():
    # errors of +-t in E+ and in E-: with t = theta / sqrt(d_out d_in) in every layer the recursion gives epsilon, even
    # though the first layer has two subset sums per weight; the bound on 784-500-10 falls from 583 to 572 rows
    epsilon, depth, widths = 0.1, 2, (6, 5, 4)
    theta = (1 + epsilon) ** (1 / depth) - 1
    rng = np.random.default_rng(0)
    layers = []
    for inputs, outputs in itertools.pairwise(widths):
        t = math.floor(theta / math.sqrt(inputs * outputs) * UNIT)
        weight = np.zeros((outputs, inputs), dtype=np.int64)
        weight[0, 0] = UNIT
        signs = [rng.choice([-t, t], (outputs, inputs)) for _ in range(2)]
        layers.append(EffectiveLayer(Dense(weight, None), *signs, np.zeros(outputs, dtype=np.int64)))
    assert scalar(layers, Ball(widths[0])).value <= epsilon * CLOSE
    count = 2 * 784 * 500 + 500 * 10
    theta = math.sqrt(1.1) - 1
    rows = [
        pensia.ROWS.evaluate(I=count, t=theta / math.sqrt(sides * size), delta=0.1)
        for sides, size in ((2, 784 * 500), (1, 784 * 500), (1, 500 * 10))
    ]
    assert [math.ceil(n) for n in rows] == [583, 572, 504]


def test_a_norm_of_a_rounded_error_is_no_bound_however_much_is_added_to_it():
    # G = 2^53 + 1 and W = 2^53 differ by 1, but not as float64: 0 (1 + 1e-12) < 1
    ticket, target = 2**53 + 1, 2**53
    rounded = np.array([[float(ticket) - float(target)]])
    assert float(np.linalg.norm(rounded, 2)) * (1 + 1e-12) == 0 < ticket - target
    exact = to_float(np.array([[ticket - target]]), 0)
    assert spectral_up(exact) >= 1
    with pytest.raises(ValueError, match=r"exceeds 2\^53"):
        to_float(np.array([ticket]))


@pytest.mark.parametrize("depth", [1, 2, 3, 5])
def test_a_lipschitz_constant_counts_in_every_layer_but_the_last(depth):
    # phi(z) = T relu(z) on a positive chain w_i = s, E_i = eta attains e_i = T ((s + eta) e + eta B), B = T s B
    s, eta, rise, reach = Fraction(3, 4), Fraction(1, 8), Fraction(3, 2), Fraction(1)
    error, size, target, ticket = Fraction(0), reach, reach, reach
    for i in range(depth):
        factor = rise if i < depth - 1 else 1
        error, size = factor * ((s + eta) * error + eta * size), factor * s * size
        target, ticket = factor * s * target, factor * (s + eta) * ticket
    assert ticket - target == error
    if depth == 1:
        assert error == eta  # a factor T for the last layer would be too much, none for the others too little
    plain = recursion([Scale(float(s), float(eta), float(s + eta))] * depth, 1.0)[-1].error
    assert error == rise ** (depth - 1) * plain


def test_an_activation_with_negative_values_needs_both_signs_in_every_layer():
    # layer 2 has W = 1, E+ = 0, E- = 1/2; behind a ReLU E- plays no part, behind max(z, z / 2) it does
    first, second = effective([[1.0]]), effective([[1.0]], 0.0, 0.5)
    assert rational_difference([first, second], [-1.0]) == [0]
    assert scalar([first, second], Ball(1)).value == 0
    entering = max(Fraction(-1), Fraction(-1, 2))
    target, ticket = entering, (1 + 0) * max(entering, 0) - (1 + Fraction(1, 2)) * max(-entering, 0)
    assert ticket - target == -Fraction(1, 4)


def test_on_a_box_errors_count_by_row_sums_and_the_input_by_its_largest_modulus():
    # B_0 = max |x|_inf; behind the first layer eta is the largest row sum of |E+| alone
    first = effective([[0.5, -0.25]], [[0.125, 0.0]], [[0.0, 0.25]])
    second = effective([[1.0], [0.5]], [[0.25], [0.5]], [[8.0], [8.0]])
    domain = Box(np.array([-3.0, 0.0]), np.array([1.0, 2.0]))
    assert domain.reach == 3.0
    one, two = scales([first, second], domain)
    # x_1 has both signs, x_2 is never negative
    assert one.error == pytest.approx(0.125, rel=1e-12)
    assert (two.weight, two.error) == pytest.approx((1.0, 0.5), rel=1e-12)
    e1, b1 = Fraction(1, 8) * 3, Fraction(3, 4) * 3
    assert recursion([one, two], domain.reach)[-1].error <= ((1 + Fraction(1, 2)) * e1 + b1 / 2) * Fraction(CLOSE)


# Constants ------------------------------------------------------------------------------------------------------------


def test_short_constants_are_rounded_up_and_not_to_nearest():
    # n = c log2(y) suffices with c = 1 / log2(1 / rate) only: 5.19 < 1 / log2(8/7) <= 5.191, in integers
    assert 8**5191 >= 2**1000 * 7**5191
    assert 8**519 < 2**100 * 7**519
    # and 10.74 < 1 / log2(16/15) <= 10.741
    assert 16**10741 >= 2**1000 * 15**10741
    assert 16**1074 < 2**100 * 15**1074
    # 2.41 is above 1 / log2(4/3)
    assert 4**241 >= 2**100 * 3**241


@pytest.mark.parametrize(("m", "constant"), [(0.5, 2.41), (0.25, 5.191), (0.125, 10.741)])
@given(epsilon=st.floats(1e-9, 0.5), delta=st.floats(1e-9, 0.5))
def test_the_number_of_samples_is_below_its_short_form_for_every_law(m, constant, epsilon, delta):
    n = lueker.CANDIDATES.evaluate(R=1, m=m, epsilon=epsilon, delta=delta)
    assert n <= constant * (2 * math.log2(1 / epsilon) + math.log2(1 / delta) + 3)


@pytest.mark.parametrize("density", [0.1, 0.5, 1.0])
def test_pairs_of_sparse_matrices_have_an_eighth_of_the_squared_density_as_drift(density):
    # both edges of a candidate and its sign: p^2 / 2 times 1/4, rate 1 - p^2 / 16; it guarantees and is not necessary
    found = gadhikar.ROWS.evaluate(I=20, t=0.01, delta=0.1, p_edge=density)
    expected = lueker.CANDIDATES.evaluate(R=1, m=density**2 / 8, epsilon=0.01, delta=0.1 / 20)
    assert found == pytest.approx(expected, rel=1e-9)
    assert gadhikar.ROWS.direction is Direction.UPPER


# How many candidates --------------------------------------------------------------------------------------------------


def errors_of_best_subsets(n, targets, seed):
    """|best subset - target| of n products of U[0, 1] and U[-1, 1], for targets in float."""
    rng = np.random.default_rng(seed)
    half = 1 << 23
    u = 2 * rng.integers(0, half, (len(targets), n)) + 1
    v = 2 * rng.integers(-half, half, (len(targets), n)) + 1
    wanted = np.rint(np.ldexp(targets, 48)).astype(np.int64)
    return np.abs(best(SubsetSums(u * v, wanted)).residuals) / 2.0**48


def test_large_targets_are_far_worse_than_targets_that_are_uniform_up_to_them():
    # |t| = 1/2 for all targets, or t uniform on [-1/2, 1/2], 16 candidates: the tail is one of reach
    draws = 10_000
    fixed = errors_of_best_subsets(16, np.full(draws, 0.5), 0)
    spread = errors_of_best_subsets(16, np.random.default_rng(1).uniform(-0.5, 0.5, draws), 2)
    shares = [binomial_interval(int((found > 1e-2).sum()), draws, 0.999) for found in (fixed, spread)]
    assert shares[0].low > shares[1].high
    # the 99 percent points from both sides, each interval with confidence 0.999: 40,000 other draws gave 0.045, 0.0010
    ends = [quantile_interval(found, 0.99, 0.999) for found in (fixed, spread)]
    assert ends[0].low <= 0.045 <= ends[0].high
    assert ends[1].low <= 0.0010 <= ends[1].high
    assert ends[0].low > 5 * ends[1].high


def block_size(sides, needed):
    """Least number of units per channel such that all sides have enough with probability 0.99, two sides a channel."""
    size = 2 * needed
    while (1 - 2 * binom.cdf(needed - 1, size, 0.5)) ** (sides / 2) < 0.99:
        size += 1
    return size


def test_blocks_have_to_be_three_to_four_times_as_large_as_what_a_side_needs():
    found = {n: [block_size(sides, n) for sides in (18, 130, 1300)] for n in (16, 20, 24)}
    assert found == {16: [55, 60, 66], 20: [65, 71, 76], 24: [75, 81, 87]}
    ratios = [size / n for n, sizes in found.items() for size in sizes]
    assert (round(min(ratios), 1), round(max(ratios), 1)) == (3.1, 4.1)


def laws_given_signs(assignment):
    """Per sign pattern of 2 units over 2 inputs: how often each pair of |u| is read, over all u in {-2, -1, 1, 2}^4."""
    found = {}
    for values in itertools.product((-2, -1, 1, 2), repeat=4):
        u = np.array(values).reshape(2, 2)
        reads = assignment(u)
        sizes = tuple(abs(int(u[r, j])) if j >= 0 else 0 for r, j in enumerate(reads))
        found.setdefault(tuple((u > 0).ravel()), Counter())[sizes] += 1
    return found


def test_an_assignment_that_reads_signs_only_leaves_the_law_of_the_moduli():
    def by_signs(u):
        return adaptive(u > 0, 1, np.zeros(2, dtype=bool))

    for counts in laws_given_signs(by_signs).values():
        assert len(set(counts.values())) == 1  # all pairs of moduli of the units in use equally likely
        used = sum(size > 0 for size in next(iter(counts)))
        assert len(counts) == 2**used


def test_an_assignment_that_reads_moduli_changes_their_law():
    def by_size(u):
        return np.abs(u).argmax(axis=1)

    sizes = Counter(
        size for counts in laws_given_signs(by_size).values() for pair in counts.elements() for size in pair
    )
    assert sizes[2] == 3 * sizes[1]  # the larger of two: 3/4 instead of 1/2


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_with_c_one_sided_channels_a_share_of_one_minus_two_to_the_minus_c_can_be_used(channels):
    # a unit with no positive weight serves no one-sided channel: exact over all sign patterns of a unit
    patterns = np.array(list(itertools.product((False, True), repeat=channels)))
    usable = Fraction(int(patterns.any(axis=1).sum()), len(patterns))
    assert usable == 1 - Fraction(1, 2**channels)
    units = 60
    drawn = np.random.default_rng(channels).random((units * channels, channels)) < 0.5
    reads = adaptive(drawn, units, np.ones(channels, dtype=bool))
    assert np.count_nonzero(reads >= 0) <= np.count_nonzero(drawn.any(axis=1))
    fixed = block(drawn, units, np.ones(channels, dtype=bool))
    served = np.count_nonzero(drawn[np.arange(len(drawn)), fixed])
    if channels == 1:
        assert np.count_nonzero(reads >= 0) == served  # no gain
    else:
        assert np.count_nonzero(reads >= 0) > 1.3 * served


# The error-propagation lemma of Fischer and Burkholz (2022) -----------------------------------------------------------

WIDTH, DEPTH, WEIGHT, TOTAL = 10, 5, Fraction(9, 10), Fraction(1, 5)


def allowance(units, size):
    """A rational number below the lemma's epsilon_1 for |x| in [-1, 1]^10, with `size` in the place of |W|."""
    root = Fraction(math.isqrt(units * WIDTH * 10**12) + 1, 10**6)  # at least sqrt(n_1 k_max)
    return TOTAL / (DEPTH * root * (1 + WIDTH) * (size + TOTAL / DEPTH) ** (DEPTH - 1))


def test_the_largest_entry_is_no_norm():
    ones = [[1] * WIDTH] * WIDTH
    assert squares(times(ones, [1] * WIDTH)) == 100 * squares([1] * WIDTH)  # |W e| = 10 |e|, not at most 1 |e|


def test_within_the_printed_allowance_of_layer_1_the_error_is_96_instead_of_one_fifth():
    step = allowance(WIDTH, WEIGHT)
    assert float(step) == pytest.approx(4.7e-4, rel=2e-2)
    target = ticket = [Fraction(1)] * WIDTH
    for layer in range(DEPTH):
        target = times([[WEIGHT] * WIDTH] * WIDTH, target)
        ticket = times([[WEIGHT + (step if layer == 0 else 0)] * WIDTH] * WIDTH, ticket)
    error = math.sqrt(squares(b - a for a, b in zip(target, ticket, strict=True)))
    assert error == pytest.approx(96.6, abs=0.1)
    assert error > 480 * TOTAL


def test_the_printed_lemma_fails_for_a_bounded_network_too():
    # two equal branches, subtracted in the last layer: f = 0; only layer 1 of one branch is moved
    step = allowance(2 * WIDTH, WEIGHT)
    assert float(step) == pytest.approx(3.3e-4, rel=2e-2)

    def branch(change):
        x = [Fraction(1)] * WIDTH
        for layer in range(DEPTH - 1):
            x = times([[WEIGHT + (change if layer == 0 else 0)] * WIDTH] * WIDTH, x)
        return WEIGHT * sum(x)

    assert branch(0) - branch(0) == 0
    assert float(branch(step) - branch(0)) == pytest.approx(21.6, abs=0.1)


def test_with_spectral_norms_in_their_place_the_allowance_is_sound_here():
    step = allowance(WIDTH, 10 * WEIGHT)  # the norm of the all-0.9 matrix is 9
    moved = [WIDTH * step * 9 ** (DEPTH - 1)] * WIDTH
    assert 0 < squares(moved) <= TOTAL**2
    assert any("false" in erratum.issue for erratum in FISCHER2022_PLANT.errata)


# Exact numbers --------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-(2**48), 2**48), min_size=1, max_size=32), st.randoms(use_true_random=False))
def test_grid_products_add_exactly_in_float64_if_their_moduli_add_up_to_32_at_most(products, random):
    # multiples of 2^-48 below 2^5 have 53 bits, in any order
    random.shuffle(products)
    total = 0.0
    for value in products:
        total += math.ldexp(value, -48)
    assert Fraction(total) == Fraction(sum(products), 2**48)


def test_beyond_32_a_sum_of_grid_numbers_may_be_rounded_but_need_not():
    unit = 2.0**-48
    assert Fraction(32.0 + unit) != 32 + Fraction(1, 2**48)
    assert 32.0 + 32.0 == 64.0  # if, not only if


def test_the_check_in_floats_that_w_plus_e_is_exact_accepts_a_number_that_was_rounded():
    g, w = 2**53 + 1, 0
    e = g - w
    as_floats = float(g), float(w), float(e)
    assert as_floats[0] - as_floats[1] == as_floats[2]
    assert as_floats[0] - as_floats[2] == as_floats[1]
    assert int(as_floats[0]) != g  # it passed, and is wrong
    with pytest.raises(ValueError, match=r"exceeds 2\^53"):
        to_float(np.array([g]))
    assert to_float(np.array([LARGEST_EXACT]), 0)[0] == 2.0**53


def test_int64_holds_every_sum_that_is_allowed():
    largest = (2**24 - 1) ** 2  # of a product, in units of 2^-48
    assert largest < 2**48
    assert LARGEST_SUM_TERMS == 2**14
    assert (LARGEST_SUM_TERMS - 1) * largest < 2**62
    assert (LARGEST_SUM_TERMS - 1) * largest + int(LARGEST_WEIGHT) * 2**48 < 2**63
    # the limit itself, for weights up to 2: 32,766 terms of modulus below 2^48
    assert 32_766 * 2**48 + 2 * 2**48 - 1 <= 2**63 - 1 < 32_767 * 2**48 + 2 * 2**48 - 1


def test_uint32_wraps_in_the_map_from_bits_to_weights():
    bits = np.array([0, 2**31 - 1, 2**31, 2**32 - 1], dtype=np.uint32)
    wrapped = np.uint32(2) * (bits >> np.uint32(8)) + np.uint32(1) - np.uint32(2**24)
    assert wrapped.astype(np.int64).max() > 2**24
    right = [2 * (int(b) >> 8) + 1 - 2**24 for b in bits]
    assert Uniform().weights(bits).tolist() == right
    assert right == [1 - 2**24, -1, 1, 2**24 - 1]

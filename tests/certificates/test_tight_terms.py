"""The tighter checker term by term: pads as large as the specification says, cases at their edges, and codes.

Where nothing is rounded, or everything cancels, what is left of a bound is its pad.
"""

import itertools
from fractions import Fraction

import numpy as np
import pytest

from slth.certificates import slth_check, slth_check_tight

U, PAD = 2.0**-52, 2.0**-960
INF = np.inf


def few_bits(rng, *shape):
    """Numbers whose products and sums are exact."""
    return rng.integers(-6, 7, shape) / 4


def one(*values):
    """Each value as the array of one region and one unit."""
    return [np.array([[float(value)]]) for value in values]


def point(values):
    return slth_check_tight.Boxes(values, values)


def code_of(function, *arguments):
    try:
        function(*arguments)
    except slth_check.Refused as fault:
        return fault.args[0]
    return 0


# Sums -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_sums_over_inputs_that_cancel_are_their_pads(seed):
    rng = np.random.default_rng([20, seed])
    (plus, minus), x = few_bits(rng, 2, 1, 3, 5), few_bits(rng, 2, 5)
    signs = np.concatenate([np.ones(5), -np.ones(5)])
    found = point(np.tile(x, 2)).reach(np.tile(plus, 2) * signs, np.tile(minus, 2) * signs)
    size = 2 * np.abs(np.where(x[:, None] >= 0, plus, minus) * x[:, None]).sum(axis=2)
    assert found.shape == (2, 3)
    assert (found == 14 * U * size).all()


def test_the_supremum_over_a_box_is_found_at_an_end_or_at_0():
    numbers = range(-2, 3)
    ends = [(low, high) for low in numbers for high in numbers if low <= high]
    for (low, high), p, m in itertools.product(ends, (-3, 0, 2), (-3, 0, 2)):
        exact = max((p if x > 0 else m) * x for x in (low, high, min(max(0, low), high)))
        found = slth_check_tight.Boxes(*one(low, high)[:2]).reach(*(part[None] for part in one(p, m)))
        assert found == exact + 5 * U * abs(exact)


def test_the_supremum_over_a_ball_is_a_norm_and_its_pads():
    ball = slth_check_tight.Ball(2.0, 2)
    assert ball.sizes.tolist() == [[2.0, 2.0]]
    plus, minus = np.array([[[3.0, -1.0], [-3.0, 0.0], [0.0, -2.0]]]), np.array([[[1.0, -4.0], [0.0, 4.0], [1.0, 0.0]]])
    nothing = 2.0 * np.sqrt(2 * PAD) * (1 + 10 * U)
    assert ball.reach(plus, minus).tolist() == [[10.0 * (1 + 10 * U), nothing, nothing]]


@pytest.mark.parametrize("seed", range(4))
def test_ranges_of_the_first_layer_at_a_point_are_their_pads_where_biases_cancel_all_else(seed):
    rng = np.random.default_rng([21, seed])
    (w, plus, minus), x = few_bits(rng, 3, 3, 4), few_bits(rng, 1, 4)
    on, off = np.maximum(x[0], 0), np.minimum(x[0], 0)
    sums = w @ x[0], (w + plus) @ on + (w + minus) @ off, plus @ on + minus @ off
    sizes = [abs(p) @ on - abs(m) @ off for p, m in ((w, w), (w + plus, w + minus), (plus, minus))]
    z, y, moved = sums
    found = slth_check_tight.first((w, plus, minus, w + plus, -moved, -z, -y), point(x))
    for (low, high), total, size in zip((found[:2], found[2:4], found[4:]), sums, sizes, strict=True):
        wanted = 8 * U * size + 5 * U * 2 * abs(total)
        for end in (-low, high):  # off by half a unit of the last place of the sum to which b is added
            assert (abs(end - wanted) <= U * abs(total)).all()


@pytest.mark.parametrize("seed", range(4))
def test_ranges_of_sums_of_hidden_units_that_cancel_are_their_pads(seed):
    rng = np.random.default_rng([22, seed])
    m, x, other, y = few_bits(rng, 3, 4), few_bits(rng, 2, 4), few_bits(rng, 3, 2), few_bits(rng, 1, 2)
    total = m @ x[0] + other @ y[0]
    low, high = slth_check_tight.spread(-total, (m, x, x), (other, y, y))
    size = abs(total) + abs(m) @ abs(x[0]) + abs(other) @ abs(y[0])
    assert (high[0] == (2 + 2 * 6 + 4) * U * size).all()
    assert (low == -high)[0].all()


@pytest.mark.parametrize("seed", range(4))
def test_a_sum_over_ranges_is_largest_at_the_ends_that_its_signs_choose(seed):
    rng = np.random.default_rng([23, seed])
    m, shift, low = few_bits(rng, 3, 4), few_bits(rng, 3), few_bits(rng, 1, 4)
    high = low + abs(few_bits(rng, 1, 4))
    corners = [shift + m @ np.where(choice, high[0], low[0]) for choice in itertools.product((0, 1), repeat=4)]
    found = slth_check_tight.spread(shift, (m, low, high))
    assert np.allclose(found[0][0], np.min(corners, axis=0), rtol=0, atol=1e-12)
    assert np.allclose(found[1][0], np.max(corners, axis=0), rtol=0, atol=1e-12)


def test_norms_of_rows_have_their_pads():
    rows = np.array([[3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
    assert slth_check_tight.euclidean(rows).tolist() == [5 * (1 + 11 * U), np.sqrt(3 * PAD) * (1 + 11 * U)]
    assert slth_check_tight.frobenius(-rows) == Fraction(5 * (1 + 14 * U))
    assert slth_check_tight.frobenius(0 * rows) == 0


# Ranges ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_one_unit_beyond_2_to_the_300_proves_nothing(sign):
    fine, far = np.zeros((1, 2)), np.array([[0.0, sign * 2.0**300]])
    for place in range(6):
        assert code_of(slth_check_tight.met, *(far if i == place else fine for i in range(6))) == 30


@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_one_unit_beyond_exact_sums_is_refused(sign):
    w = np.array([[1.0], [sign * 16.0]])
    none = np.zeros(2)
    assert code_of(slth_check_tight.first, (w, 0 * w, w, w, none, none, none), slth_check_tight.Ball(1.0, 1)) == 27


def test_the_cut_of_a_ticket_is_rounded_outward():
    rng = np.random.default_rng(24)
    z, moved = rng.normal(size=(2, 1, 200))
    low, high = slth_check_tight.met(z, z, z - 9, z + 9, moved, moved)[2:4]
    for a, b, least, most in zip(z[0], moved[0], low[0], high[0], strict=True):
        assert least < Fraction(a) + Fraction(b) < most
        assert most - least <= 3 * U * max(abs(a), abs(b), abs(most))
    cut = slth_check_tight.met(*one(0, 1, -0.5, 1.5, -1, 1))
    assert [end.item() for end in cut] == [0, 1, -0.5, 1.5, -1, 1]


def test_what_a_relu_makes_of_a_difference_is_exact_at_its_kinks():
    for towards in (-INF, INF):
        z, d = np.array([[0, 0, 0, 1, 1, -1, -1, -1, 2], [1 + U, -1, 0, -1, -2, 1, 0.5, 0, 0.25]])
        assert slth_check_tight.change(z, d, towards).tolist() == [1 + U, 0, 0, -1, -1, 0, 0, 0, 0.25]


@pytest.mark.parametrize("seed", range(2))
def test_ranges_behind_a_relu_are_those_of_the_specification(seed):
    """In rationals; where z + D is rounded they are moved outward by at most two units of the last place."""
    rng = np.random.default_rng([25, seed])
    sizes = 2.0 ** rng.integers(-3, 2, (4, 400))
    z, moved = np.sort(rng.normal(size=(2, 400)) * sizes[:2], axis=0), np.sort(rng.normal(size=(2, 400)), axis=0)
    y = np.sort(rng.normal(size=(2, 400)) * sizes[2:], axis=0)
    found = slth_check_tight.behind(*z, *y, *moved)
    for *ends, h_low, h_high, k_low, k_high, d_low, d_high in zip(*z, *y, *moved, *found, strict=True):
        a, b, least, most, low, high = map(Fraction, ends)
        assert (h_low, h_high, k_low, k_high) == (max(a, 0), max(b, 0), max(least, 0), max(most, 0))
        below = max(risen(a if low >= 0 else b, low), -max(b, 0))
        above = min(risen(b if high >= 0 else a, high), max(most, 0))
        assert below - 2 * U * (abs(b) + abs(low)) <= Fraction(d_low) <= below
        assert above <= Fraction(d_high) <= above + 2 * U * (abs(b) + abs(a) + abs(high))


def risen(z, d):
    return max(z + d, 0) - max(z, 0)


# Lines ----------------------------------------------------------------------------------------------------------------


def test_chords_have_slopes_from_0_to_1_and_their_pad():
    for ends, slope, constant, size in (
        ((-2, 2, -1, 1), 0.5, 0, 6),
        ((-2, 2, 1, -1), 0, 1, 6),
        ((-4, -2, -2, -1), 0.5, 0, 9),
        ((0, 1, 0, 3), 1, 2, 4),
        ((3, 3, 2, 2), 0, 2, 10),
        ((0, 0, 0, 0), 0, 0, 0),
        ((0, 1, 0, 2.0**-900), 0, 2.0**-900, 1),
        ((0, 1, 0, 2.0**-899), 2.0**-899, 0, 1),
    ):
        with np.errstate(all="ignore"):
            found = slth_check_tight.chord(*one(*ends))
        assert [part.item() for part in found] == [slope, constant + (4 * U * size + PAD)]


def wanted_lines(z_low, z_high, y_low, y_high, low, high):
    """Section 10.3 for one unit, in rationals."""

    def chord(a, b, at_a, at_b):
        slope = min(max(Fraction(at_b - at_a) / (b - a), Fraction(0)), Fraction(1)) if a < b else Fraction(0)
        return slope, max(at_a - slope * a, at_b - slope * b)

    def highest(moved):
        return risen(z_high if moved >= 0 else z_low, moved)

    on, bent = z_low >= 0, z_low < 0 < z_high
    above = (1, 0) if on else chord(z_low, z_high, 0, z_high) if bent else (0, 0)
    below = (1, 0) if on or z_high > -z_low else (0, 0)
    chord_above = chord(low, high, highest(low), highest(high))
    slope, constant = chord(-high, -low, max(-high, 0), max(-low, 0))
    chord_below = slope, -constant
    d_above = (1, 0) if y_low >= 0 else (0, 0) if y_high <= 0 else chord_above
    return *above, *below, *d_above, *((1, 0) if on else (0, 0) if z_high <= 0 else chord_below)


def test_the_lines_of_all_small_cases_are_those_of_the_specification():
    ranges = [(low, high) for low in range(-2, 3) for high in range(low, 3)]
    cases = [(*z, *y, *moved) for z in ranges for moved in ranges for y in ((-1, 1), (0, 1), (-1, 0), (0, 0), (1, 2))]
    with np.errstate(all="ignore"):
        found = np.array(slth_check_tight.lines(*np.array(cases, float).T))
    for case, *curves in zip(cases, *found, strict=True):
        for i, (curve, exact) in enumerate(zip(curves, wanted_lines(*case), strict=True)):
            up = i in (1, 5)  # constants of upper lines are raised, those of lower lines lowered
            assert abs(curve - exact) < 1e-14, (case, i)
            assert i % 2 == 0 or (curve >= exact if up else curve <= exact), (case, i)


# Forms ----------------------------------------------------------------------------------------------------------------


def test_an_empty_form_is_bounded_by_what_may_underflow():
    layer = tuple(np.zeros(shape) for shape in ((1, 1), (1, 1), (1, 1), (1, 1), (1,), (1,), (1,)))
    hidden = [(layer, np.zeros((8, 1, 1)), (np.zeros((1, 1)), np.zeros((1, 1))))]
    empty = np.zeros((1, 1, 1))
    found = slth_check_tight.backward(empty, empty, np.zeros((1, 1)), hidden, point(np.zeros((1, 1))))
    assert found == np.nextafter(2.0**-560, INF)


def hidden_unit(w, of_z):
    """A unit that is on, without error, and a modulus of its variable."""
    layer, zero = matrices(np.array([[w]])), np.zeros((1, 1))
    return [(layer, [zero + slope for slope in (1, 0, 1, 0, 0, 0, 0, 0)], (zero, zero + of_z))]


def test_the_pad_of_a_form_counts_the_moduli_of_sums_that_cancel_and_its_own_rounding():
    zero = np.zeros((1, 1, 1))
    box = slth_check_tight.Boxes(*one(-2, -1))
    found = slth_check_tight.backward(zero, zero + 1, np.ones((1, 1)), hidden_unit(1.0, 0.0), box)
    assert found == pytest.approx((5 + (9 + 8) * 2) * U, rel=1e-12, abs=0)  # 5 of the sum over the inputs
    found = slth_check_tight.backward(zero, zero + 1, np.zeros((1, 1)), hidden_unit(0.0, 1 / U), box)
    assert found == np.nextafter(10 * (1 + (4 * 9 + 64) * U), INF)


# How the work is cut --------------------------------------------------------------------------------------------------


def test_the_limits_are_those_of_the_specification():
    assert (slth_check_tight.ENTRIES, slth_check_tight.PARTS) == (2**18, 2**16)
    assert (slth_check_tight.LONGEST, slth_check_tight.WIDEST) == (4, 2**22)


def test_rows_are_worked_on_in_pieces_of_so_many_entries(monkeypatch):
    monkeypatch.setattr(slth_check_tight, "ENTRIES", 100)
    seen, above = [], slth_check_tight.above
    monkeypatch.setattr(slth_check_tight, "above", lambda *of: seen.append(of[0].shape) or above(*of))
    for inputs, pieces in ((4, [12, 8]), (101, [1] * 20)):
        rows = np.zeros((1, 20, inputs))
        assert point(np.zeros((2, inputs))).reach(rows, rows).shape == (2, 20)
        assert [shape[1] for shape in seen] == pieces
        seen.clear()


def test_forms_are_carried_back_in_pieces_of_so_many_entries(monkeypatch):
    monkeypatch.setattr(slth_check_tight, "ENTRIES", 100)
    sizes = []

    def recorded(on_d, on_h, shift, hidden, region):
        sizes.append((on_d.shape, on_h.shape, shift.shape))
        return np.zeros((2, shift.shape[1]))

    monkeypatch.setattr(slth_check_tight, "backward", recorded)
    for widths, pieces in (((5, 3, 4), [10, 10]), ((2, 3, 7), [7, 7, 6]), ((2, 101, 1), [1] * 20)):
        hidden = [(matrices(np.zeros(shape[::-1])), (), ()) for shape in itertools.pairwise(widths)]
        forms = np.zeros((20, widths[-1]))
        found = slth_check_tight.linear(forms, forms, np.zeros(20), hidden, point(np.zeros((2, widths[0]))))
        assert found.shape == (2, 20)
        assert sizes == [((1, n, widths[-1]), (1, n, widths[-1]), (1, n)) for n in pieces]
        sizes.clear()


# Norms of products ----------------------------------------------------------------------------------------------------


def chains(*shapes, by_rows=False, seed=0, off=Fraction(1, 1 << 20)):
    rng = np.random.default_rng([26, seed])
    parts = {
        name: (few_bits(rng, *shape), i * off)
        for i, (name, shape) in enumerate(zip("abcdefg", shapes, strict=False), 1)
    }
    return slth_check_tight.Chains(parts, {}, by_rows)


def test_distances_of_products_are_those_of_the_specification():
    found = chains((4, 3), (2, 4), (5, 2), (3, 5))
    for names in ("a", "ab", "abcd", "cd"):
        value, off = found.parts[names[0]]
        for name in names[1:]:
            a, p = found.parts[name]
            one, two, n = slth_check_tight.frobenius(a), slth_check_tight.frobenius(value), len(value)
            value, off = a @ value, (n + 2) * Fraction(U) * one * two + p * (two + off) + one * off + Fraction(PAD)
        product, distance = found.product(tuple(names))
        assert (product == value).all()
        assert distance == off


def test_products_are_long_from_so_many_matrices_or_entries_on(monkeypatch):
    found = chains((4, 3), (2, 4), (5, 2), (3, 5))
    monkeypatch.setattr(slth_check_tight, "LONGEST", 3)
    assert [found.long(names) for names in ("a", "abc", "abcd")] == [False, False, True]
    for entries, names in ((11, ["ab", "abc"]), (12, ["abc"]), (15, [])):  # 4 3 and 5 3
        monkeypatch.setattr(slth_check_tight, "WIDEST", entries)
        assert [of for of in ("a", "c", "ab", "abc") if found.long(of)] == names


def test_long_products_are_bounded_by_the_norms_of_their_halves(monkeypatch):
    found = chains(*[(2, 2)] * 5, seed=1)
    halves = found.norm(tuple("ab")) * found.norm(tuple("cde"))
    assert found.norm(tuple("abcde")) == slth_check_tight.upward(halves)
    value, off = found.product(tuple("cde"))
    assert found.norm(tuple("cde")) == slth_check_tight.upward(slth_check.spectral(value) + off)


def test_the_last_segment_of_a_box_counts_row_by_row():
    found = chains(*[(2, 2)] * 5, by_rows=True, seed=2)
    value, off = found.product(tuple("abcd"))
    norms = slth_check_tight.euclidean(value)
    assert found.last(tuple("abcd")) == [Fraction(float(norm)) + off for norm in norms]
    rest = found.norm(tuple("abcd"))
    assert found.last(tuple("abcde")) == [row * rest for row in found.last(("e",))]
    ball = chains(*[(2, 2)] * 5, seed=2)
    assert ball.last(tuple("abcde")) == [ball.norm(tuple("abcde"))]


@pytest.mark.parametrize("by_rows", [False, True])
def test_chains_are_averages_over_all_ways_to_cut(by_rows):
    """The definition with T = (I + S) / 2: every joint is cut or not, each with weight 1/2."""
    found = chains(*[(2, 2)] * 4, by_rows=by_rows, seed=3)
    for names in ("a", "ab", "abcd"):
        wanted = 0
        for cuts in itertools.product((False, True), repeat=len(names) - 1):
            places = [0, *(i for i, cut in enumerate(cuts, 1) if cut), len(names)]
            *others, last = [tuple(names[i:j]) for i, j in itertools.pairwise(places)]
            product = np.prod([float(found.norm(part)) for part in others])
            wanted = wanted + product * np.array([float(row) for row in found.last(last)]) / 2 ** len(cuts)
        rows = found.chain(tuple(names))
        assert len(rows) == (2 if by_rows else 1)
        assert [float(row) for row in rows] == pytest.approx(wanted.tolist(), rel=1e-12)


def test_norms_are_rounded_up_to_short_numbers():
    third = Fraction(1, 3)
    assert slth_check_tight.upward(third) == float(slth_check_tight.upward(third)) > third
    assert slth_check_tight.upward(Fraction(1)) == 1 + Fraction(U)
    assert slth_check_tight.upward(Fraction(0)) == 0
    assert code_of(slth_check_tight.upward, Fraction(2) ** 1000) == 30


def test_a_range_of_columns_has_a_middle_and_a_distance():
    low, high = np.array([[1.0, -3.0, 2.0]]), np.array([[1.0, 5.0, 2.0]])
    middle, off = slth_check_tight.column(low, high)
    assert middle.tolist() == [[1.0], [1.0], [2.0]]
    assert off == slth_check_tight.frobenius(np.nextafter(4.0, INF) * np.array([[0, 1, 0]]))
    assert slth_check_tight.column(high, high)[1] == 0
    middle, half = slth_check_tight.halves(*one(1, 1 + U))  # the middle is rounded to the lower end
    assert (middle, half) == (1, np.nextafter(U, INF))


# Domains and parts ----------------------------------------------------------------------------------------------------


def test_small_radii_count_as_2_to_the_minus_300():
    for radius, wanted in ((2.0**-301, 2.0**-300), (2.0**-299, 2.0**-299), (3.0, 3.0)):
        assert slth_check_tight.radius({"radius": radius.hex()}) == wanted


def test_any_bias_or_error_of_one_ends_homogeneity():
    for place in (4, 5):
        layers = [[np.ones((2, 2))] * 4 + [np.zeros(2), np.zeros(2), np.zeros(2)] for _ in range(2)]
        assert slth_check_tight.without_biases(layers)
        layers[1][place] = np.array([0.0, 1.0])
        assert not slth_check_tight.without_biases(layers)


def test_rays_leave_a_box_through_these_faces():
    layer = [np.zeros((2, 3))] * 4 + [np.zeros(2)] * 3
    low, high = np.array([-1.0, 0.0, 2.0]), np.array([0.0, 0.0, 3.0])
    found = slth_check_tight.faces([layer], low, high)
    assert [(a.tolist(), b.tolist(), depth) for a, b, depth in found] == [
        ([-1.0, 0.0, 3.0], [0.0, 0.0, 3.0], 0),
        ([-1.0, 0.0, 2.0], [-1.0, 0.0, 3.0], 0),
    ]
    biased = [*layer[:5], np.ones(2), *layer[6:]]
    for layers, ends in (([biased], (low, high)), ([layer], (0 * low, 0 * high))):
        ((a, b, depth),) = slth_check_tight.faces(layers, *ends)
        assert (a.tolist(), b.tolist(), depth) == (*(end.tolist() for end in ends), 0)


def test_parts_are_cut_at_0_or_in_the_middle_and_within_their_ends():
    tiny = 2.0**-1074
    for low, high, cut in (
        (-1.0, 3.0, 0.0), (0.0, 3.0, 1.5), (-3.0, 0.0, -1.5), (1.0, 3.0, 2.0), (-4.0, -1.0, -2.5),
        (tiny, tiny, tiny), (-tiny, -tiny, -tiny), (1.0, 1.0, 1.0),
    ):  # fmt: skip
        starts = [(np.array([low, 5.0]), np.array([high, 6.0]), 0)]
        parts = slth_check_tight.leaves(np.array([0, 255, 255], np.uint8), starts)
        assert [(a.tolist(), b.tolist()) for a, b in parts] == [
            ([low, 5.0], [cut, 6.0]),
            ([cut, 5.0], [high, 6.0]),
        ]


def test_trees_that_do_not_fit_the_roots_are_refused():
    starts = [(np.zeros(2), np.ones(2), 0)] * 2

    def parts(*splits):
        return list(slth_check_tight.leaves(np.array(splits, np.uint8), starts[:]))

    assert len(parts(1, 255, 255, 255)) == 3
    for splits in ((255,), (255, 255, 255), (1, 255, 255), (2, 255, 255, 255), (254, 255, 255, 255)):
        assert code_of(parts, *splits) == 31


def test_parts_on_the_upper_side_may_be_a_thousand_deep_too():
    for depth, code in ((1000, 0), (1001, 31)):
        splits = np.array([0, 255] * depth + [255], np.uint8)
        starts = [(np.zeros(1), np.ones(1), 0)]
        assert code_of(lambda tree=splits, roots=starts: list(slth_check_tight.leaves(tree, roots))) == code


def test_domains_of_as_many_inputs_as_a_byte_names_have_parts():
    for inputs, code in ((255, 0), (256, 32)):
        ends = {"low": np.zeros(inputs), "high": np.ones(inputs), "splits": np.full(inputs, 255, np.uint8)}
        layers = [matrices(np.ones((1, inputs)))]
        assert code_of(slth_check_tight.splitting, layers, {"name": "box"}, ends) == code


def test_parts_are_bounded_in_lists_as_long_as_the_widest_layer_allows(monkeypatch):
    layers = [matrices(np.ones((2, 6))), matrices(np.ones((5, 2)))]
    ends = {"low": -np.ones(6), "high": np.ones(6), "splits": np.full(12, 255, np.uint8)}
    seen = []

    def recorded(_, region):
        seen.append(len(region.low))
        return np.full((len(region.low), 5), float(len(seen)))

    monkeypatch.setattr(slth_check_tight, "errors", recorded)
    for most, sizes in ((30, [5, 5, 2]), (5, [1] * 12)):
        monkeypatch.setattr(slth_check_tight, "PARTS", most)
        assert slth_check_tight.splitting(layers, {"name": "box"}, ends) == len(sizes)
        assert seen == sizes
        seen.clear()


def test_batches_are_full_but_for_the_last():
    for count, sizes in ((2, [2, 2, 1]), (5, [5]), (9, [5]), (1, [1] * 5)):
        assert [len(batch) for batch in slth_check_tight.batches(range(5), count)] == sizes
    assert list(slth_check_tight.batches([], 3)) == []


def test_parts_of_a_ball_count_in_proportion_to_their_least_modulus(monkeypatch):
    layers = [matrices(np.ones((1, 1)))]
    ball = {"name": "ball", "radius": (4.0).hex()}
    monkeypatch.setattr(slth_check_tight, "errors", lambda layers, region: np.ones((len(region.low), 1)))
    found = slth_check_tight.splitting(layers, ball, {"splits": np.array([255, 255], np.uint8)})
    assert found == 4 * (1 + 26 * U)  # 9 of the norm, 9 of the least modulus, 8 of the products


def parts_of(monkeypatch, layers, domain, tensors):
    """The matrices and norms from which averaged operators start."""
    seen, kind = [], slth_check_tight.Chains
    monkeypatch.setattr(slth_check_tight, "Chains", lambda *of: seen.append(of[:2]) or kind(*of))
    slth_check_tight.averaged(layers, domain, tensors)
    monkeypatch.undo()
    return seen[0]


@pytest.mark.parametrize("seed", range(3))
def test_averaged_operators_start_from_the_matrices_of_the_specification(monkeypatch, seed):
    rng = np.random.default_rng([27, seed])
    layers = [
        matrices(*few_bits(rng, 3, units, inputs), *few_bits(rng, 2, units)) for inputs, units in ((5, 3), (3, 2))
    ]
    w, plus, minus, _, slip, *_ = layers[0]
    ball = {"name": "ball", "radius": (3.0).hex()}
    parts, norms = parts_of(monkeypatch, layers, ball, {})
    check_parts(parts, w * 3, np.hstack([plus, -minus]) * 3)
    assert (parts["v0"][0][:, 0] == slip).all()
    assert norms["E0",] <= slth_check.both_signs(plus, minus) * 3
    low = np.array([-1.0, 0.25, -2.0, 1.0, -3.0])
    high = low + np.array([2, 2, 0, 2, 2])
    scale = np.nextafter([1, 1, 0, 1, 1], INF) * [1, 1, 0, 1, 1] * 2.0 * (1 + 4 * U)
    parts, _ = parts_of(monkeypatch, layers, {"name": "box"}, {"low": low, "high": high})
    check_parts(parts, w * scale, np.hstack([plus * scale, -minus * scale]))
    centre = (low + high) / 2
    shift = plus @ np.maximum(centre, 0) + minus @ np.minimum(centre, 0) + slip
    assert parts["v0"][0][:, 0] == pytest.approx(shift, abs=1e-13)
    assert 0 < parts["v0"][1] < 1e-12
    h = np.maximum(w @ centre + layers[0][5], 0)
    assert parts["v1"][0][:, 0] == pytest.approx(layers[1][1] @ h + layers[1][4], abs=1e-12)
    above = low - low.min()
    parts, _ = parts_of(monkeypatch, layers, {"name": "box"}, {"low": above, "high": above + high - low})
    check_parts(parts, w * scale, plus * scale)
    for name, place in (("W1", 0), ("E1", 1), ("V1", 3)):
        assert parts[name] == (pytest.approx(layers[1][place], abs=0, rel=0), 0)


def check_parts(parts, *wanted):
    for name, value in zip(("W0", "E0"), wanted, strict=True):
        found, off = parts[name]
        assert (found == value).all()
        assert off == slth_check_tight.frobenius(value) * Fraction(U) + value.size * Fraction(PAD)


def matrices(w, plus=None, minus=None, slip=None, b=None):
    """A layer as slth_check gives it."""
    plus = 0 * w if plus is None else plus
    slip, b = (np.zeros(len(w)) if part is None else part for part in (slip, b))
    return w, plus, plus if minus is None else minus, w + plus, slip, b, b + slip

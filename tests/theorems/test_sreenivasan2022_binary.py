"""Sreenivasan et al. 2022: registers that double, in networks of signs, claim by claim."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from slth.assignment import adaptive
from slth.confidence import excess_p_value
from slth.laws import Signs
from slth.networks.examples import random_target
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.networks.torch_export import to_module
from slth.subset_sum.questions import nearest
from slth.theorems import register_chances as chances
from slth.theorems import registers
from slth.theorems import sreenivasan2022_binary as binary
from slth.theorems.certificate import Verdict
from slth.theorems.theorem import verify

ONE = 1 << 48


def small(seed=0, widths=(2, 3, 2)):
    return binary.normalised(random_target(widths, seed))


def drawn(widths, bits, copies, seed):
    return Source(seed, registers.widths_for(widths, bits, copies), law=Signs())


def sums_of(target, bits):
    return [registers.split(registers.quantised(layer, bits), i == 0) for i, layer in enumerate(target.layers)]


def every_sum(widths, bits):
    """All bits of all accumulators: more edges than any target of these widths needs."""
    shapes = [(2 * d, m * (2 if i == 0 else 1)) for i, (m, d) in enumerate(itertools.pairwise(widths))]
    return [np.full(shape, 2 ** (bits + 1) - 1) for shape in shapes]


def signs(source, masks):
    """Masks times weights, as matrices of -1, 0 and 1."""
    return [(source.rows(s, 0, len(mask)) >> 24) * mask for s, mask in enumerate(masks)]


def exact_output(layers, point):
    """(W + E+) x+ - (W + E-) x-, layer by layer in Fractions."""
    x = [Fraction(v) for v in point]
    for i, layer in enumerate(layers):
        x = [max(v, Fraction(0)) for v in x] if i else x
        plus, minus = layer.target.weight + layer.positive, layer.target.weight + layer.negative
        x = [
            sum((Fraction(int(a if v >= 0 else b), ONE) * v for a, b, v in zip(p, m, x, strict=True)), Fraction(0))
            for p, m in zip(plus, minus, strict=True)
        ]
    return x


# Logic ----------------------------------------------------------------------------------------------------------------


@given(st.integers(0, 6), st.integers(1, 3), st.integers(1, 3), st.booleans(), st.randoms(use_true_random=False))
def test_the_edges_of_a_layer_multiply_by_its_integers(bits, outputs, inputs, signed, random):
    top = 2**bits
    q = np.array([[random.randint(-top, top) for _ in range(inputs)] for _ in range(outputs)])
    x = np.array([random.randint(-9 if signed else 0, 9) for _ in range(inputs)])
    values = np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)]) if signed else x
    needs = list(registers.edges(registers.split(q, signed), bits))
    assert len(needs) == bits + 2
    for need in needs:
        assert (values >= 0).all()
        values = need @ values
    assert (values == q @ x).all()


@pytest.mark.parametrize("bits", [0, 1, 7, 20, 40])
def test_quantisation_is_within_half_a_unit_and_keeps_one_bit_more_than_the_fraction(bits):
    layer = random_target((6, 5), 1).layers[0]
    q = registers.quantised(layer, bits)
    assert np.abs((q << (48 - bits)) - layer.weight).max() <= 1 << (47 - bits)
    ends = Target.from_floats([[[1.0, -1.0, 0.0]]]).layers[0]
    assert registers.quantised(ends, bits).tolist() == [[2**bits, -(2**bits), 0]]


def test_depth_and_widths_of_the_source_are_those_of_the_bounds():
    for widths, bits, copies in itertools.product([(3, 4, 2), (5, 1), (2, 2, 2, 2)], (0, 3, 9), (1, 7)):
        found = registers.widths_for(widths, bits, copies)
        assert len(found) - 1 == binary.DEPTH.evaluate(B=bits, L=len(widths) - 1)
        assert max(found) <= 4 * max(widths) * copies
        assert (found[0], found[-1]) == (widths[0], widths[-1])
        target = Target.from_floats([np.zeros((d, m)) for m, d in itertools.pairwise(widths)])
        assert registers.form(target, Source(0, found, law=Signs())) == (bits, copies)


# The wiring -----------------------------------------------------------------------------------------------------------


def logical_values(q, bits, signed, x):
    """For each stage of one layer, the values of its logical neurons: 2^t x_j, partial sums, the readout."""
    values = np.concatenate([np.maximum(x, 0), np.maximum(-x, 0)]) if signed else np.maximum(x, 0)
    parts = np.hstack([q, -q]) if signed else q
    parts = np.vstack([np.maximum(parts, 0), np.maximum(-parts, 0)])
    for t in range(1, bits + 2):
        partial = (parts % 2**t) @ values
        yield partial if t == bits + 1 else np.concatenate([2**t * values, partial])
    yield q @ (x if signed else np.maximum(x, 0))


@pytest.mark.parametrize("seed", range(3))
def test_each_good_copy_has_exactly_the_value_it_stands_for_and_no_activation_is_negative(seed):
    target, bits, copies = small(seed), 5, 9
    source = drawn(target.widths, bits, copies, seed)
    masks, tallies = registers.wire(source, sums_of(target, bits), bits, copies)
    matrices = signs(source, masks)
    assert [tally.failed for tally in tallies] == [0, 0]
    for x in np.random.default_rng(seed).integers(-50, 51, (5, 2)):
        active = np.maximum(matrices[0] @ x, 0)
        logical, s = x, 0
        for i, layer in enumerate(target.layers):
            for wanted in logical_values(registers.quantised(layer, bits), bits, i == 0, logical):
                s += 1
                found = matrices[s] @ active
                each = np.repeat(wanted, len(found) // len(wanted))
                wired = masks[s].any(axis=1)
                assert wired.any()
                assert (found[wired] == each[wired]).all()
                assert not found[~wired].any()
                readout = s % (bits + 2) == 0
                assert readout or (found >= 0).all()
                active, logical = np.maximum(found, 0), wanted
        assert (found == each).all()


def good_by_the_definition(source, sums, bits, copies):
    """The good copies of every logical neuron, one edge at a time."""
    first = source.rows(0, 0, source.widths[1])
    d = source.widths[0]
    owners = [
        [u for u in range(2 * copies * j, 2 * copies * (j + 1)) if (first[u, j] > 0) == positive]
        for positive in (True, False)
        for j in range(d)
    ]
    matrix = 0
    for layer in sums:
        for need in registers.edges(layer, bits):
            matrix += 1
            tries = source.widths[matrix + 1] // len(need)
            rows = source.rows(matrix, 0, source.widths[matrix + 1])
            found = []
            for p, row in enumerate(need.tolist()):
                good = []
                for unit in range(p * tries, (p + 1) * tries):
                    edges = [
                        (sum(1 for u in owners[q] if (rows[unit, u] > 0) == (m > 0)), abs(m))
                        for q, m in enumerate(row)
                        if m
                    ]
                    if all(have >= wanted for have, wanted in edges):
                        good.append(unit)
                found.append(good)
            yield matrix, need, found
            owners = found


@pytest.mark.parametrize(("copies", "seed"), [(3, 0), (5, 1), (8, 2)])
def test_good_copies_are_those_of_the_definition_and_keep_as_many_edges_as_they_need(copies, seed):
    target, bits = small(seed, (2, 2, 1)), 3
    source = drawn(target.widths, bits, copies, seed)
    sums = sums_of(target, bits)
    masks, tallies = registers.wire(source, sums, bits, copies)
    failed = 0
    for matrix, need, owners in good_by_the_definition(source, sums, bits, copies):
        kept = masks[matrix].sum(axis=1)
        tries = len(kept) // len(need)
        for p, own in enumerate(owners):
            expected = np.zeros(tries, dtype=int)
            expected[np.array(own, dtype=int) - p * tries] = np.abs(need[p]).sum()
            assert (kept[p * tries : (p + 1) * tries] == expected).all()
            failed += need[p].any() and not own
    assert failed == sum(tally.failed for tally in tallies)


def test_trimming_keeps_the_function_and_fewer_weights():
    target, bits, copies = small(), 4, 10
    source = drawn(target.widths, bits, copies, 0)
    masks, _ = registers.wire(source, sums_of(target, bits), bits, copies)
    full, lean = Ticket(source, masks), Ticket(source, registers.trimmed(masks))
    x = torch.from_numpy(np.random.default_rng(0).integers(-9, 10, (30, 2))).double()
    assert torch.equal(to_module(full)(x), to_module(lean)(x))
    assert lean.kept < full.kept / 4
    for before, after in itertools.pairwise(lean.masks):
        assert not before[~after.any(axis=0)].any()


# The ticket -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("widths", [(2, 3, 2), (3, 1), (1, 2, 2, 1)])
def test_the_error_is_the_quantisation_and_nothing_else(widths):
    target, epsilon = small(1, widths), 0.05
    found = verify(binary, target, epsilon, 0.01, seed=0)
    bits, _ = registers.form(target, found.construction.ticket.source)
    assert found.construction.failed == 0
    assert found.verdict is Verdict.HOLDS
    assert found.construction.tolerances == (1 << (47 - bits),) * target.depth
    layers = registers.effective(target, found.construction.ticket)
    for layer, report in zip(layers, found.construction.reports, strict=True):
        exact = (registers.quantised(layer.target, bits) << (48 - bits)) - layer.target.weight
        read = layer.positive.any(axis=1)
        assert read.any()
        assert (layer.positive[read] == exact[read]).all()
        assert (layer.negative[read] == exact[read]).all()
        assert report.worst == np.abs(exact).max() <= 1 << (47 - bits)


@pytest.mark.parametrize("widths", [(2, 3, 2), (2, 1, 2)])
def test_the_masked_network_is_a_power_of_two_times_the_quantised_target_exactly(widths):
    target = small(2, widths)
    made = binary.construct(target, binary.source(target, 0.05, 0.01, seed=3), 0.05)
    bits, _ = registers.form(target, made.ticket.source)
    layers = registers.effective(target, made.ticket)
    points = np.random.default_rng(0).integers(-20, 21, (20, 2))
    outputs = to_module(made.ticket)(torch.from_numpy(points).double())
    for point, output in zip(points.tolist(), outputs.tolist(), strict=True):
        assert [Fraction(v) / 2 ** (bits * target.depth) for v in output] == exact_output(layers, point)


def test_forty_bits_are_exact_too():
    target = Target.from_floats([[[0.3, -0.7]]])
    source = drawn((2, 1), 40, 16, seed=0)
    made = binary.construct(target, source, 1e-12)
    assert made.failed == 0
    layer = registers.effective(target, made.ticket)[0]
    assert 0 < np.abs(layer.positive).max() <= 1 << 7
    assert made.worst_residual <= 2.0**-41


@pytest.mark.parametrize("seed", range(8))
def test_a_failed_draw_is_counted_and_its_ticket_is_still_computed_exactly(seed):
    target, bits = small(seed), 3
    made = binary.construct(target, drawn(target.widths, bits, 5, seed), 0.1)
    layers = registers.effective(target, made.ticket)
    outputs = to_module(made.ticket)(torch.tensor([[3.0, -2.0], [-1.0, 4.0]], dtype=torch.float64)).tolist()
    for point, output in zip(((3, -2), (-1, 4)), outputs, strict=True):
        assert [Fraction(v) / 2 ** (bits * 2) for v in output] == exact_output(layers, point)
    if made.failed:
        assert made.worst_residual > 2.0 ** (-bits - 1)
        assert (registers.quantised(target.layers[1], bits).any(axis=1) & ~made.ticket.masks[-1].any(axis=1)).any()


def test_a_hopeless_source_gives_the_zero_network_and_the_verdict_fails():
    target = small()
    found = verify(binary, target, 0.05, 0.1, seed=0, samples=2)
    assert found.construction.failed > 0
    assert found.construction.ticket.kept == 0
    assert found.verdict is Verdict.FAILS
    assert found.error.lower <= found.error.upper


@settings(max_examples=25)
@given(st.integers(0, 10**9))
def test_any_other_mask_is_refused_or_computed_exactly(seed):
    target, bits = small(0, (2, 2, 1)), 2
    made = binary.construct(target, drawn(target.widths, bits, 10, 0), 0.1)
    rng = np.random.default_rng(seed)
    masks = [mask.copy() for mask in made.ticket.masks]
    for _ in range(2):
        s = rng.integers(len(masks))
        places = np.argwhere(masks[s]) if rng.random() < 0.5 else np.argwhere(~masks[s])
        masks[s][tuple(rng.choice(places))] ^= True
    changed = Ticket(made.ticket.source, tuple(masks))
    try:
        layers = registers.effective(target, changed)
    except ValueError:
        return
    points = rng.integers(-9, 10, (6, 2))
    outputs = to_module(changed)(torch.from_numpy(points).double()).tolist()
    for point, output in zip(points.tolist(), outputs, strict=True):
        assert [Fraction(v) / 2 ** (bits * 2) for v in output] == exact_output(layers, point)


def test_a_zero_target_keeps_nothing_and_has_no_error():
    target = Target.from_floats([np.zeros((3, 2)), np.zeros((1, 3))])
    found = verify(binary, target, 0.1, 0.1, seed=0, samples=3)
    assert found.construction.ticket.kept == 0
    assert found.construction.failed == found.construction.count == 0
    assert found.error.upper == 0


def test_a_neuron_that_nobody_reads_is_left_out_at_no_cost():
    target = Target.from_floats([[[0.5, 0.25], [0.5, -0.5]], [[0.5, 0.0]]])
    found = verify(binary, target, 0.3, 0.01, seed=0)
    bits, copies = registers.form(target, found.construction.ticket.source)
    assert not found.construction.ticket.masks[bits + 2][copies:].any()
    assert found.error.upper == 0  # the weights are multiples of 1/4


# How many copies ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copies", [8, 9, 10])
def test_failures_for_all_targets_at_once_are_no_more_frequent_than_the_bound(copies):
    # 60 draws each; flagged with probability below 1e-4 per case if the bound holds with equality.
    widths, bits = (1, 2, 1), 3
    full = every_sum(widths, bits)
    failed = sum(
        any(tally.failed for tally in registers.wire(drawn(widths, bits, copies, seed), full, bits, copies)[1])
        for seed in range(60)
    )
    assert excess_p_value(failed, 60, chances.failure(widths, bits, copies)) > 1e-4


def test_at_the_bounds_width_verdicts_fail_no_more_often_than_delta():
    target, delta = small(0, (2, 2)), 0.3
    verdicts = [verify(binary, target, 0.1, delta, seed).verdict for seed in range(40)]
    assert excess_p_value(sum(verdict is not Verdict.HOLDS for verdict in verdicts), 40, delta) > 1e-4


@pytest.mark.parametrize("copies", [3, 4, 5])
def test_below_six_copies_failures_are_frequent_and_more_so_than_the_lower_bound(copies):
    # COPIES_NEEDED solved for delta: 1 - (1 - 2^-copies)^outputs is a lower bound on the chance of failure.
    target, bits = small(0, (2, 3)), 4
    sums = sums_of(target, bits)
    failed = sum(
        any(tally.failed for tally in registers.wire(drawn((2, 3), bits, copies, seed), sums, bits, copies)[1])
        for seed in range(60)
    )
    least = 1 - (1 - 2.0**-copies) ** 3
    assert binary.COPIES_NEEDED.evaluate(delta=least, d_out=3) == pytest.approx(copies, rel=1e-9)
    assert binom.cdf(failed, 60, least) > 1e-4
    assert failed > 30


@pytest.mark.slow
def test_eight_copies_serve_nine_draws_in_ten_whatever_the_size_and_the_bound_asks_for_twice_as_many_at_most():
    # A measurement, not a bound: the smallest number of copies with 18 or more successes of 20.
    found = []
    for widths, bits in (((1, 1), 4), ((3, 2), 6), ((5, 5), 8), ((5, 4, 3), 7)):
        sums = sums_of(binary.normalised(random_target(widths, 0)), bits)
        for copies in range(4, 12):
            tallies = [registers.wire(drawn(widths, bits, copies, s), sums, bits, copies)[1] for s in range(20)]
            if sum(all(tally.failed == 0 for tally in tally_of) for tally_of in tallies) >= 18:
                break
        found.append(copies)
        assert copies <= chances.copies_needed(widths, bits, 0.1) <= 2 * copies
    assert max(found) <= 9
    assert found[0] <= found[-1]


@pytest.mark.parametrize("widths", [(1, 1), (2, 3, 2), (8, 8), (64, 32, 10)])
@pytest.mark.parametrize("bits", [0, 4, 16])
@pytest.mark.parametrize("delta", [0.5, 0.01, 1e-9])
def test_the_closed_form_is_above_the_copies_that_the_binomial_tails_ask_for(widths, bits, delta):
    closed = binary.COPIES.evaluate(I=chances.logical_neurons(widths, bits), delta=delta)
    assert chances.failure(widths, bits, math.ceil(closed)) <= delta
    assert chances.copies_needed(widths, bits, delta) <= closed
    assert binary.COPIES_NEEDED.evaluate(delta=delta, d_out=widths[-1]) <= chances.copies_needed(widths, bits, delta)


def test_logical_neurons_are_counted_with_the_inputs():
    for widths, bits in (((2, 1), 1), ((3, 4, 2), 5)):
        rows = sum(len(need) for sums in every_sum(widths, bits) for need in registers.edges(sums, bits))
        assert chances.logical_neurons(widths, bits) == 2 * widths[0] + rows


def test_a_copy_lacks_edges_with_the_chances_that_enter_the_bound():
    # brute force over all signs of `have` edges for each of `reads` sources
    for have, reads in ((1, 2), (3, 2), (2, 3)):
        all_signs = np.array(list(itertools.product([0, 1], repeat=have * reads))).reshape(-1, reads, have)
        lacking = 1 - (all_signs.sum(axis=2) >= 1).all(axis=1).mean()
        assert chances._lacks_one(np.array([have]), reads) == pytest.approx(lacking)
    for have in (1, 2, 5):
        both = np.array(list(itertools.product([0, 1], repeat=have))).sum(axis=1)
        assert chances._lacks_two(np.array([have])) == pytest.approx((both < 2).mean())
    assert chances._fewer(np.array([2]), 3, np.array([0.25])) == pytest.approx(0.25**3 + 3 * 0.75 * 0.25**2)


def test_a_source_that_serves_all_sums_serves_every_target():
    widths, bits, copies = (2, 2, 1), 3, 12
    source = drawn(widths, bits, copies, 0)
    assert not any(tally.failed for tally in registers.wire(source, every_sum(widths, bits), bits, copies)[1])
    for seed in range(15):
        assert binary.construct(small(seed, widths), source, 0.1).failed == 0


# Bounds, hypotheses, refusals -----------------------------------------------------------------------------------------


def test_half_the_error_costs_one_matrix_per_layer():
    target = small()
    depths = [binary.source(target, 0.2 / 2**i, 0.1, 0, samples=1).depth for i in range(6)]
    assert set(np.diff(depths)) == {target.depth}


@pytest.mark.parametrize("epsilon", [0.9, 0.1, 1e-3, 1e-9])
def test_bits_are_the_fewest_that_meet_the_tolerance_and_at_most_one_above_the_bound(epsilon):
    target = small()
    bits, t = binary.bits_needed(target, epsilon), min(binary.tolerances(target, epsilon))
    assert 2.0 ** (-bits - 1) <= t < 2.0**-bits
    assert bits - 1 < binary.BITS.evaluate(t=t) <= bits


def test_the_published_width_and_depth_need_their_constants():
    values = {"d": 8, "L": 2, "epsilon": 0.01}
    for bound in (binary.WIDTH, binary.DEPTH_PUBLISHED):
        with pytest.raises(ValueError, match="C"):
            bound.evaluate(**values)
    assert binary.WIDTH.evaluate(C=1, **values) == pytest.approx(8 * math.log(1600) ** 2)
    assert binary.DEPTH_PUBLISHED.evaluate(C=1, **values) == pytest.approx(2 * math.log(1600))


def test_hypotheses_hold_at_the_bounds_width_and_name_what_is_short():
    target = small()
    assert all(c.holds for c in binary.hypotheses(target, binary.source(target, 0.1, 0.1, 0), 0.1, 0.1))
    short = drawn(target.widths, 2, 3, 0)
    missing = [c.name for c in binary.hypotheses(target, short, 0.1, 0.1) if not c.holds]
    assert missing == ["depth of the source", "fractional bits", "copies of a neuron"]


@pytest.mark.parametrize("epsilon", [0.5, 0.1, 0.01])
def test_the_depth_asked_for_is_that_of_the_bound(epsilon):
    target = small()
    source = binary.source(target, epsilon, 0.1, 0)
    (depth,) = [check for check in binary.hypotheses(target, source, epsilon, 0.1) if "depth" in check.name]
    bits = binary.bits_needed(target, epsilon)
    assert depth.value == depth.limit == binary.DEPTH.evaluate(B=bits, L=target.depth)


def test_progress_is_told_every_neuron_once():
    seen = []
    verify(binary, small(), 0.3, 0.1, 0, advance=seen.append)
    assert sum(seen) == binary.instances(small()) == 5


def test_what_the_construction_does_not_do_is_refused():
    target = small()
    source = binary.source(target, 0.3, 0.1, 0)
    with pytest.raises(ValueError, match="asks no question"):
        binary.construct(target, source, 0.3, nearest)
    with pytest.raises(ValueError, match="one assignment"):
        binary.construct(target, source, 0.3, None, adaptive)
    with pytest.raises(ValueError, match="no biases"):
        binary.construct(Target.from_floats([[[0.5]]], [[0.1]]), source, 0.3)
    with pytest.raises(ValueError, match="modulus at most 1"):
        binary.construct(Target.from_floats([[[1.5]]]), source, 0.3)
    with pytest.raises(ValueError, match=r"law Signs\(\)"):
        binary.construct(target, Source(0, source.widths), 0.3)
    made = binary.construct(target, source, 0.3)
    with pytest.raises(ValueError, match=r"law Signs\(\)"):
        registers.effective(target, Ticket(Source(0, source.widths), made.ticket.masks))
    with pytest.raises(ValueError, match="make it with the theorem's"):
        binary.construct(small(widths=(2, 2, 2)), source, 0.3)
    with pytest.raises(ValueError, match="make it with the theorem's"):
        registers.form(target, Source(0, source.widths, (True,) + (False,) * (source.depth - 1), Signs()))
    with pytest.raises(ValueError, match="at least 1 copy"):
        binary.source(target, 0.3, 0.1, 0, samples=0)
    with pytest.raises(ValueError, match="delta"):
        binary.source(target, 0.3, 0.0, 0)
    with pytest.raises(ValueError, match="epsilon"):
        binary.source(target, -0.1, 0.1, 0)
    with pytest.raises(ValueError, match="at most 40"):
        binary.bits_needed(target, 1e-13)


def tampered(made, change):
    masks = [mask.copy() for mask in made.ticket.masks]
    change(masks)
    return Ticket(made.ticket.source, tuple(masks))


def test_tickets_of_another_kind_are_refused_each_by_its_reason():
    target, bits, copies = small(0, (2, 2, 1)), 2, 10
    made = binary.construct(target, drawn(target.widths, bits, copies, 0), 0.1)
    several = tampered(made, lambda masks: masks[0].fill(True))
    with pytest.raises(ValueError, match="keeps several inputs"):
        registers.effective(target, several)
    all_edges = tampered(made, lambda masks: [mask.fill(True) for mask in masks[1:]])
    with pytest.raises(ValueError, match="negative coefficient"):
        registers.effective(target, all_edges)

    def unequal(masks):
        # the last matrix of layer 1 loses the edges of one copy that is read
        unit = np.flatnonzero(masks[bits + 3].any(axis=0))[0]
        masks[bits + 2][unit] = False

    with pytest.raises(ValueError, match="compute different sums"):
        registers.effective(target, tampered(made, unequal))

    one = Target.from_floats([[[0.5]]])
    wide = binary.construct(one, drawn((1, 1), 2, 10, 0), 0.1)
    with pytest.raises(ValueError, match="weights beyond 16"):
        registers.effective(one, tampered(wide, lambda masks: grown(wide, masks)))


def grown(made, masks):
    """All edges of sign 1: coefficients of about 5^4 where 2^3 are due."""
    for s, mask in enumerate(masks[1:], 1):
        mask[:] = made.ticket.source.rows(s, 0, len(mask)) > 0


def test_coefficients_beyond_int64_are_refused():
    one = Target.from_floats([[[0.5]]])
    wide = binary.construct(one, drawn((1, 1), 30, 10, 0), 0.1)
    with pytest.raises(ValueError, match="exceed 2"):
        registers.effective(one, tampered(wide, lambda masks: grown(wide, masks)))

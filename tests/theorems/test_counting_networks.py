"""Winning masks of whole networks: products of counts against every mask, and the chance that one exists."""

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import naive
import numpy as np
import pytest
from drawn import weights

from slth.assignment import adaptive
from slth.confidence import excess_p_value
from slth.gadget import collapse
from slth.laws import Uniform
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.theorems import counting
from slth.theorems.counting_chances import Chances, chances, expected_assignments, mean_chances
from slth.theorems.counting_networks import WinningMasks, gates, predicted_bits, winning_masks, winning_masks_by_size

FALSE_ALARM = 1e-6
"""A true bound is rejected with at most this probability, per test case, over the choice of the seed."""

UNIT = 1 << 48
FIFTH = UNIT // 5
SQUARE = Target.from_floats([[[0.1, -0.2], [0.15, 0.05]]])
SIDES = pytest.mark.parametrize("nonnegative", [False, True])


def all_masks(count):
    return np.array(list(itertools.product([False, True], repeat=count)))


def errors(target, source, gate, masks):
    """E+ and E- of the one layer for masks (m, outputs, hidden) of the second matrix, int64 (m, 2, outputs, inputs)."""
    u, v = (weights(source.seed, source.trial, matrix, source.shapes[matrix]) for matrix in (0, 1))
    signs = np.stack([(u > 0) & gate, (u < 0) & gate])
    return np.einsum("moh,oh,shi->msoi", masks, v, signs * u) - target.layers[0].weight


def wins(error, tolerance, nonnegative):
    used = error[:, :1] if nonnegative else error
    return (np.abs(used) <= tolerance).all(axis=(1, 2, 3))


# Exact counts


@SIDES
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_count_is_that_of_all_65536_masks_of_the_second_matrix(nonnegative, seed):
    # 2 inputs, 8 hidden units, 2 outputs, gates by blocks: all 2^16 masks of the 2 x 8 second matrix are tried.
    source = Source(seed, (2, 8, 2))
    opened = gates(SQUARE, source, nonnegative=nonnegative)
    masks = all_masks(16).reshape(-1, 2, 8)
    winners = masks[wins(errors(SQUARE, source, opened[0], masks), FIFTH, nonnegative)]
    found = winning_masks(SQUARE, source, opened, [FIFTH], nonnegative)
    assert found.number == len(winners) > 0
    assert found.bits == pytest.approx(math.log2(len(winners)), abs=1e-9)
    kept = np.bincount(winners.sum(axis=(1, 2)), minlength=17)
    assert winning_masks_by_size(SQUARE, source, opened, [FIFTH], nonnegative) == kept.tolist()


@SIDES
def test_the_counts_of_all_gates_add_up_to_all_masks_of_both_matrices_in_which_units_keep_one_weight_at_most(
    nonnegative,
):
    # 2 inputs, 4 hidden units, 2 outputs: 2^16 masks of both matrices, of which 3^4 * 2^8 = 20,736 have gates; the
    # others let a unit mix two inputs and are not counted.
    source = Source(7, (2, 4, 2))
    masks, seen, total, predicted = all_masks(8).reshape(-1, 2, 4), 0, 0, 0
    for row in all_masks(8):
        gate = row.reshape(4, 2)
        if gate.sum(axis=1).max() > 1:
            continue
        seen += len(masks)
        total += int(wins(errors(SQUARE, source, gate, masks), FIFTH, nonnegative).sum())
        predicted += winning_masks(SQUARE, source, [gate], [FIFTH], nonnegative).number
    assert seen == 20_736
    assert predicted == total > 0


@pytest.mark.parametrize("biased", [False, True])
def test_the_count_of_two_layers_with_biases_is_that_of_all_tickets_by_their_effective_errors(biased):
    target = Target.from_floats([[[0.2]], [[-0.3]]], [[0.1], None] if biased else None)
    source = Source(3, (1, 4, 1, 4, 1), (biased, False, False, False))
    opened, tolerances = gates(target, source), [FIFTH, UNIT // 4]
    winners = 0
    for row in all_masks(8):
        second = row[:4].reshape(1, 4), row[4:].reshape(1, 4)
        layers = collapse(target, Ticket(source, (opened[0], second[0], opened[1], second[1])))
        used = [layers[0].positive, layers[0].negative, layers[0].bias], [layers[1].positive]
        winners += all(np.abs(e).max() <= t for part, t in zip(used, tolerances, strict=True) for e in part)
    found = winning_masks(target, source, opened, tolerances)
    assert found.number == winners > 0
    assert len(found.instances) == (4 if biased else 3)


def test_entries_that_nobody_reads_are_idle_and_leave_the_function_as_it_is():
    source = Source(1, (2, 8, 2))
    opened = gates(SQUARE, source)
    opened[0][3] = False
    masks = all_masks(16).reshape(-1, 2, 8)
    for nonnegative in (False, True):
        found = winning_masks(SQUARE, source, opened, [FIFTH], nonnegative)
        dead = int(((source.rows(0, 0, 8) < 0) & opened[0]).sum()) if nonnegative else 0
        assert found.idle == 2 * (1 + dead)
        error = errors(SQUARE, source, opened[0], masks)
        used = (error[:, :1] if nonnegative else error)[wins(error, FIFTH, nonnegative)]
        # No two subsets of this draw have equal sums, so every choice of subsets is a function of its own.
        assert len(np.unique(used.reshape(len(used), -1), axis=0)) == math.prod(found.instances)
        assert len(used) == found.number


@pytest.mark.parametrize("seed", [0, 1])
def test_masks_that_win_by_the_error_of_the_network_are_at_least_as_many(seed):
    # Entries within t have, on the box [-1, 1]^2, an error of at most 2 t in the maximum norm; the converse fails.
    source = Source(seed, (2, 8, 2))
    opened = gates(SQUARE, source)
    masks = all_masks(16).reshape(-1, 2, 8)
    error = errors(SQUARE, source, opened[0], masks)
    plus, minus = error[:, 0], error[:, 1]
    above = np.maximum(np.maximum(plus, -minus), 0).sum(axis=2)
    below = np.maximum(np.maximum(-plus, minus), 0).sum(axis=2)
    by_network = np.maximum(above, below).max(axis=1) <= 2 * FIFTH
    by_entry = wins(error, FIFTH, False)
    assert (by_network | ~by_entry).all()
    assert by_network.sum() > winning_masks(SQUARE, source, opened, [FIFTH]).number


def test_an_instance_without_candidates_wins_by_its_empty_subset_only():
    source = Source(0, (2, 4, 2))
    closed = [np.zeros((4, 2), dtype=bool)]
    assert winning_masks(SQUARE, source, closed, [FIFTH]) == WinningMasks((1,) * 8, 8)
    found = winning_masks(SQUARE, source, closed, [UNIT // 10])
    assert (found.number, found.bits) == (0, -math.inf)
    assert winning_masks_by_size(SQUARE, source, closed, [UNIT // 10]) == [0] * 9
    assert predicted_bits(SQUARE, source, closed, [UNIT // 10]) == -math.inf
    assert predicted_bits(SQUARE, source, closed, [FIFTH]) == 8
    assert chances(SQUARE, source, closed, [UNIT // 10]) == Chances(0.0, 0.0)
    assert chances(SQUARE, source, closed, [FIFTH]) == Chances(1.0, 1.0)


# The number by the law


def network(units, seed):
    """A 3-3-2 target and its source; the number of instances is 18 + 6."""
    rng = np.random.default_rng(5)
    target = Target.from_floats([rng.uniform(-0.3, 0.3, shape) for shape in ((3, 3), (2, 3))])
    return target, Source(seed, (3, 6 * units, 3, 6 * units, 2))


def test_the_number_has_as_many_bits_as_the_law_says_within_half_a_bit_per_instance():
    target, source = network(16, seed=2)
    tolerances = [UNIT >> 7] * 2
    opened = gates(target, source, adaptive)
    found = winning_masks(target, source, opened, tolerances)
    assert len(found.instances) == 24
    assert abs(predicted_bits(target, source, opened, tolerances) - found.bits) < 0.5 * 24
    assert found.number > 1 << 200


def test_every_further_candidate_adds_a_bit_per_instance_within_a_tenth_and_the_mean_bits_are_those_of_the_law():
    measured, law = {}, {}
    for n in (14, 18):  # so many candidates have the 18 signed instances of the first layer
        logs = []
        for seed in range(8):
            target, source = network(n, seed)
            found = winning_masks(target, source, gates(target, source, adaptive), [UNIT >> 7] * 2)
            logs += [math.log2(count) for count in found.instances[:18] if count]
        measured[n] = np.mean(logs)
        targets = target.layers[0].matrix.ravel()
        law[n] = np.mean([counting.MEAN_BITS.evaluate(n=n, q=1 / 9, epsilon=2.0**-7, z=z) for z in targets])
        assert measured[n] == pytest.approx(law[n], abs=0.5)
    assert (measured[18] - measured[14]) / 4 == pytest.approx(1, abs=0.1)


# The chance that one exists


ONE = Target.from_floats([[[0.3]]])


def successes(target, source, tolerances, draws, nonnegative):
    drawn = [replace(source, trial=trial) for trial in range(draws)]
    return sum(
        winning_masks(target, g, gates(target, g, nonnegative=nonnegative), tolerances, nonnegative).number > 0
        for g in drawn
    )


@pytest.mark.parametrize(
    ("target", "widths", "exponent", "nonnegative"),
    [(ONE, (1, 6, 1), 7, True), (ONE, (1, 10, 1), 6, False), (SQUARE, (2, 16, 2), 3, True)],
)
def test_networks_hold_a_winning_mask_no_more_often_than_the_upper_end(target, widths, exponent, nonnegative):
    # Independent draws with chances p_1, p_2, ... exceed their mean no more often than a binomial one (Hoeffding 1956).
    draws, tolerances = 400, [UNIT >> exponent]
    claimed = mean_chances(target, Source(4, widths), tolerances, draws, nonnegative=nonnegative).upper
    assert claimed < 0.95, "a bound near 1 tests nothing"
    found = successes(target, Source(4, widths), tolerances, draws, nonnegative)
    assert found <= draws * claimed + 1 or excess_p_value(found, draws, claimed) >= FALSE_ALARM


@pytest.mark.parametrize(
    ("target", "widths", "exponent", "nonnegative"),
    [(ONE, (1, 24, 1), 9, False), (SQUARE, (2, 56, 2), 10, True), (SQUARE, (2, 60, 2), 9, False)],
)
def test_networks_hold_a_winning_mask_as_often_as_the_estimate_within_a_seventh(target, widths, exponent, nonnegative):
    draws, tolerances = 200, [UNIT >> exponent]
    expected = mean_chances(target, Source(6, widths), tolerances, draws, nonnegative=nonnegative).estimate
    found = successes(target, Source(6, widths), tolerances, draws, nonnegative) / draws
    assert 0.1 < found < 0.99, "nearly always or never tests nothing"
    assert 6 / 7 * expected < found < 8 / 7 * expected


def test_the_upper_end_of_one_instance_holds_exactly_on_a_small_grid():
    # All second weights of the odd multiples of 1/8, with 1/8 in the place of 2^-24.
    unit, n = 8, 3
    seconds = np.array(list(itertools.product(range(1 - unit, unit, 2), repeat=n)))
    for u in itertools.combinations_with_replacement(range(1, unit, 2), n):
        sums = naive.all_sums(seconds * np.array(u))
        for target, tolerance in ((20, 1), (20, 5), (-9, 2), (3, 0)):
            found = Fraction(int((np.abs(sums - target) <= tolerance).any(axis=1).sum()), len(sums))
            assert found <= sum(2**j * (Fraction(tolerance, w * unit) + Fraction(1, unit)) for j, w in enumerate(u))


def test_the_upper_end_is_the_formula_in_fractions_rounded_up():
    source = Source(3, (1, 5, 1))
    u = sorted(abs(int(x)) for x in source.rows(0, 0, 5)[:, 0] if x > 0)
    tolerance = UNIT >> 12
    exact = sum(2**j * (Fraction(tolerance, w << 24) + Fraction(1, 2**24)) for j, w in enumerate(u))
    upper = chances(ONE, source, gates(ONE, source), [tolerance], nonnegative=True).upper
    assert exact <= Fraction(upper) <= exact * Fraction(1 + 2**-30)


def test_a_target_within_the_tolerance_is_certain():
    source = Source(3, (1, 4, 1))
    assert chances(ONE, source, gates(ONE, source), [UNIT // 2]) == Chances(1.0, 1.0)


# Assignments


@pytest.mark.parametrize(("slots", "hidden", "inputs"), [((1, 1, 1, 0), 3, 2), ((2, 1, 0, 1), 4, 2), ((1, 2), 4, 1)])
def test_the_mean_number_of_assignments_is_that_of_all_signs(slots, hidden, inputs):
    wanted = [slot for slot, size in enumerate(slots) for _ in range(size)] + [-1] * (hidden - sum(slots))
    ways = set(itertools.permutations(wanted))
    found = 0
    for signs in itertools.product([0, 1], repeat=hidden * inputs):
        found += sum(
            all(slot < 0 or signs[unit * inputs + slot // 2] == slot % 2 for unit, slot in enumerate(way))
            for way in ways
        )
    assert Fraction(found, 2 ** (hidden * inputs)) == expected_assignments(slots, hidden)


# Errors


def test_what_does_not_fit_is_refused():
    source = Source(0, (2, 8, 2))
    opened = gates(SQUARE, source)
    with pytest.raises(ValueError, match="one tolerance per layer"):
        winning_masks(SQUARE, source, opened, [1, 2])
    with pytest.raises(ValueError, match="one mask of gates"):
        winning_masks(SQUARE, source, [], [1])
    with pytest.raises(TypeError):
        winning_masks(SQUARE, source, opened, [0.5])
    with pytest.raises(ValueError, match="tolerances are integers >= 0"):
        winning_masks_by_size(SQUARE, source, opened, [-1])
    for wrong in (np.ones((8, 2), dtype=bool), opened[0].astype(int), opened[0][:4]):
        with pytest.raises(ValueError, match="at most one True per row"):
            winning_masks(SQUARE, source, [wrong], [1])
    with pytest.raises(ValueError, match="joins layers of widths"):
        gates(SQUARE, Source(0, (2, 8, 1)))
    with pytest.raises(ValueError, match="only the first matrix of a pair"):
        winning_masks(SQUARE, Source(0, (2, 8, 2), (False, True)), opened, [1])
    with pytest.raises(ValueError, match="n <= 40"):
        winning_masks(ONE, Source(0, (1, 200, 1)), gates(ONE, Source(0, (1, 200, 1))), [1])


def test_chances_without_a_law_are_refused():
    source = Source(0, (1, 8, 1), law=Uniform(-0.5, 0.5))
    with pytest.raises(ValueError, match=r"weights U\[-1, 1\]"):
        chances(ONE, source, gates(ONE, source), [1])
    with pytest.raises(ValueError, match="at least one draw"):
        mean_chances(ONE, Source(0, (1, 8, 1)), [1], 0)
    with pytest.raises(ValueError, match="at most the 2 hidden units"):
        expected_assignments([2, 1], hidden=2)
    with pytest.raises(ValueError, match="slots >= 0"):
        expected_assignments([-1, 1], hidden=2)

"""Malach et al. 2020, Section 3: neuron masks and random features."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import linregress, t

from slth.bounds import Direction, Provenance
from slth.confidence import excess_p_value
from slth.errors.circle import circle_error
from slth.laws import Uniform
from slth.networks.source import Source
from slth.networks.ticket import Ticket
from slth.theorems import malach2020_neurons as malach
from slth.theorems.malach2020_neurons import construct, kept_units, measure, neuron_ticket, prune_one_input

FALSE_ALARM = 1e-6
"""A true bound is rejected with at most this probability, per test case, over the choice of the seed."""

ONE = 1 << 24
CIRCLE = np.stack([np.cos(a := np.linspace(0, 2 * np.pi, 721)), np.sin(a)])


def plane(hidden, trial=0, inputs=2):
    return Source(21, (inputs, hidden, 1), trial=trial)


def coefficients(hidden):
    """From -1 to 1 in an order that has nothing to do with the source."""
    return ((np.arange(hidden) * 7919 % 201) - 100) * (ONE // 100)


def slopes(ticket):
    """What a ticket with one input does to x > 0 and to x < 0, in units of 2^-48, from its masked weights."""
    first, second = ticket.weights(0)[:, 0], ticket.weights(1)[0]
    return [sum(int(u) * int(v) for u, v in zip(first, second, strict=True) if sign * u > 0) for sign in (1, -1)]


# The statement


def test_nothing_that_the_paper_leaves_open_has_a_value():
    assert malach.SEPARATION.provenance is Provenance.RESTATED
    assert malach.SEPARATION.direction is Direction.LOWER
    assert malach.SEPARATION.note.endswith("restated from memory of the paper; check before quoting")
    with pytest.raises(ValueError, match=r"Malach et al\. \(2020\) gives no value for C"):
        malach.SEPARATION.evaluate(d=3)


@given(st.lists(st.booleans(), min_size=5, max_size=5))
def test_a_neuron_ticket_keeps_all_or_nothing_of_every_hidden_unit(kept):
    mask = np.array(kept)
    ticket = neuron_ticket(plane(5), mask)
    assert (kept_units(ticket) == mask).all()
    assert ticket.kept == 3 * sum(kept)


# One input: a subset sum


def test_pruning_neurons_of_one_input_is_a_subset_sum():
    targets = (int(0.3 * 2**48), int(-0.2 * 2**48))
    for trial in range(6):
        source = plane(9, trial, inputs=1)
        found = slopes(prune_one_input(source, *targets))
        brute = [slopes(neuron_ticket(source, np.array(m))) for m in itertools.product([False, True], repeat=9)]
        errors = [max(abs(a - b) for a, b in zip(pair, targets, strict=True)) for pair in brute]
        assert max(abs(a - b) for a, b in zip(found, targets, strict=True)) == min(errors)
        for side in (0, 1):
            assert abs(found[side] - targets[side]) == min(abs(pair[side] - targets[side]) for pair in brute)


def test_one_input_needs_no_more_than_a_logarithm():
    # 40 units, about 20 of either sign: far below 1 / epsilon units for epsilon = 2^-10.
    missed = 0
    for trial in range(20):
        found = slopes(prune_one_input(plane(40, trial, inputs=1), 2**46, 2**45))
        missed += max(abs(found[0] - 2**46), abs(found[1] - 2**45)) > 2**38
    assert missed <= 4


def test_a_side_without_units_keeps_nothing():
    source = next(s for s in (plane(1, k, inputs=1) for k in range(20)) if s.rows(0, 0, 1)[0, 0] < 0)
    assert slopes(prune_one_input(source, 2**47, 0)) == [0, 0]


# The proof of ERROR


def test_four_times_the_kept_weight_is_the_coefficient_on_average():
    # E[v; v > 0] over the 2^24 odd multiples of 2^-24 is exactly 1/4: the mean of the positive ones is 1/2.
    positive = np.arange(1, ONE, 2)
    assert Fraction(int(positive.sum()), len(positive)) == ONE // 2


def test_the_square_of_a_weight_is_at_most_a_third_on_average():
    half = ONE // 2
    square_sum = Fraction(half * (4 * half**2 - 1), 3)  # 1 + 9 + ... + (2 half - 1)^2
    assert sum((2 * j - 1) ** 2 for j in range(1, 12)) == 11 * (4 * 11**2 - 1) // 3
    assert square_sum / half / ONE**2 <= Fraction(1, 3)


UNITS = st.lists(st.tuples(*[st.integers(-5, 5)] * 3), min_size=1, max_size=5)


def signs(n):
    return np.array(list(itertools.product([-1, 1], repeat=n)))


@given(UNITS)
def test_relu_does_not_raise_the_rademacher_average(units):
    a, u = np.abs(np.array(units)[:, 0]), np.array(units)[:, 1:]
    ridges = a[:, None] * np.maximum(u @ CIRCLE, 0)
    left = (signs(len(a)) @ ridges).max(axis=1).mean()
    assert left <= np.hypot(*((signs(len(a)) * a) @ u).T).mean() + 1e-9


@given(UNITS)
def test_the_rademacher_average_of_linear_maps_is_at_most_the_root_of_the_squares(units):
    a, u = np.array(units)[:, 0], np.array(units)[:, 1:]
    left = np.hypot(*((signs(len(a)) * a) @ u).T).mean()
    assert left <= math.sqrt((a**2 * (u**2).sum(axis=1)).sum()) + 1e-9


@given(UNITS, st.integers(1, 9))
def test_signs_double_the_mean_supremum_at_most(units, tenths):
    # Independent terms: 1 - p with probability p, else -p, times a.
    p, n = tenths / 10, len(units)
    a, u = np.array(units)[:, 0], np.array(units)[:, 1:]
    ridges = a[:, None] * np.maximum(u @ CIRCLE, 0)
    values = np.where(signs(n) > 0, 1 - p, -p)
    weights = np.where(signs(n) > 0, p, 1 - p).prod(axis=1)
    left = weights @ (values @ ridges).max(axis=1)
    right = weights @ [(signs(n) * row @ ridges).max(axis=1).mean() for row in values]
    assert left <= 2 * right + 1e-9


def test_the_bound_is_at_most_its_form_in_the_width_alone():
    for hidden in (1, 10, 1000):
        assert malach.ERROR.evaluate(D=hidden, d=2, k=hidden / 2) == pytest.approx(math.sqrt(256 / (3 * hidden)))


# The construction


def test_units_of_the_wrong_sign_are_never_kept():
    source, wanted = plane(200), coefficients(200)
    kept = kept_units(construct(source, wanted))
    assert (np.sign(source.rows(1, 0, 1)[0][kept]) == np.sign(wanted[kept])).all()


def test_as_many_units_are_kept_as_the_coefficients_say():
    # Each with probability |c| / 2 = 1/4: an exact test on either side.
    hidden = 4000
    kept = int(kept_units(construct(plane(hidden), np.full(hidden, ONE // 2))).sum())
    assert excess_p_value(kept, hidden, 0.25) >= FALSE_ALARM
    assert excess_p_value(hidden - kept, hidden, 0.75) >= FALSE_ALARM


def test_the_extreme_coefficients_leave_no_chance():
    source = plane(64)
    assert measure(source, np.zeros(64, dtype=np.int64)).error == 0
    assert kept_units(construct(source, np.full(64, ONE))).sum() == (source.rows(1, 0, 1) > 0).sum()


def test_the_measured_error_is_that_of_the_ticket():
    source, wanted = plane(30), coefficients(30)
    ticket, u = construct(source, wanted), source.rows(0, 0, 30) / ONE
    given_ = ticket.weights(1)[0] / ONE @ np.maximum(ticket.weights(0) / ONE @ CIRCLE, 0) * 4 / 30
    sampled = np.abs(given_ - wanted / ONE @ np.maximum(u @ CIRCLE, 0) / 30).max()
    error = measure(source, wanted).error
    assert sampled <= error + 1e-12
    assert error <= sampled + 0.01


def test_tickets_exceed_twice_the_expected_error_at_most_half_the_time():
    found = [measure(plane(100, k), coefficients(100)) for k in range(100)]
    beyond = sum(m.error > 2 * m.bound for m in found)
    assert excess_p_value(beyond, len(found), 0.5) >= FALSE_ALARM  # Markov
    assert np.mean([m.error for m in found]) <= found[0].bound


def test_the_error_falls_like_one_over_the_root_of_the_units_kept():
    found = [measure(plane(hidden, k), coefficients(hidden)) for hidden in (64, 256, 1024, 4096) for k in range(20)]
    fit = linregress(np.log([m.expected for m in found]), np.log([m.error for m in found]))
    margin = t.isf(0.0005, len(found) - 2) * fit.stderr  # a 99.9 % interval, normal residuals assumed
    assert abs(fit.slope + 0.5) <= margin
    assert margin < 0.1


# The supremum over the disk


@given(st.lists(st.tuples(st.floats(-3, 3), st.integers(-4, 4), st.integers(-4, 4)), max_size=9))
def test_the_supremum_is_that_of_a_fine_grid(units):
    a, u = np.array([x for x, _, _ in units]), np.array([(p, q) for _, p, q in units], dtype=float).reshape(-1, 2)
    exact, sampled = circle_error(a, u), np.abs(a @ np.maximum(u @ CIRCLE, 0)).max(initial=0)
    lipschitz = np.abs(a) @ np.hypot(*u.T)
    assert sampled <= exact + 1e-9
    assert exact <= sampled + lipschitz * np.pi / 720 + 1e-9


def test_sums_with_a_known_supremum():
    assert circle_error([], np.zeros((0, 2))) == 0
    assert circle_error([2.0], [[0.0, 0.0]]) == 0
    assert circle_error([-3.0], [[3.0, 4.0]]) == pytest.approx(15)
    # |x| + |y| peaks between its kinks, at sqrt(2).
    assert circle_error(np.ones(4), [[1, 0], [-1, 0], [0, 1], [0, -1]]) == pytest.approx(math.sqrt(2))
    # Coincident kinks that cancel.
    assert circle_error([1, -1, -1, 1], [[1, 2], [-1, -2], [1, 2], [-1, -2]]) == pytest.approx(0, abs=1e-15)


# Hostile input


@pytest.mark.parametrize("kept", [[True] * 3, np.ones(3), np.ones(2, dtype=bool), np.ones((3, 1), dtype=bool)])
def test_what_is_no_neuron_mask_is_refused(kept):
    with pytest.raises(ValueError, match=r"bool array of shape \(3,\)"):
        neuron_ticket(plane(3), kept)


def test_masks_that_cut_single_weights_are_no_neuron_mask():
    first, second = np.ones((3, 2), dtype=bool), np.ones((1, 3), dtype=bool)
    for cut in (0, 1):
        masks = (first.copy(), second.copy())
        masks[cut][0, 1] = False
        with pytest.raises(ValueError, match="keeps some of its weights and not others"):
            kept_units(Ticket(plane(3), masks))


def test_sources_of_another_form_are_refused():
    deep, biased = Source(1, (2, 3, 3, 1)), Source(1, (2, 3, 1), (True, False))
    for source in (deep, biased):
        with pytest.raises(ValueError, match="two matrices without biases"):
            neuron_ticket(source, np.ones(3, dtype=bool))
    with pytest.raises(ValueError, match="one output and"):
        construct(Source(1, (2, 3, 2)), coefficients(3))
    with pytest.raises(ValueError, match="one output and"):
        construct(Source(1, (2, 3, 1), law=Uniform(0.0, 1.0)), coefficients(3))
    with pytest.raises(ValueError, match="one input and one output"):
        prune_one_input(plane(3), 0, 0)
    with pytest.raises(ValueError, match="for two inputs; got 3"):
        measure(plane(3, inputs=3), coefficients(3))


@pytest.mark.parametrize("wanted", [coefficients(4), coefficients(3) / 1.0, np.array([0, 0, ONE + 1])])
def test_coefficients_of_another_form_are_refused(wanted):
    with pytest.raises(ValueError, match=r"coefficients must be int64 of shape \(3,\)"):
        construct(plane(3), wanted)


@pytest.mark.parametrize(("a", "u"), [([1.0], [[1.0]]), ([1.0], [[math.nan, 1.0]]), ([[1.0]], [[1.0, 0.0]])])
def test_sums_of_another_form_are_refused(a, u):
    with pytest.raises(ValueError, match="need finite coefficients"):
        circle_error(a, u)

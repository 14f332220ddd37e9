"""Ferré et al. 2026: the kinks of hidden units, and what no output weights can repair."""

import itertools
import math

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import optimize

from slth.bounds import Bound, Direction, Provenance
from slth.confidence import excess_p_value, quantile_interval
from slth.errors.circle import circle_error, circle_points, half_tangent, isolated_floor, least_error
from slth.grid import to_float
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.randomness import bits
from slth.theorems import ferre2026_neurons as ferre
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.certificate import Verdict
from slth.theorems.ferre2026_neurons import isotropic, kink_floor, measure, rectified_floor
from slth.theorems.malach2020_neurons import neuron_ticket
from slth.theorems.theorem import verify

FALSE_ALARM = 1e-6
"""A true bound is rejected with at most this probability, per test case, over the choice of the seed."""

ROUNDING = 1e-12
"""Of a supremum in float64, for the few dozen units of these tests."""

AXIS, DIAGONAL, OBLIQUE = [1.0, 0.0], [math.sqrt(0.5)] * 2, [0.6, -0.8]


def plane(hidden, trial=0):
    return Source(31, (2, hidden, 1), trial=trial)


def hidden_of(source):
    return to_float(source.rows(0, 0, source.widths[1]), 24)


def directions(angles):
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def floors(angles_per_draw, angle):
    """tan(h / 2) / 2 for draws (draws, n) of hidden angles, in float64."""
    away = np.abs(np.mod(angles_per_draw - angle + np.pi / 2, np.pi) - np.pi / 2).min(axis=1)
    return np.tan(away / 2) / 2


def uniform_angles(draws, n):
    """The angles of `isotropic`, of many draws at once."""
    return (bits(32, 0, 0, draws * n) + 0.5).reshape(draws, n) * (2 * np.pi / 2**32)


# The statement


def test_the_published_forms_are_restated_and_have_no_constant():
    published = (ferre.UNITS_PUBLISHED, ferre.UNITS_FIRST_VERSIONS, ferre.WEIGHTS_PUBLISHED)
    for bound in published:
        assert bound.provenance is Provenance.RESTATED
        assert bound.note.endswith("restated from the abstract; check before quoting")
        with pytest.raises(ValueError, match="gives no value for C"):
            bound.evaluate(epsilon=0.1, **({"d": 2} if "d" in bound.symbols else {}))
    derived = [b for b in vars(ferre).values() if isinstance(b, Bound) and b not in published]
    assert {b.provenance for b in derived} == {Provenance.DERIVED}
    assert [b for b in derived if b.direction is Direction.UPPER] == [ferre.WEIGHTS]


def test_the_dropped_factor_d_is_an_erratum():
    first = ferre.REFERENCE.errata[0]
    assert "Omega(d / epsilon)" in first.issue
    assert "dropped" in ferre.UNITS_FIRST_VERSIONS.note
    assert sympy.simplify(ferre.UNITS_FIRST_VERSIONS.expression / ferre.UNITS_PUBLISHED.expression) == sympy.Symbol(
        "d", positive=True
    )


# Part A: the kink


def test_the_second_difference_of_a_linear_map_vanishes_and_that_of_the_neuron_is_sin_h():
    h, p, q = sympy.symbols("h p q", positive=True)
    linear = [p * sympy.sin(a) + q * sympy.cos(a) for a in (h, -h, 0)]
    assert sympy.expand(linear[0] + linear[1] - 2 * sympy.cos(h) * linear[2]) == 0
    neuron = [sympy.Max(0, sympy.sin(sympy.Rational(1, 3) * s)) for s in (1, -1, 0)]
    assert neuron == [sympy.sin(sympy.Rational(1, 3)), 0, 0]


def test_the_quotient_is_half_the_tangent_of_half_the_angle():
    for h in np.linspace(0.01, np.pi / 2, 50):
        assert math.sin(h) / (2 + 2 * math.cos(h)) == pytest.approx(ferre.KINK.evaluate(s=1, h=h), rel=1e-14)


VECTORS = st.tuples(st.integers(-(2**24), 2**24), st.integers(-(2**24), 2**24)).filter(any)


@given(VECTORS, st.lists(VECTORS, min_size=1, max_size=5))
def test_the_floor_is_rounded_down_by_less_than_two_units_in_the_last_place(target, hidden):
    with mpmath.workdps(60):
        w = mpmath.matrix(target)
        exact = min(
            mpmath.norm(w) * mpmath.fabs(u[0] * w[1] - u[1] * w[0])
            / (2 * (mpmath.norm(w) * mpmath.norm(mpmath.matrix(u)) + mpmath.fabs(u[0] * w[0] + u[1] * w[1])))
            for u in hidden
        )  # fmt: skip
        found = kink_floor(np.array(target) / 2.0**24, np.array(hidden) / 2.0**24) * 2**24
        assert exact * (1 - mpmath.mpf(2) ** -51) <= found <= exact


def test_the_angle_is_modulo_pi():
    assert kink_floor(AXIS, [[-2.0, 0.0]]) == 0
    assert kink_floor(AXIS, [[1.0, 1.0]]) == kink_floor(AXIS, [[-3.0, -3.0]]) == kink_floor(AXIS, [[-1.0, 1.0]])
    assert kink_floor(AXIS, [[1.0, 1.0]]) == pytest.approx(math.tan(math.pi / 8) / 2)


def test_the_floor_scales_with_the_target_and_ignores_the_scale_of_the_units():
    assert kink_floor([4.0, 0.0], [[1.0, 2.0]]) == 4 * kink_floor(AXIS, [[0.25, 0.5]])


@pytest.mark.parametrize("target", [AXIS, DIAGONAL, OBLIQUE])
@pytest.mark.parametrize("n", [1, 4, 16, 40])
def test_the_best_real_readout_never_beats_the_floor(n, target):
    for trial in range(3):
        for hidden in (isotropic(33, n, trial), hidden_of(plane(n, trial))):
            found = measure(target, hidden, count=120)
            assert found.error >= found.floor - ROUNDING
            assert found.relaxed >= found.floor - 1e-6  # the solver's tolerance; no slack for the grid is needed
            assert found.floor == pytest.approx(ferre.KINK.evaluate(s=1, h=found.angle), rel=1e-9)


def test_the_grid_hides_no_more_than_its_spacing_allows():
    for trial in range(4):
        found = measure(OBLIQUE, isotropic(34, 12, trial), count=90)
        assert found.relaxed - 1e-6 <= found.error <= found.relaxed / math.cos(math.pi / 90) + 1e-6


def test_the_floor_is_attained_by_opposite_pairs_at_its_angle():
    h = 0.3
    angles = np.array([h, np.pi - h, np.pi / 3, 2 * np.pi / 3])
    found = measure(AXIS, directions(np.concatenate([angles, angles + np.pi])))
    assert found.error <= found.floor * (1 + 1e-4)


def test_no_neuron_mask_beats_the_floor():
    for trial in range(4):
        source = plane(8, trial)
        floor, kinks = kink_floor(OBLIQUE, hidden_of(source)), np.vstack([hidden_of(source), OBLIQUE])
        for mask in itertools.product([False, True], repeat=8):
            ticket = neuron_ticket(source, np.array(mask))
            readout = np.append(to_float(ticket.weights(1)[0], 24), -1.0)
            assert circle_error(readout, kinks) >= max(floor, isolated_floor(readout, kinks)) - ROUNDING


TERMS = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=7)


@given(TERMS)
def test_an_isolated_kink_costs_its_mass(units):
    a, u = np.array(units, dtype=float)[:, 0], np.array(units, dtype=float)[:, 1:]
    floor = isolated_floor(a, u)
    assert floor <= circle_error(a, u) + 1e-9
    live = [i for i in range(len(a)) if a[i] and u[i].any()]
    for i in live:
        others = [math.asin(abs(np.cross([*u[i], 0], [*u[j], 0])[2]) / np.hypot(*u[i]) / np.hypot(*u[j])) for j in live
                  if j != i]  # fmt: skip
        mass = abs(a[i]) * np.hypot(*u[i])
        assert floor >= mass * math.tan(min(others, default=math.pi / 2) / 2) / 2 - 1e-6


def test_in_more_dimensions_the_floor_of_every_plane_through_the_target_holds():
    source = Source(35, (3, 6, 1))
    u, v = hidden_of(source), to_float(source.rows(1, 0, 1)[0], 24)
    circle = np.stack([np.cos(a := np.linspace(0, 2 * np.pi, 2000)), np.sin(a)])
    for second in (1, 2):
        axes, points = [0, second], np.zeros((3, 2000))
        points[axes] = circle
        floor = kink_floor(AXIS, u[:, axes])
        for mask in itertools.product([0.0, 1.0], repeat=6):
            sup = circle_error(np.append(v * mask, -1.0), np.vstack([u[:, axes], AXIS]))
            sampled = np.abs((v * mask) @ np.maximum(u @ points, 0) - np.maximum(points[0], 0)).max()
            assert sampled - ROUNDING <= sup
            assert sup >= floor - ROUNDING


def test_weight_masks_read_linearly_obey_the_floor_with_the_axes_as_further_kinks():
    rng = np.random.Generator(np.random.Philox(36))
    source = plane(7)
    floor = kink_floor(OBLIQUE, np.vstack([hidden_of(source), np.eye(2)]))
    for _ in range(300):
        ticket = Ticket(source, (rng.random((7, 2)) < 0.6, rng.random((1, 7)) < 0.6))
        u, v = to_float(ticket.weights(0), 24), to_float(ticket.weights(1)[0], 24)
        assert circle_error(np.append(v, -1.0), np.vstack([u, OBLIQUE])) >= floor - ROUNDING
    assert floor > 0.01
    assert kink_floor(AXIS, np.eye(2)) == 0  # a target along an axis is out of its reach


# Part B: probability


def test_the_forms_of_the_bound_agree():
    assert str(ferre.UNITS_HALF.expression) == "pi/(16*epsilon)"
    for epsilon in (1e-4, 0.01, 0.2):
        for delta in (0.1, 0.5):
            n = ferre.UNITS.evaluate(epsilon=epsilon, delta=delta)
            assert ferre.FAILURE_LINEAR.evaluate(D=n, epsilon=epsilon) == pytest.approx(delta)
            n = ferre.UNITS_SQUARE.evaluate(epsilon=epsilon, delta=delta)
            assert ferre.FAILURE_SQUARE.evaluate(D=n, epsilon=epsilon) == pytest.approx(delta)


@given(st.floats(1e-6, 3), st.floats(1, 1e4))
def test_the_linear_form_is_the_weaker_one(epsilon, units):
    exact = ferre.FAILURE.evaluate(D=units, epsilon=epsilon)
    assert exact >= ferre.FAILURE_LINEAR.evaluate(D=units, epsilon=epsilon) - 1e-12
    assert 0 <= exact <= 1


@pytest.mark.parametrize(("n", "epsilon"), [(1, 0.1), (8, 0.02), (50, 0.003)])
def test_the_floor_is_within_epsilon_just_as_often_as_the_formula_says(n, epsilon):
    draws = 4000
    near = int((floors(uniform_angles(draws, n), 0.7) <= epsilon).sum())
    failing = ferre.FAILURE.evaluate(D=n, epsilon=epsilon)
    assert excess_p_value(near, draws, 1 - failing + n * 2**-31) >= FALSE_ALARM
    assert excess_p_value(draws - near, draws, failing + n * 2**-31) >= FALSE_ALARM


def test_the_vectorised_floor_of_these_tests_is_the_proved_one():
    for trial in range(5):
        hidden = isotropic(32, 6, trial)
        angles = np.arctan2(hidden[:, 1], hidden[:, 0])[None]
        assert kink_floor(OBLIQUE, hidden) == pytest.approx(floors(angles, math.atan2(-0.8, 0.6))[0], rel=1e-9)


def test_the_best_readout_succeeds_no_more_often_than_the_bound_says():
    n, epsilon, draws = 8, 0.04, 60
    claimed = 8 * n * epsilon / math.pi
    assert claimed < 1, "a bound above 1 tests nothing"
    successes = sum(measure(AXIS, isotropic(37, n, k), count=90).relaxed <= epsilon for k in range(draws))
    assert successes > 0, "no success tests little"
    assert excess_p_value(successes, draws, claimed) >= FALSE_ALARM


@pytest.mark.slow
def test_the_best_readout_of_more_units_succeeds_no_more_often_than_the_bound_says():
    for n, epsilon, draws in ((16, 0.012, 300), (32, 0.005, 200)):
        successes = sum(measure(AXIS, isotropic(38, n, k)).relaxed <= epsilon for k in range(draws))
        assert successes > 0
        assert excess_p_value(successes, draws, 1 - ferre.FAILURE.evaluate(D=n, epsilon=epsilon)) >= FALSE_ALARM


def test_the_nearest_kink_has_median_ln_2_pi_over_2_n():
    n, draws = 100, 2000
    angles = 2 * np.arctan(2 * floors(uniform_angles(draws, n), 0.2))
    assert math.pi / 2 * (1 - 2 ** (-1 / n)) == pytest.approx(0.693 * math.pi / (2 * n), rel=0.005)
    found = quantile_interval(angles, 0.5, confidence=1 - FALSE_ALARM)
    assert found.low <= math.pi / 2 * (1 - 2 ** (-1 / n)) <= found.high
    # The mean is pi / (2 (n + 1)) and the deviation no larger; six standard errors.
    mean = math.pi / (2 * (n + 1))
    assert abs(angles.mean() - mean) <= 6 * mean / math.sqrt(draws)


@pytest.mark.parametrize("angle", [0.0, math.pi / 4, 1.2])
def test_the_cube_law_is_near_no_more_often_than_its_own_bound_says(angle):
    n, epsilon, draws = 6, 0.02, 2000
    rows = Source(39, (2, n * draws, 1)).rows(0, 0, n * draws)
    angles = np.arctan2(rows[:, 1], rows[:, 0]).reshape(draws, n)
    near = int((floors(angles, angle) <= epsilon).sum())
    assert (
        excess_p_value(near, draws, 1 - ferre.FAILURE_SQUARE.evaluate(D=n, epsilon=epsilon) + n * 2**-22) >= FALSE_ALARM
    )


def test_the_bound_for_isotropic_units_is_false_for_the_cube_law_on_the_diagonal():
    draws, epsilon = 20000, 0.02
    rows = Source(40, (2, draws, 1)).rows(0, 0, draws)
    near = int((floors(np.arctan2(rows[:, 1], rows[:, 0])[:, None], math.pi / 4) <= epsilon).sum())
    assert excess_p_value(near, draws, 1 - ferre.FAILURE_LINEAR.evaluate(D=1, epsilon=epsilon)) < FALSE_ALARM


def test_the_directions_of_the_cube_law_have_density_at_most_a_quarter():
    # Half the squared distance to the side of the square, over its area 4.
    angle = sympy.Symbol("a")
    assert sympy.integrate(1 / (8 * sympy.cos(angle) ** 2), (angle, 0, sympy.pi / 4)) * 8 == 1
    assert 1 / (8 * sympy.cos(sympy.pi / 4) ** 2) == sympy.Rational(1, 4)


# Weight masks with a ReLU behind the output


def test_the_bound_for_weight_masks_is_that_of_pensia_for_one_row():
    target = Target.from_floats([[OBLIQUE]])
    for epsilon in (0.1, 1e-3):
        needed = 2 * 2 * pensia.samples_needed(target, epsilon, 0.5)
        bound = ferre.WEIGHTS.evaluate(d=2, epsilon=epsilon, delta=0.5)
        assert bound <= needed <= bound + 4


def test_below_a_few_ten_thousandths_weight_masks_are_proved_to_need_fewer_units():
    meeting = ferre.UNITS_HALF.crossover(ferre.WEIGHTS.with_values(d=2, delta=0.5), "epsilon", 1e-6, 1e-2)
    assert 2e-4 < meeting < 4e-4


def test_weight_masks_succeed_where_neuron_masks_are_proved_to_need_nine_times_the_units():
    epsilon, samples, draws = 2.0**-12, 22, 8
    target = pensia.normalised(Target.from_floats([[OBLIQUE]]))
    found = [verify(pensia, target, epsilon, 0.5, seed, samples=samples) for seed in range(draws)]
    units = found[0].construction.ticket.source.widths[1]
    assert units == 88
    assert sum(f.verdict is Verdict.HOLDS for f in found) >= draws / 2
    assert ferre.UNITS_HALF.evaluate(epsilon=epsilon) > 9 * units
    near = sum(kink_floor(OBLIQUE, hidden_of(plane(units, k))) <= epsilon for k in range(draws))
    assert excess_p_value(near, draws, 1 - ferre.FAILURE_SQUARE.evaluate(D=units, epsilon=epsilon)) >= FALSE_ALARM
    assert near < draws / 2


# Part D: neuron masks with a ReLU behind the output


def rectified(target, hidden):
    """Output weights that come near with a ReLU behind them: near f where f >= 0, at most the error elsewhere."""
    x = circle_points(np.array(target), hidden, 180)
    inside = x @ target >= 0
    error, v = least_error(np.maximum(x @ hidden.T, 0), np.maximum(x @ target, 0), inside)
    assert np.abs(np.maximum(np.maximum(x @ hidden.T, 0) @ v, 0) - np.maximum(x @ target, 0)).max() <= error + 1e-6
    return error, v


@pytest.mark.parametrize("n", [2, 4, 8, 16])
def test_no_readout_with_a_relu_behind_beats_the_rectified_floor(n):
    for trial in range(4):
        for hidden in (isotropic(41, n, trial), hidden_of(plane(n, trial))):
            error, _ = rectified(OBLIQUE, hidden)
            assert error >= rectified_floor(OBLIQUE, hidden) - 1e-7


def test_no_neuron_mask_with_a_relu_behind_beats_the_rectified_floor():
    source = plane(8, 3)
    u, v = hidden_of(source), to_float(source.rows(1, 0, 1)[0], 24)
    x = circle_points(np.array(OBLIQUE), u, 360)
    floor, wanted, units = rectified_floor(OBLIQUE, u), np.maximum(x @ OBLIQUE, 0), np.maximum(x @ u.T, 0)
    for mask in itertools.product([0.0, 1.0], repeat=8):
        assert np.abs(np.maximum(units @ (v * mask), 0) - wanted).max() >= floor - ROUNDING


def test_opposite_pairs_with_a_relu_behind_pass_the_linear_floor():
    u = directions(np.array([0.5, 0.5 + np.pi, 1.6, 1.6 + np.pi]))
    u[1::2] = -u[::2]  # exactly opposite: then relu(<u, x>) - relu(<-u, x>) is linear
    error, _ = rectified(AXIS, u)
    assert error <= 1e-9 < kink_floor(AXIS, u)
    assert rectified_floor(AXIS, u) == 0


def test_the_rectified_error_falls_like_a_power_and_not_like_an_exponential():
    medians = [
        np.median([[rectified_floor(AXIS, isotropic(42, n, k)), rectified(AXIS, isotropic(42, n, k))[0]]
                   for k in range(7)], axis=0)
        for n in (8, 16, 32)
    ]  # fmt: skip
    floor_slope, error_slope = np.polyfit(np.log([8, 16, 32]), np.log(medians), 1)[0]
    assert -4 < floor_slope < -1
    assert -4 < error_slope < -1


@given(st.integers(1, 2**40), st.integers(1, 2**40))
def test_the_rational_forms_of_sin_and_of_the_quarter_tangent_are_below_the_true_ones(p, q):
    assume(p <= q)
    t = p / q
    half = math.atan(t)
    assert t / (2 + t**2 / 2) <= math.tan(half / 2) * (1 + 1e-12)
    assert t / (1 + t**2 / 2) <= math.sin(half) * (1 + 1e-12)


# Hostile input


def test_what_has_no_kink_is_refused():
    with pytest.raises(ValueError, match="weight 0"):
        kink_floor([0.0, 0.0], [[1.0, 0.0]])
    with pytest.raises(ValueError, match="no hidden weight 0"):
        measure(AXIS, [[1.0, 0.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match="at least 8 points"):
        measure(AXIS, [[1.0, 1.0]], count=7)


@pytest.mark.parametrize(
    "hidden", [[[1.0, 2.0, 3.0]], [1.0, 2.0], [[math.nan, 1.0]], [[math.inf, 1.0]], np.zeros((0, 2))]
)
def test_hidden_weights_of_another_form_are_refused(hidden):
    for function in (kink_floor, rectified_floor, measure):
        with pytest.raises(ValueError, match="points must"):
            function(AXIS, hidden)
    with pytest.raises(ValueError, match="points must"):
        isolated_floor([1.0], hidden)


def test_targets_and_coefficients_of_another_form_are_refused():
    for target in ([1.0], [1.0, 2.0, 3.0], [math.nan, 1.0]):
        with pytest.raises(ValueError, match="points must"):
            kink_floor(target, [[1.0, 1.0]])
    with pytest.raises(ValueError, match="points must"):
        isolated_floor([1.0, 2.0], [[1.0, 0.0]])


def test_hidden_units_of_weight_0_have_no_kink():
    assert kink_floor(AXIS, [[0.0, 0.0]]) == 0.5
    assert rectified_floor(AXIS, [[0.0, 0.0]]) > 0
    assert half_tangent(np.array([1, 1], dtype=object), np.array([1, 1], dtype=object)) == 0


def test_a_solver_that_gives_up_is_an_error(monkeypatch):
    class Refused:
        status, message = 4, "numerical difficulties"

    monkeypatch.setattr(optimize, "linprog", lambda *a, **k: Refused())
    with pytest.raises(RuntimeError, match="over 1 units and 26 points was not solved"):
        measure(AXIS, [[1.0, 1.0]], count=18)

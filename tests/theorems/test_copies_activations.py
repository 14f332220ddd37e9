"""Tickets of copies with leaky ReLU, tanh and sigmoid: every constant about an activation, and the recursions."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.assignment import block
from slth.errors import Ball, Box
from slth.networks.examples import random_target
from slth.networks.target import Target
from slth.subset_sum.questions import any_or_nearest, nearest
from slth.theorems import burkholz2022_depth as burkholz
from slth.theorems.activations import RELU, SIGMOID, TANH, Activation, leaky_relu, near_zero
from slth.theorems.certificate import Verdict
from slth.theorems.copies import cancel_offset, copied_layers, copies_of, first_pair
from slth.theorems.copies_errors import attained, by_norms, over_copies, target_values, ticket_values

LEAKY = leaky_relu(Fraction(1, 4))
ALL = (RELU, LEAKY, leaky_relu(Fraction(1, 3)), leaky_relu(Fraction(1)), TANH, SIGMOID)
UNIT = 1 << 48

numbers = st.floats(-50, 50, allow_nan=False)


def exact_value(activation, z):
    """phi(z) to 60 digits, by another formula than the package's."""
    z = mpmath.mpf(z)
    if activation is TANH:
        return mpmath.tanh(z)
    if activation is SIGMOID:
        return 1 / (1 + mpmath.exp(-z))
    slope = mpmath.mpf(activation.minus.numerator) / activation.minus.denominator
    return z if z > 0 else slope * z


def small(seed=0, widths=(2, 2, 1)):
    return burkholz.normalised(random_target(widths, seed))


def drawn(target, activation, copies=12, rows=80, seed=1, limit=1.0, question=any_or_nearest, epsilon=0.1):
    source = burkholz.source(target, epsilon, 0.1, seed, samples=copies, rows=rows)
    assignment = near_zero(source, limit) if limit < 1 else block
    return burkholz.construct(target, source, epsilon, question, assignment, activation=activation)


@pytest.mark.parametrize("activation", ALL, ids=lambda a: a.name)
@given(z=numbers)
def test_the_piecewise_linear_part_is_within_the_cubic_remainder(activation, z):
    with mpmath.workdps(60):
        slope = activation.plus if z >= 0 else activation.minus
        linear = mpmath.mpf(z) * slope.numerator / slope.denominator + mpmath.mpf(float(activation.offset))
        remainder = abs(exact_value(activation, z) - linear)
        allowed = activation.cubic.numerator * abs(mpmath.mpf(z)) ** 3 / activation.cubic.denominator
        assert remainder <= allowed + mpmath.mpf(10) ** -50


@pytest.mark.parametrize("activation", ALL, ids=lambda a: a.name)
@given(y=numbers, z=numbers)
def test_the_lipschitz_constant_and_the_largest_value_hold(activation, y, z):
    with mpmath.workdps(60):
        apart = abs(exact_value(activation, y) - exact_value(activation, z))
        rise = mpmath.mpf(activation.lipschitz.numerator) / activation.lipschitz.denominator
        assert apart <= rise * abs(mpmath.mpf(y) - mpmath.mpf(z)) + mpmath.mpf(10) ** -50
        assert abs(exact_value(activation, z)) <= activation.largest
        assert float(activation.function(np.array(z))) == pytest.approx(float(exact_value(activation, z)), abs=1e-13)


@pytest.mark.parametrize("slope", [Fraction(0), Fraction(1, 4), Fraction(1, 3), Fraction(1, 100), Fraction(1)])
def test_the_two_sums_of_a_leaky_unit_give_its_two_slopes_in_rational_numbers(slope):
    activation, target = leaky_relu(slope), small(widths=(3, 2))
    ticket = drawn(target, activation, rows=12).ticket
    first, second = (ticket.weights(i).astype(object) for i in (0, 1))
    layer = copied_layers(target, ticket, activation)[0]
    for k in range(2):
        for j in range(3):
            slopes = []
            for side in (1, -1):  # the value at x = e_j and at -e_j, unit by unit
                value = Fraction(0)
                for r in np.flatnonzero(ticket.masks[0][:, j]):
                    z = Fraction(int(first[r, j]) * side)
                    value += int(second[k, r]) * (z if z > 0 else slope * z)
                slopes.append(value * side)
            missed = max(abs(s - int(target.layers[0].weight[k, j])) for s in slopes)
            assert missed <= int(layer.error[k, j]) < missed + 1


def test_the_slopes_of_a_leaky_unit_stand_for_the_weight_if_both_sums_are_its_share():
    # P = Q = w / (1 + a) gives m_+ P + m_- Q = w on both sides: with half-hearted samples both residuals only add up
    target = small(widths=(3, 2))
    made = drawn(target, LEAKY, rows=40, question=nearest)
    pair, layer = first_pair(target, made.ticket, LEAKY), copied_layers(target, made.ticket, LEAKY)[0]
    worst = np.maximum(np.abs(pair.positive), np.abs(pair.negative))
    assert (layer.error <= worst * 1.25 + 2).all()


def test_a_leaky_relu_with_slope_0_is_the_relu_in_every_number():
    target, zero = small(widths=(3, 3, 2)), leaky_relu(Fraction(0))
    ours, relu = drawn(target, zero), drawn(target, RELU)
    assert all((a == b).all() for a, b in zip(ours.ticket.masks, relu.ticket.masks, strict=True))
    for domain in (Ball(3), Box.cube(3)):
        assert over_copies(target, ours.ticket, domain, zero) == over_copies(target, relu.ticket, domain)


@pytest.mark.parametrize("activation", ALL, ids=lambda a: a.name)
@pytest.mark.parametrize("widths", [(3, 2), (2, 3, 2), (2, 2, 2, 1)])
def test_no_recursion_is_exceeded_by_a_sampled_point(activation, widths):
    target = small(widths=widths)
    for seed, limit in ((0, 1.0), (1, 0.4)):
        ticket = drawn(target, activation, copies=8, seed=seed, limit=limit).ticket
        for domain in (Ball(widths[0]), Ball(widths[0], 3.0), Box.cube(widths[0]), Box.cube(widths[0], -0.25, 2.0)):
            found = attained(target, ticket, domain, activation, count=500).value
            assert found <= over_copies(target, ticket, domain, activation).value
            if isinstance(domain, Ball):
                assert found <= by_norms(target, ticket, domain, activation).value


@pytest.mark.parametrize(
    ("activation", "limit", "rows", "copies"),
    [(LEAKY, 1.0, 60, 30), (TANH, 0.2, 400, 20), (SIGMOID, 0.5, 400, 20)],
    ids=lambda v: getattr(v, "name", str(v)),
)
def test_wide_enough_sources_hold_tickets_for_every_activation(activation, limit, rows, copies):
    target = small()
    held = 0
    for seed in range(5):
        made = drawn(target, activation, copies, rows, seed, limit)
        found = burkholz.certify(target, made, 0.1, 0.1, activation=activation)
        held += found.verdict is Verdict.HOLDS
        assert "float64" in found.error.lower_method
    assert held >= 4


def test_subset_sums_within_tolerance_prove_epsilon_for_a_leaky_relu():
    for seed in range(5):
        target = small(seed, widths=(3, 3, 2))
        made = drawn(target, LEAKY, 40, 80, seed)
        found = burkholz.certify(target, made, 0.1, 0.1, activation=LEAKY)
        assert made.failed > 0 or found.error.upper <= 0.1


def test_a_leaky_relu_hands_on_the_constant_of_a_target_with_biases():
    target = Target.from_floats([[[0.5, -0.25]], [[0.4]]], [[-0.3], [0.1]])
    made = drawn(target, LEAKY, 30, 80, question=nearest, epsilon=0.01)
    found = burkholz.certify(target, made, 0.01, 0.1, activation=LEAKY)
    assert found.verdict is Verdict.HOLDS
    x = np.random.default_rng(0).uniform(-0.7, 0.7, (100, 2))
    assert np.abs(ticket_values(made.ticket, LEAKY, x) - target_values(target, LEAKY, x)).max() <= found.error.upper


def test_small_first_weights_lessen_the_curvature():
    target = small()
    bent = [
        int(copied_layers(target, drawn(target, TANH, 6, 400, limit=l).ticket, TANH)[0].curved.max())
        for l in (1.0, 0.2)
    ]
    assert bent[1] < bent[0] / 4


def test_units_near_zero_keep_only_small_weights():
    target = small()
    ticket = drawn(target, TANH, 6, 100, limit=0.3).ticket
    assert 0 < np.abs(ticket.weights(0)).max() <= 0.3 * (1 << 24)


def test_the_offsets_of_sigmoid_units_sum_to_nearly_nothing():
    target = small()
    made = drawn(target, SIGMOID, 12, 200)
    ticket, allowed = made.ticket, made.tolerances[0]
    sums = ticket.weights(1).sum(axis=1)
    assert made.reports[0].failed == 0
    assert (np.abs(sums) << 24 <= allowed).all()
    layer = copied_layers(target, ticket, SIGMOID)[0]
    assert (layer.shift == np.abs(sums) << 23).all()


def test_offsets_without_free_units_stay_and_count_as_failed():
    target = small()
    source = burkholz.source(target, 0.1, 0.1, 0, samples=2, rows=2)
    made = burkholz.construct(target, source, 0.1)
    first = np.ones_like(made.ticket.masks[0])
    second, report = cancel_offset(source, first, made.ticket.masks[1], made.reports[0], nearest, 1)
    assert (second == made.ticket.masks[1]).all()
    assert report.fewest == 0
    assert report.failed > made.reports[0].failed


def test_biases_are_refused_where_no_constant_1_can_be_computed():
    target = Target.from_floats([[[0.5]], [[0.4]]], [[0.3], None])
    source = burkholz.source(target, 0.1, 0.1, 0, samples=4)
    for activation in (TANH, SIGMOID, Activation("half", lambda z: z / 2, Fraction(1, 2), Fraction(1, 2))):
        with pytest.raises(ValueError, match="constant 1"):
            burkholz.construct(target, source, 0.1, activation=activation)


def test_a_domain_of_another_dimension_is_refused():
    target = small()
    with pytest.raises(ValueError, match="2 inputs"):
        over_copies(target, drawn(target, TANH).ticket, Ball(3), TANH)


def test_a_larger_ball_or_box_never_has_a_smaller_bound():
    target = small(widths=(2, 2, 1))
    for activation in ALL:
        ticket = drawn(target, activation, 4, 20).ticket
        for make in (lambda r: Ball(2, r), lambda r: Box.cube(2, -r, r)):
            values = [over_copies(target, ticket, make(r), activation).value for r in (0.5, 1.0, 2.0)]
            assert values == sorted(values)


def test_copies_of_reads_the_widths():
    target = small(widths=(2, 3, 2, 1))
    assert copies_of(target, burkholz.source(target, 0.1, 0.1, 0, samples=5)) == (5, 5, 1)


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ((Fraction(1), Fraction(-1)), "m_+ \\+ m_- must not be 0"),
        ((Fraction(2), Fraction(0)), "T in"),
        ((Fraction(1), Fraction(0), Fraction(2)), "T in"),
        ((Fraction(1), Fraction(0), Fraction(1), Fraction(0), Fraction(-1)), "remainder"),
    ],
)
def test_an_activation_with_impossible_constants_is_refused(constants, message):
    with pytest.raises(ValueError, match=message.replace("m_+ ", "m_\\+ ")):
        Activation("bad", np.tanh, *constants)


def test_slopes_and_limits_out_of_range_are_refused():
    for slope in (Fraction(-1, 2), Fraction(3, 2)):
        with pytest.raises(ValueError, match="slope"):
            leaky_relu(slope)
    source = burkholz.source(small(), 0.1, 0.1, 0, samples=2)
    for limit in (0.0, 1.5, float("nan")):
        with pytest.raises(ValueError, match="limit"):
            near_zero(source, limit)


def test_the_tolerance_of_a_pair_leaves_room_for_both_of_its_residuals():
    target = small(widths=(3, 2))
    (wanted,) = burkholz.tolerances(target, 0.1, [1.0])
    for activation, share in ((RELU, 1.0), (LEAKY, 1.25), (TANH, 2.0), (SIGMOID, 0.5)):
        (allowed,) = drawn(target, activation).tolerances
        assert allowed / UNIT == pytest.approx(wanted / share, rel=1e-9)


def test_offsets_are_asked_for_no_closer_than_the_grid_of_raw_weights():
    target = small()
    source = burkholz.source(target, 0.1, 0.1, 0, samples=2, rows=60)
    made = burkholz.construct(target, source, 0.1)
    free = np.zeros_like(made.ticket.masks[0])
    second, report = cancel_offset(
        source, free, np.zeros_like(made.ticket.masks[1]), made.reports[0], any_or_nearest, 1
    )
    assert not second.any()  # nothing to cancel: the empty sum
    kept = np.zeros_like(second)
    kept[:, 0] = True
    free[0, 0] = True
    second, report = cancel_offset(source, free, kept, made.reports[0], any_or_nearest, 1)
    sums = np.abs((second * source.rows(1, 0, len(second))).sum(axis=1))
    assert (sums <= 1).all()
    assert report.failed == made.reports[0].failed

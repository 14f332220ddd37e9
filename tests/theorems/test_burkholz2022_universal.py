"""Burkholz et al. 2022, universal tickets: one pruning serves a family."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from slth.confidence import excess_p_value
from slth.networks.torch_export import to_module
from slth.subset_sum.questions import nearest
from slth.theorems import burkholz2022_universal as universal
from slth.theorems.certificate import Verdict
from slth.theorems.theorem import verify

BASES = (universal.monomials(3, 8), universal.fourier(2, 12), universal.squares(3))


def network_values(network, x):
    return network(torch.from_numpy(x)[:, None]).numpy()


def grid(basis, count=4001):
    return np.linspace(float(basis.domain.low[0]), float(basis.domain.high[0]), count)


@pytest.mark.parametrize("basis", BASES, ids=lambda b: b.names[-1])
def test_the_basis_network_is_within_its_proved_error_and_not_far_below(basis):
    x = grid(basis)
    apart = np.abs(network_values(basis.target, x) - basis.functions(x)).max()
    assert 0.2 * basis.error <= apart <= basis.error


@pytest.mark.parametrize("levels", [1, 2, 3, 5])
def test_the_sawtooth_is_exact_at_dyadic_points_and_attains_its_error_between_them(levels):
    basis = universal.squares(levels)
    x = np.arange(2**levels + 1) / 2**levels
    assert np.array_equal(network_values(basis.target, x)[:, 0], x**2)
    middles = (x[1:] + x[:-1]) / 2
    assert np.array_equal(network_values(basis.target, middles)[:, 0] - middles**2, np.full(2**levels, basis.error))


@given(st.integers(0, 64), st.integers(1, 6))
def test_x_minus_the_tents_interpolates_the_square(numerator, levels):
    x = Fraction(numerator, 64)
    value, tent = x, x
    for s in range(1, levels + 1):
        tent = 2 * min(tent, 1 - tent)
        value -= tent / 4**s
    left = Fraction(int(x * 2**levels), 2**levels)
    right = left + Fraction(1, 2**levels)
    assert value == left**2 + (x - left) * (left + right)


def test_the_bounds_are_the_errors_of_the_bases():
    assert universal.SAWTOOTH.evaluate(L=4) == universal.squares(3).error
    assert universal.INTERPOLATION.evaluate(kappa_2=6, n=8) == pytest.approx(BASES[0].error, rel=1e-9)


@cache
def one_ticket(basis, samples=24, seed=0):
    target = universal.normalised(basis.target)
    return verify(universal, target, 0.05, 0.1, seed=seed, samples=samples, question=nearest)


@pytest.mark.parametrize("basis", BASES, ids=lambda b: b.names[-1])
def test_one_ticket_serves_every_member_of_the_family_within_the_bound(basis):
    found = one_ticket(basis)
    x = grid(basis, 501)
    outputs = found.target.scale * network_values(to_module(found.construction.ticket), x)
    rng = np.random.default_rng(0)
    for _ in range(50):
        c = rng.normal(size=len(basis.names))
        apart = np.abs(outputs @ c - basis.functions(x) @ c).max()
        assert apart <= universal.family_error(basis, found, c)


def test_the_error_of_a_member_is_its_coefficients_times_that_of_the_basis():
    basis = BASES[0]
    found = one_ticket(basis)
    single = universal.family_error(basis, found, [1, 0, 0])
    assert single == pytest.approx(universal.family_error(basis, found, [0, 0.25, -0.75]))
    assert universal.family_error(basis, found, [3, -4, 0]) == pytest.approx(7 * single)
    per_output = single - basis.error
    assert universal.FAMILY.evaluate(c_1=7, e_B=basis.error, t=per_output) == pytest.approx(7 * single)


def test_products_follow_from_squares_by_polarisation():
    # x y = 2 ((x + y) / 2)^2 - x^2 / 2 - y^2 / 2: coefficients 2, 1/2, 1/2 on one ticket for squares
    basis = universal.squares(4)
    found = one_ticket(basis)
    module = to_module(found.construction.ticket)

    def square(x):
        return found.target.scale * network_values(module, x)[:, 0]

    x, y = np.random.default_rng(1).random((2, 300))
    product = 2 * square((x + y) / 2) - square(x) / 2 - square(y) / 2
    assert np.abs(product - x * y).max() <= 3 * universal.family_error(basis, found, [1.0])


def test_the_number_of_subset_sums_does_not_depend_on_the_size_of_the_family():
    found = one_ticket(BASES[0])
    assert found.construction.count == universal.instances(BASES[0].target)


def test_at_the_width_of_the_bound_no_more_draws_fail_than_delta_allows():
    target = universal.normalised(universal.monomials(1, 1).target)
    draws = [verify(universal, target, 0.2, 0.1, seed=seed) for seed in range(15)]
    assert all(check.holds for draw in draws for check in draw.hypotheses)
    assert excess_p_value(sum(draw.verdict is not Verdict.HOLDS for draw in draws), 15, 0.1) > 1e-3


def test_too_few_candidates_are_seen_in_the_error_of_the_family():
    few, many = (universal.family_error(BASES[0], one_ticket(BASES[0], n), [1, 1, 1]) for n in (4, 26))
    assert few > 2 * many


@pytest.mark.parametrize("coefficients", [[1.0], [1.0, np.nan, 0.0], [np.inf, 0.0, 0.0], [[1.0, 0.0, 0.0]]])
def test_wrong_coefficients_are_refused(coefficients):
    with pytest.raises(ValueError, match="3 finite coefficients"):
        universal.family_error(BASES[0], one_ticket(BASES[0], 4), coefficients)


@pytest.mark.parametrize(
    "build", [lambda: universal.monomials(0, 3), lambda: universal.fourier(1, 0), lambda: universal.squares(0)]
)
def test_an_empty_basis_is_refused(build):
    with pytest.raises(ValueError, match="at least"):
        build()

"""Densities and drift constants of the laws, in exact arithmetic where they are exact.

The drift constant of a symmetric law with density k(|x|) for the window [-R, R] is
m_R = E[|X|; |X| <= R] / R + P(R < |X| <= 2 R) / 2; a sample leaves 1 - m_R / 2 of the potential.
"""

import math

import mpmath
import numpy as np
import pytest
import sympy
from sympy import Rational, log, sqrt

from slth.laws import Product, Uniform
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems.lueker1998_subset_sum import mixture_drift

x, R = sympy.symbols("x R", positive=True)
HALF = Rational(1, 2)

# Densities at x > 0 and the end of the support.
DENSITIES = {
    "uniform": (HALF, 1),
    "product": (log(1 / x) / 2, 1),
    "triangular": (HALF - x / 4, 2),
    "normal": (sympy.exp(-(x**2) / 2) / sqrt(2 * sympy.pi), sympy.oo),
}


def integral(integrand, low, high):
    """By the primitive; log(1 / x) is integrated as -log(x)."""
    primitive = sympy.integrate(sympy.expand_log(integrand, force=True), x)
    ends = [sympy.limit(primitive, x, end) if end in (0, sympy.oo) else primitive.subs(x, end) for end in (low, high)]
    return sympy.simplify(ends[1] - ends[0])


def drift(name, window, pairs_beyond=True):
    """m_R of a law; without the pairs of the window at distances from R to 2 R, the first term only."""
    density, end = DENSITIES[name]
    near = 2 * integral(x * density, 0, min(window, end)) / window
    if not pairs_beyond or window >= end:
        return sympy.simplify(near)
    return sympy.simplify(near + integral(density, window, min(2 * window, end)))


def normal_drift(window):
    """Of the standard normal law, in 30 digits."""
    with mpmath.workdps(30):
        near = 2 * (mpmath.npdf(0) - mpmath.npdf(window)) / window
        return near + mpmath.ncdf(2 * window) - mpmath.ncdf(window)


@pytest.mark.parametrize("name", DENSITIES)
def test_the_densities_integrate_to_one_and_fall(name):
    density, end = DENSITIES[name]
    assert 2 * integral(density, 0, end) == 1
    values = [density.subs(x, t).evalf() for t in np.linspace(0.05, min(float(end), 5.0), 30)]
    assert values == sorted(values, reverse=True)


def test_the_exact_drift_constants():
    assert drift("uniform", HALF) == HALF == drift("uniform", 1)
    assert drift("uniform", Rational(3, 4)) == HALF
    assert drift("product", HALF) == Rational(3, 8)
    assert drift("product", 1) == Rational(1, 4)
    assert drift("triangular", 1) == Rational(11, 24)


def test_the_exact_rates_per_sample():
    rates = [1 - m / 2 for m in (drift("uniform", HALF), drift("product", HALF), drift("triangular", 1))]
    assert rates == [Rational(3, 4), Rational(13, 16), Rational(37, 48)]
    # A sample that is zero with probability 1/2, as with unsorted signs, has half the drift.
    assert 1 - mixture_drift(HALF, drift("product", 1)) / 2 == Rational(15, 16)
    assert 1 - drift("product", 1) / 2 == Rational(7, 8)


def test_pairs_beyond_the_window_raise_the_drift():
    # The first term alone gives 1/4 for the uniform law on the half window, 3/8 for the triangular one at 3/2.
    assert drift("uniform", HALF, pairs_beyond=False) == Rational(1, 4)
    assert drift("triangular", Rational(3, 2), pairs_beyond=False) == Rational(3, 8)
    assert drift("normal", Rational(1585, 1000), pairs_beyond=False).evalf() == pytest.approx(0.360, abs=5e-4)


def test_the_best_window_of_a_product():
    # m_R = R (3/4 - ln 2 R) up to R = 1/2; the best window is e^(-1/4) / 2, and m is the same number.
    for window in (Rational(1, 10), Rational(1, 4), Rational(3, 8), HALF):
        by_hand = window * (Rational(3, 4) - log(2 * window))
        assert sympy.simplify(sympy.expand_log(drift("product", window) - by_hand, force=True)) == 0
    formula = R * (Rational(3, 4) - log(2 * R))
    (window,) = sympy.solve(sympy.diff(formula, R), R)
    assert sympy.simplify(window - sympy.exp(Rational(-1, 4)) / 2) == 0
    assert sympy.simplify(formula.subs(R, window) - window) == 0
    assert Product().drift(float(window)) == pytest.approx(0.389400, abs=1e-6)
    assert all(Product().drift(w) <= 0.389401 for w in np.linspace(0.01, 2, 400))


def test_the_best_window_of_a_difference_of_two_uniform_samples():
    # m_R = R - 13 R^2 / 24 up to R = 1; the best window is 12/13, with m = 6/13.
    for window in (Rational(1, 4), Rational(12, 13), Rational(1)):
        assert drift("triangular", window) == window - Rational(13, 24) * window**2
    assert drift("triangular", Rational(12, 13)) == Rational(6, 13)
    beyond = [drift("triangular", Rational(w, 8)) for w in range(8, 17)]
    assert beyond == sorted(beyond, reverse=True)


def test_the_best_window_of_a_normal_sample():
    windows = [mpmath.mpf(w) / 100 for w in range(20, 400)]
    values = [normal_drift(w) for w in windows]
    best = max(range(len(values)), key=values.__getitem__)
    assert float(windows[best]) == pytest.approx(1.08, abs=0.011)
    assert float(values[best]) == pytest.approx(0.4511, abs=5e-5)
    assert float(normal_drift(mpmath.mpf(1))) == pytest.approx(float(drift("normal", 1).evalf()), rel=1e-12)


@pytest.mark.parametrize("name", DENSITIES)
@pytest.mark.parametrize("window", [Rational(1, 5), HALF, Rational(1), Rational(5, 2)])
def test_no_law_with_a_falling_density_has_a_drift_above_one_half(name, window):
    # A falling density is a mixture of uniform laws on [-h, h], each with m = min(R / h, 1/2, h / 2 R).
    assert 0 < float(drift(name, window).evalf()) <= 0.5


@pytest.mark.parametrize("window", [0.2, 0.5, 0.75, 1.0, 1.5])
def test_the_laws_of_the_package_have_the_drift_of_the_formula(window):
    exact = Rational(str(window))
    assert Uniform().drift(window) == pytest.approx(float(drift("uniform", exact)), rel=1e-12)
    assert Product().drift(window) == pytest.approx(float(drift("product", exact)), rel=1e-12)
    assert Product(Uniform(0.0, 1.0), Uniform()).drift(window) == pytest.approx(Product().drift(window), rel=1e-12)


# A product contains a uniform law


def test_the_density_of_a_product_is_at_least_ln_2_over_2_on_the_half_window():
    density = DENSITIES["product"][0]
    assert sympy.simplify(sympy.expand_log(density.subs(x, HALF) - log(2) / 2, force=True)) == 0
    assert sympy.diff(density, x).is_negative
    points = np.linspace(-0.5, 0.5, 1001)[np.arange(1001) != 500]
    for law in (Product(), Product(Uniform(0.0, 1.0), Uniform())):
        assert (law.density(points) >= math.log(2) / 2 - 1e-15).all()
        assert law.density(0.5) == pytest.approx(math.log(2) / 2, rel=1e-14)


def test_half_a_product_contains_a_uniform_law_of_weight_ln_2_over_4():
    # U[-1/2, 1/2] has density 1: half of ln 2 / 2 is its weight, .17329.
    assert Product().density(0.5) / 2 == pytest.approx(0.17329, abs=5e-6)
    assert Product().density(0.51) / 2 < math.log(2) / 4


def test_the_uniform_law_inside_the_product_gives_less_drift_than_the_product_itself():
    inside = mixture_drift(log(2) / 4, HALF)  # U[-1/2, 1/2] on the window 1/2
    whole = mixture_drift(HALF, drift("product", HALF))  # zero with probability 1/2
    assert Uniform(-0.5, 0.5).drift(0.5) == 0.5
    assert float(inside) == pytest.approx(0.0866, abs=1e-4)
    assert whole == Rational(3, 16)
    needed = [lueker.CANDIDATES.evaluate(R=0.5, m=float(m), epsilon=0.01, delta=0.1) for m in (inside, whole)]
    assert needed[0] > 2.2 * needed[1]

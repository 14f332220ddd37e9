"""Norm bounds against exact rationals: b bounds norm(A) if b^2 I - A A^T is positive semi-definite."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.linalg import ArpackError

from slth.errors import rounding
from slth.errors.rounding import frobenius_up, infinity_up, largest_up, spectral_up


def semidefinite(matrix):
    """Whether a symmetric matrix of Fractions is positive semi-definite, by exact elimination."""
    matrix = [row[:] for row in matrix]
    for k in range(len(matrix)):
        pivot = matrix[k][k]
        if pivot < 0 or (pivot == 0 and any(matrix[k][j] for j in range(k, len(matrix)))):
            return False
        if pivot:
            for i in range(k + 1, len(matrix)):
                factor = matrix[i][k] / pivot
                for j in range(k, len(matrix)):
                    matrix[i][j] -= factor * matrix[k][j]
    return True


def bounds_norm(bound, matrix):
    rows = [[Fraction(float(v)) for v in row] for row in matrix]
    gram = [[-sum(a * b for a, b in zip(r, s, strict=True)) for s in rows] for r in rows]
    for k in range(len(rows)):
        gram[k][k] += Fraction(bound) ** 2
    return semidefinite(gram)


def test_the_exact_check_itself_knows_a_norm_from_a_smaller_number():
    matrix = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert bounds_norm(5.0, matrix)
    assert not bounds_norm(math.nextafter(5.0, 0.0), matrix)


@given(
    st.integers(0, 2**32),
    st.integers(1, 5),
    st.integers(1, 6),
    st.sampled_from([None, 0.5, 0.9, 1.0, 1e-30, 1e30]),
)
def test_spectral_up_is_an_upper_bound_whatever_the_hint(seed, rows, columns, wrong):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, columns)) * 2.0 ** rng.integers(-8, 8, (rows, columns))
    norm = np.linalg.norm(matrix, 2)
    bound = spectral_up(matrix, None if wrong is None else wrong * norm)
    assert bounds_norm(bound, matrix)
    if wrong is None:
        assert bound <= norm * (1 + 1e-9)


def test_spectral_up_holds_on_rank_one_matrices_where_plain_svd_often_fails():
    rng = np.random.default_rng(0)
    too_small = 0
    for _ in range(100):
        matrix = np.outer(rng.integers(1, 2**20, 3), rng.integers(1, 2**20, 4)).astype(float)
        assert bounds_norm(spectral_up(matrix), matrix)
        too_small += not bounds_norm(float(np.linalg.norm(matrix, 2)), matrix)
    assert too_small > 10


@pytest.mark.parametrize("shape", [(120, 300), (300, 120), (2, 2000), (64, 64)])
def test_spectral_up_is_tight_where_the_cheap_bounds_are_not(shape):
    matrix = np.random.default_rng(1).normal(size=shape)
    norm = np.linalg.norm(matrix, 2)
    assert norm <= spectral_up(matrix) <= norm * (1 + 1e-10)
    assert min(frobenius_up(matrix), math.sqrt(infinity_up(matrix) * infinity_up(matrix.T))) > 1.2 * norm


def test_known_norms_are_met():
    signs = np.array([[1.0]])
    for _ in range(4):
        signs = np.block([[signs, signs], [signs, -signs]])
    assert 4.0 <= spectral_up(signs) <= 4.0 * (1 + 1e-12)  # Hadamard of order 16
    assert 7.0 <= spectral_up(np.diag([1.0, -7.0, 3.0])) <= 7.0 * (1 + 1e-12)
    assert 5.0 <= spectral_up(np.array([[3.0, 4.0]])) <= 5.0 * (1 + 1e-12)


def test_a_far_too_small_hint_still_ends_near_the_norm():
    matrix = np.random.default_rng(2).normal(size=(40, 60))
    norm = np.linalg.norm(matrix, 2)
    assert norm <= spectral_up(matrix, 0.5 * norm) <= 3 * norm


@pytest.mark.parametrize("exponent", [-900, -20, 20, 900])
def test_norms_scale_exactly_with_powers_of_two(exponent):
    matrix = np.random.default_rng(3).normal(size=(9, 14))
    for norm in (spectral_up, frobenius_up):
        assert norm(np.ldexp(matrix, exponent)) == math.ldexp(norm(matrix), exponent)


def test_entries_that_vanish_beside_the_largest_are_covered():
    matrix = np.array([[1e300, 0.0], [0.0, 1e-300]])
    assert bounds_norm(spectral_up(matrix), matrix)
    tiny = np.full((2, 2), 5e-324)
    assert bounds_norm(spectral_up(tiny), tiny)


def test_large_matrices_take_the_lanczos_hint_and_survive_its_failure(monkeypatch):
    matrix = np.random.default_rng(4).normal(size=(24, 40))
    monkeypatch.setattr(rounding, "LARGEST_DENSE_HINT", 8)
    norm = np.linalg.norm(matrix, 2)
    assert norm <= spectral_up(matrix) <= norm * (1 + 1e-9)

    def fails(*args, **kwargs):
        raise ArpackError(-1)

    monkeypatch.setattr(rounding, "eigsh", fails)
    assert norm <= spectral_up(matrix) <= norm * (1 + 1e-9)


def test_of_a_matrix_of_ones_the_cheap_bounds_are_the_norm_and_not_less():
    ones = np.ones((9, 16))
    assert 12.0 <= spectral_up(ones) <= 12.0 * (1 + 1e-12)


def test_norms_of_zeros_are_exactly_zero():
    zero = np.zeros((3, 4))
    assert spectral_up(zero) == frobenius_up(zero) == infinity_up(zero) == largest_up(zero[0]) == 0


@given(st.integers(0, 2**32), st.integers(1, 40))
def test_frobenius_and_infinity_are_upper_bounds(seed, count):
    values = np.random.default_rng(seed).normal(size=(2, count))
    squares = sum(Fraction(float(v)) ** 2 for v in values.ravel())
    assert squares <= Fraction(frobenius_up(values)) ** 2 <= squares * (1 + Fraction(1, 10**12))
    rows = [sum(abs(Fraction(float(v))) for v in row) for row in values]
    assert max(rows) <= Fraction(infinity_up(values)) <= max(rows) * (1 + Fraction(1, 10**12))


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_norms_refuse_numbers_that_are_not_finite(bad):
    for norm in (spectral_up, frobenius_up):
        with pytest.raises(ValueError, match="finite"):
            norm(np.array([[1.0, bad]]))


@pytest.mark.parametrize("hint", [0.0, -1.0, math.nan, math.inf])
def test_hints_that_are_no_guess_are_refused(hint):
    with pytest.raises(ValueError, match="hint"):
        spectral_up(np.eye(2), hint)


@pytest.mark.parametrize(
    ("rows", "columns", "guess"), [(2, 2, 100.0), (2, 1000, 1.0), (20, 1000, 1.0), (20, 20, 100.0)]
)
def test_the_certified_square_carries_its_a_priori_terms(rows, columns, guess):
    # First the Gram term (n+2) u norm_F^2 dominates, then the Cholesky term (m+3) u tr M.
    matrix = np.eye(rows, columns)
    square = Fraction(rounding._certified_square(matrix, float(rows), 1e9, guess))
    unit = Fraction(1, 2**53)
    trace = rows * Fraction(guess - 1)
    shift = guess * (1 + 2 * rows * (rows + 8) * 2.0**-52)
    assert square >= Fraction(shift) + (columns + 2) * unit * rows + (rows + 3) * unit * trace

"""Norms of matrices and vectors, rounded outward: upper bounds that hold in exact arithmetic."""

from __future__ import annotations

import math

import numpy as np
from scipy.sparse.linalg import ArpackError, eigsh

from slth.errors.outward import STEP, Floats, inflated, row_sums_up, up

LARGEST_DENSE_HINT = 512
"""Up to this side the hint is taken from all eigenvalues, beyond it from a Lanczos iteration."""


def frobenius_up(values: Floats) -> float:
    """Upper bound of the root of the sum of squares.

    Args:
        values: finite float64, a vector or a matrix.

    Raises:
        ValueError: NaN or infinite values.

    >>> 5.0 <= frobenius_up(np.array([3.0, 4.0])) < 5.0 + 1e-14
    True
    """
    scaled, exponent = _scaled(np.atleast_2d(values))
    return _root(_energy(scaled), exponent)


def largest_up(values: Floats) -> float:
    """The largest absolute value: the l_inf norm of a vector, exact.

    >>> largest_up(np.array([3.0, -4.0]))
    4.0
    """
    return float(np.abs(values).max(initial=0.0))


def infinity_up(matrix: Floats) -> float:
    """Upper bound of the largest absolute row sum, the operator norm from l_inf to l_inf.

    >>> 7.0 <= infinity_up(np.array([[3.0, -4.0]])) < 7.0 + 1e-14
    True
    """
    return float(row_sums_up(np.abs(matrix)).max(initial=0.0))


def spectral_up(matrix: Floats, hint: float | None = None) -> float:
    """Upper bound of the spectral norm: the smallest of Frobenius, sqrt(norm_1 norm_inf) and a Cholesky
    certificate.

    If the Cholesky factorisation of c I - A A^T succeeds in float64, the matrix is positive semi-definite up
    to a known rounding term, so norm(A)^2 <= c plus that term (Rump 2006, BIT 46). Where the c comes from
    does not matter to the
    proof: it is tried from a hint upwards until the factorisation succeeds.

    Args:
        matrix: finite float64 (rows, columns). The smaller side m costs O(m^3) time and O(m^2) memory.
        hint: a guess of the norm, > 0, of any quality; by default from the eigenvalues of A A^T.

    Returns:
        The bound, within about 1e-9 of the norm for m up to 2000; 0 exactly for a zero matrix.

    Raises:
        ValueError: NaN or infinite entries, or a hint that is not positive and finite.

    >>> 1.0 <= spectral_up(np.eye(3)) < 1.0 + 1e-12
    True
    """
    if hint is not None and not (math.isfinite(hint) and hint > 0):
        raise ValueError(f"the hint must be a positive number, a guess of the norm; got {hint}: leave it out")
    scaled, exponent = _scaled(matrix)
    energy = _energy(scaled)
    by_sums = up(infinity_up(scaled) * infinity_up(scaled.T))
    square = min(energy, by_sums)
    if min(matrix.shape) > 1 and square > 0:
        wide = scaled if scaled.shape[0] <= scaled.shape[1] else scaled.T
        guess = None
        if hint is not None:
            part, power = math.frexp(hint)
            guess = math.ldexp(part, min(power - exponent, 500)) ** 2
        square = min(square, _certified_square(wide, energy, square, guess))
    return _root(square, exponent)


def _scaled(matrix: Floats) -> tuple[Floats, int]:
    """The matrix times 2^-exponent, with largest entry in [1/2, 1), and the exponent.

    What underflows here or in a square below is smaller than 2^-1021 beside a sum of at least 1/4, far less
    than the a-priori terms.
    """
    largest = largest_up(matrix)
    if not math.isfinite(largest):
        raise ValueError("a norm needs finite entries; the matrix holds NaN or infinite ones")
    exponent = math.frexp(largest)[1]
    return np.ldexp(matrix, -exponent), exponent


def _energy(scaled: Floats) -> float:
    """Upper bound of the sum of squares."""
    total = np.einsum("ij,ij->i", scaled, scaled).sum()
    return float(inflated(total, sum(scaled.shape) + 1))


def _root(square: float, exponent: int) -> float:
    """2^exponent sqrt(square), rounded up."""
    return 0.0 if square == 0 else up(math.ldexp(up(math.sqrt(square)), exponent))


def _certified_square(wide: Floats, energy: float, limit: float, guess: float | None) -> float:
    """Upper bound of norm(A)^2 of an m x n matrix with m <= n, or limit if none below it is found.

    With M = fl(c I - fl(A A^T)): the Gram matrix is off by at most gamma_n |A||A|^T, of norm at most (n+2) u
    norm_F(A)^2; the subtraction by u tr M; and a completed Cholesky factorisation proves M >= -(m+2) u tr M.
    Twice the last two terms are taken, for factorisations that multiply by rounded reciprocals.
    """
    m, n = wide.shape
    gram = wide @ wide.T
    diagonal = gram.diagonal().copy()
    guess = _largest_eigenvalue(gram) if guess is None else guess
    np.negative(gram, out=gram)
    # The factorisation may fail for rounding alone below a relative distance of about m (m+2) u.
    slack = 2 * m * (m + 8) * STEP
    shift = max(guess, float(diagonal.max())) * (1 + slack)
    while shift < limit:
        np.fill_diagonal(gram, shift - diagonal)
        if _has_cholesky(gram):
            trace = float(inflated((shift - diagonal).sum(), m))
            return float(inflated(np.asarray(shift + (n + 4) * STEP / 2 * energy + (m + 4) * STEP * trace), 6))
        slack *= 4
        shift *= 1 + slack
    return limit


def _has_cholesky(matrix: Floats) -> bool:
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def _largest_eigenvalue(gram: Floats) -> float:
    """An estimate, of no weight in the proof."""
    if len(gram) <= LARGEST_DENSE_HINT:
        return float(np.linalg.eigvalsh(gram)[-1])
    start = np.random.default_rng(0).normal(size=len(gram))
    try:
        return float(eigsh(gram, k=1, which="LA", v0=start, tol=1e-11, return_eigenvectors=False)[0])
    except ArpackError:
        return float(np.linalg.eigvalsh(gram)[-1])

"""Slow transcriptions that the fast code is compared with."""

from fractions import Fraction

import numpy as np


def all_sums(samples):
    """(m, 2^n): entry [row, mask] is the sum of the samples in the mask."""
    sums = np.zeros((len(samples), 1), dtype=np.int64)
    for i in range(samples.shape[1]):
        sums = np.concatenate([sums, sums + samples[:, i : i + 1]], axis=1)
    return sums


def distances(samples, targets):
    """(m, 2^n): |subset sum - target| of every subset."""
    return np.abs(all_sums(samples) - targets[:, None])


def least_size(samples, targets, tolerance):
    """(m,): the least size of a subset within tolerance, n + 1 where there is none."""
    n = samples.shape[1]
    sizes = np.bitwise_count(np.arange(1 << n)).astype(np.int64)
    return np.where(distances(samples, targets) <= tolerance, sizes, n + 1).min(axis=1)


def best_distance_by_one_sort(samples, targets):
    """(m,): least |sum - target|, from one sort of the sums of one half and target - the sums of the other.

    Sums carry the tag 0, the others the tag 1 in the last two bits; the nearest pair is a pair of neighbours.
    """
    half = samples.shape[1] // 2
    a = 4 * all_sums(samples[:, :half])
    b = 4 * (targets[:, None] - all_sums(samples[:, half:])) + 1
    gaps = np.diff(np.sort(np.concatenate([a, b], axis=1), axis=1), axis=1)
    nearest = np.where(gaps & 1, gaps, np.iinfo(np.int64).max).min(axis=1)
    return (nearest + 1) >> 2


def exact_residual(sample, target, chosen):
    """sum - target of one row in rational arithmetic, for integers or floats."""
    picked = (Fraction(x.item()) for x, take in zip(sample, chosen, strict=True) if take)
    return sum(picked, -Fraction(target.item()))

"""The minimiser in numpy alone: one sort per instance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum import SubsetSums

ROWS = 32
"""Instances sorted at once, so that they stay in cache."""


def _sums(samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """(m, 2^h): entry [row, mask] is the sum of the samples in the mask."""
    sums = np.zeros((len(samples), 1), dtype=np.int64)
    for x in samples.T:
        sums = np.concatenate([sums, sums + x[:, None]], axis=1)
    return sums


def one_sort(problem: SubsetSums) -> list[NDArray[np.bool_] | None]:
    """The sums of one half (tag 0) and target - those of the other (tag 1), sorted: the nearest two are neighbours."""
    chosen: list[NDArray[np.bool_] | None] = []
    half = problem.n // 2
    for start in range(0, problem.m, ROWS):
        samples, targets = problem.samples[start : start + ROWS], problem.targets[start : start + ROWS]
        a = 4 * _sums(samples[:, :half])
        b = 4 * (targets[:, None] - _sums(samples[:, half:])) + 1
        keys = np.sort(np.concatenate([a, b], axis=1), axis=1)
        gaps = np.diff(keys, axis=1)
        at = np.where(gaps & 1, gaps, np.iinfo(np.int64).max).argmin(axis=1)
        every = np.arange(len(keys))
        one, other = keys[every, at], keys[every, at + 1]
        even, odd = np.where(one & 1, other, one), np.where(one & 1, one, other)
        masks = (a == even[:, None]).argmax(axis=1) | (b == odd[:, None]).argmax(axis=1) << half
        chosen += list((masks[:, None] >> np.arange(problem.n) & 1).astype(bool))
    return chosen

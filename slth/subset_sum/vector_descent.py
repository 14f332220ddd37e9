"""Vector searches over a batch: exact for a window of vectors, and a descent that is made of such windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from slth.subset_sum.kernels import flips, grid_hash
from slth.subset_sum.kernels.threads import in_pieces
from slth.subset_sum.masks import pack, unpack
from slth.subset_sum.vector_problem import VectorSums

FEW_COORDINATES = 4
"""Coordinates up to which cells tell nearly all pairs of half sums apart."""

WINDOW_MARGIN = 4
"""Windows hold this many vectors less than the largest exact search: 16 times fewer subsets, searched many times."""

PASSES = 8
"""Times that all vectors are gone through; the windows differ from pass to pass."""


def largest_exact(d: int) -> int:
    """Vectors of d coordinates up to which all subsets are searched (8 ms an instance at d = 3, 0.1 s at d = 9).

    >>> largest_exact(2), largest_exact(9)
    (34, 26)
    """
    return 34 if d <= FEW_COORDINATES else 26


def search(
    samples: NDArray[np.int64], targets: NDArray[np.int64], sizes: NDArray[np.int64], least: NDArray[np.int64],
    tolerances: NDArray[np.int64],
) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:  # fmt: skip
    """Masks and distances (m,) of the nearest subsets; `kernels.grid_hash.nearest` over all threads.

    >>> samples, targets = np.array([[[3, 1], [-5, 2], [9, 0]]]), np.array([[5, 2]])
    >>> search(samples, targets, np.array([-1]), np.array([0]), np.array([-1]))
    (array([6], dtype=uint64), array([1]))
    """
    # The coordinates of widest range come first: their cells tell most half sums apart.
    order = np.argsort(-np.abs(samples).sum(axis=1), axis=1, kind="stable")
    samples = np.ascontiguousarray(np.take_along_axis(samples, order[:, None, :], axis=2))
    targets = np.take_along_axis(targets, order, axis=1)
    masks, distances = np.zeros(len(samples), dtype=np.uint64), np.zeros(len(samples), dtype=np.int64)

    def solve(start: int, stop: int) -> None:
        part = slice(start, stop)
        grid_hash.nearest(
            samples[part], targets[part], samples.shape[1], sizes[part], least[part], tolerances[part],
            masks[part], distances[part],
        )  # fmt: skip

    in_pieces(solve, len(samples), 1)
    return masks, distances


def refine(problem: VectorSums, size: int | None) -> NDArray[np.uint64]:
    """Masks (m, ceil(n / 64)) of a descent by flips of one or two vectors and by exact searches of windows.

    The distance never grows from step to step. Nothing is proved about it.

    Args:
        problem: m instances with any number of vectors.
        size: the number of vectors to take, or None.

    >>> problem = VectorSums(np.array([[[3, 1], [-5, 2], [9, 0]]]), np.array([[5, 2]]))
    >>> refine(problem, None)
    array([[6]], dtype=uint64)
    """
    n = problem.n
    chosen = np.zeros((problem.m, n), dtype=bool)
    chosen[:, : size or 0] = True
    width = min(n, largest_exact(problem.d) - WINDOW_MARGIN)

    def descend(start: int, stop: int) -> None:
        part = slice(start, stop)
        flips.descend(problem.samples[part], problem.targets[part], size is not None, 4 * n, chosen[part])

    for k in range(PASSES):
        in_pieces(descend, problem.m, 1)
        order = np.argsort(np.arange(n) % (k + 1), kind="stable")
        for start in range(0, n, width):
            _search_window(problem, order[np.arange(start, start + width) % n], size, chosen)
    return pack(chosen)


def _search_window(problem: VectorSums, window: NDArray[np.int64], size: int | None, chosen: NDArray[np.bool_]) -> None:
    """Replaces the choice within the window by the nearest one, all else being kept."""
    samples = problem.samples[:, window]
    outside = chosen.copy()
    outside[:, window] = False
    left = problem.targets - np.einsum("mn,mnd->md", outside.astype(np.int64), problem.samples)
    sizes = np.full(problem.m, -1) if size is None else chosen[:, window].sum(axis=1)
    zeros = np.zeros(problem.m, dtype=np.int64)
    masks, _ = search(samples, left, sizes, zeros, zeros - 1)
    chosen[:, window] = unpack(masks[:, None], len(window))

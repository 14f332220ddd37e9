"""One sample in each cell of a golden-ratio ladder: the greedy subset of Orseau et al.

With g = (sqrt 5 - 1) / 2, so g + g^2 = 1, cell j of a reach R is [g^(j+2) R, g^(j+1) R]. If w_0, w_1, ... lie in the
cells 0, 1, ... and w_j is taken whenever it is at most what is left, then at most g^K R is left after K cells of any
number from 0 to R: a skipped w_j <= g^(j+1) R exceeds what is left, and taking w_j >= g^(j+2) R leaves at most
g^j R - g^(j+2) R = g^(j+1) R. g is the only ratio for which such intervals tile (0, g R].

No power of g is rational, so no integer lies on an edge: the cells of integers are half-open intervals between the
floors of g^j R, and those are computed exactly. Source: Orseau, Hutter, Rivasplata 2020 (arXiv 2006.12156); the lemma
for arbitrary w_j is proved above.
"""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from slth.subset_sum.masks import pack
from slth.subset_sum.problem import Status, Subsets, SubsetSums
from slth.subset_sum.solve import checked_tolerances

LARGEST_REACH = 1 << 61


def golden_edges(reach: int, count: int) -> NDArray[np.int64]:
    """floor(g^j reach) for j = 0 .. count + 1: cell j holds the integers w with edges[j + 2] < w <= edges[j + 1].

    (-g)^j = (L_j - F_j sqrt 5) / 2 with the Lucas and Fibonacci numbers, and sqrt(5 F_j^2 reach^2) is irrational.

    Args:
        reach: grid units, 1 <= reach <= 2^61.
        count: number of cells K >= 0.

    Returns:
        int64 (count + 2,), descending. After K = count cells at most edges[count] is left.

    Raises:
        ValueError: an argument is out of its range.

    >>> golden_edges(1000, 3)
    array([1000,  618,  381,  236,  145])
    """
    _checked_integer("reach", reach, 1, LARGEST_REACH)
    _checked_integer("count", count, 0, 1 << 16)
    lucas, lucas_next, fibonacci, fibonacci_next = 2, 1, 0, 1
    edges = []
    for j in range(count + 2):
        whole, root = lucas * int(reach), isqrt(5 * (fibonacci * int(reach)) ** 2)
        if j == 0:
            edges.append(int(reach))
        else:
            # floor(sqrt) = root, and the root itself is no integer: -sqrt has the floor -root - 1.
            edges.append((root - whole if j % 2 else whole - root - 1) // 2)
        lucas, lucas_next = lucas_next, lucas + lucas_next
        fibonacci, fibonacci_next = fibonacci_next, fibonacci + fibonacci_next
    return np.array(edges, dtype=np.int64)


def cells_needed(reach: int, tolerance: int) -> int:
    """The least number K of cells after which at most the tolerance is left: floor(g^K reach) <= tolerance.

    About log(reach / tolerance) / log(1 / g) = 1.44 log2(reach / tolerance).

    Args:
        reach: grid units, 1 <= reach <= 2^61.
        tolerance: grid units, >= 1. The last cells of a tolerance of few units hold few integers or none.

    Raises:
        ValueError: an argument is out of its range.

    >>> cells_needed(1 << 48, (1 << 48) // 100)
    10
    """
    _checked_integer("tolerance", tolerance, 1, LARGEST_REACH)
    count = 0
    while golden_edges(reach, count)[count] > tolerance:
        count += 1
    return count


def golden_greedy(
    elements: NDArray[np.int64], targets: NDArray[np.int64], reach: int
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """The greedy choice from one element per cell.

    Args:
        elements: int64 (m, K), element j in cell j of the reach; 0 stands for a missing one.
        targets: int64 (m,), 0 <= target <= reach.
        reach: grid units, 1 <= reach <= 2^61.

    Returns:
        taken (m, K), and what is left of each target (m,): from 0 to golden_edges(reach, K)[K] where no element is
        missing, and from 0 to the target in any case.

    Raises:
        TypeError: the arrays are not int64.
        ValueError: a wrong shape, a target out of range, or an element outside its cell.

    >>> golden_greedy(np.array([[500, 309, 191]]), np.array([700]), 1000)
    (array([[ True, False,  True]]), array([9]))
    """
    if elements.dtype != np.int64 or targets.dtype != np.int64:
        raise TypeError(f"elements and targets must be int64; got {elements.dtype} and {targets.dtype}")
    if elements.ndim != 2 or targets.shape != elements.shape[:1]:
        raise ValueError(f"expected elements (m, K) and targets (m,); got {elements.shape} and {targets.shape}")
    edges = golden_edges(reach, elements.shape[1])
    outside = (elements != 0) & ((elements <= edges[2:]) | (elements > edges[1:-1]))
    if outside.any():
        row, cell = (int(at) for at in np.argwhere(outside)[0])
        raise ValueError(
            f"element {elements[row, cell]} of row {row} is not in cell {cell}, from {edges[cell + 2] + 1} to "
            f"{edges[cell + 1]}: the greedy choice needs one element per cell, see golden_edges"
        )
    if targets.size and not (targets.min() >= 0 and targets.max() <= reach):
        raise ValueError(f"targets must be from 0 to reach = {reach}; got {targets.min()} to {targets.max()}")
    taken = np.zeros(elements.shape, dtype=bool)
    left = targets.copy()
    for cell, column in enumerate(elements.T):
        taken[:, cell] = (column > 0) & (column <= left)
        left -= np.where(taken[:, cell], column, 0)
    return taken, left


def batch(pool: NDArray[np.int64], negative: ArrayLike, reach: int, count: int) -> NDArray[np.int64]:
    """Shares one pool among many instances: each sample goes to the first instance whose cell for it is empty.

    One scan in the order of the pool, in closed form: sample number i of a cell goes to instance number i of its sign.
    It needs about as many samples as all instances together have cells, without the factor ln K of the coupon
    collector that each instance alone would pay.

    Args:
        pool: int64 (n,), samples of both signs, |sample| <= 2^61.
        negative: bool (m,): the instance needs negative samples.
        reach: grid units, 1 <= reach <= 2^61.
        count: cells per instance, K >= 0.

    Returns:
        int64 (m, count): positions in the pool, all different; -1 where a cell stays empty.

    Raises:
        TypeError: the pool is not int64 or `negative` not boolean.
        ValueError: a wrong shape, or reach or count out of range.

    >>> batch(np.array([500, 90, 600, -400, 300, 310]), np.array([False, False, True]), 1000, 2)
    array([[ 0,  4],
           [ 2,  5],
           [ 3, -1]])
    """
    negative = np.asarray(negative)
    if pool.dtype != np.int64 or negative.dtype != np.bool_:
        raise TypeError(f"pool must be int64 and negative bool; got {pool.dtype} and {negative.dtype}")
    if pool.ndim != 1 or negative.ndim != 1:
        raise ValueError(f"expected pool (n,) and negative (m,); got {pool.shape} and {negative.shape}")
    edges = golden_edges(reach, count)
    places = np.full((len(negative), count), -1, dtype=np.int64)
    for sign, instances in ((1, np.flatnonzero(~negative)), (-1, np.flatnonzero(negative))):
        cells = _cell_of(sign * pool, edges)
        for cell in range(count):
            fitting = np.flatnonzero(cells == cell)[: len(instances)]
            places[instances[: len(fitting)], cell] = fitting
    return places


def golden_within(problem: SubsetSums, tolerance: int | NDArray[np.int64], reach: int) -> Subsets:
    """A subset with |sum - target| <= tolerance by the golden-ratio greedy, from the samples of the row's own sign.

    Each cell takes the first sample that lies in it. This is the construction of the proof, not a search: `any_within`
    finds subsets among far fewer samples.

    Args:
        problem: m instances with any number of samples and |target| <= reach.
        tolerance: grid units, an integer >= 1 or int64 (m,).
        reach: grid units, 1 <= reach <= 2^61. The first cell ends at 0.618 reach.

    Returns:
        One subset per row, FOUND or UNRESOLVED. A row with a sample in each of the cells_needed(reach, tolerance)
        cells is FOUND; so is one whose greedy choice from the cells it has is near enough.

    Raises:
        TypeError: the tolerance is not an integer.
        ValueError: it is below 1 or has the wrong shape; reach is out of range; or a |target| > reach.

    >>> golden_within(SubsetSums(np.array([[191, 500, -7, 309]]), np.array([700])), 240, 1000).chosen
    array([[ True,  True, False, False]])
    """
    tolerances = checked_tolerances(tolerance, problem.m)
    count = cells_needed(reach, int(tolerances.min(initial=LARGEST_REACH)))
    signs = np.where(problem.targets < 0, -1, 1)
    edges = golden_edges(reach, count)
    cells = _cell_of(signs[:, None] * problem.samples, edges)
    chosen = np.zeros((problem.m, problem.n), dtype=bool)
    elements = np.zeros((problem.m, count), dtype=np.int64)
    places = np.zeros((problem.m, count), dtype=np.int64)
    every = np.arange(problem.m)
    needed = len(edges) - np.searchsorted(edges[::-1], tolerances, side="right")  # edges above the tolerance
    for cell in range(count):
        fits = (cells == cell) & (cell < needed)[:, None]
        places[:, cell] = fits.argmax(axis=1)
        value = problem.samples[every, places[:, cell]]
        elements[:, cell] = np.where(fits.any(axis=1), signs * value, 0)
    taken, left = golden_greedy(elements, signs * problem.targets, reach)
    rows, columns = np.nonzero(taken)
    chosen[rows, places[rows, columns]] = True
    status = np.where(left <= tolerances, Status.FOUND, Status.UNRESOLVED).astype(np.uint8)
    chosen[status != Status.FOUND] = False
    return Subsets(problem, pack(chosen), status)


def _cell_of(values: NDArray[np.int64], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """The cell of each value, -1 for none; cell j holds edges[j + 2] < w <= edges[j + 1]."""
    above = len(edges) - 1 - np.searchsorted(edges[:0:-1], values, side="left")  # edges[1:] that are >= the value
    cells: NDArray[np.int64] = np.where(above < len(edges) - 1, above - 1, -1).astype(np.int64)
    return cells


def _checked_integer(name: str, value: int, least: int, largest: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= largest:
        raise ValueError(f"{name} must be an integer from {least} to {largest}; got {value!r}")

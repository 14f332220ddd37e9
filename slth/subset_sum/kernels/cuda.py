"""The searches on torch tensors of any device: the same integers, the same tie rules and so the same subsets as the
numba kernels.

A sorted list of half sums is searched for t - b, for every sum b of the other half; on a CUDA device with Triton the
search and the enumeration of short prefixes run in kernels of `triton_search`. torch is imported on use only.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from itertools import combinations
from typing import TYPE_CHECKING

from slth.subset_sum.kernels.blocks import BLOCK, LAST_MOVER, PREFIX
from slth.subset_sum.kernels.joins import LARGEST_HALF

if TYPE_CHECKING:
    from torch import Tensor

FARTHEST = (1 << 63) - 1

BUFFERS = 12
"""Arrays of the size of a list of sums that are alive at once, for the memory bound."""


def uses_triton(device_type: str) -> bool:
    """Whether tensors of this type of device are searched by Triton kernels.

    >>> uses_triton("cpu")
    False
    """
    return device_type == "cuda" and find_spec("triton") is not None


def _sums(samples: Tensor) -> Tensor:
    """(r, 2^k): entry [row, mask] is the sum of the samples (r, k) in the mask."""
    import torch

    sums = torch.zeros((len(samples), 1), dtype=torch.int64, device=samples.device)
    for x in samples.T:
        sums = torch.cat([sums, sums + x[:, None]], dim=1)
    return sums


def _first_mask(sums: Tensor, key: Tensor) -> Tensor:
    """(r,): the smallest mask whose entry of sums (r, 2^k) is the key (r,)."""
    import torch

    masks = torch.arange(sums.shape[1], device=sums.device)
    return torch.where(sums == key[:, None], masks, sums.shape[1]).amin(dim=1)


def closest(a: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """(gap, lower of the two), each (r,), of the closest pair of an entry of a and a key; ties go to the lowest.

    Args:
        a: int64 (r, N), ascending rows.
        keys: int64 (r, q), different from every entry of a.
    """
    import torch

    at = torch.searchsorted(a, keys)
    below = a.gather(1, (at - 1).clamp(min=0))
    above = a.gather(1, at.clamp(max=a.shape[1] - 1))
    down = torch.where(at > 0, keys - below, FARTHEST)
    up = torch.where(at < a.shape[1], above - keys, FARTHEST)
    gap = torch.minimum(down, up).amin(dim=1)
    lowest = torch.minimum(
        torch.where(down == gap[:, None], below, FARTHEST), torch.where(up == gap[:, None], keys, FARTHEST)
    )
    return gap, lowest.amin(dim=1)


def _gray(step: int) -> int:
    return step ^ step >> 1


def _nearest_chunk(
    samples: Tensor, targets: Tensor, offsets: Tensor, sizes: Tensor, tolerances: Tensor, triton: bool
) -> Tensor:
    import torch

    n = samples.shape[1]
    half = min(n // 2, LARGEST_HALF)
    extra = n - 2 * half
    columns = 4 * (samples + offsets[:, None])
    first, second, others = _sums(columns[:, :half]), _sums(columns[:, half : 2 * half]), _sums(columns[:, 2 * half :])
    a = first.sort(dim=1).values
    best = torch.full_like(targets, FARTHEST)
    below, code, reached = torch.zeros_like(best), torch.zeros_like(best), torch.zeros_like(best)
    is_open = torch.ones_like(best, dtype=torch.bool)
    for size in sizes.tolist():
        goal = 4 * (targets + size * offsets) + 1
        for step in range(1 << extra):
            moved = goal - others[:, _gray(step)]
            if triton:
                from slth.subset_sum.kernels import triton_search

                gap, low = triton_search.closest(a, second, moved)
            else:
                gap, low = closest(a, moved[:, None] - second)
            better = is_open & (gap < best)
            best = torch.where(better, gap, best)
            below = torch.where(better, low, below)
            code = torch.where(better, _gray(step), code)
            reached = torch.where(better, moved, reached)
        is_open = is_open & ((best + 1) >> 2 > tolerances)
        if len(sizes) > 1 and not bool(is_open.any()):
            break
    above = below + best
    is_key = (below & 1).bool()
    one, other = torch.where(is_key, above, below), torch.where(is_key, below, above)
    low_mask = _first_mask(first, one)
    return low_mask | _first_mask(second, reached - other) << half | code << (2 * half)


def nearest(
    samples: Tensor, targets: Tensor, offsets: Tensor, sizes: Tensor, tolerances: Tensor, max_bytes: int,
    triton: bool | None = None,
) -> Tensor:  # fmt: skip
    """Masks int64 (m,) of the minimisers: `joins.nearest` on tensors, bit for bit the same subsets.

    Args:
        samples: int64 (m, n), 1 <= n <= 34, sum |x| + |t| < 2^61.
        targets: int64 (m,).
        offsets: int64 (m,), 0, or above twice sum |x| + |t| to separate the sizes.
        sizes: int64 (s,), tried in order; [0] with offsets 0.
        tolerances: int64 (m,); a row stops at the first size whose minimiser is within its tolerance, -1 never.
        max_bytes: working memory; rows are solved in chunks that fit, one row at least (below 1 MB).
        triton: whether to search by Triton; None decides by device.
    """
    import torch

    triton = uses_triton(samples.device.type) if triton is None else triton
    rows = max(1, max_bytes // (8 * BUFFERS << min(samples.shape[1] // 2, LARGEST_HALF)))
    parts = [
        _nearest_chunk(
            samples[i : i + rows], targets[i : i + rows], offsets[i : i + rows], sizes, tolerances[i : i + rows], triton
        )
        for i in range(0, len(samples), rows)
    ]
    return torch.cat(parts) if parts else torch.zeros_like(targets)


def best(samples: Tensor, targets: Tensor, max_bytes: int = 1 << 28, triton: bool | None = None) -> Tensor:
    """Masks int64 (m,) of the exact minimisers of |sum - target|; n <= 34, the arguments of `nearest`.

    >>> import torch
    >>> best(torch.tensor([[3, -5, 9]]), torch.tensor([6]))
    tensor([7])
    """
    zeros = targets.new_zeros(len(targets))
    return nearest(samples, targets, zeros, targets.new_zeros(1), zeros - 1, max_bytes, triton)


def residuals(samples: Tensor, targets: Tensor, masks: Tensor) -> Tensor:
    """int64 (m,): sum of the samples in the mask - target; n <= 63."""
    total = -targets
    for i in range(samples.shape[1]):
        total = total + samples[:, i] * (masks >> i & 1)
    return total


def first_of_size(samples: Tensor, targets: Tensor, tolerances: Tensor, size: int) -> Tensor:
    """(m,): the mask of the first `size` samples within tolerance in colexicographic order; -1 without one."""
    import torch

    n = samples.shape[1]
    masks, columns = _of_size(n, size)
    away = -targets[:, None]
    for column in columns:
        away = away + samples[:, torch.tensor(column, device=samples.device)]
    places = torch.arange(len(masks), device=samples.device)
    place = torch.where(away.abs() <= tolerances[:, None], places, len(masks)).amin(dim=1)
    return torch.tensor([*masks, -1], device=samples.device)[place]


@cache
def _of_size(n: int, size: int) -> tuple[list[int], list[list[int]]]:
    """The masks of all subsets of a size in ascending, that is colexicographic, order, and their j-th samples."""
    subsets = sorted(combinations(range(n), size), key=lambda subset: subset[::-1])
    return [sum(1 << i for i in subset) for subset in subsets], [list(column) for column in zip(*subsets, strict=True)]


def count_at_most(samples: Tensor, bounds: Tensor, max_bytes: int) -> Tensor:
    """int64 (m,): the number of subsets with sum <= bound; `bounds` (m,) from the least sum - 1 to the largest."""
    import torch

    half = min(samples.shape[1] // 2, LARGEST_HALF)
    rows = max(1, max_bytes // (8 * BUFFERS << half))
    counts = [torch.zeros_like(bounds[:0])]
    for i in range(0, len(samples), rows):
        x = samples[i : i + rows]
        a, b = _sums(x[:, :half]).sort(dim=1).values, _sums(x[:, half : 2 * half])
        total = torch.zeros_like(bounds[i : i + rows])
        for other in _sums(x[:, 2 * half :]).T:
            keys = (bounds[i : i + rows] - other)[:, None] - b
            total = total + torch.searchsorted(a, keys, right=True).sum(dim=1)
        counts.append(total)
    return torch.cat(counts)


def bits_needed(samples: Tensor, targets: Tensor, tolerances: Tensor) -> Tensor:
    """`blocks._bits_needed` on tensors, in the same order of the same float operations; int64 (m,)."""
    import torch

    variance = torch.zeros_like(targets, dtype=torch.float64)
    for x in samples.T.to(torch.float64):
        variance = variance + 0.25 * x * x
    positive, negative = samples.clamp(min=0).sum(dim=1), samples.clamp(max=0).sum(dim=1)
    away = targets.to(torch.float64) - 0.5 * (positive + negative).to(torch.float64)
    log_inverse = 0.5 * torch.frexp(6.3 * variance).exponent.to(torch.float64)
    log_inverse = log_inverse - torch.frexp(2.0 * tolerances.to(torch.float64) + 1.0).exponent.to(torch.float64)
    far = (0.72 * away * away / torch.where(variance == 0, 1.0, variance)).clamp(max=64.0)
    needed = (log_inverse + far).trunc().to(torch.int64).clamp(min=0)
    needed = torch.where(variance == 0, 0, needed)
    beyond = (targets > positive + tolerances) | (targets < negative - tolerances)
    return torch.where(beyond, -1, needed)


def moved(samples: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """`blocks._moved` on tensors: masks (m,) beyond the prefix, targets (m,) left for it."""
    import torch

    centre = samples[:, :PREFIX].sum(dim=1) >> 1
    away, masks = targets - centre, torch.zeros_like(targets)
    for i in range(PREFIX, min(samples.shape[1], LAST_MOVER)):
        after = away - samples[:, i]
        take = after.abs() < away.abs()
        away = torch.where(take, after, away)
        masks |= take.to(torch.int64) << i
    return masks, away + centre


def first_within(samples: Tensor, targets: Tensor, tolerances: Tensor, blocks: Tensor) -> Tensor:
    """(m,): the first subset within tolerance in the first `blocks` (m,) blocks of 64, in Gray order; -1 without one.

    Args:
        samples: (m, p), p <= 12.
    """
    import torch

    bits = samples.shape[1]
    masks = torch.arange(1 << bits, device=samples.device)
    block = masks >> BLOCK
    for shift in (1, 2, 4):  # the place of a block in Gray order: the inverse of step ^ step >> 1
        block = block ^ block >> shift
    places = block << BLOCK | masks & ((1 << BLOCK) - 1)
    never = 1 << PREFIX
    hits = (_sums(samples) - targets[:, None]).abs() <= tolerances[:, None]
    place = torch.where(hits & (block < blocks[:, None]), places, never).amin(dim=1)
    step = place >> BLOCK
    return torch.where(place < never, (step ^ step >> 1) << BLOCK | place & ((1 << BLOCK) - 1), -1)

"""The questions of `solve` on torch tensors of any device, answered with the same subsets as on the CPU.

Every function takes int64 samples (m, n) and targets (m,) with 1 <= n <= 34 and sum |x| + |t| < 2^61, and returns
masks int64 (m,) and, where a row can fail, status uint8 (m,). torch is imported on use only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from slth.subset_sum.fixed_size import nearest_of_sizes_single
from slth.subset_sum.kernels import cuda
from slth.subset_sum.kernels.blocks import BLOCK, FREE_BLOCKS, PREFIX, SHORTEST_JOIN, UNMOVED
from slth.subset_sum.ladder import RUNG
from slth.subset_sum.problem import Status, Subsets
from slth.subset_sum.solve import any_within as any_question
from slth.subset_sum.solve import best, exactly_within
from slth.subset_sum.solve import sparsest_within as sparsest_question
from slth.subset_sum.sparsest import LAST_LEVEL

if TYPE_CHECKING:
    from torch import Tensor

STAGES = (BLOCK, 10, PREFIX)
"""Samples whose subsets are enumerated, stage by stage, where no kernel stops by itself."""


def ask(
    samples: Tensor,
    targets: Tensor,
    question: Callable[..., Subsets],
    tolerances: Tensor | None,
    size: int | None,
    max_bytes: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """One of the five questions `best`, `any_within`, `sparsest_within`, `exactly` and `exactly_within` of `solve`.

    Returns:
        chosen (m, n), residuals int64 (m,) and status uint8 (m,).

    Raises:
        ValueError: the size is not an integer from 0 to n.

    >>> import torch
    >>> ask(torch.tensor([[3, -5, 9]]), torch.tensor([6]), best, None, None, 1 << 20)[:2]
    (tensor([[True, True, True]]), tensor([1]))
    """
    import torch

    n = samples.shape[1]
    status = torch.zeros_like(targets, dtype=torch.uint8)
    never = torch.full_like(targets, -1)
    limit = never if tolerances is None else tolerances
    if question is best:
        masks = cuda.best(samples, targets, max_bytes)
    elif question is any_question:
        masks, status = any_within(samples, targets, limit, max_bytes)
    elif question is sparsest_question:
        masks, status = sparsest_within(samples, targets, limit, max_bytes)
    else:
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 0 <= size <= n:
            raise ValueError(f"k must be an integer from 0 to n = {n}; got {size!r}")
        masks = nearest_of_sizes(samples, targets, [int(size)], never, max_bytes)
        if question is exactly_within:
            missed = cuda.residuals(samples, targets, masks).abs() > limit
            masks, status = masks.masked_fill(missed, 0), missed.to(torch.uint8) * int(Status.IMPOSSIBLE)
    residuals = cuda.residuals(samples, targets, masks)
    if tolerances is not None and bool(((status == Status.FOUND) & (residuals.abs() > limit)).any()):
        raise AssertionError("a stored subset misses the tolerance: please report this as a bug")
    return (masks[:, None] >> torch.arange(n, device=targets.device) & 1).bool(), residuals, status


def nearest_of_sizes(samples: Tensor, targets: Tensor, sizes: list[int], tolerances: Tensor, max_bytes: int) -> Tensor:
    """`fixed_size.nearest_of_sizes`: the minimiser of the first size whose minimiser is within tolerance.

    Rows without room for the size in the high bits of the keys are solved on the CPU.

    >>> import torch
    >>> nearest_of_sizes(torch.tensor([[3, -5, 9]]), torch.tensor([7]), [2], torch.tensor([-1]), 1 << 20)
    tensor([6])
    """
    import torch

    spread = samples.abs().sum(dim=1) + targets.abs()
    narrow = spread <= ((1 << 61) // (samples.shape[1] + 2) - 1) // 2
    masks = torch.empty_like(targets)
    masks[narrow] = cuda.nearest(
        samples[narrow], targets[narrow], 2 * spread[narrow] + 1, targets.new_tensor(sizes), tolerances[narrow],
        max_bytes,
    )  # fmt: skip
    for row in (~narrow).nonzero()[:, 0].tolist():
        sample = samples[row].cpu().numpy()
        mask = nearest_of_sizes_single(sample, int(targets[row]), np.array(sizes), int(tolerances[row]))
        masks[row] = int(mask)
    return masks


def any_within(
    samples: Tensor, targets: Tensor, tolerances: Tensor, max_bytes: int, triton: bool | None = None
) -> tuple[Tensor, Tensor]:
    """`ladder.search`: blocks of 64 subsets, around the target and where the samples beyond the prefix move it, then
    the minimisers of longer and longer prefixes.

    >>> import torch
    >>> any_within(torch.tensor([[3, -5, 9]]), torch.tensor([6]), torch.tensor([1]), 1 << 20)
    (tensor([7]), tensor([0], dtype=torch.uint8))
    """
    import torch

    triton = cuda.uses_triton(samples.device.type) if triton is None else triton
    n = samples.shape[1]
    needed = cuda.bits_needed(samples, targets, tolerances)
    early = (needed < 0) | ((needed > PREFIX) & (n > PREFIX))
    blocks = torch.where(early, FREE_BLOCKS + 1, 1 << (PREFIX - BLOCK))
    first = blocks.clamp(max=UNMOVED) if n > PREFIX else blocks
    masks = _enumerate(samples, targets, tolerances, first, max_bytes, triton)
    if n > PREFIX:
        rows = (masks < 0).nonzero()[:, 0]
        taken, left = cuda.moved(samples[rows], targets[rows])
        found = _enumerate(samples[rows], left, tolerances[rows], blocks[rows], max_bytes, triton)
        masks[rows] = torch.where(found < 0, found, found | taken)
        widths = torch.where(early, (needed + RUNG).clamp(min=SHORTEST_JOIN), SHORTEST_JOIN).clamp(max=n)
        rows = ((masks < 0) & (needed >= 0)).nonzero()[:, 0]
        while len(rows):
            width = int(widths[rows].min())
            now = rows[widths[rows] == width]
            answers = cuda.best(samples[now, :width], targets[now], max_bytes, triton)
            hit = cuda.residuals(samples[now, :width], targets[now], answers).abs() <= tolerances[now]
            masks[now[hit]] = answers[hit]
            widths[now] = min(width + RUNG, n)
            if width == n:
                break  # the shortest of all is the whole row
            rows = rows[masks[rows] < 0]
    return _with_status(masks)


def _enumerate(
    samples: Tensor, targets: Tensor, tolerances: Tensor, blocks: Tensor, max_bytes: int, triton: bool
) -> Tensor:
    """Masks (m,) of the first subset within tolerance in a prefix of at most 12 samples, -1 without one."""
    import torch

    n = samples.shape[1]
    masks = torch.full_like(targets, -1)
    if triton:
        from slth.subset_sum.kernels import triton_search

        prefix = min(n, PREFIX)
        limits = blocks.clamp(max=1 << max(0, prefix - BLOCK))
        return triton_search.first_within(samples[:, :prefix], targets, tolerances, limits)
    rows = torch.arange(len(targets), device=targets.device)
    for bits in dict.fromkeys(min(n, stage) for stage in STAGES):
        at_once = max(1, max_bytes // (8 * cuda.BUFFERS << bits))
        for some in rows.split(at_once):
            masks[some] = cuda.first_within(samples[some, :bits], targets[some], tolerances[some], blocks[some])
        rows = rows[(masks[rows] < 0) & (blocks[rows] > 1 << max(0, bits - BLOCK))]
    return masks


def sparsest_within(samples: Tensor, targets: Tensor, tolerances: Tensor, max_bytes: int) -> tuple[Tensor, Tensor]:
    """`sparsest.search`: sizes up to four level by level, then one join per size.

    >>> import torch
    >>> sparsest_within(torch.tensor([[3, 4, 7]]), torch.tensor([7]), torch.tensor([0]), 1 << 20)
    (tensor([4]), tensor([0], dtype=torch.uint8))
    """
    import torch

    n = samples.shape[1]
    masks = torch.where(targets.abs() <= tolerances, 0, -1)
    for size in range(1, min(LAST_LEVEL, n) + 1):
        rows = (masks < 0).nonzero()[:, 0]
        at_once = max(1, max_bytes // (8 * 4 * n**size))
        for some in rows.split(at_once):
            masks[some] = cuda.first_of_size(samples[some], targets[some], tolerances[some], size)
    rows = (masks < 0).nonzero()[:, 0]
    if n > LAST_LEVEL and len(rows):
        nearest = cuda.best(samples[rows], targets[rows], max_bytes)
        rows = rows[cuda.residuals(samples[rows], targets[rows], nearest).abs() <= tolerances[rows]]
        sizes = list(range(LAST_LEVEL + 1, n + 1))
        masks[rows] = nearest_of_sizes(samples[rows], targets[rows], sizes, tolerances[rows], max_bytes)
    return _with_status(masks)


def count_within(samples: Tensor, targets: Tensor, tolerances: Tensor, max_bytes: int = 1 << 28) -> Tensor:
    """`counting.count_within`: int64 (m,), the number of subsets within tolerance.

    >>> import torch
    >>> count_within(torch.tensor([[1, 1, 2]]), torch.tensor([2]), torch.tensor([0]))
    tensor([2])
    """
    top, bottom = samples.clamp(min=0).sum(dim=1), samples.clamp(max=0).sum(dim=1)
    low = (targets - tolerances - 1).clamp(min=bottom - 1, max=top)
    high = (targets + tolerances).clamp(min=bottom - 1, max=top)
    return cuda.count_at_most(samples, high, max_bytes) - cuda.count_at_most(samples, low, max_bytes)


def _with_status(masks: Tensor) -> tuple[Tensor, Tensor]:
    import torch

    status = torch.where(masks < 0, int(Status.IMPOSSIBLE), int(Status.FOUND)).to(torch.uint8)
    return masks.clamp(min=0), status

"""Floats on the grid, on the device of a torch tensor: the integers of `SubsetSums.from_floats`, bit for bit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slth.subset_sum.kernels.sums import LIMIT_EXPONENT
from slth.subset_sum.tensor_form import Form
from slth.subset_sum.tensor_units import Grid

if TYPE_CHECKING:
    from torch import Tensor


def put(form: Form, samples: Tensor, targets: Tensor) -> Grid:
    """`tensor_units.put` for a batch of numbers, on the device of the tensors.

    Raises:
        ValueError: NaN or infinity, or integers with sum |samples| + |target| >= 2^61 in some row.

    >>> import torch
    >>> put(Form("float32"), torch.tensor([[0.5, 0.75]]), torch.tensor([2.0])).samples
    tensor([[2, 3]])
    """
    import torch

    x, t = samples.detach(), targets.detach()
    if form.floats:
        x, t, exponent, rounding = to_grid(x, t)
    else:
        x, t = x.to(torch.int64), t.to(torch.int64)
        exponent, rounding = torch.zeros_like(t), torch.zeros_like(t, dtype=torch.float64)
    check_integers(x, t)
    return Grid(x, t, exponent, rounding)


def check_integers(samples: Tensor, targets: Tensor) -> None:
    """The checks of `SubsetSums`.

    Raises:
        ValueError: wrong shapes, or a row with sum |samples| + |target| >= 2^61.

    >>> import torch
    >>> check_integers(torch.tensor([[3, -5, 9]]), torch.tensor([6]))
    """
    if samples.ndim != 2 or targets.shape != samples.shape[:1]:
        raise ValueError(
            f"expected samples (m, n) and targets (m,); got {tuple(samples.shape)} and {tuple(targets.shape)}"
        )
    # In two parts of 32 bits, so that no sum can wrap; |-2^63| wraps to a negative number and is caught by itself.
    moduli = [samples.abs(), targets.abs()[:, None]]
    high = sum((part >> 32).sum(dim=1) for part in moduli)
    low = sum((part & 0xFFFFFFFF).sum(dim=1) for part in moduli)
    beyond = (
        (high + (low >> 32) >= 1 << (LIMIT_EXPONENT - 32)) | (samples < -(1 << 62)).any(dim=1) | (targets < -(1 << 62))
    )
    if bool(beyond.any()):
        raise ValueError(
            f"row {int(beyond.int().argmax())} has sum |samples| + |target| >= 2^{LIMIT_EXPONENT}, where sums could "
            "overflow int64: use a coarser unit"
        )


def to_grid(samples: Tensor, targets: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """`SubsetSums.from_floats` on the tensors' device: samples, targets (int64), exponents (m,) and rounding (m,).

    Raises:
        ValueError: wrong shapes, NaN or infinity.

    >>> import torch
    >>> to_grid(torch.tensor([[0.5, 0.75, -2.0]]), torch.tensor([0.25]))[0]
    tensor([[ 2,  3, -8]])
    """
    import torch

    if samples.ndim != 2 or targets.shape != samples.shape[:1]:
        raise ValueError(
            f"expected samples (m, n) and targets (m,); got {tuple(samples.shape)} and {tuple(targets.shape)}"
        )
    values = torch.cat([samples, targets[:, None]], dim=1).to(torch.float64)
    if not bool(values.isfinite().all()):
        bad = (~values.isfinite()).any(dim=1).nonzero()[:, 0].tolist()
        raise ValueError(
            f"samples and targets must be finite; {len(bad)} of {len(values)} rows have NaN or infinity, the first is "
            f"row {bad[0]}"
        )
    mantissa, order = torch.frexp(values)
    bits = (mantissa.abs() * 2.0**53).to(torch.int64)
    lowest = order.to(torch.int64) - 53 + torch.frexp((bits & -bits).to(torch.float64)).exponent - 1
    nonzero = values != 0
    top = torch.where(nonzero, order.to(torch.int64), -(1 << 20)).amax(dim=1)
    bottom = torch.where(nonzero, lowest, 1 << 20).amin(dim=1)
    finest = LIMIT_EXPONENT - 1 - values.shape[1].bit_length() - top
    exponent = torch.where(nonzero.any(dim=1), torch.minimum(-bottom, finest), 0)
    shifted = scaled(values, exponent[:, None])
    moved = shifted.round()
    inexact = ((shifted != moved) | (nonzero & (moved == 0))).sum(dim=1)
    rounding = scaled(inexact.to(torch.float64), -exponent - 1)
    return moved[:, :-1].to(torch.int64), moved[:, -1].to(torch.int64), exponent, rounding


def scaled(values: Tensor, exponent: Tensor) -> Tensor:
    """values 2^exponent, |exponent| < 2,000, with powers of two made of their bits: pow need not be exact.

    >>> import torch
    >>> scaled(torch.tensor([3.0], dtype=torch.float64), torch.tensor([-1])).item()
    1.5
    """
    import torch

    half = exponent >> 1
    for power in (half, exponent - half):
        values = values * ((power + 1023) << 52).view(torch.float64)
    return values

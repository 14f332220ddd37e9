"""From a ticket to an ordinary torch module, and back with a check of every weight."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.utils import prune, skip_init

from slth.grid import WEIGHT_EXPONENT
from slth.networks.source import Source
from slth.networks.ticket import Ticket


def to_module(ticket: Ticket, *, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    """The ticket as Linear and ReLU modules that are pruned with `torch.nn.utils.prune`.

    Each Linear has the random weights in `weight_orig` and the mask, 0 or 1, in `weight_mask`;
    a Linear with random biases has `bias_orig` and `bias_mask` too. Nothing requires a
    gradient.

    Args:
        ticket: any ticket.
        dtype: torch.float32 or torch.float64; both hold the 24-bit weights exactly. Sums in a forward pass
            are rounded.

    Raises:
        ValueError: another dtype, or a weight that the dtype would round.

    >>> masks = np.ones((2, 1), dtype=bool), np.zeros((1, 2), dtype=bool)
    >>> ticket = Ticket(Source(1, (1, 2, 1)), masks)
    >>> to_module(ticket)
    Sequential(
      (0): Linear(in_features=1, out_features=2, bias=False)
      (1): ReLU()
      (2): Linear(in_features=2, out_features=1, bias=False)
    )
    """
    if dtype not in (torch.float32, torch.float64):
        raise ValueError(f"the random weights have 24 bits and {dtype} would round them: use torch.float32 or float64")
    parts: list[nn.Module] = []
    for i, mask in enumerate(ticket.masks):
        parts.extend([nn.ReLU()] if parts else [])
        parts.append(_linear(ticket.source, i, torch.from_numpy(mask), dtype))
    return nn.Sequential(*parts).eval()


@torch.no_grad()
def _linear(source: Source, matrix: int, mask: torch.Tensor, dtype: torch.dtype) -> nn.Linear:
    inputs, biased = source.widths[matrix], source.biased[matrix]
    linear = skip_init(nn.Linear, inputs, source.widths[matrix + 1], bias=biased, dtype=dtype)
    for start, rows in source.chunks(matrix):
        values = torch.from_numpy(_floats(rows, linear.weight.numpy().dtype))
        linear.weight[start : start + len(rows)] = values[:, :inputs]
        if biased:
            linear.bias[start : start + len(rows)] = values[:, inputs]
    linear.requires_grad_(False)
    prune.custom_from_mask(linear, "weight", mask[:, :inputs])
    if biased:
        prune.custom_from_mask(linear, "bias", mask[:, inputs])
    return linear


def _floats(rows: NDArray[np.int64], dtype: np.dtype[np.floating]) -> NDArray[np.floating]:
    """The exact floats of weights in units of 2^-24."""
    values = rows.astype(dtype)
    if not np.array_equal(values, rows):
        raise ValueError(f"a random weight of more than {np.finfo(dtype).nmant + 1} bits: {dtype} would round it")
    return np.ldexp(values, -WEIGHT_EXPONENT)


def from_module(module: nn.Module, source: Source) -> Ticket:
    """The ticket in a module, after checking that every weight_orig has the bits of the source's seed.

    Args:
        module: as `to_module` makes it, perhaps saved and loaded since.
        source: the random network that the module claims to be pruned from.

    Raises:
        ValueError: modules, shapes or dtypes differ, a weight is not the seed's, a mask has a value other
            than 0 and 1, or a tensor is not pruned (then nothing shows which weights were random).

    >>> masks = np.ones((2, 1), dtype=bool), np.zeros((1, 2), dtype=bool)
    >>> ticket = Ticket(Source(1, (1, 2, 1)), masks)
    >>> from_module(to_module(ticket), ticket.source).kept
    2
    >>> from_module(to_module(ticket), Source(2, (1, 2, 1)))
    Traceback (most recent call last):
    ...
    ValueError: row 0 of the Linear at position 0 differs from the weights of seed 2, trial 0: not its ticket
    """
    parts = list(module) if isinstance(module, nn.Sequential) else []
    kinds = [type(part) for part in parts]
    count = source.depth
    if kinds != ([nn.Linear, nn.ReLU] * count)[:-1]:
        raise ValueError(
            f"a ticket of this source is a Sequential of {count} Linears with a ReLU between each two; got "
            f"{type(module).__name__} of {[kind.__name__ for kind in kinds]}: make it with to_module"
        )
    linears = [part for part in parts if isinstance(part, nn.Linear)]
    return Ticket(source, tuple(_checked_mask(linear, source, i) for i, linear in enumerate(linears)))


def _checked_mask(linear: nn.Linear, source: Source, matrix: int) -> NDArray[np.bool_]:
    place = f"the Linear at position {2 * matrix}"
    names = ["weight", "bias"] if source.biased[matrix] else ["weight"]
    stored = {name for name, _ in linear.named_parameters()} | {name for name, _ in linear.named_buffers()}
    hooks = [hook._tensor_name for hook in linear._forward_pre_hooks.values() if isinstance(hook, prune.CustomFromMask)]
    wanted = {f"{name}_{part}" for name in names for part in ("orig", "mask")}
    if stored != wanted or hooks != names or len(linear._forward_pre_hooks) != len(hooks):
        raise ValueError(
            f"{place} must be pruned by masks alone and hold {sorted(wanted)}; it holds {sorted(stored)}: "
            "make it with to_module and load the state dict into that"
        )
    weights, masks = (_side_by_side(linear, names, part) for part in ("orig", "mask"))
    shape = source.shapes[matrix]
    if not weights.shape == masks.shape == shape:
        raise ValueError(
            f"{place} has weights {weights.shape} and masks {masks.shape}; matrix {matrix} of the source is {shape}"
        )
    if not np.isin(masks, (0, 1)).all():
        raise ValueError(f"the masks of {place} must be 0 or 1; a mask that scales a weight makes a new weight")
    for start, rows in source.chunks(matrix):
        wrong = (np.ldexp(weights[start : start + len(rows)], WEIGHT_EXPONENT) != rows).any(axis=1)
        if wrong.any():
            raise ValueError(
                f"row {start + int(wrong.argmax())} of {place} differs from the weights of seed "
                f"{source.seed}, trial {source.trial}: not its ticket"
            )
    return masks.astype(bool)


def _side_by_side(linear: nn.Linear, names: list[str], part: str) -> NDArray[np.floating]:
    """Weight, and bias as the last column, of the given part (orig or mask)."""
    tensors = [getattr(linear, f"{name}_{part}").detach().cpu().numpy() for name in names]
    return tensors[0] if len(tensors) == 1 else np.column_stack(tensors)

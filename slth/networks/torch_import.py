"""From an ordinary torch module to a target on the grid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeGuard, TypeVar

import torch
from torch import nn

from slth.networks.target import Target

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""Dtypes whose every value is exact in float64."""

PRUNED = {"weight", "bias", "weight_orig", "weight_mask", "bias_orig", "bias_mask"}
"""Tensors of a Linear, with or without torch.nn.utils.prune."""

Kind = TypeVar("Kind", bound=nn.Module)

SHAPE = "a target is nn.Sequential(Linear, ReLU, Linear, ..., Linear)"


def from_torch(module: nn.Module) -> Target:
    """The target that a chain of Linear and ReLU modules computes.

    A Flatten before the first Linear, Identity modules and nested Sequentials are accepted. Where a Linear is
    pruned with `torch.nn.utils.prune`, its weight is mask times original weight.

    Args:
        module: nn.Sequential of Linear, ReLU, Linear, ..., Linear; any device, any dtype of `FLOATS`.

    Returns:
        The target; its weights are the nearest values on the 2^-48 grid, `Target.rounding` says how near.

    Raises:
        TypeError: not a Sequential, or a module of another kind, or weights that are no real floats.
        ValueError: Linear and ReLU do not alternate, no Linear at all, a Linear without values, a value that
            is NaN, infinite or too large.

    >>> f = from_torch(nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2, bias=False)))
    >>> f.widths, f.layers[0].bias is None, f.layers[1].bias is None
    ((4, 3, 2), False, True)
    """
    if not _is(module, nn.Sequential):
        raise TypeError(f"{SHAPE}; got a {type(module).__name__}: put the layers in a Sequential, in order")
    linears: list[tuple[str, nn.Linear]] = []
    place, open_linear = "", False  # open_linear: a Linear still waits for its ReLU
    for place, part in _parts(module, ""):
        if _is(part, nn.Linear):
            if open_linear:
                raise ValueError(
                    f"{SHAPE}; position {place} is a second Linear without a ReLU before it: multiply the "
                    "two matrices into one, or add the ReLU"
                )
            linears.append((place, part))
            open_linear = True
        elif _is(part, nn.ReLU):
            if not open_linear:
                raise ValueError(f"{SHAPE}; position {place} is a ReLU without a Linear before it: remove it")
            open_linear = False
        elif not _passes(part, first=not linears):
            raise TypeError(f"{SHAPE}; position {place} is {_described(part)}: {_remedy(part)}")
    if not linears:
        raise ValueError(f"{SHAPE}; this one has no Linear: add the layers")
    if not open_linear:
        raise ValueError(f"{SHAPE}; the last module is a ReLU, not a Linear: leave the last ReLU outside the target")
    names = [f"the weight of the Linear at position {place}" for place, _ in linears]
    weights = [_effective(place, linear, "weight").numpy() for place, linear in linears]
    biases = [None if linear.bias is None else _effective(p, linear, "bias").numpy() for p, linear in linears]
    return Target.from_floats(weights, biases, names)


def _is(module: nn.Module, kind: type[Kind]) -> TypeGuard[Kind]:
    """Whether the module computes what this kind computes; a subclass may compute anything."""
    return isinstance(module, kind) and type(module).forward is kind.forward


def _parts(module: nn.Module, place: str) -> Iterator[tuple[str, nn.Module]]:
    """Yields (position, module) through nested Sequentials, in order."""
    for name, child in module._modules.items():  # named_children would leave out a ReLU that is used twice
        if child is None:
            continue
        if _is(child, nn.Sequential):
            yield from _parts(child, f"{place}{name}.")
        else:
            yield f"{place}{name}", child


def _passes(part: nn.Module, first: bool) -> bool:
    """Whether the module changes nothing: an Identity, or a whole Flatten before the first Linear."""
    flattens = _is(part, nn.Flatten) and first and (part.start_dim, part.end_dim) == (1, -1)
    return flattens or _is(part, nn.Identity)


def _described(part: nn.Module) -> str:
    return f"{type(part).__name__}({part.extra_repr()})"


def _remedy(part: nn.Module) -> str:
    if isinstance(part, nn.Dropout):
        return "remove it (it does nothing after training)"
    if isinstance(part, nn.BatchNorm1d):
        return "fold it into the Linear before it (torch.nn.utils.fusion.fuse_linear_bn_weights)"
    if isinstance(part, nn.Flatten):
        return "only nn.Flatten() before the first Linear is understood"
    if isinstance(part, nn.Linear):
        return "copy its weight and bias into a plain nn.Linear"
    return "keep only Linear and ReLU modules"


def _effective(place: str, linear: nn.Linear, name: str) -> torch.Tensor:
    """The weight or bias that the forward pass uses, as float64 on the CPU."""
    stored = {n for n, _ in linear.named_parameters()} | {n for n, _ in linear.named_buffers()}
    if stored - PRUNED:
        raise TypeError(
            f"the Linear at position {place} computes its weight from {sorted(stored - PRUNED)}: make it a "
            "plain Linear first, with torch.nn.utils.parametrize.remove_parametrizations or "
            "remove_weight_norm"
        )
    # After training, `weight` is one step behind weight_orig until the next forward pass.
    original, mask = getattr(linear, f"{name}_orig", None), getattr(linear, f"{name}_mask", None)
    values: torch.Tensor = getattr(linear, name) if original is None else original
    if values.is_meta or isinstance(values, nn.parameter.UninitializedParameter):
        raise ValueError(f"the {name} of the Linear at position {place} has no values yet: load or initialise it")
    if values.dtype not in FLOATS:
        raise TypeError(
            f"the {name} of the Linear at position {place} must be float16, bfloat16, float32 or float64; "
            f"got {values.dtype}: convert it with .to(torch.float32)"
        )
    dense = values.detach().to("cpu", torch.float64)
    return dense if mask is None else dense * mask.detach().to("cpu", torch.float64)

"""Where torch computes, and that it does so in the type it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch


def device_of(device: str | torch.device, dtype: torch.dtype = torch.float64) -> torch.device:
    """The device, if it is there and computes in this type.

    Raises:
        ValueError: it is not there, or does not.

    >>> device_of("cpu")
    device(type='cpu')
    """
    try:
        found = torch.device(device)
        torch.zeros(1, dtype=dtype, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as fault:
        reason = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise ValueError(f"cannot compute in {dtype} on the device {str(device)!r} ({reason}): use 'cpu'") from fault
    return found


def _switches() -> list[tuple[Callable[[], Any], Callable[[Any], None], Any]]:
    """How to read and write the precision of matrix products and convolutions, and its full value."""
    backends: Any = torch.backends
    cuda, cudnn, cpu = backends.cuda.matmul, backends.cudnn, backends.mkldnn
    if hasattr(cuda, "fp32_precision"):  # since torch 2.9; its settings must not be mixed with the older ones
        places = [cuda, cudnn.conv, cpu.matmul, cpu.conv]
        name, full = "fp32_precision", "ieee"
        return [(partial(getattr, place, name), partial(setattr, place, name), full) for place in places]
    products = (torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest")
    return [products, (partial(getattr, cudnn, "allow_tf32"), partial(setattr, cudnn, "allow_tf32"), False)]


@contextmanager
def full_precision() -> Iterator[None]:
    """TF32 and bfloat16 inside float32 products and convolutions are off, and afterwards as they were.

    They keep 10 or 7 bits of a factor. The setting is that of the whole process, so other threads get it too.

    >>> with full_precision():
    ...     torch.ones(1, 1) @ torch.ones(1, 1)
    tensor([[1.]])
    """
    with ExitStack() as undo:
        for read, write, full in _switches():
            before = read()
            if before != full:
                undo.callback(write, before)
                write(full)
        yield

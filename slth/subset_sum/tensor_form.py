"""numpy arrays and torch tensors as they come in, so that what goes out has the same library and device.

torch is imported only when a tensor comes in.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Array = TypeVar("Array", NDArray[Any], "Tensor")

FLOATS = ("float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64")


@dataclass(frozen=True)
class Form:
    """How arrays came in.

    Attributes:
        dtype: of the samples, by name.
        device: of the tensors; None for numpy arrays.
        single: they were one instance, without the axis of the batch.

    >>> Form("float32").floats, Form("int64").floats
    (True, False)
    """

    dtype: str
    device: Any = None
    single: bool = False

    @property
    def floats(self) -> bool:
        """Whether the numbers are floats; else they are integers in a unit of the caller's own."""
        return self.dtype in FLOATS

    @property
    def elsewhere(self) -> bool:
        """Whether they are tensors on a device other than the CPU."""
        return self.device is not None and self.device.type != "cpu"

    def back(self, array: Any) -> Any:
        """A batch in the caller's library, on the caller's device, and without the first axis for one instance.

        >>> Form("float64", single=True).back(np.array([2.5]))
        array(2.5)
        """
        if self.single:
            array = array.reshape(array.shape[1:])
        if self.device is None:
            return array
        import torch

        return (torch.from_numpy(array) if isinstance(array, np.ndarray) else array).to(self.device)


def on_cpu(array: Any) -> NDArray[Any]:
    """A number, an array or a tensor as a numpy array, without its gradient.

    >>> on_cpu([1, 2])
    array([1, 2])
    """
    return np.asarray(array.detach().cpu() if hasattr(array, "detach") else array)


def received(samples: Any, targets: Any, axes: int = 2, shared: bool = False) -> tuple[Form, Any, Any]:
    """The form of samples and targets, and both as a batch, in the library and on the device they came in.

    Args:
        samples: (m, n), or (m, n, d) for three axes; without the first axis for one instance; (n,) if shared.
        targets: (m,), or (m, d) for three axes; without the first axis for one instance. For two axes one number, a
            Python number too, stands for every row; a Python number takes the dtype of the samples.
        axes: of a batch of samples, 2 or 3.
        shared: all targets have the same samples.

    Raises:
        TypeError: another library or dtype, or samples and targets of different ones.
        ValueError: wrong shapes, or different devices.

    >>> received(np.array([0.5, 0.25]), 0.75)
    (Form(dtype='float64', device=None, single=True), array([[0.5 , 0.25]]), array([0.75]))
    """
    targets = _as_samples(targets, samples)
    dtype, device = _checked(samples, targets)
    given = tuple(samples.shape), tuple(targets.shape)
    single = targets.ndim == 0 if shared else samples.ndim == axes - 1
    if single and not shared:
        samples = samples[None]
    if single:
        targets = targets[None]
    elif axes == 2 and samples.ndim == 2 and targets.ndim == 0:
        targets = targets.reshape(1).repeat(len(samples))
    fits = samples.ndim == (1 if shared else axes) and targets.ndim == axes - 1
    if not fits or not (shared or tuple(targets.shape) == (samples.shape[0], *samples.shape[2:])):
        one, other = ("(m, n, d)", "(m, d)") if axes == 3 else ("(n,)" if shared else "(m, n)", "(m,)")
        raise ValueError(
            f"expected samples {one} and targets {other}; got {given[0]} and {given[1]}: one instance goes without m; "
            "many targets over the same samples (n,) go to nearest_for_all or any_for_all"
        )
    return Form(dtype, device, single), samples, targets


def _as_samples(number: Any, samples: Any) -> Any:
    """A Python number as an array or tensor beside the samples; anything else as it is."""
    if isinstance(number, bool) or not isinstance(number, int | float) or isinstance(number, np.generic):
        return number
    if isinstance(number, float) and name_of(samples) in INTEGERS:
        raise TypeError(f"the samples are integers ({name_of(samples)}), so the target must be one; got {number!r}")
    dtype = np.dtype(np.int64 if isinstance(number, int) and name_of(samples) in INTEGERS else np.float64)
    try:
        array = np.array(number, dtype=dtype)
    except OverflowError:
        raise ValueError(f"the number {number} does not fit into {dtype}: use a coarser unit") from None
    if name_of(samples) == "float32":
        array = array.astype(np.float32)
    if isinstance(samples, np.ndarray):
        return array
    torch = sys.modules.get("torch")
    return torch.from_numpy(array).to(samples.device) if torch and isinstance(samples, torch.Tensor) else number


def name_of(array: Any) -> str:
    """The dtype of an array or tensor by its name, such as 'float32'.

    >>> name_of(np.zeros(2))
    'float64'
    """
    return str(getattr(array, "dtype", type(array).__name__)).removeprefix("torch.")


def _checked(samples: Any, targets: Any) -> tuple[str, Any]:
    """The dtype and the device (None for numpy) of both."""
    torch = sys.modules.get("torch")  # no tensor can come from a torch that is not loaded
    numpy = isinstance(samples, np.ndarray) and isinstance(targets, np.ndarray | np.generic)
    if not numpy and not (torch and isinstance(samples, torch.Tensor) and isinstance(targets, torch.Tensor)):
        raise TypeError(
            "samples and targets must both be numpy arrays or both be torch tensors; got "
            f"{type(samples).__name__} and {type(targets).__name__}: convert one of them"
        )
    names = name_of(samples), name_of(targets)
    same = names[0] == names[1] if names[0] in FLOATS else all(name in INTEGERS for name in names)
    if not same:
        raise TypeError(
            f"samples and targets must share one dtype of {', '.join(FLOATS)}, or be signed integers; got {names[0]} "
            f"and {names[1]}: convert them"
        )
    if numpy:
        return names[0], None
    if samples.device != targets.device:
        raise ValueError(f"samples are on {samples.device} and targets on {targets.device}: move them to one device")
    return names[0], samples.device

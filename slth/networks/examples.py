"""Targets to try things on: a network trained on scikit-learn's digits, and random networks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from slth.laws import Uniform
from slth.networks.target import Target
from slth.randomness import bits, stream_number

EXAMPLE_TRIAL = (1 << 48) - 1
"""The last trial's streams belong to the examples, so that a target shares no bits with a source of the same seed."""


def random_target(widths: Sequence[int], seed: int) -> Target:
    """A ReLU network without biases and with weights U[-1, 1] / sqrt(inputs).

    Args:
        widths: input width, hidden widths, output width; at least two, all >= 1.
        seed: key of the random stream.

    Raises:
        ValueError: fewer than two widths, or one below 1.

    >>> random_target([3, 4, 2], seed=0).widths
    (3, 4, 2)
    """
    if len(widths) < 2 or min(widths) < 1:
        raise ValueError(f"need at least two widths, all >= 1, such as 64,32,10; got {list(widths)}")
    weights = []
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        drawn = bits(seed, stream_number(EXAMPLE_TRIAL, i), 0, inputs * outputs)
        weights.append(Uniform().weights(drawn).reshape(outputs, inputs) / 2.0**24 / math.sqrt(inputs))
    return Target.from_floats(weights)


@dataclass(frozen=True, eq=False)
class Classifier:
    """A trained target with the images that it was not trained on.

    Attributes:
        target: the network.
        images: float64, shape (images, inputs), values in [0, 1].
        labels: int64, shape (images,).
    """

    target: Target
    images: NDArray[np.float64]
    labels: NDArray[np.int64]

    def accuracy(self, network: torch.nn.Module | Target) -> float:
        """Share of the images that a network classifies correctly (first index of the largest output)."""
        with torch.no_grad():
            outputs = network(torch.from_numpy(self.images))
        return float((outputs.argmax(dim=1).numpy() == self.labels).mean())


def digits(hidden: Sequence[int] = (32,), steps: int = 300) -> Classifier:
    """Trains a ReLU network without biases on four fifths of scikit-learn's 1,797 digits (8 x 8 pixels).

    Full-batch Adam with weight decay, about a second; the start weights come from a fixed key of the random stream. The
    trained weights can differ in their last bits between machines.

    Args:
        hidden: hidden widths.
        steps: number of gradient steps.

    Returns:
        The network and the remaining fifth of the images.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    images, labels = data.data / 16.0, data.target.astype(np.int64)
    held_out = np.arange(len(labels)) % 5 == 4
    start = random_target([images.shape[1], *hidden, 10], seed=0)
    weights = [torch.from_numpy(layer.matrix.copy()).requires_grad_() for layer in start.layers]
    inputs, wanted = torch.from_numpy(images[~held_out]), torch.from_numpy(labels[~held_out])
    optimiser = torch.optim.Adam(weights, lr=0.01, weight_decay=3e-3)
    for _ in range(steps):
        optimiser.zero_grad()
        x = inputs
        for i, weight in enumerate(weights):
            x = (x if i == 0 else torch.relu(x)) @ weight.T
        torch.nn.functional.cross_entropy(x, wanted).backward()
        optimiser.step()
    target = Target.from_floats([weight.detach().numpy() for weight in weights])
    return Classifier(target, images[held_out], labels[held_out])

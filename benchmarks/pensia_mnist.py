"""Pensia et al. (2020), experiment 1, on the published network: as it was run, and as the theorem says.

The network is a bias-free 784-500-10 ReLU net (397,000 weights) with 97.19 % accuracy on the MNIST test images in raw
pixels. The published run replaced every weight by the best subset sum of 21 uniform candidates (epsilon = 0.01, one
draw of candidates per row of a weight matrix); it took 77,266 s on 36 cores and kept 3,725,871 of 8,337,000 candidates.

(a) repeats that run with every question (best, any, sparsest), sharing candidates per row and with a draw per weight.
(b) builds what the theorem speaks of: a random network of depth 4, pruned; the ticket is an ordinary torch module.
(c) holds two controls that are not tickets against the same measures.

    python benchmarks/pensia_mnist.py --output benchmarks/results/pensia_mnist.json

The data (pensia_fc2.npz and the MNIST test files) are looked for in the folder that SLTH_DATA names, else in
shared/data beside the checkout.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import machine
from numpy.typing import NDArray

from slth.assignment import Assignment, adaptive, block
from slth.errors import Box, bracket
from slth.gadget import EffectiveLayer, collapse
from slth.grid import to_grid
from slth.laws import Uniform
from slth.networks.files import load_target
from slth.networks.target import Target
from slth.networks.torch_export import to_module
from slth.randomness import bits, stream_number
from slth.subset_sum import SubsetSums
from slth.subset_sum.questions import any_or_nearest, nearest, sparsest_or_nearest
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.theorem import verify

EPSILON, CANDIDATES, SEED = 0.01, 21, 0
QUESTIONS = {"best": nearest, "any": any_or_nearest, "sparsest": sparsest_or_nearest}
DATA = Path(os.environ.get("SLTH_DATA", Path(__file__).parents[2] / "shared" / "data"))


def images() -> tuple[torch.Tensor, NDArray[np.int64]]:
    """The 10,000 MNIST test images, float64 in [0, 1], and their labels."""
    with gzip.open(DATA / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784) / 255.0
    with gzip.open(DATA / "mnist" / "t10k-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)
    return torch.from_numpy(pixels), labels


def accuracy(outputs: torch.Tensor, labels: NDArray[np.int64]) -> float:
    return float((outputs.argmax(dim=1).numpy() == labels).mean())


def on_images(wanted: torch.Tensor, got: torch.Tensor, labels: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy, and absolute and relative l2 error of the outputs over the images."""
    error = torch.linalg.norm(got.double() - wanted, dim=1)
    relative = error / torch.linalg.norm(wanted, dim=1)
    return {
        "accuracy": accuracy(got, labels),
        "changed_labels": int((got.argmax(dim=1) != wanted.argmax(dim=1)).sum()),
        "largest_error_l2": float(error.max()),
        "mean_error_l2": float(error.mean()),
        "largest_relative_error": float(relative.max()),
        "mean_relative_error": float(relative.mean()),
    }


def as_published(target: Target, x: torch.Tensor, labels: NDArray[np.int64]) -> dict[str, Any]:
    """Subset sums of uniform candidates over the range of the weights; no random network is pruned."""
    ends = [
        getattr(np.array([getattr(layer.matrix, end)() for layer in target.layers]), end)() for end in ("min", "max")
    ]
    law, tolerance, wanted = Uniform(*map(float, ends)), int(EPSILON * 2**48), target(x)
    rows: dict[str, Any] = {
        "candidates_per_weight": CANDIDATES,
        "epsilon": EPSILON,
        "law": [law.low, law.high],
    }
    for sharing in ("row", "weight"):
        for name, question in QUESTIONS.items():
            started, cpu = time.perf_counter(), time.process_time()
            answers, matrices = [], []
            for i, layer in enumerate(target.layers):
                sets = layer.outputs if sharing == "row" else layer.weight.size
                drawn = (
                    law.weights(bits(SEED, stream_number(0, i), 0, sets * CANDIDATES)).reshape(sets, CANDIDATES) << 24
                )
                samples = np.repeat(drawn, layer.inputs, axis=0) if sharing == "row" else drawn
                answers.append(question(SubsetSums(samples, layer.weight.ravel()), tolerance))
            spent, cpu = time.perf_counter() - started, time.process_time() - cpu
            for layer, answer in zip(target.layers, answers, strict=True):
                matrices.append(layer.matrix + answer.residual_values.reshape(layer.weight.shape))
            kept = sum(int(answer.sizes.sum()) for answer in answers)
            rows[f"{name}, one draw per {sharing}"] = {
                "subset_sums": target.parameters,
                "candidates_drawn": CANDIDATES
                * sum(w.outputs if sharing == "row" else w.weight.size for w in target.layers),
                "missed": sum(int((np.abs(a.residuals) > tolerance).sum()) for a in answers),
                "kept": kept,
                "kept_per_weight": kept / target.parameters,
                "worst_residual": max(float(np.abs(a.residual_values).max()) for a in answers),
                "median_residual": float(np.median(np.concatenate([np.abs(a.residual_values) for a in answers]))),
                "seconds": spent,
                "cpu_seconds": cpu,
                **on_images(wanted, Target.from_floats(matrices)(x), labels),
            }
    return rows


def as_the_theorem_says(
    given: Target, x: torch.Tensor, labels: NDArray[np.int64], samples: int, assignment: Assignment, name: str
) -> dict[str, Any]:
    """One random network of depth 4, pruned; its exported module run on the images; proved error on the pixel cube."""
    started = time.perf_counter()
    target = pensia.normalised(given)
    certificate = verify(
        pensia, target, EPSILON, 0.05, SEED, samples=samples, question=QUESTIONS[name], assignment=assignment
    )
    ticket = certificate.construction.ticket
    cube = bracket(collapse(target, ticket), Box.cube(784, 0.0, 1.0), points=x.numpy())
    proved = time.perf_counter() - started
    module = to_module(ticket, dtype=torch.float32)
    with torch.no_grad():
        outputs = torch.cat([module(part) for part in x.float().split(500)]).double() * target.scale
    return {
        **certificate.as_dict(),
        "pixel_cube": {
            "lower": cube.lower * target.scale,
            "upper": cube.upper * target.scale,
            "norm": cube.norm,
            "domain": cube.domain,
            "lower_method": cube.lower_method,
            "upper_method": cube.upper_method,
            "unit": "outputs of the given network",
        },
        "images": on_images(given(x), outputs, labels),
        "module": f"torch.nn.Sequential with {ticket.source.depth} masked Linear layers, float32",
        "seconds_to_certificates": proved,
        "seconds_in_all": time.perf_counter() - started,
    }


def controls(given: Target, x: torch.Tensor, labels: NDArray[np.int64], certified: float) -> dict[str, Any]:
    """Changed weights that keep the accuracy or the per-weight error and are no tickets."""
    changes = {
        "weights of modulus <= 0.01 set to 0": lambda w: np.where(np.abs(w) <= 0.01, 0.0, w),
        "0.01 added to every weight": lambda w: w + 0.01,
    }
    rows = {}
    for name, change in changes.items():
        matrices = [change(layer.matrix) for layer in given.layers]
        layers = []
        for layer, matrix in zip(given.layers, matrices, strict=True):
            error = to_grid(matrix)[0] - layer.weight
            layers.append(EffectiveLayer(layer, error, error, np.zeros(layer.outputs, dtype=np.int64)))
        error = bracket(layers, Box.cube(784, 0.0, 1.0), points=x.numpy())
        rows[name] = {
            "largest_change_of_a_weight": max(float(np.abs(e.plus).max()) for e in layers),
            "lower": error.lower,
            "upper": error.upper,
            "error_that_the_ticket_proves": certified,
            "passes_for_a_ticket": bool(error.upper <= certified),
            **on_images(given(x), Target.from_floats(matrices)(x), labels),
        }
        if rows[name]["passes_for_a_ticket"]:
            raise AssertionError(f"the control {name!r} passed for a ticket: the measure does not discriminate")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=28, help="candidates per weight and side in (b)")
    parser.add_argument("--output", type=Path, default=Path("pensia_mnist.json"))
    arguments = parser.parse_args()
    given = load_target(DATA / "pensia_fc2.npz")
    x, labels = images()
    warm = SubsetSums(np.ones((1, CANDIDATES), dtype=np.int64), np.ones(1, dtype=np.int64))
    for question in QUESTIONS.values():
        question(warm, 0)  # compiles
    published = as_published(given, x, labels)
    theorem = {
        f"{name}, {assignment.__name__}": as_the_theorem_says(given, x, labels, arguments.samples, assignment, name)
        for name, assignment in (("any", block), ("best", block), ("best", adaptive))
    }
    certified = min(run["pixel_cube"]["upper"] for run in theorem.values())
    found = {
        "machine": machine(),
        "command": f"python benchmarks/pensia_mnist.py --samples {arguments.samples}",
        "network": {
            "widths": given.widths,
            "parameters": given.parameters,
            "accuracy": accuracy(given(x), labels),
        },
        "a_as_published": published,
        "b_as_the_theorem_says": theorem,
        "c_controls": controls(given, x, labels, certified),
        "peak_memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    }
    arguments.output.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()

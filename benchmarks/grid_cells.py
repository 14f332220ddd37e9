"""How near to the device's limits is a whole grid cell, many tickets at many inputs?  python benchmarks/grid_cells.py

Cells of 100 tickets of one target (20 of the widest) at 10,000 inputs of the unit ball, in float64, by
`slth.errors.errors_at`: three runs each, the median counts. Errors of the layers are random, of size 2^-10: their
values change no timing. Beside it a plain loop: per ticket a torch module g with the weights W + E+ and W + E-, all
inputs at once, f worked out once, and ||g - f|| by subtracting, which loses the digits that the differences keep.

Limits of the device, measured in the same run: products of two large square matrices and of the shapes that the first
layers take, and copying memory, before every cell; the best of all is the limit. A share above 1 says that the machine
was busy while the limits were measured. Traffic counts every pass over the tickets' units, as if no cache kept any.
Writes benchmarks/results/grid_cells.json.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from machine import machine

from slth.errors.batched import MAX_BYTES, errors_at
from slth.errors.domain import Ball
from slth.errors.exact import lower_at
from slth.errors.stacks import Memory, planned
from slth.gadget import EffectiveLayer
from slth.networks.layers import Dense

CELLS = (((64, 32, 10), 100), ((784, 128, 10), 100), ((784, 500, 10), 20))
INPUTS, RUNS = 10_000, 3
SIDE = {"cpu": 2048, "cuda": 8192}
BYTES = {"cpu": MAX_BYTES, "cuda": 1 << 34}


def tickets_of(widths: Sequence[int], count: int) -> list[list[EffectiveLayer]]:
    """Tickets of one random target."""
    rng = np.random.default_rng(0)
    targets = [Dense.from_floats(rng.uniform(-1, 1, (b, a)) / np.sqrt(a)) for a, b in pairwise(widths)]

    def error(layer: Dense) -> np.ndarray:
        return rng.integers(-(1 << 38), 1 << 38, layer.weight.shape)

    return [
        [EffectiveLayer(one, error(one), error(one), np.zeros(one.outputs, np.int64)) for one in targets]
        for _ in range(count)
    ]


def timed(call: Callable[[], object], device: str, runs: int = RUNS) -> list[float]:
    """Seconds of each run, in order of size; few runs need a call before them that warms up."""
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        found.append(time.perf_counter() - started)
    return sorted(found)


def product_rate(rows: int, inner: int, columns: int, device: str) -> float:
    """GFLOP/s of a float64 product."""
    left, right = (
        torch.randn(shape, dtype=torch.float64, device=device) for shape in ((rows, inner), (inner, columns))
    )
    return 2e-9 * rows * inner * columns / timed(lambda: left @ right, device, 7)[0]


def copy_rate(device: str) -> float:
    """GB/s of copying, reading and writing counted."""
    source = torch.ones((1 << 28 if device == "cuda" else 1 << 25), dtype=torch.float64, device=device)
    sink = torch.empty_like(source)
    return 2e-9 * 8 * len(source) / timed(lambda: sink.copy_(source), device, 7)[0]


class Ticket(torch.nn.Module):
    """What a ticket computes, from its effective weights."""

    def __init__(self, layers: Sequence[EffectiveLayer], device: str) -> None:
        super().__init__()
        first, *others = layers
        matrices = [first.target.matrix + first.plus, -(first.target.matrix + first.minus)]
        for name, matrix in zip(("plus", "minus"), matrices, strict=True):
            self.register_buffer(name, torch.from_numpy(matrix).to(device))
        self.others = [torch.from_numpy(layer.target.matrix + layer.plus).to(device) for layer in others]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        linear = torch.nn.functional.linear
        y = linear(x.relu(), self.plus) + linear((-x).relu(), self.minus)
        for matrix in self.others:
            y = linear(y.relu(), matrix)
        return y


def looped(modules: Sequence[Ticket], target: Ticket, x: torch.Tensor) -> np.ndarray:
    """The errors of every ticket, (tickets, inputs), one after the other."""
    with torch.no_grad():
        f = target(x)
        return torch.stack([torch.linalg.vector_norm(g(x) - f, dim=1) for g in modules]).cpu().numpy()


def measured(widths: tuple[int, ...], count: int, device: str) -> dict[str, Any]:
    """One cell; limits and shares are not in it yet."""
    tickets, domain = tickets_of(widths, count), Ball(widths[0])
    points = domain.sample(INPUTS, np.random.default_rng(0))
    found = errors_at(tickets, points, domain, device=device, max_bytes=BYTES[device])
    whole = median(timed(lambda: errors_at(tickets, points, domain, device=device, max_bytes=BYTES[device]), device))
    worst = [one.lower.witness for one in found]
    exact = median(timed(lambda: [lower_at(t, x, domain, "") for t, x in zip(tickets, worst, strict=True)], "cpu", 1))
    zero = [EffectiveLayer(one.target, 0 * one.positive, 0 * one.negative, one.bias) for one in tickets[0]]
    modules, target = [Ticket(layers, device) for layers in tickets], Ticket(zero, device)
    x = torch.from_numpy(points).to(device)
    values = looped(modules, target, x)
    loop = median(timed(lambda: looped(modules, target, x), device))
    first, *others = (a * b for a, b in pairwise(widths))
    flop = 2 * INPUTS * count * (2 * first + 2 * sum(others))
    plan = planned(Memory(widths), count, BYTES[device], device == "cpu")
    shape = product_rate(plan.taken * widths[1], 2 * widths[0], min(plan.points, INPUTS), device)
    batch = whole - exact
    own = np.stack([one.values for one in found])
    return {
        "device": device,
        "widths": list(widths),
        "tickets": count,
        "inputs": INPUTS,
        "seconds": round(whole, 4),
        "seconds_of_exact_reevaluation": round(exact, 4),
        "gflop_of_products": round(flop / 1e9, 1),
        "gflop_per_second": round(flop / 1e9 / batch, 1),
        "gflop_per_second_of_first_layers_shape": round(shape, 1),
        "traffic_gb_per_second": round(6e-9 * 8 * INPUTS * count * sum(widths[1:]) / batch, 1),
        "loop_seconds": round(loop, 4),
        "largest_relative_distance_to_loop": float(f"{np.abs(values / own - 1).max():.2g}"),
    }


def on_device(device: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The limits of the device, and its cells with their shares."""
    side, rows, products, copies = SIDE[device], [], [], []
    for widths, count in CELLS:
        products.append(product_rate(side, side, side, device))
        copies.append(copy_rate(device))
        rows.append(measured(widths, count, device))
        products.append(rows[-1]["gflop_per_second_of_first_layers_shape"])
    name = torch.cuda.get_device_name() if device == "cuda" else f"{torch.get_num_threads()} threads"
    for row in rows:
        row["share_of_product_limit"] = round(row["gflop_per_second"] / max(products), 3)
        row["share_of_copy_limit"] = round(row["traffic_gb_per_second"] / max(copies), 3)
        print(row)
    limits = {"name": name, "gflop_per_second": round(max(products), 1), "copy_gb_per_second": round(max(copies), 1)}
    return limits, rows


def main() -> None:
    limits: dict[str, Any] = {"cuda": "not measured: no such device"}
    rows = []
    for device in ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        limits[device], own = on_device(device)
        print(device, limits[device])
        rows += own
    result = {"machine": machine(), "limits": limits, "rows": rows}
    (Path(__file__).parent / "results" / "grid_cells.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

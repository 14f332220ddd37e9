"""Many tickets at many points: equal to each alone, however the batch is cut, within its memory, on any device."""

import weakref

import numpy as np
import pytest
import torch
from problems import effective, random_layers
from torch.utils._python_dispatch import TorchDispatchMode

from slth.errors.batched import DRAWN, errors_at, random_points
from slth.errors.bracket import upper_ends
from slth.errors.difference import Difference
from slth.errors.domain import Ball, Box
from slth.errors.exact import exact_error
from slth.errors.precision import _switches, device_of, full_precision
from slth.errors.sampled import sizes
from slth.errors.stacks import Memory, planned
from slth.gadget import EffectiveLayer

WIDTHS = [5, 8, 6, 3]
ROUNDING = 1e-12
"""Relative distance, at most, of two float64 values of one error whose sums were ordered differently."""

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device is at hand")


def tickets_of(count, *, biases=True, shared=True, widths=WIDTHS, spread=2.0**-10):
    """Tickets with errors of their own, of one target or of one each."""
    rng = np.random.default_rng(7)
    found = [random_layers(rng, widths, biases=biases, spread=spread) for _ in range(count)]
    if not shared:
        return found
    return [
        [
            EffectiveLayer(one.target, own.positive, own.negative, own.bias)
            for one, own in zip(found[0], layers, strict=True)
        ]
        for layers in found
    ]


def alone(layers, points, domain):
    """The errors of one ticket, by the search engine."""
    return sizes(Difference(layers, "cpu")(torch.from_numpy(points)), domain.norm).numpy()


@pytest.mark.parametrize("domain", [Ball(5), Box.cube(5), Box.cube(5, 0.0, 1.0)], ids=str)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("spread", [0.5, 2.0**-40])
def test_every_ticket_has_the_errors_that_it_has_alone(domain, shared, biases, spread):
    tickets = tickets_of(4, shared=shared, biases=biases, spread=spread)
    points = domain.sample(20, np.random.default_rng(0))
    for layers, found in zip(tickets, errors_at(tickets, points, domain), strict=True):
        truth = alone(layers, points, domain)
        assert np.allclose(found.values, truth, rtol=ROUNDING, atol=ROUNDING * truth.max())
        assert found.lower.value == exact_error(layers, points[found.index], domain)
        assert found.lower.value == max(exact_error(layers, x, domain) for x in points)


def test_a_single_layer_has_no_units_to_carry():
    tickets = [[effective([[1.0, -1.0]], k * 2.0**-8, k * 2.0**-9)] for k in (1, 2)]
    found = errors_at(tickets, [[1.0, 1.0], [-1.0, -1.0]], Box.cube(2))
    assert [one.values.tolist() for one in found] == [[2.0**-7, 2.0**-8], [2.0**-6, 2.0**-7]]


@pytest.mark.parametrize("shared", [True, False])
def test_the_cut_of_a_batch_changes_values_by_rounding_and_no_lower_end(shared):
    tickets, domain = tickets_of(9, shared=shared), Ball(5)
    points = domain.sample(90, np.random.default_rng(1))
    whole = errors_at(tickets, points, domain)
    least = Memory(tuple(WIDTHS), shared).least
    for max_bytes in (least, 2 * least, 10 * least):
        cut = errors_at(tickets, points, domain, max_bytes=max_bytes)
        for one, other in zip(whole, cut, strict=True):
            assert np.allclose(one.values, other.values, rtol=ROUNDING, atol=ROUNDING * one.values.max())
            assert (one.index, one.lower.value) == (other.index, other.lower.value)


def test_parts_of_the_points_count_as_one_array():
    tickets, points = tickets_of(3), Ball(5).sample(50, np.random.default_rng(2))
    whole = errors_at(tickets, points, Ball(5))
    parts = errors_at(tickets, iter([points[:20], points[20:]]), Ball(5))
    assert [one.index for one in whole] == [one.index for one in parts]
    assert all(len(one.values) == 50 for one in parts)


def test_random_points_follow_their_seed_and_lie_in_the_domain():
    domain = Ball(3)
    first, again = (np.concatenate(list(random_points(domain, DRAWN + 5, seed=4))) for _ in range(2))
    assert first.shape == (DRAWN + 5, 3)
    assert np.array_equal(first, again)
    assert all(domain.contains(x) for x in first[-20:])
    assert np.array_equal(first[:DRAWN], next(random_points(domain, 10 * DRAWN, seed=4)))


def test_lower_ends_stay_below_the_proved_upper_ends():
    tickets, domain = tickets_of(3), Box.cube(5)
    for layers, found in zip(tickets, errors_at(tickets, random_points(domain, 500), domain), strict=True):
        assert 0 < found.lower.value <= min(end.value for end in upper_ends(layers, domain))


def test_float32_changes_values_by_its_rounding_and_says_so():
    tickets, points = tickets_of(3), Ball(5).sample(200, np.random.default_rng(3))
    exact, rough = (errors_at(tickets, points, Ball(5), dtype=dtype) for dtype in (torch.float64, torch.float32))
    for layers, one, other in zip(tickets, exact, rough, strict=True):
        assert other.values.dtype == np.float32
        assert np.allclose(one.values, other.values, rtol=1e-5, atol=1e-5 * one.values.max())
        assert other.lower.method == "given points, chosen in float32"
        assert other.lower.value == exact_error(layers, points[other.index], Ball(5)) <= one.lower.value


class Recorder(TorchDispatchMode):
    """The most bytes that tensors made under it held at once, and whether float32 products were full."""

    def __init__(self):
        super().__init__()
        self.live, self.peak, self.full = {}, 0, set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        if "mm" in str(function):
            self.full.add(all(read() == full for read, _, full in _switches()))
        if isinstance(found, torch.Tensor):
            storage = found.untyped_storage()
            place = storage.data_ptr()
            size, holders = self.live.get(place, (storage.nbytes(), 0))
            self.live[place] = size, holders + 1
            weakref.finalize(found, self.drop, place)
            self.peak = max(self.peak, sum(size for size, _ in self.live.values()))
        return found

    def drop(self, place):
        size, holders = self.live[place]
        if holders == 1:
            del self.live[place]
        else:
            self.live[place] = size, holders - 1


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("widths", [[20, 30, 10], [60, 4, 9, 2], [3, 50]], ids=str)
def test_tensors_stay_within_max_bytes(shared, widths):
    tickets, domain = tickets_of(6, shared=shared, widths=widths), Ball(widths[0])
    points = domain.sample(40, np.random.default_rng(4))
    results = 8 * len(tickets) * len(points)
    least = Memory(tuple(widths), shared).least
    for max_bytes in (least, 3 * least, 1 << 20):
        with Recorder() as recorder:
            errors_at(tickets, points, domain, max_bytes=max_bytes)
        assert 0 < recorder.peak <= max_bytes + results


def test_a_plan_uses_the_room_it_has():
    memory = Memory((64, 32, 10))
    small, large = (planned(memory, 100, room, on_cpu=False) for room in (memory.least, 1 << 30))
    assert (small.held, small.taken, small.points) == (1, 1, 1)
    assert (large.held, large.taken) == (100, 100)
    assert large.points * memory.point(100) > 1 << 29


def test_too_few_bytes_are_refused_with_the_number_that_is_enough():
    tickets, least = tickets_of(2), Memory(tuple(WIDTHS)).least
    with pytest.raises(ValueError, match=f"widths 5-8-6-3 at one point takes {least:,} bytes"):
        errors_at(tickets, np.zeros((1, 5)), Ball(5), max_bytes=least - 1)


def settings():
    return [read() for read, _, _ in _switches()]


def interrupted():
    with full_precision():
        raise KeyboardInterrupt


def test_tf32_is_off_inside_and_as_before_afterwards():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        held = settings()
        with Recorder() as recorder:
            errors_at(tickets_of(2), Ball(5).sample(9, np.random.default_rng(0)), Ball(5), dtype=torch.float32)
        assert recorder.full == {True}
        assert settings() == held
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert settings() == held
    finally:
        torch.set_float32_matmul_precision(before)


def test_nothing_is_written_where_precision_is_full(monkeypatch):
    written = []
    monkeypatch.setattr("slth.errors.precision._switches", lambda: [(lambda: "ieee", written.append, "ieee")])
    with full_precision():
        pass
    assert written == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"tickets": []}, "need at least one ticket"),
        ({"tickets": [tickets_of(1)[0], tickets_of(1, widths=[5, 7, 3])[0]]}, "have the same widths"),
        ({"domain": Ball(4)}, "has dimension 4"),
        ({"points": np.full((2, 5), np.nan)}, "NaN"),
        ({"points": np.zeros((2, 4))}, r"shape \(count, 5\)"),
        ({"points": iter([])}, "need points"),
        ({"points": np.full((1, 5), 1.0)}, "outside"),
        ({"points": np.full((1, 5), -0.5), "domain": Box.cube(5, 0.0, 1.0)}, "negative coordinates"),
        ({"dtype": torch.float16}, "float64 or float32"),
        ({"device": "no such place"}, "cannot compute in torch.float64 on the device 'no such place'"),
    ],
)
def test_bad_input_is_refused(change, message):
    given = {"tickets": tickets_of(2), "points": np.zeros((1, 5)), "domain": Ball(5)} | change
    with pytest.raises(ValueError, match=message):
        errors_at(given.pop("tickets"), given.pop("points"), given.pop("domain"), **given)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_missing_device_is_named():
    with pytest.raises(ValueError, match="on the device 'cuda'"):
        device_of("cuda")


def test_an_overflow_is_no_figure():
    domain = Ball(5, 2.0**100)
    points = domain.sample(3, np.random.default_rng(0))
    with pytest.raises(ArithmeticError, match="overflows torch"):
        errors_at(tickets_of(1, spread=0.5), points, domain, dtype=torch.float32)


@needs_cuda
@pytest.mark.parametrize("domain", [Ball(5), Box.cube(5, 0.0, 1.0)], ids=str)
def test_a_gpu_gives_the_same_lower_ends(domain):
    tickets, points = tickets_of(6), domain.sample(500, np.random.default_rng(5))
    here, there = (errors_at(tickets, points, domain, device=device) for device in ("cpu", "cuda"))
    for one, other in zip(here, there, strict=True):
        assert np.allclose(one.values, other.values, rtol=ROUNDING, atol=ROUNDING * one.values.max())
        assert other.lower.value >= one.lower.value * (1 - ROUNDING)


@needs_cuda
def test_a_gpu_stays_within_max_bytes():
    tickets, points = tickets_of(6, widths=[20, 30, 10]), Ball(20).sample(300, np.random.default_rng(5))
    errors_at(tickets, points, Ball(20), device="cuda")
    before = torch.cuda.memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    errors_at(tickets, points, Ball(20), device="cuda", max_bytes=1 << 20)
    assert torch.cuda.max_memory_allocated() - before <= 1 << 20

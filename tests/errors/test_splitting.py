"""Splitting: what stops it, what it never loses, and integer programs as a second opinion."""

from fractions import Fraction

import numpy as np
import pytest
from integer_program import program_error
from problems import effective, random_layers

from slth.errors.bracket import Effort, bracket, upper_ends
from slth.errors.cells import plane_error
from slth.errors.coupled import matrices_of
from slth.errors.differential import differential
from slth.errors.domain import Ball, Box
from slth.errors.exact import exact_error, lower_at
from slth.errors.splitting import _outer_faces, _Search, homogeneous, splitting


def test_splitting_closes_the_gap_that_it_was_asked_to_close():
    layers = random_layers(np.random.default_rng(0), [3, 8, 3], spread=2.0**-10)
    for gap in (0.5, 0.1, 0.02):
        split = splitting(layers, Box.cube(3), gap=gap)
        assert split.done
        assert split.lower.value <= split.upper.value <= (1 + gap) * split.lower.value
        assert exact_error(layers, split.lower.witness, Box.cube(3)) == split.lower.value


@pytest.mark.parametrize("biases", [False, True])
def test_a_child_never_has_a_larger_bound_than_its_parent_and_children_cover_it(biases):
    layers = random_layers(np.random.default_rng(1), [3, 6, 5, 2], biases=biases)
    box = Box.cube(3)
    search = _Search(matrices_of(layers, box), layers, box, None)
    volume = np.prod(np.maximum(search.open.high - search.open.low, 1e-3), axis=1).sum()
    before = search.upper()
    for _ in range(6):
        search.step(-1.0, 1 << 20)  # a gap of -1 closes nothing
        assert search.upper() <= before
        before = search.upper()
    after = np.prod(np.maximum(search.open.high - search.open.low, 1e-3), axis=1).sum()
    assert after == pytest.approx(volume)


def test_more_boxes_never_loosen_the_upper_end():
    layers = random_layers(np.random.default_rng(2), [4, 8, 6, 2])
    ends = [splitting(layers, Box.cube(4), gap=0.0, boxes=boxes).upper.value for boxes in (1, 20, 200, 2000)]
    assert ends == sorted(ends, reverse=True)
    assert ends[0] <= differential(layers, Box.cube(4)).value * (1 + 1e-12)


def test_time_stops_the_search_and_the_end_still_holds():
    layers = random_layers(np.random.default_rng(3), [6, 10, 10, 2])
    split = splitting(layers, Box.cube(6), gap=0.0, seconds=1e-9)
    assert not split.done
    assert split.boxes <= 12
    assert split.upper.value >= bracket(layers, Box.cube(6), effort=Effort(boxes=50)).lower


def test_a_start_is_kept_unless_a_better_point_turns_up():
    layers = random_layers(np.random.default_rng(4), [2, 6, 2])
    start = lower_at(layers, [0.5, 0.5], Box.cube(2), "a guess")
    assert splitting(layers, Box.cube(2), start=start, boxes=1).lower.value >= start.value


@pytest.mark.parametrize(
    ("low", "high", "faces"),
    [([0, 0], [0, 0], 1), ([-1, -1], [1, 1], 4), ([-1, 0], [0, 1], 2), ([1, 1], [2, 2], 2), ([0, 0], [1, 1], 2)],
)
def test_without_biases_only_outer_faces_are_covered(low, high, faces):
    box = Box(np.array(low), np.array(high))
    plain = matrices_of([effective([[1.0, 1.0]], 0.5)], box)
    biased = matrices_of([effective([[1.0, 1.0]], 0.5, bias=[1.0])], box)
    ends = _outer_faces(plain, box)
    assert len(ends[0]) == len(ends[1]) == faces
    if faces > 1:
        assert (ends[0] == ends[1]).any(axis=1).all()
    assert len(_outer_faces(biased, box)[0]) == 1


def test_sizes_on_a_part_of_a_ball_carry_their_pads():
    search = _Search(matrices_of([effective([[1.0]])], Ball(1)), [effective([[1.0]])], Ball(1), None)
    face = np.array([[1.0, 0.0]])
    size = Fraction(search._size(np.ones((1, 2000)), face, face)[0])
    assert 1000 * (1 + Fraction(3000, 2**53)) <= size**2 <= 1000 * (1 + Fraction(1, 10**11))
    assert search._size(np.full((1, 2), 1e-200), face, face)[0] >= 1e-200
    corner = np.ones((1, 2000))
    assert Fraction(search._size(np.ones((1, 2)), corner, corner)[0]) ** 2 * 2000 >= 1 + Fraction(2001, 2**53)


def test_large_layers_are_bounded_part_by_part(monkeypatch):
    monkeypatch.setitem(splitting.__globals__, "MOST_ENTRIES", 1)
    assert splitting(random_layers(np.random.default_rng(6), [2, 3, 2]), Box.cube(2)).done


def leaves(splits, boxes):
    """The parts of a tree, cut at 0 or in the middle."""
    stack = boxes[::-1]
    for axis in splits:
        low, high = stack.pop()
        if axis == 255:
            yield low, high
            continue
        cut = 0.0 if low[axis] < 0 < high[axis] else low[axis] / 2 + high[axis] / 2
        left, right = high.copy(), low.copy()
        left[axis] = right[axis] = cut
        stack += [(right, high), (low, left)]
    assert not stack


@pytest.mark.parametrize("biases", [False, True])
def test_the_parts_of_the_tree_prove_the_end(biases):
    box = Box(np.array([-0.75, 0.25, -1.0]), np.array([0.5, 1.0, 0.75]))
    layers = random_layers(np.random.default_rng(8), [3, 8, 6, 2], biases=biases, spread=2.0**-4)
    net, end = matrices_of(layers, box), splitting(layers, box, gap=0.0, boxes=150).upper
    parts = list(leaves(end.splits, list(zip(*_outer_faces(net, box), strict=True))))
    assert len(parts) > 15
    bounds = [differential(layers, Box(low, high)).value for low, high in parts]
    assert end.value * (1 - 1e-12) <= max(bounds) <= end.value * (1 + 1e-12)


def test_a_single_bias_in_any_layer_counts():
    plain = effective([[1.0], [1.0]]), effective([[1.0, 1.0]])
    biased = [
        (effective([[1.0], [1.0]], bias=[0.0, 1.0]), plain[1]),
        (effective([[1.0], [1.0]], bias_error=[0.0, 1.0]), plain[1]),
        (plain[0], effective([[1.0, 1.0]], bias=[1.0])),
    ]
    assert homogeneous(plain)
    assert len(_outer_faces(matrices_of(plain, Box.cube(1)), Box.cube(1))[0]) == 2
    for layers in biased:
        assert not homogeneous(layers)
        assert len(_outer_faces(matrices_of(layers, Box.cube(1)), Box.cube(1))[0]) == 1


def test_a_box_of_one_point_is_bounded_by_its_error():
    layers = random_layers(np.random.default_rng(5), [3, 5, 2])
    x = np.array([0.3, -0.2, 0.9])
    interval = bracket(layers, Box(x, x), effort=Effort(boxes=8))
    assert interval.ratio < 1 + 1e-9
    zero = np.zeros(3)
    assert bracket(layers, Box(zero, zero), effort=Effort(boxes=8)).lower == 0.0


@pytest.mark.parametrize("wrong", [{"gap": -0.1}, {"gap": float("nan")}, {"boxes": 0}, {"seconds": 0.0}])
def test_wrong_effort_is_refused(wrong):
    with pytest.raises(ValueError, match="needs gap"):
        splitting([effective([[1.0]])], Box.cube(1), **wrong)


@pytest.mark.parametrize("seed", range(8))
def test_balls_are_split_to_the_truth_in_the_plane(seed):
    layers = random_layers(np.random.default_rng([41, seed]), [2, *[8] * (seed % 5), 3], spread=2.0 ** -(1 + 5 * seed))
    for ball in (Ball(2), Ball(2, 0.3)):
        split, truth = splitting(layers, ball, gap=0.01), plane_error(layers, ball)
        assert split.done
        assert split.lower.value * (1 - 1e-9) <= truth <= split.upper.value * (1 + 1e-9)
        assert split.upper.value <= 1.02 * truth
        assert exact_error(layers, split.lower.witness, ball) == split.lower.value


def test_a_ball_of_one_input_is_two_points():
    split = splitting([effective([[0.0]], 1.0, -3.0)], Ball(1, 2.0))
    assert 6.0 <= split.upper.value <= 6.0 * (1 + 1e-12)


def test_balls_are_not_split_for_networks_with_biases():
    biased = [effective([[1.0]], bias=[1.0])]
    with pytest.raises(ValueError, match="without biases"):
        splitting(biased, Ball(1))
    assert all(end.method != "splitting" for end in bracket(biased, Ball(1), effort=Effort(boxes=8)).ladder)


def agree(layers, box):
    truth = program_error(layers, box)
    if truth is None:
        pytest.skip("HiGHS ran out of time")
    split = splitting(layers, box, gap=1e-3, boxes=20000)
    assert split.lower.value <= truth * (1 + 1e-6)
    assert truth <= split.upper.value * (1 + 1e-6)
    assert all(truth <= end.value * (1 + 1e-6) for end in upper_ends(layers, box))
    assert split.upper.value <= truth * (1 + 2e-3)


@pytest.mark.parametrize("widths", [[3, 2], [3, 5, 2], [2, 4, 4, 1]])
def test_integer_programs_find_the_same_supremum(widths):
    rng = np.random.default_rng(widths)
    layers = random_layers(rng, widths, biases=len(widths) == 4, spread=0.25)
    agree(layers, Box.cube(widths[0]))
    low = rng.normal(size=widths[0])
    agree(layers, Box(low, low + rng.random(widths[0])))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("widths", [[3, 6, 6, 1], [4, 8, 3]])
def test_integer_programs_find_the_same_supremum_on_larger_networks(widths, seed):
    layers = random_layers(np.random.default_rng([40, seed]), widths, spread=2.0**-4)
    agree(layers, Box.cube(widths[0]))
    agree(layers, Box.cube(widths[0], 0.0, 1.0))


@pytest.mark.slow
def test_four_percent_of_the_truth_on_eight_inputs_and_two_hidden_layers():
    layers = random_layers(np.random.default_rng(0), [8, 16, 16, 4], spread=2.0**-20)
    split = splitting(layers, Box.cube(8, 0.0, 1.0), gap=0.04, boxes=100_000)
    assert split.done

"""The golden-ratio ladder: exact edges, the greedy lemma for arbitrary elements, pools."""

import itertools
from fractions import Fraction
from math import isqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, SubsetSums
from slth.subset_sum.cells import batch, cells_needed, golden_edges, golden_greedy, golden_within

ONE = 1 << 48
DIGITS = 10**80
GOLDEN = tuple(Fraction(isqrt(5 * DIGITS**2) + i - DIGITS, 2 * DIGITS) for i in range(2))
"""Fractions below and above g = (sqrt 5 - 1) / 2, 10^-80 apart."""


@given(st.integers(1, 1 << 61), st.integers(0, 95))
def test_edges_are_the_floors_of_the_powers_of_the_golden_ratio(reach, count):
    edges = golden_edges(reach, count).tolist()
    assert len(edges) == count + 2
    for j, edge in enumerate(edges):
        low, high = (g**j * reach for g in GOLDEN)
        assert edge <= low
        assert high < edge + 1


def test_the_cells_tile_all_integers_up_to_the_first_edge():
    edges = golden_edges(1000, 14)
    cells = [[w for w in range(1001) if edges[j + 2] < w <= edges[j + 1]] for j in range(14)]
    assert sorted(w for cell in cells for w in cell) == list(range(1, 619))


@given(st.integers(1, 2000), st.integers(1, 12), st.data())
def test_at_most_a_power_of_the_golden_ratio_is_left_for_arbitrary_elements(reach, count, data):
    edges = golden_edges(reach, count).tolist()
    count = next((j for j in range(count) if edges[j + 2] == edges[j + 1]), count)  # up to the first empty cell
    element = [data.draw(st.integers(edges[j + 2] + 1, edges[j + 1])) for j in range(count)]
    targets = np.arange(reach + 1)
    taken, left = golden_greedy(np.tile(np.array(element, dtype=np.int64), (reach + 1, 1)), targets, reach)
    assert (left == targets - (taken * np.array(element, dtype=np.int64)).sum(axis=1)).all()
    assert left.min() >= 0
    assert left.max() <= GOLDEN[0] ** count * reach


@pytest.mark.parametrize("place", ["lowest", "highest"])
def test_the_lemma_is_sharp_at_the_ends_of_the_cells(place):
    edges = golden_edges(10**6, 12)
    elements = edges[2:] + 1 if place == "lowest" else edges[1:-1]
    _, left = golden_greedy(np.tile(elements, (10**6 + 1, 1)), np.arange(10**6 + 1), 10**6)
    assert left.max() <= edges[12]
    assert left.max() >= edges[12] - 12


def test_an_element_beside_its_cell_breaks_the_lemma_and_is_refused():
    edges = golden_edges(1000, 1)
    target = int(edges[1]) + 1
    for element, target_left in ((target + 1, target), (int(edges[2]), 1000 - int(edges[2]))):
        assert target_left > GOLDEN[1] * 1000  # skipped by the first target, taken from 1000
        with pytest.raises(ValueError, match="is not in cell 0, from 382 to 618"):
            golden_greedy(np.array([[element]]), np.array([target]), 1000)


def test_the_midpoints_give_the_worked_example():
    """R = 1, x = 0.7, elements in the middles of the cells: the first and the third are taken, 0.00902 is left."""
    edges = golden_edges(ONE, 8)
    middles = (edges[2:] + 1 + edges[1:-1]) // 2
    taken, left = golden_greedy(middles[None], np.array([7 * ONE // 10]), ONE)
    assert taken.astype(int).tolist() == [[1, 0, 1, 0, 0, 0, 0, 0]]
    assert left[0] / ONE == pytest.approx(0.00902, abs=5e-6)
    assert edges[8] / ONE == pytest.approx(0.02129, abs=5e-6)


@pytest.mark.parametrize(("epsilon", "cells"), [(0.1, 5), (0.01, 10), (0.001, 15), (0.0001, 20)])
def test_the_number_of_cells_is_the_logarithm(epsilon, cells):
    assert cells_needed(ONE, int(epsilon * ONE)) == cells
    assert cells == int(np.ceil(np.log(1 / epsilon) / np.log((1 + 5**0.5) / 2)))


def log_uniform(rng, shape):
    """Moduli with density 1 / |w| on [2^-20, 1], either sign, in units of 2^-48: every cell is equally likely."""
    return (np.exp2(rng.uniform(-20, 0, shape)) * ONE).astype(np.int64) * rng.choice([-1, 1], shape)


def test_cells_of_a_log_uniform_pool_are_equally_full():
    edges = golden_edges(ONE, 20)
    pool = np.abs(log_uniform(np.random.default_rng(1), 100_000))
    counts = np.histogram(pool, bins=edges[:0:-1] + 1)[0]
    expected = 100_000 * np.log2((1 + 5**0.5) / 2) / 20
    # 20 independent cells: five standard deviations have a false-alarm rate of 1e-5.
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_a_row_with_every_cell_filled_is_found():
    rng = np.random.default_rng(2)
    problem = SubsetSums(log_uniform(rng, (200, 400)), rng.integers(-ONE, ONE + 1, 200))
    tolerance = ONE // 100
    answer = golden_within(problem, tolerance, ONE)
    edges = golden_edges(ONE, cells_needed(ONE, tolerance)).tolist()
    for row in range(200):
        own = problem.samples[row] * (-1 if problem.targets[row] < 0 else 1)
        full = all(((own > low) & (own <= high)).any() for high, low in itertools.pairwise(edges[1:]))
        assert answer.status[row] == Status.FOUND or not full
    found = answer.status == Status.FOUND
    assert found.sum() > 190
    assert (np.abs(answer.residuals[found]) <= tolerance).all()
    assert (answer.sizes <= len(edges) - 2).all()


def test_missing_cells_leave_a_row_unresolved_or_near_enough_by_luck():
    problem = SubsetSums(np.array([[600, 1], [600, 1], [-600, 1], [5, 7]]), np.array([900, 601, -600, 0]))
    assert golden_within(problem, 20, 1000).status.tolist() == [
        Status.UNRESOLVED,
        Status.FOUND,
        Status.FOUND,
        Status.FOUND,
    ]


def test_an_answer_does_not_depend_on_the_tolerance_of_other_rows():
    rng = np.random.default_rng(3)
    problem = SubsetSums(log_uniform(rng, (30, 200)), rng.integers(-ONE, ONE, 30))
    tolerances = np.where(np.arange(30) % 2, ONE // 1000, ONE // 10)
    mixed = golden_within(problem, tolerances, ONE)
    for row in range(30):
        alone = SubsetSums(problem.samples[row : row + 1], problem.targets[row : row + 1])
        assert (golden_within(alone, int(tolerances[row]), ONE).masks == mixed.masks[row]).all()


def test_a_shared_pool_goes_to_the_first_empty_cell_in_one_scan():
    rng = np.random.default_rng(4)
    pool, negative = log_uniform(rng, 800), rng.random(20) < 0.5
    edges = golden_edges(ONE, 10).tolist()
    expected = np.full((20, 10), -1)
    for i, w in enumerate(pool.tolist()):
        for row, cell in np.ndindex(20, 10):
            fits = edges[cell + 2] < (-w if negative[row] else w) <= edges[cell + 1]
            if fits and expected[row, cell] < 0:
                expected[row, cell] = i
                break
    places = batch(pool, negative, ONE, 10)
    assert (places == expected).all()
    assert (places >= 0).mean() > 0.9


def test_instances_that_share_a_pool_share_no_sample_and_meet_the_lemma():
    rng = np.random.default_rng(5)
    targets = rng.integers(-ONE, ONE, 300)
    pool = log_uniform(rng, 300 * 10 * 4)
    places = batch(pool, targets < 0, ONE, 10)
    assert (places >= 0).all()
    assert len(np.unique(places)) == places.size
    _, left = golden_greedy(np.abs(pool)[places], np.abs(targets), ONE)
    assert left.max() <= ONE // 100


def test_an_empty_batch_has_an_empty_answer():
    empty = SubsetSums(np.zeros((0, 5), dtype=np.int64), np.zeros(0, dtype=np.int64))
    assert golden_within(empty, 3, 100).masks.shape == (0, 1)
    assert batch(np.zeros(0, dtype=np.int64), np.array([True]), 100, 2).tolist() == [[-1, -1]]


def test_wrong_arguments_raise():
    for bad in (0, (1 << 61) + 1, 1.5, True):
        with pytest.raises(ValueError, match="reach must be an integer"):
            golden_edges(bad, 3)
    with pytest.raises(ValueError, match="count must be an integer"):
        golden_edges(10, -1)
    with pytest.raises(ValueError, match="tolerance must be an integer from 1"):
        cells_needed(10, 0)
    whole, one = np.array([[600]]), np.array([700])
    with pytest.raises(TypeError, match="must be int64"):
        golden_greedy(whole.astype(float), one, 1000)
    with pytest.raises(ValueError, match="expected elements"):
        golden_greedy(whole[0], one, 1000)
    for target in (-1, 1001):
        with pytest.raises(ValueError, match="from 0 to reach = 1000"):
            golden_greedy(whole, np.array([target]), 1000)
    with pytest.raises(TypeError, match="negative bool"):
        batch(one, one, 1000, 2)
    with pytest.raises(ValueError, match="expected pool"):
        batch(whole, one > 0, 1000, 2)
    problem = SubsetSums(whole, one)
    with pytest.raises(TypeError, match="tolerance_on_grid"):
        golden_within(problem, 0.5, 1000)
    with pytest.raises(ValueError, match="tolerance must be an integer from 1"):
        golden_within(problem, 0, 1000)
    with pytest.raises(ValueError, match="from 0 to reach"):
        golden_within(problem, 1, 600)

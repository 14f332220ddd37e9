"""Gadhikar et al. 2023: sources that are sparse at the start."""

import math

import numpy as np
import pytest

from slth.confidence import binomial_interval, excess_p_value
from slth.gadget import collapse
from slth.laws import Thinned, Uniform
from slth.networks.examples import random_target
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.randomness import bits, stream_number
from slth.subset_sum.questions import nearest
from slth.theorems import gadhikar2023_sparse_source as gadhikar
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.certificate import Verdict
from slth.theorems.theorem import verify

ONE = Target.from_floats([[[0.5]]])


def test_a_fully_present_source_asks_for_what_a_dense_one_does():
    target = pensia.normalised(random_target((3, 3, 2), 0))
    assert gadhikar.samples_needed(target, 0.1, 0.1, density=1.0) == pensia.samples_needed(target, 0.1, 0.1)


@pytest.mark.parametrize("density", [1.0, 0.5, 0.3, 0.2, 0.004])
def test_a_thinned_weight_takes_every_value_of_the_grid_with_the_share_that_is_counted_on(density):
    law, patterns = Thinned(density), round(density * 2**32)
    share = gadhikar.share_on_grid(density)
    for middle in (300, patterns // 3, patterns // 2, patterns - 600):
        near = np.arange(max(0, middle - 2000), min(patterns, middle + 2000), dtype=np.uint32)
        found, times = np.unique(law.weights(near), return_counts=True)
        assert set(np.diff(found)) <= {2}
        # The first and the last value may have patterns outside.
        assert (times[1:-1] >= share * 2**8).all()
        assert (times[1:-1] <= share * 2**8 + 1).all()
    ends = law.weights(np.array([0, patterns - 1], dtype=np.uint32))
    assert ends.tolist() == [1 - 2**24, 2**24 - 1]
    assert density - 2.0**-8 < share <= density


def test_a_density_that_fits_the_bits_costs_nothing_and_another_a_little():
    rows = [
        2
        * gadhikar.samples_needed(ONE, 0.1, 0.1, density=p)
        / gadhikar.ROWS.evaluate(I=2, t=0.1 / 2**0.5, delta=0.1, p_edge=p)
        for p in (0.5, 0.25, 0.3, 0.05)
    ]
    assert all(1 <= ratio <= 1.005 for ratio in rows[:2])
    assert all(1 <= ratio <= 1.2 for ratio in rows[2:])


def test_where_no_number_is_proved_the_hypothesis_says_so_and_no_width_is_chosen():
    for epsilon, density, why in ((1e-8, 0.5, "to reach epsilon"), (0.1, 0.003, "for density")):
        with pytest.raises(ValueError, match=f"no number of candidates is proved {why}"):
            gadhikar.samples_needed(ONE, epsilon, 0.1, density)
        drawn = gadhikar.source(ONE, epsilon, 0.1, seed=0, samples=40, density=density)
        last = gadhikar.hypotheses(ONE, drawn, epsilon, 0.1)[-1]
        assert (last.limit, last.holds) == ("no number is proved", False)


def test_thinned_failure_is_the_dense_bound_with_p_times_the_drift():
    law = Thinned(0.3)
    thinned = gadhikar.FAILURE.evaluate(epsilon=0.01, R=0.5, n=80, m=Uniform().drift(0.5), p_edge=0.3)
    dense = gadhikar.DENSE_FAILURE.evaluate(epsilon=0.01, R=0.5, n=80, m=law.drift(0.5))
    assert thinned == pytest.approx(dense, rel=1e-12)


@pytest.mark.parametrize("density", [0.2, 0.5, 1.0])
def test_masks_keep_present_edges_only_and_every_kept_unit_is_read(density):
    target = pensia.normalised(random_target((3, 3, 2), 1))
    drawn = gadhikar.source(target, 0.1, 0.1, seed=3, samples=40, density=density)
    ticket = gadhikar.construct(target, drawn, 0.1, question=nearest).ticket
    for i, mask in enumerate(ticket.masks):
        weights = drawn.rows(i, 0, drawn.shapes[i][0])
        assert (weights[mask] != 0).all()
    for first, second in zip(ticket.masks[0::2], ticket.masks[1::2], strict=True):
        assert np.array_equal(first.any(axis=1), second.any(axis=0))


def test_dropping_absent_edges_does_not_change_the_network():
    target = pensia.normalised(random_target((3, 3, 2), 1))
    drawn = gadhikar.source(target, 0.1, 0.1, seed=3, samples=30, density=0.3)
    first = pensia.construct(target, drawn, 0.1, question=nearest).ticket
    # every unit keeps an edge of its block, every output all its edges, present or not
    blocks = [np.repeat(np.eye(mask.shape[1], dtype=bool), 60, axis=0) for mask in first.masks[0::2]]
    masks = [part for block, mask in zip(blocks, first.masks[1::2], strict=True) for part in (block, mask | True)]
    raw = Ticket(drawn, tuple(masks))
    clean = gadhikar.without_absent(raw)
    assert clean.kept < raw.kept
    for a, b in zip(collapse(target, raw), collapse(target, clean), strict=True):
        assert np.array_equal(a.positive, b.positive)
        assert np.array_equal(a.negative, b.negative)


def test_absent_edges_do_not_use_up_the_candidates_that_a_search_looks_at():
    # 800 rows hold about 16 candidates on each side; the 26 that `nearest` looks at have to be those
    target = Target.from_floats([[[0.3]]])
    drawn = gadhikar.source(target, 0.1, 0.1, seed=1, samples=400, density=0.2)
    made = gadhikar.construct(target, drawn, 0.1, question=nearest)
    assert made.worst_residual < 1e-3
    assert made.question == "nearest"


def test_at_the_width_of_the_bound_no_more_draws_fail_than_delta_allows():
    found = [verify(gadhikar, ONE, 0.1, 0.1, seed=seed) for seed in range(25)]
    assert all(check.holds for draw in found for check in draw.hypotheses)
    assert excess_p_value(sum(draw.verdict is not Verdict.HOLDS for draw in found), 25, 0.1) > 1e-3


def test_far_below_the_width_of_the_bound_most_draws_fail():
    held = sum(verify(gadhikar, ONE, 0.1, 0.1, seed=seed, samples=6).verdict is Verdict.HOLDS for seed in range(25))
    assert binomial_interval(held, 25, 0.99).high < 0.9


@pytest.mark.parametrize("copies", [3, 5, 8])
@pytest.mark.parametrize("density", [0.3, 0.6])
def test_target_edges_without_an_edge_are_as_rare_as_the_copies_say(copies, density):
    # exact law of the draw: (1 - (1 - p)^copies)^pairs; a miss of both one-sided tests has probability below 2e-4
    pairs, draws = 12, 2000
    drawn = Thinned(density).weights(bits(1, stream_number(0, copies), 0, draws * pairs * copies))
    whole = int((drawn.reshape(draws, pairs, copies) != 0).any(axis=2).all(axis=1).sum())
    exact = (1 - (1 - density) ** copies) ** pairs
    assert excess_p_value(whole, draws, exact) > 1e-4
    assert excess_p_value(draws - whole, draws, 1 - exact) > 1e-4
    needed = gadhikar.COPIES.evaluate(I=pairs, delta=0.1, p_edge=density)
    assert (1 - (1 - density) ** math.ceil(needed)) ** pairs >= 0.9


def present_samples_needed(seed, epsilon=2.0**-6, limit=22):
    """How many U[-1, 1] it takes until every target of [-1/2, 1/2] is within epsilon of a subset sum."""
    sums = np.zeros(1)
    for count, sample in enumerate(Uniform().weights(bits(seed, 5, 0, limit)) / 2.0**24, start=1):
        sums = np.concatenate([sums, sums + sample])
        inside = np.unique(np.clip(sums, -1.0, 1.0))  # sums beyond 1 serve no target
        near = np.concatenate([[-np.inf], inside, [np.inf]])
        left, right = near[:-1], near[1:]
        # the farthest target of the window in the gap between two neighbouring sums
        middles = np.clip((left + right) / 2, -0.5, 0.5)
        touches = (right > -0.5) & (left < 0.5)
        if np.minimum(np.abs(middles - left), np.abs(right - middles))[touches].max() <= epsilon:
            return count
    raise AssertionError("no draw of this test needs so many samples")


def test_the_width_of_thinned_subset_sums_grows_as_one_over_p_not_as_the_factor_for_trained_weights():
    # The absent samples only wait: n is the sum of T geometric waits, T the number of present samples needed.
    needed = np.array([present_samples_needed(seed) for seed in range(200)])
    rng = np.random.default_rng(0)
    n90 = {p: float(np.quantile(needed + rng.negative_binomial(needed, p), 0.9)) for p in (0.7, 0.5, 0.3, 0.1)}
    inverse = [n90[p] * p for p in n90]
    trained = [n90[p] * math.log(1 / (1 - p)) for p in n90]
    assert max(inverse) / min(inverse) < 1.25
    assert max(trained) / min(trained) > 1.4
    for p, n in n90.items():
        bound = math.log(2 / (2.0**-12 * 0.1)) / -math.log(1 - p / 4)
        assert math.log2(0.5 / 2.0**-6) <= n <= bound


def test_a_source_that_is_not_thinned_is_taken_for_a_dense_one_and_said_to_have_another_law():
    dense = pensia.source(ONE, 0.1, 0.1, seed=0, samples=100)
    checks = {check.name: check for check in gadhikar.hypotheses(ONE, dense, 0.1, 0.1)}
    assert not checks["law of the source"].holds
    assert checks["candidates per weight and side"].holds


@pytest.mark.parametrize("density", [0.0, 1.5, math.nan])
def test_an_impossible_density_is_refused(density):
    with pytest.raises(ValueError, match="density"):
        gadhikar.source(ONE, 0.1, 0.1, seed=0, samples=4, density=density)

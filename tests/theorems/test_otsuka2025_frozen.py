"""Otsuka et al. 2025: random networks with a part that is frozen before the search."""

import math
from dataclasses import replace
from fractions import Fraction

import drawn
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.assignment import adaptive, block
from slth.confidence import binomial_interval, excess_p_value
from slth.gadget import collapse
from slth.networks.examples import random_target
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket
from slth.subset_sum.questions import nearest
from slth.theorems import gadhikar2023_sparse_source as gadhikar
from slth.theorems import lueker1998_subset_sum as lueker
from slth.theorems import otsuka2025_frozen as otsuka
from slth.theorems import pensia2020_subset_sum as pensia
from slth.theorems.certificate import Verdict
from slth.theorems.frozen_pairs import prune_frozen_pair, steered
from slth.theorems.frozen_source import (
    FrozenSource,
    changed,
    free_bits,
    free_entries,
    from_free_bits,
    frozen,
    frozen_rows,
    shares,
)
from slth.theorems.theorem import Theorem, verify

ONE = Target.from_floats([[[0.5]]])
DEEP = pensia.normalised(random_target((3, 3, 2), 1))
BIASED = Target.from_floats([[[0.5, -0.3], [0.2, 0.7]], [[0.4, -0.6]]], [[0.25, -0.125], [0.5]])
HALF = 1 << 47


def pattern(seed, trial, matrix, shape, pruned, locked):
    """The pattern, transcribed from the rule: no code in common with the package."""
    key = np.array([seed, trial * 65536 + 32768 + matrix], dtype=np.uint64)
    count = shape[0] * shape[1]
    words = np.random.Philox(key=key).random_raw(count // 2 + 1).tolist()
    halves = np.array([half for word in words for half in (word & 0xFFFFFFFF, word >> 32)][:count]).reshape(shape)
    low = round(pruned * 2**32)
    high = round((pruned + locked) * 2**32) if matrix % 2 else low
    return halves < low, (low <= halves) & (halves < high)


# The pattern ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("matrix", [0, 1, 2, 3])
def test_the_pattern_follows_from_the_seed_alone(matrix):
    g = FrozenSource(5, (2, 9, 3, 8, 1), trial=7, pruned=0.3, locked=0.25)
    expected = pattern(5, 7, matrix, g.shapes[matrix], 0.3, 0.25)
    for found, wanted in zip(frozen(g, matrix), expected, strict=True):
        assert np.array_equal(found, wanted)
    part = frozen_rows(g, matrix, 1, g.shapes[matrix][0])
    assert all(np.array_equal(rows, whole[1:]) for rows, whole in zip(part, expected, strict=True))


def test_nothing_is_locked_in_first_matrices_and_nothing_is_both_locked_and_pruned():
    g = FrozenSource(1, (4, 60, 4, 60, 4), pruned=0.3, locked=0.6)
    for i in range(g.depth):
        pruned, locked = frozen(g, i)
        assert not (pruned & locked).any()
        assert locked.any() == (i % 2 == 1)


def test_the_frozen_shares_are_those_asked_for_by_an_exact_test():
    # four one-sided tests; a false alarm of any has probability below 4e-4
    g = FrozenSource(3, (50, 400, 50), pruned=0.2, locked=0.3)
    pruned, locked = frozen(g, 1)
    for mask, share in ((pruned, 0.2), (locked, 0.3)):
        count = int(mask.sum())
        assert excess_p_value(count, mask.size, share) > 1e-4
        assert excess_p_value(mask.size - count, mask.size, 1 - share) > 1e-4


def test_the_pattern_has_no_bits_in_common_with_the_weights():
    g = FrozenSource(3, (2, 4, 2), pruned=0.5)
    weights = [g.rows(i, 0, g.shapes[i][0]) for i in range(2)]
    plain = Source(3, (2, 4, 2))
    assert all(np.array_equal(w, plain.rows(i, 0, g.shapes[i][0])) for i, w in enumerate(weights))
    streams = {(g.trial << 16) + i for i in range(2)}
    assert streams.isdisjoint({s + (1 << 15) for s in streams})


def test_a_plain_source_has_nothing_frozen():
    g = Source(1, (2, 6, 1))
    assert shares(g) == (0.0, 0.0)
    assert not any(mask.any() for i in range(2) for mask in frozen(g, i))
    assert free_entries(g) == g.parameters


@pytest.mark.parametrize("bad", [(-0.1, 0.0), (0.0, -0.1), (0.5, 0.5), (math.nan, 0.0), (0.0, math.nan)])
def test_impossible_shares_are_refused(bad):
    with pytest.raises(ValueError, match="sum below 1"):
        FrozenSource(0, (1, 1), pruned=bad[0], locked=bad[1])
    with pytest.raises(ValueError, match="sum below 1"):
        otsuka.samples_needed(ONE, 0.1, 0.1, *bad)
    with pytest.raises(ValueError, match="sum below 1"):
        otsuka.failure_bound(ONE, 10, 0.1, *bad)


def test_a_source_with_more_matrices_than_streams_is_refused():
    with pytest.raises(ValueError, match="fewer than 32768 matrices"):
        FrozenSource(0, (1,) * 32769)


# The construction -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", [ONE, DEEP, BIASED], ids=["one", "deep", "biased"])
@pytest.mark.parametrize("assignment", [block, adaptive])
@pytest.mark.parametrize("part", [(0.0, 0.0), (0.3, 0.0), (0.0, 0.4), (0.2, 0.5)])
def test_frozen_entries_never_change(target, assignment, part):
    drawn_source = otsuka.source(target, 0.1, 0.1, 3, 30, 0, *part)
    made = otsuka.construct(target, drawn_source, 0.1, question=nearest, assignment=assignment)
    assert changed(made.ticket) == 0
    for i, mask in enumerate(made.ticket.masks):
        pruned, locked = pattern(3, 0, i, mask.shape, *part)
        assert not mask[pruned].any()
        assert mask[locked].all()


def test_every_subset_sum_is_that_of_the_free_samples_plus_the_locked_one():
    # every number anew, in Python integers: residual = T + sum over the free samples taken - w
    g = otsuka.source(DEEP, 0.1, 0.1, 4, 12)
    ticket = otsuka.construct(DEEP, g, 0.1, question=nearest).ticket
    shifted = 0
    for pair, layer in enumerate(collapse(DEEP, ticket)):
        shapes = g.shapes[2 * pair : 2 * pair + 2]
        u, v = (drawn.weights(4, 0, 2 * pair + i, shape).tolist() for i, shape in enumerate(shapes))
        _, locked = pattern(4, 0, 2 * pair + 1, shapes[1], 0.2, 0.2)
        first, second = ticket.masks[2 * pair : 2 * pair + 2]
        for k, j in np.ndindex(layer.positive.shape):
            units = [r for r in range(shapes[0][0]) if first[r, j]]
            for sign, error in ((1, layer.positive), (-1, layer.negative)):
                own = [r for r in units if u[r][j] * sign > 0]
                t = sum(u[r][j] * v[k][r] for r in own if locked[k, r])
                free = sum(u[r][j] * v[k][r] for r in own if second[k, r] and not locked[k, r])
                assert int(error[k, j]) == t + free - int(layer.target.weight[k, j])
                shifted += t != 0
    assert shifted > 20


def test_the_report_tells_the_residuals_that_the_masks_have():
    g = otsuka.source(DEEP, 0.1, 0.1, 4, 12)
    made = otsuka.construct(DEEP, g, 0.1, question=nearest)
    errors = collapse(DEEP, made.ticket)
    residuals = [np.abs(np.stack([errors[0].positive, errors[0].negative])), np.abs(errors[1].positive)]
    for report, found, tolerance in zip(made.reports, residuals, made.tolerances, strict=True):
        assert (report.count, report.worst) == (found.size, int(found.max()))
        assert report.failed == int((found > tolerance).sum())
    kept = [
        first[:, : layer.inputs].astype(int) for first, layer in zip(made.ticket.masks[::2], DEEP.layers, strict=True)
    ]
    sizes = [int((m.astype(int) @ f).sum()) for m, f in zip(made.ticket.masks[1::2], kept, strict=True)]
    assert [report.sizes for report in made.reports] == sizes


def test_a_question_is_never_asked_of_frozen_samples():
    seen = []

    def spy(problem, tolerance):
        seen.append((problem.samples != 0).sum(axis=1).max())
        return nearest(problem, tolerance)

    g = otsuka.source(ONE, 0.1, 0.1, 4, 12, 0, 0.3, 0.3)
    made = otsuka.construct(ONE, g, 0.1, question=spy)
    pruned, locked = frozen(g, 1)
    dead, _ = frozen(g, 0)
    free = ~(pruned | locked)[0] & ~dead[:, 0]
    assert sum(seen) == int(free.sum())
    assert made.question == "spy"


def test_where_all_of_a_side_is_frozen_the_locked_samples_are_all_there_is():
    g = FrozenSource(4, (1, 4, 1), pruned=0.0, locked=1 - 2.0**-40)
    made = otsuka.construct(ONE, g, 0.1)
    assert made.reports[0].most == 0
    assert made.ticket.masks[1].all()


def test_locking_an_entry_outside_the_blocks_of_a_first_matrix_breaks_the_pair():
    g = Source(0, (2, 4, 1))
    first = np.array([[True, False], [True, False], [False, True], [False, True]])
    masks = (first, np.ones((1, 4), dtype=bool))
    target = Target.from_floats([[[0.5, 0.5]]])
    collapse(target, Ticket(g, masks))
    locked = first.copy()
    locked[0, 1] = True
    with pytest.raises(ValueError, match="keeps 2 incoming weights"):
        collapse(target, Ticket(g, (locked, masks[1])))


def test_a_source_whose_width_does_not_fit_the_channels_is_refused():
    target = Target.from_floats([[[0.5, 0.5]]])
    with pytest.raises(ValueError, match="not a multiple of the 2 channels"):
        prune_frozen_pair(target.layers[0], Source(0, (2, 5, 1)), 0, nearest, 1, block, lambda solved: None)


# Steering -------------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.integers(-2 * HALF, 2 * HALF), min_size=1, max_size=40),
    st.integers(-12 * HALF, 12 * HALF),
    st.integers(0, 6),
)
def test_steering_ends_within_one_half_if_the_reserve_adds_up(samples, target, spare):
    taken, left = steered(np.array([samples]), np.array([target]), spare)
    picked = [x for x, take in zip(samples, taken[0], strict=True) if take]
    assert int(left[0]) == target - sum(picked)
    assert not taken[0, :spare].any()
    own = sum(abs(x) for x in samples[spare:] if x * target > 0)
    if own >= abs(target) - HALF:
        assert abs(int(left[0])) <= HALF
    else:  # all of one sign are taken and it never crosses
        assert len(picked) == sum(x * target > 0 for x in samples[spare:])
        assert int(left[0]) * target > 0


@given(st.lists(st.integers(-2 * HALF, 2 * HALF), min_size=1, max_size=30), st.integers(-8 * HALF, 8 * HALF))
def test_steering_takes_a_run_from_the_end_and_leaves_every_sample_before_it(samples, target):
    taken, _ = steered(np.array([samples]), np.array([target]), 0)
    if taken.any():
        start = int(np.flatnonzero(taken[0])[0])
        again, left = steered(np.array([samples[start:]]), np.array([target]), 0)
        assert np.array_equal(again[0], taken[0, start:])
        assert abs(int(left[0])) <= HALF or not any(x * target > 0 for x in samples[:start])


# The bounds -----------------------------------------------------------------------------------------------------------


def test_without_freezing_the_number_is_that_of_dense_sources_and_without_locking_that_of_sparse_ones():
    assert otsuka.samples_needed(DEEP, 0.1, 0.1, 0.0, 0.0) == pensia.samples_needed(DEEP, 0.1, 0.1)
    assert otsuka.samples_needed(DEEP, 0.1, 0.1, 0.3, 0.0) == gadhikar.samples_needed(DEEP, 0.1, 0.1, 0.7)


@pytest.mark.parametrize("part", [(0.2, 0.2), (0.0, 0.5), (0.4, 0.05)])
def test_samples_needed_is_where_the_failure_bound_falls_to_delta(part):
    n = otsuka.samples_needed(DEEP, 0.1, 0.05, *part)
    assert otsuka.failure_bound(DEEP, n, 0.1, *part) <= 0.05 < otsuka.failure_bound(DEEP, n - 1, 0.1, *part)


def test_more_frozen_weights_ask_for_more_candidates():
    needed = [otsuka.samples_needed(DEEP, 0.1, 0.1, 0.1, b) for b in (0.1, 0.3, 0.5, 0.7)]
    assert needed == sorted(needed)
    assert otsuka.failure_bound(ONE, 3, 0.1, 0.5, 0.4) == 1.0


def test_the_bound_of_the_rows_is_the_sum_of_its_three_events():
    a, b, n, n_s, big, t, count = 0.2, 0.3, 2000, 900, 12.0, 0.01, 7
    free, lock = (1 - a) * (1 - a - b) / 2, (1 - a) * b / 2
    locked = 2 * math.exp(-(big**2) / (2 * (n * lock / 9 + big / 3)))
    pool = 2 * math.exp(-((n_s * free / 8 - big - 1) ** 2) / (2 * n_s * free / 18))
    cover = lueker.FAILURE.evaluate(epsilon=t, R=0.5, m=free * 0.375, n=n - n_s)
    found = otsuka.ROWS_FAILURE.evaluate(N=n, n_s=n_s, T=big, t=t, I=count, p_prune=a, p_lock=b)
    assert found == pytest.approx(count * (locked + pool + cover), rel=1e-12)


def rows_of_one_side(draws, rows, a, b, seed):
    """Products (draws, rows) of one side and the masks of its free and of its locked rows."""
    rng = np.random.default_rng(seed)
    u, v = rng.uniform(-1, 1, (draws, rows)), rng.uniform(-1, 1, (draws, rows))
    alive = (rng.random((draws, rows)) >= a) & (u > 0)
    kind = rng.random((draws, rows))
    return u * v, alive & (kind >= a + b), alive & (a <= kind) & (kind < a + b)


@pytest.mark.parametrize(("a", "b", "bound"), [(0.0, 0.9, 6.0), (0.2, 0.3, 4.5), (0.2, 0.3, 7.0)])
def test_sums_of_locked_samples_exceed_t_no_more_often_than_claimed(a, b, bound):
    # false alarm below 1e-3
    rows, draws = 200, 4000
    products, _, locked = rows_of_one_side(draws, rows, a, b, 1)
    found = int((np.abs(np.where(locked, products, 0).sum(axis=1)) > bound).sum())
    claimed = 2 * math.exp(-(bound**2) / (2 * (rows * (1 - a) * b / 18 + bound / 3)))
    assert excess_p_value(found, draws, claimed) > 1e-3


@pytest.mark.parametrize(("a", "b", "bound"), [(0.0, 0.0, 9.0), (0.2, 0.2, 3.0), (0.2, 0.5, 1.0)])
def test_reserves_fall_short_no_more_often_than_claimed(a, b, bound):
    rows, draws = 200, 4000
    products, free, _ = rows_of_one_side(draws, rows, a, b, 2)
    share = (1 - a) * (1 - a - b) / 2
    reach = np.where(free, products, 0)
    short = np.minimum(np.maximum(reach, 0).sum(axis=1), np.maximum(-reach, 0).sum(axis=1)) < bound + 1
    assert rows * share / 8 > bound + 1
    claimed = 2 * math.exp(-9 * (rows * share / 8 - bound - 1) ** 2 / (rows * share))
    assert excess_p_value(int(short.sum()), draws, claimed) > 1e-3


@pytest.mark.parametrize(("n_s", "bound"), [(60, 9.0), (60, 12.0), (30, 5.0)])
def test_reserves_of_uniform_samples_fall_short_no_more_often_than_claimed(n_s, bound):
    x = np.random.default_rng(3).uniform(-1, 1, (4000, n_s))
    short = np.minimum(np.maximum(x, 0).sum(axis=1), np.maximum(-x, 0).sum(axis=1)) < bound + 1
    assert n_s > 4 * (bound + 1)
    claimed = 2 * math.exp(-2 * (n_s / 4 - bound - 1) ** 2 / n_s)
    assert excess_p_value(int(short.sum()), 4000, claimed) > 1e-3


def test_the_moments_behind_the_bounds_are_exact():
    # of a product of U[0, 1] and U[-1, 1]: E X^2 = 1/9, E X+ = 1/8, E (X+)^2 = 1/18; of U[-1, 1]: E X+ = 1/4
    u1, u2, v1, v2 = Fraction(1, 2), Fraction(1, 3), Fraction(1, 4), Fraction(1, 6)  # E U, E U^2, E V+, E (V+)^2
    assert (u2 * 2 * v2, u1 * v1, u2 * v2) == (Fraction(1, 9), Fraction(1, 8), Fraction(1, 18))


def partly_locked_draws_that_fail(draws, n_lock, n_free, epsilon, seed):
    """Draws in which some z of [-1, 1] has no subset of the free samples within epsilon of z - T, by all subset sums.

    Samples are uniform on the odd multiples of 2^-10; the set of their sums is a whole number, one bit per sum.
    """
    unit, rng, failed = 1 << 10, np.random.default_rng(seed), 0
    for _ in range(draws):
        samples = (2 * rng.integers(-unit // 2, unit // 2, n_lock + n_free) + 1).tolist()
        t, free = sum(samples[:n_lock]), samples[n_lock:]
        zero = -sum(min(x, 0) for x in free)  # the sum s is bit zero + s
        sums = 1 << zero
        for x in free:
            sums |= sums << x if x > 0 else sums >> -x
        text = np.frombuffer(bin(sums)[:1:-1].encode(), dtype=np.uint8) == ord("1")
        near = np.flatnonzero(text) - zero + t
        edges = np.concatenate([[-(1 << 40)], near, [1 << 40]])
        gap = (edges[1:] > -unit) & (edges[:-1] < unit)
        left, right = edges[:-1][gap], edges[1:][gap]
        middles = np.clip((left + right) / 2, -unit, unit)
        failed += np.minimum(middles - left, right - middles).max() > epsilon * unit
    return int(failed)


@pytest.mark.parametrize(("n_lock", "n_s", "n", "bound", "epsilon"), [(8, 100, 40, 8.0, 0.1), (20, 90, 30, 10.0, 0.3)])
def test_partly_locked_subset_sums_fail_no_more_often_than_the_derived_bound(n_lock, n_s, n, bound, epsilon):
    claimed = otsuka.FAILURE.evaluate(n_lock=n_lock, n_s=n_s, n=n, T=bound, epsilon=epsilon)
    assert n_s > 4 * (bound + 1)
    assert claimed < 0.5
    assert excess_p_value(partly_locked_draws_that_fail(60, n_lock, n_s + n, epsilon, 0), 60, claimed) > 1e-3


def test_locked_samples_make_subset_sums_fail_more_often():
    # from below: 16 free samples nearly always serve [-1, 1] alone, and seldom beside 60 locked ones
    alone, beside = (partly_locked_draws_that_fail(60, n_lock, 16, 0.05, 0) for n_lock in (0, 60))
    assert binomial_interval(alone, 60, 0.99).high < binomial_interval(beside, 60, 0.99).low


@pytest.mark.parametrize("part", [(0.2, 0.2), (0.0, 0.5)])
def test_at_the_width_of_the_bound_no_more_draws_fail_than_delta_allows(part):
    # the theorem's own claim; false alarm below 1e-3
    failed = 0
    for seed in range(25):
        g = otsuka.source(ONE, 0.1, 0.1, seed, None, 0, *part)
        found = otsuka.certify(ONE, otsuka.construct(ONE, g, 0.1), 0.1, 0.1)
        assert all(check.holds for check in found.hypotheses)
        failed += found.verdict is not Verdict.HOLDS
    assert excess_p_value(failed, 25, 0.1) > 1e-3


def successes(samples, part, draws=40, epsilon=0.05):
    held = 0
    for seed in range(draws):
        g = otsuka.source(ONE, epsilon, 0.1, seed, samples, 0, *part)
        held += otsuka.construct(ONE, g, epsilon).failed == 0
    return held


def test_success_falls_with_the_free_share_and_comes_back_with_its_inverse():
    # 11 rows over two, hence about 11 candidates a side: nearly all succeed if all are free, few with half pruned twice
    whole, frozen_part = successes(11, (0.0, 0.0)), successes(11, (0.5, 0.0))
    assert binomial_interval(whole, 40, 0.99).low > binomial_interval(frozen_part, 40, 0.99).high
    # as many free candidates as before: 11 / (1/2)^2 = 44 rows over two
    back = successes(44, (0.5, 0.0))
    assert binomial_interval(back, 40, 0.99).low > binomial_interval(frozen_part, 40, 0.99).high


def test_locked_samples_cost_more_than_the_free_share_alone():
    # about 11 free candidates a side in both, but a target that is moved in the second
    free, moved = successes(11, (0.0, 0.0), draws=120), successes(22, (0.0, 0.5), draws=120)
    assert binomial_interval(free, 120, 0.99).low > binomial_interval(moved, 120, 0.99).high


def test_far_below_the_width_of_the_bound_most_draws_fail():
    assert binomial_interval(successes(4, (0.2, 0.2)), 40, 0.99).high < 0.5


# Memory ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("part", [(0.0, 0.0), (0.3, 0.0), (0.2, 0.5)])
def test_a_ticket_is_stored_by_its_free_entries_and_saves_the_frozen_share(part):
    g = otsuka.source(DEEP, 0.1, 0.1, 3, 40, 0, *part)
    ticket = otsuka.construct(DEEP, g, 0.1, question=nearest).ticket
    stored = free_bits(ticket)
    again = from_free_bits(g, stored)
    assert all(np.array_equal(a, b) for a, b in zip(ticket.masks, again.masks, strict=True))
    assert stored.size == -(-free_entries(g) // 8)
    share = 1 - free_entries(g) / g.parameters
    frozen_count = sum(int((p | k).sum()) for p, k in (frozen(g, i) for i in range(g.depth)))
    assert share == pytest.approx(frozen_count / g.parameters)
    second = sum(g.shapes[i][0] * g.shapes[i][1] for i in (1, 3)) / g.parameters
    assert abs(share - (part[0] + part[1] * second)) < 0.04


def test_masks_that_touch_a_frozen_entry_are_counted_and_cannot_be_stored():
    g = FrozenSource(3, (2, 8, 2), pruned=0.4, locked=0.2)
    everything = Ticket(g, tuple(np.ones(shape, dtype=bool) for shape in g.shapes))
    assert changed(everything) == sum(int(frozen(g, i)[0].sum()) for i in range(2))
    with pytest.raises(ValueError, match=r"change \d+ frozen entries"):
        free_bits(everything)


@pytest.mark.parametrize("stored", [np.zeros(1, dtype=np.uint8), np.zeros(4, dtype=np.int64)])
def test_the_wrong_number_or_kind_of_bytes_is_refused(stored):
    with pytest.raises(ValueError, match="free entries, so"):
        from_free_bits(FrozenSource(3, (2, 8, 2)), stored)


# The certificate ------------------------------------------------------------------------------------------------------


def test_the_module_is_a_theorem_and_its_certificate_brackets_the_error():
    module: Theorem = otsuka
    found = verify(module, DEEP, 0.1, 0.1, seed=0)
    assert found.verdict is Verdict.HOLDS
    assert found.error.lower <= found.error.upper <= 0.1
    names = [check.name for check in found.hypotheses]
    assert names[-1] == "frozen entries that the masks change"
    assert all(check.holds for check in found.hypotheses)


def test_a_ticket_of_an_unfrozen_construction_is_caught_by_the_check_on_frozen_entries():
    g = otsuka.source(ONE, 0.1, 0.1, 0, 20)
    made = pensia.construct(ONE, g, 0.1, question=nearest)
    check = otsuka.certify(ONE, made, 0.1, 0.1).hypotheses[-1]
    assert check.value == changed(made.ticket) > 0
    assert not check.holds


def test_a_plain_source_is_pruned_as_one_with_nothing_frozen():
    plain = pensia.source(DEEP, 0.1, 0.1, 2, samples=25)
    bare = FrozenSource(2, plain.widths)
    a, b = (otsuka.construct(DEEP, g, 0.1, question=nearest).ticket for g in (plain, bare))
    assert all(np.array_equal(x, y) for x, y in zip(a.masks, b.masks, strict=True))
    assert replace(bare, trial=1) != bare

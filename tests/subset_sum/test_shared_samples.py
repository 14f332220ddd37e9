"""Many targets over one sample set: the answers of the single instances."""

import naive
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.subset_sum import Status, SubsetSums, any_within, best
from slth.subset_sum.shared_samples import SharedSubsets, any_for_all, nearest_for_all

LEAST_BYTES = 12 << 10


def products(n, seed=0):
    u, v = 2 * np.random.default_rng((seed, n)).integers(-(2**23), 2**23, (2, n)) + 1
    return u * v


def copied(samples, targets):
    return SubsetSums(np.tile(samples, (len(targets), 1)), targets)


def canonical(samples, target):
    """The mask that the rule names: least distance, then the sum above, then the smallest mask."""
    sums = naive.all_sums(samples[None])[0]
    return min(range(len(sums)), key=lambda mask: (abs(sums[mask] - target), sums[mask] < target, mask))


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=7), st.lists(st.integers(-90, 90), max_size=6))
def test_the_answer_is_the_one_that_the_rule_names(samples, targets):
    samples, targets = np.array(samples, dtype=np.int64), np.array(targets, dtype=np.int64)
    expected = [canonical(samples, target) for target in targets]
    assert nearest_for_all(samples, targets).masks.tolist() == expected


@pytest.mark.parametrize("n", [12, 13, 16])
def test_a_small_table_gives_the_masks_of_a_large_one(n):
    """Few different sums, so that the ties of all kinds occur, and the samples beyond the table take part."""
    rng = np.random.default_rng(n)
    samples, targets = rng.integers(-9, 10, n), rng.integers(-60, 60, 200)
    whole, cut = nearest_for_all(samples, targets), nearest_for_all(samples, targets, LEAST_BYTES)
    assert (whole.masks == cut.masks).all()
    assert whole.masks[:20].tolist() == [canonical(samples, target) for target in targets[:20]]


@pytest.mark.parametrize("n", [1, 10, 17, 21])
def test_every_target_comes_as_near_as_the_single_minimiser(n):
    samples = products(n)
    targets = np.random.default_rng(n).integers(-(2**48), 2**48, 3000)
    shared, single = nearest_for_all(samples, targets), best(copied(samples, targets))
    assert (np.abs(shared.residuals) == np.abs(single.residuals)).all()
    assert (shared.status == Status.FOUND).all()


@pytest.mark.parametrize("n", [26, 34])
def test_samples_beyond_the_table_take_part(n):
    samples = products(n)
    targets = np.random.default_rng(n).integers(-(2**48), 2**48, 3)
    answers = nearest_for_all(samples, targets, 12 << 18)
    assert (np.abs(answers.residuals) == np.abs(best(copied(samples, targets)).residuals)).all()


def test_planted_subsets_of_many_samples_are_found():
    samples = products(36)
    planted = np.random.default_rng(1).random((3, 36)) < 0.5
    answers = nearest_for_all(samples, planted @ samples)
    assert answers.residuals.tolist() == [0, 0, 0]
    assert answers.sizes.tolist() == np.bitwise_count(answers.masks).tolist()


def test_an_answer_depends_on_its_target_alone():
    samples = products(15)
    targets = np.random.default_rng(2).integers(-(2**48), 2**48, 300)
    together = nearest_for_all(samples, targets)
    order = np.random.default_rng(3).permutation(300)
    assert (nearest_for_all(samples, targets[order]).masks == together.masks[order]).all()
    assert [nearest_for_all(samples, targets[i : i + 1]).masks[0] for i in range(20)] == together.masks[:20].tolist()
    tolerance = 2**36
    some = any_for_all(samples, targets, tolerance)
    assert (any_for_all(samples, targets[order], tolerance).masks == some.masks[order]).all()


def test_residuals_are_those_of_the_masks():
    samples = products(21)
    targets = np.random.default_rng(4).integers(-(2**48), 2**48, 50)
    answers = nearest_for_all(samples, targets)
    for mask, target, residual in zip(answers.masks, targets, answers.residuals, strict=True):
        assert residual == naive.exact_residual(samples, target, [int(mask) >> i & 1 for i in range(21)])


@given(
    st.lists(st.integers(-30, 30), min_size=1, max_size=9),
    st.lists(st.integers(-150, 150), max_size=8),
    st.integers(0, 40),
    st.sampled_from([0, 1 << 20]),
)
def test_any_within_is_found_exactly_where_there_is_one(samples, targets, tolerance, max_bytes):
    samples, targets = np.array(samples, dtype=np.int64), np.array(targets, dtype=np.int64)
    answers = any_for_all(samples, targets, tolerance, max_bytes)
    nearest = naive.distances(np.tile(samples, (len(targets), 1)), targets).min(axis=1, initial=1 << 60)
    assert ((answers.status == Status.FOUND) == (nearest <= tolerance)).all()
    assert ((answers.status == Status.IMPOSSIBLE) == (nearest > tolerance)).all()
    assert (np.abs(answers.residuals[answers.status == Status.FOUND]) <= tolerance).all()


@pytest.mark.parametrize("tolerance", [2**30, 2**38, 2**44, 2**62])
def test_any_within_agrees_with_single_instances_on_who_has_one(tolerance):
    samples = products(16)
    targets = np.random.default_rng(5).integers(-(2**50), 2**50, 500)
    assert (
        any_for_all(samples, targets, tolerance).status == any_within(copied(samples, targets), tolerance).status
    ).all()


def test_the_cells_answer_for_the_longest_rows():
    samples = products(64)
    targets = np.random.default_rng(6).integers(-(2**47), 2**47, 2000)
    answers = any_for_all(samples, targets, 2**30)
    assert (answers.status == Status.FOUND).all()
    assert (answers.masks >> np.uint64(63)).max() <= 1


@pytest.mark.parametrize(("n", "tolerance"), [(36, 2**18), (41, 2**30)])
def test_long_rows_are_answered_without_cells(n, tolerance):
    samples = products(n)
    targets = np.array([2**46, 1 << 59])
    assert any_for_all(samples, targets, tolerance, max_bytes=0).status.tolist() == [Status.FOUND, Status.IMPOSSIBLE]


def test_long_rows_that_nothing_decides_stay_unresolved():
    samples = 2 * products(41)  # even sums only
    assert any_for_all(samples, np.array([1]), 0).status.tolist() == [Status.UNRESOLVED]


def test_sums_next_to_the_limit_do_not_overflow():
    half = 1 << 58
    samples, targets = np.array([half, half, -half]), np.array([2 * half - 1, -2 * half + 1, 0])
    assert nearest_for_all(samples, targets).residuals.tolist() == [1, half - 1, 0]
    assert any_for_all(samples, targets, 1).status.tolist() == [0, 1, 0]
    assert any_for_all(samples, targets, 1 << 62).status.tolist() == [0, 0, 0]


def test_no_targets_have_no_answers():
    empty = np.empty(0, dtype=np.int64)
    assert nearest_for_all(np.array([1, 2]), empty).masks.shape == (0,)
    assert any_for_all(np.array([1, 2]), empty, 1).masks.shape == (0,)


@pytest.mark.parametrize("ask", [nearest_for_all, lambda samples, targets: any_for_all(samples, targets, 1)])
def test_what_makes_no_question_is_refused(ask):
    one = np.array([1])
    for samples, targets in ((np.array([0.5]), one), (one, [1])):
        with pytest.raises(TypeError, match="int64 array of grid integers"):
            ask(samples, targets)
    for samples, targets in ((one[None], one), (one, one[None])):
        with pytest.raises(ValueError, match="expected shared samples"):
            ask(samples, targets)
    for samples in (one[:0], np.ones(65, dtype=np.int64)):
        with pytest.raises(ValueError, match="shared samples; got"):
            ask(samples, one)
    with pytest.raises(ValueError, match="could overflow"):
        ask(np.array([1 << 60]), np.array([5, -(1 << 60)]))


def test_sizes_and_tolerances_out_of_range_are_refused():
    one = np.array([1])
    with pytest.raises(ValueError, match="from 1 to 48 shared samples; got 49"):
        nearest_for_all(np.ones(49, dtype=np.int64), one)
    with pytest.raises(ValueError, match="max_bytes >= 12288"):
        nearest_for_all(products(12), one, LEAST_BYTES - 1)
    with pytest.raises(TypeError, match="tolerance must be an integer"):
        any_for_all(one, one, 0.5)
    with pytest.raises(ValueError, match="tolerance must be >= 0"):
        any_for_all(one, one, -1)


@pytest.mark.parametrize(
    ("masks", "status", "message"),
    [
        (np.array([1], np.int64), np.zeros(1, np.uint8), "masks must be uint64"),
        (np.array([1, 1], np.uint64), np.zeros(1, np.uint8), "masks must be uint64"),
        (np.array([1], np.uint64), np.zeros(1, np.int64), "status must be uint8"),
        (np.array([4], np.uint64), np.zeros(1, np.uint8), "beyond the last of 2"),
        (np.array([1], np.uint64), np.ones(1, np.uint8), "must have an empty mask"),
    ],
)
def test_answers_that_do_not_fit_are_refused(masks, status, message):
    with pytest.raises(ValueError, match=message):
        SharedSubsets(np.array([1, 2]), np.array([1]), masks, status)


def test_a_wrong_subset_is_reported_as_a_bug(monkeypatch):
    from slth.subset_sum import shared_samples

    def lie(base, shift, sums, masks, used, targets, tolerance, answers, found):
        answers[:], found[:] = 0, True

    monkeypatch.setattr(shared_samples.tables, "look_up", lie)
    with pytest.raises(AssertionError, match="please report this as a bug"):
        any_for_all(np.array([3, 9]), np.array([9]), 1)


def test_a_million_targets_share_one_table():
    samples = products(21)
    targets = np.random.default_rng(7).integers(-(2**47), 2**47, 10**6)
    answers = nearest_for_all(samples, targets)
    some = np.arange(0, 10**6, 5000)
    assert (np.abs(answers.residuals[some]) == np.abs(best(copied(samples, targets[some])).residuals)).all()

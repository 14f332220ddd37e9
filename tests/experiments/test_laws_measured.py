"""The measured laws: rows against slow transcriptions, bounds on their sides, heuristics near what is measured."""

import math

import naive
import numpy as np
import pytest

from slth.confidence import Interval
from slth.experiments import law_samples, laws, ticket_counts
from slth.laws import Product, Uniform
from slth.randomness import bits, stream_number
from slth.theorems.lueker1998_subset_sum import worst_error

ONE_SIDED = Uniform(0.0, 1.0)
BOTH = pytest.mark.parametrize("law", [Uniform(), Product()], ids=["uniform", "product"])


# Samples and records


def test_samples_are_those_of_the_stream():
    uniform = law_samples.draw_samples(Uniform(), 3, 5, seed=7, trial=2)
    assert (uniform == Uniform().weights(bits(7, stream_number(2, 0), 0, 15)).reshape(3, 5)).all()
    product = law_samples.draw_samples(Product(), 3, 5, seed=7, trial=2)
    other = Uniform().weights(bits(7, stream_number(2, 1), 0, 15)).reshape(3, 5)
    assert (product == uniform * other).all()


@pytest.mark.parametrize(("draws", "n"), [(0, 3), (3, 0)])
def test_no_samples_are_refused(draws, n):
    with pytest.raises(ValueError, match="at least one draw"):
        law_samples.draw_samples(Uniform(), draws, n, seed=0, trial=0)


def test_the_second_moment_is_that_of_the_drawn_samples():
    for law in (Uniform(), Uniform(-0.5, 0.5), Product(), Product(ONE_SIDED, Uniform())):
        samples = law_samples.draw_samples(law, 1, 40_000, seed=1, trial=0)[0] * 2.0 ** -law_samples.grid_exponent(law)
        assert (samples**2).mean() == pytest.approx(law_samples.second_moment(law), rel=0.03)


def test_an_interval_becomes_three_columns():
    row = laws.FailureRow("law", 0.5, 0.1, 3, 9, 2, Interval(0.1, 0.2, 0.3, 0.95), 1.0, 0.25, None)
    (entry,) = law_samples.records([row])
    assert [entry[f"probability{end}"] for end in ("_low", "", "_high")] == [0.1, 0.2, 0.3]
    assert (entry["decay"], entry["failures"]) == (None, 2)
    assert law_samples.records([]) == []


def test_an_interval_that_one_row_lacks_keeps_its_columns():
    missing = laws.FailureRow("law", 0.5, 0.1, 3, 9, 2, Interval(0.1, 0.2, 0.3, 0.95), 1.0, 0.25, None)
    given = laws.FailureRow("law", 0.5, 0.1, 4, 9, 2, Interval(0.1, 0.2, 0.3, 0.95), 1.0, 0.25, missing.probability)
    for rows in ([missing, given], [given, missing]):
        first, second = law_samples.records(rows)
        assert list(first) == list(second)
        assert {first["decay_low"], second["decay_low"]} == {0.1, None}


# The median of the best error


@BOTH
def test_the_median_is_that_of_all_subsets(law):
    (row,) = laws.median_errors(law, ns=[7], draws=51, seed=3)
    exponent = law_samples.grid_exponent(law)
    samples = law_samples.draw_samples(law, 51, 7, seed=3, trial=7)
    nearest = naive.distances(samples, np.full(51, 1 << (exponent - 2))).min(axis=1)
    assert row.error.estimate == np.median(nearest) * 2.0**-exponent
    assert (row.n, row.target, row.draws) == (7, 0.25, 51)


@BOTH
def test_the_heuristic_median_is_within_a_quarter_from_ten_samples_on(law):
    for row in laws.median_errors(law, ns=range(10, 21, 2), draws=1000):
        assert 0.75 * row.predicted < row.error.high
        assert row.error.low < 1.25 * row.predicted


def test_a_median_that_the_grid_does_not_resolve_is_refused():
    with pytest.raises(ValueError, match="no longer resolves"):
        laws.median_errors(Uniform(), ns=[21], draws=2)
    assert laws.median_errors(Product(), ns=[21], draws=2)


@pytest.mark.parametrize("target", [0.0, math.nan])
def test_targets_that_say_nothing_are_refused(target):
    with pytest.raises(ValueError, match="finite target other than 0"):
        laws.median_errors(target=target)


# Covering a window


@BOTH
@pytest.mark.parametrize("epsilon", [0.2, 0.05])
def test_covering_numbers_are_the_first_lengths_without_a_worse_target(law, epsilon):
    draws, most = 12, 9
    exponent = law_samples.grid_exponent(law)
    samples = law_samples.draw_samples(law, most, draws, seed=5, trial=0).T
    for row, number in zip(samples, laws.covering_numbers(law, epsilon, 0.5, draws, most, 5), strict=True):
        errors = [worst_error(np.ascontiguousarray(row[:n]), 1 << (exponent - 1))[0] for n in range(1, most + 1)]
        covered = [n for n, error in enumerate(errors, start=1) if error <= epsilon * 2**exponent]
        assert number == (covered[0] if covered else math.inf)


def test_longer_sequences_begin_like_shorter_ones():
    short, long = (laws.covering_numbers(Uniform(), 0.1, 0.5, 50, most, 6) for most in (7, 14))
    assert (np.where(long <= 7, long, math.inf) == short).all()


def test_fixed_sizes_need_more_samples_than_any_size():
    free = laws.covering_numbers(Uniform(), 0.1, 0.5, 40, 20, 8)
    for k in (1, 3, 5):
        assert (laws.covering_numbers(Uniform(), 0.1, 0.5, 40, 20, 8, k) >= free).all()


@BOTH
def test_the_smallest_n_lies_between_counting_and_the_theorem(law):
    rows = laws.smallest_samples(law, epsilons=[0.1, 0.02], draws=60)
    for row in rows:
        assert row.counting <= row.n.low <= row.n.estimate <= row.n.high < row.theorem
        assert row.success.estimate >= row.level == 0.9
    assert rows[0].n.estimate < rows[1].n.estimate
    assert [row.counting for row in rows] == [3, 5]


def test_sequences_that_are_too_short_are_said_to_be():
    (row,) = laws.smallest_samples(epsilons=[0.001], draws=20, most=8)
    assert row.n.estimate == row.n.high == math.inf
    assert row.success.estimate == 0
    (fixed,) = laws.smallest_samples(epsilons=[0.1], draws=20, k=3)
    assert fixed.n.estimate < 22
    assert (fixed.k, fixed.theorem, fixed.counting) == (3, None, 5)


@BOTH
def test_failures_lie_between_the_bounds(law):
    rows = laws.failure_probabilities(law, ns=range(2, 19), draws=2000)
    for row in rows:
        assert row.lower <= row.probability.high
        assert row.probability.low <= row.upper
        assert row.probability.estimate == row.failures / 2000
    failures = [row.failures for row in rows]
    assert failures == sorted(failures, reverse=True)
    later = rows[5]
    assert later.decay.estimate == failures[5] / failures[4]
    assert rows[-1].upper < 1 or law == Product()


def test_no_decay_is_stated_where_nothing_failed_before():
    rows = laws.failure_probabilities(ns=[12, 13], epsilon=0.45, draws=20)
    assert [row.decay for row in rows] == [None, None]


def test_counting_proves_failure_of_short_sequences():
    (row,) = laws.failure_probabilities(ns=[2], epsilon=0.01, draws=5)
    assert (row.lower, row.failures) == (1.0, 5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilon": 0.0}, "epsilon > 0"),
        ({"epsilon": math.nan}, "epsilon > 0"),
        ({"window": 0.0}, "window in"),
        ({"window": 1e9}, "window in"),
        ({"most": 0}, "at least one sample"),
        ({"most": 29}, "at most 2\\^28 subsets"),
        ({"k": 0}, "size k of the subsets"),
        ({"k": 11}, "size k of the subsets"),
        ({"law": ONE_SIDED}, "symmetric about 0; got U\\[0, 1\\]"),
        ({"law": Product(ONE_SIDED, ONE_SIDED)}, "symmetric about 0"),
        ({"draws": 0}, "at least one draw"),
    ],
)
def test_sequences_that_decide_nothing_are_refused(changes, message):
    arguments = {"law": Uniform(), "epsilon": 0.1, "window": 0.5, "draws": 3, "most": 10, "seed": 0} | changes
    with pytest.raises(ValueError, match=message):
        laws.covering_numbers(**arguments)


@pytest.mark.parametrize("epsilon", [0.0, 0.5, math.nan])
def test_windows_that_nothing_covers_are_refused(epsilon):
    with pytest.raises(ValueError, match="0 < epsilon < window"):
        laws.failure_probabilities(epsilon=epsilon)


# Counts


@BOTH
def test_counts_are_those_of_all_subsets(law):
    counts, _ = ticket_counts.counted(law, 8, 0.01, 0.25, draws=30, seed=2)
    exponent = law_samples.grid_exponent(law)
    samples = law_samples.draw_samples(law, 30, 8, seed=2, trial=8)
    distances = naive.distances(samples, np.full(30, 1 << (exponent - 2)))
    assert counts.tolist() == (distances <= math.floor(0.01 * 2**exponent)).sum(axis=1).tolist()


@BOTH
def test_the_moments_of_the_ratio_are_near_their_limits(law):
    rows = {row.quantity: row for row in ticket_counts.count_moments(law, draws=2000)}
    mean, variance, second, logarithm, correlation = rows.values()
    assert mean.measured == pytest.approx(1, abs=0.05)
    assert variance.measured == pytest.approx(variance.predicted, abs=0.06)
    assert second.measured == pytest.approx(second.predicted, abs=0.04)
    assert logarithm.measured == pytest.approx(logarithm.predicted, abs=0.05)
    assert correlation.measured > 0.98


@BOTH
def test_the_distribution_of_the_ratio_is_near_its_limit(law):
    rows = ticket_counts.count_distribution(law, draws=2000)
    assert max(abs(row.share.estimate - row.predicted) for row in rows if row.level <= 1) < 0.05
    shares = [row.share.estimate for row in rows]
    assert shares == sorted(shares)


def test_the_limit_has_mean_one_and_its_variance():
    y = np.linspace(0, math.sqrt(2), 200_001)
    tail = 1 - np.array([ticket_counts.ratio_below(level) if level > 0 else 0.0 for level in y])
    step = y[1] - y[0]
    assert (tail.sum() - tail[0] / 2) * step == pytest.approx(1, abs=1e-4)
    assert 2 * (tail * y).sum() * step - 1 == pytest.approx(2 / math.sqrt(3) - 1, abs=1e-4)


@BOTH
def test_the_mixed_poisson_law_is_nearer_than_the_plain_one(law):
    for row in ticket_counts.absence(law, ns=[12, 14, 16]):
        assert abs(row.share.estimate - row.mixed) < abs(row.share.estimate - row.plain)
        assert row.plain < row.share.low
        assert row.mean == pytest.approx(ticket_counts.expected_count(law, row.n, 1e-3, 0.25))


def test_a_mixed_poisson_law_without_intensity_is_certain_and_falls():
    values = [ticket_counts.mixed_poisson_zero(mean) for mean in (0.0, 0.1, 1.0, 10.0, 1000.0)]
    assert values[0] == pytest.approx(1, abs=1e-12)
    assert values == sorted(values, reverse=True)
    # E exp(-Y mean) = 1 - mean + mean^2 E Y^2 / 2 - ..., with E Y^2 = 2 / sqrt 3.
    assert ticket_counts.mixed_poisson_zero(1e-3) == pytest.approx(1 - 1e-3 + 1e-6 / math.sqrt(3), abs=1e-9)


def test_sizes_concentrate_as_their_law_says():
    rows = ticket_counts.counts_of_sizes(draws=1000)
    for row in rows[3:9]:
        assert row.mean == pytest.approx(row.predicted_mean, rel=0.08)
        assert row.spread == pytest.approx(row.predicted_spread, rel=0.05)
    assert rows[-1].predicted_spread == math.inf
    assert math.isnan(ticket_counts.counts_of_sizes(n=3, epsilon=1e-6, draws=2)[0].spread)


@pytest.mark.parametrize("target", [math.inf, math.nan])
def test_counts_need_a_finite_target(target):
    with pytest.raises(ValueError, match="finite target"):
        ticket_counts.absence(target=target, draws=2)


def test_counts_without_a_law_are_refused():
    with pytest.raises(ValueError, match="no moments"):
        ticket_counts.count_moments(n=3, epsilon=1e-6, draws=5)
    with pytest.raises(ValueError, match="no moments"):
        ticket_counts.count_moments(draws=1)
    with pytest.raises(ValueError, match="must be positive"):
        ticket_counts.ratio_below(0.0)
    with pytest.raises(ValueError, match="symmetric about 0"):
        ticket_counts.counts_of_sizes(ONE_SIDED)

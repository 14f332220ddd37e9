"""Every construction from both sides: the smallest number of candidates that works against what its theorem asks for.

Over epsilon, width, depth and, for subsets of a fixed size, density. A draw works if every subset sum meets its
tolerance, the event that the proofs bound. Failed draws count; nothing is drawn again.
"""

import math
from functools import cache
from itertools import pairwise

import pytest

import slth
from slth import theorems
from slth.confidence import binomial_interval, excess_p_value
from slth.fits import fit_constant
from slth.theorems import natale2024_sparse, pensia2020_subset_sum

DELTA, DRAWS, CONFIDENCE = 0.3, 40, 0.999
FALSE_ALARM = 1e-6
"""A true claim is rejected with at most this probability, per test case, over the choice of the seeds."""

POINTS = {
    "large epsilon": ((2, 1), 0.4),
    "small epsilon": ((2, 1), 0.05),
    "wide": ((4, 3), 0.4),
    "deep": ((2, 2, 1), 0.4),
}
SHARES = (0.5, 0.2)


def successes(module, widths, epsilon, samples, question=None):
    """Of DRAWS draws, those in which every subset sum meets its tolerance."""
    target = module.normalised(slth.random_target(list(widths), seed=1))
    sources = (module.source(target, epsilon, DELTA, seed, samples) for seed in range(DRAWS))
    return sum(module.construct(target, one, epsilon, question).failed == 0 for one in sources)


@cache
def smallest(module, point, share=None):
    """The largest power of 2, plus 1, that is too few by an exact interval, and the smallest that is enough by one."""
    widths, epsilon = POINTS[point]
    question = None if share is None else natale2024_sparse.exactly_k(share)
    low, samples = 1, 2
    while True:
        chance = binomial_interval(successes(module, widths, epsilon, samples, question), DRAWS, CONFIDENCE)
        if chance.high < 1 - DELTA:
            low = samples + 1
        if chance.low >= 1 - DELTA:
            return low, samples
        samples *= 2
        assert samples < 10**5


CASES = [(module, None) for module in theorems.CONSTRUCTIONS if module is not natale2024_sparse]
CASES += [(natale2024_sparse, share) for share in SHARES]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "share"), CASES, ids=lambda one: theorems.name(one) if hasattr(one, "NAME") else str(one)
)
@pytest.mark.parametrize("point", POINTS)
def test_what_the_theorem_asks_for_is_enough_and_something_below_it_is_not(module, share, point):
    widths, epsilon = POINTS[point]
    question = None if share is None else natale2024_sparse.exactly_k(share)
    failures = DRAWS - successes(module, widths, epsilon, None, question)
    assert excess_p_value(failures, DRAWS, DELTA) > FALSE_ALARM
    low, high = smallest(module, point, share)
    # Two candidates or copies are too few everywhere; powers of 2 leave a factor of 2, and the theorems more.
    assert 2 < low <= high


@pytest.mark.slow
def test_the_constant_of_pensia_over_epsilon_width_and_depth_is_a_fit_and_below_the_derived_one():
    module, low, high, f, derived = pensia2020_subset_sum, [], [], [], []
    for point, (widths, epsilon) in POINTS.items():
        ends = smallest(module, point)
        low.append(ends[0])
        high.append(ends[1])
        depth, most = len(widths) - 1, max(a * b for a, b in pairwise(widths))
        f.append(math.log(depth * most / min(epsilon, DELTA)))
        target = module.normalised(slth.random_target(list(widths), seed=1))
        derived.append(module.samples_needed(target, epsilon, DELTA))
    found = fit_constant(f, low, high, against=[1, 2, 3, 4], confidence=0.95)
    assert "fit" in found.sentence("points")
    assert all(n < needed for n, needed in zip(high, derived, strict=True))
    if found.value.low <= found.value.high:
        assert found.value.high < min(n / of for n, of in zip(derived, f, strict=True))

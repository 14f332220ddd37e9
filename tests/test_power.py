import math
from fractions import Fraction

import numpy as np
import pytest

from slth.confidence import excess_p_value
from slth.power import bonferroni, draws_without_failure, holm, power, trials_needed


def exact_power(trials, claimed, actual, level):
    """By enumeration of all outcomes, in rational arithmetic."""

    def law(p):
        return [math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(trials + 1)]

    under, true = law(claimed), law(actual)
    return sum(true[k] for k in range(trials + 1) if sum(under[k:]) <= level)


@pytest.mark.parametrize("trials", [1, 7, 20, 61])
def test_the_power_is_the_one_of_enumeration(trials):
    for claimed, actual in (
        (Fraction(1, 2), Fraction(3, 4)),
        (Fraction(7, 8), Fraction(31, 32)),
        (Fraction(1, 4), Fraction(1, 4)),
    ):
        wanted = exact_power(trials, claimed, actual, Fraction(1, 20))
        assert power(trials, float(claimed), float(actual), 0.05) == pytest.approx(float(wanted), rel=1e-10, abs=1e-300)


def test_the_size_of_the_test_is_at_most_its_level():
    for trials in range(1, 80):
        for p in (0.05, 0.5, 0.9):
            assert power(trials, p, p, 0.05) <= 0.05


def test_a_claim_of_0_or_1_is_tested_as_it_must_be():
    assert power(5, 0.0, 0.5) == 1 - 0.5**5  # one event refutes it
    assert power(5, 1.0, 1.0) == 0.0


def test_the_smallest_number_of_draws_has_the_power_and_one_less_has_not():
    for claimed, actual in ((0.5, 0.75), (0.95, 0.99)):
        found = trials_needed(claimed, actual, 0.05, 0.9)
        assert power(found, claimed, actual) >= 0.9
        assert all(power(fewer, claimed, actual) < 0.9 for fewer in range(1, found))


def test_draws_without_failure_are_the_fewest_that_show_the_claim():
    for claimed in (0.5, 0.1, 0.02):
        found = draws_without_failure(claimed, 0.05)
        assert excess_p_value(found, found, 1 - claimed) <= 0.05 < excess_p_value(found - 1, found - 1, 1 - claimed)
    assert draws_without_failure(0.999, 0.5) == 1


def test_holm_rejects_as_the_step_down_procedure_does():
    rng = np.random.default_rng(0)
    for _ in range(50):
        values = rng.uniform(size=6) ** 3
        for level in (0.01, 0.1, 0.3):
            rejected = np.zeros(6, dtype=bool)
            for step, i in enumerate(np.argsort(values)):
                if values[i] > level / (6 - step):
                    break
                rejected[i] = True
            assert ((holm(values) <= level) == rejected).all()
    assert holm([]).size == 0


def test_holm_keeps_the_family_wise_error_by_enumeration():
    # Three independent tests of true claims with equality, 6 draws each: 343 outcomes.
    trials, p, level = 6, 0.3, 0.2
    law = [math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(trials + 1)]
    tails = [excess_p_value(k, trials, p) for k in range(trials + 1)]
    wrong = sum(
        law[a] * law[b] * law[c]
        for a in range(trials + 1)
        for b in range(trials + 1)
        for c in range(trials + 1)
        if (holm([tails[a], tails[b], tails[c]]) <= level).any()
    )
    assert 0 < wrong <= level


def test_numbers_out_of_range_are_refused():
    for call in (
        lambda: power(0, 0.5, 0.6),
        lambda: power(5, 1.5, 0.6),
        lambda: power(5, 0.5, math.nan),
        lambda: power(5, 0.5, 0.6, 0.0),
        lambda: trials_needed(0.5, 0.5),
        lambda: trials_needed(0.5, 0.6, wanted=1.0),
        lambda: draws_without_failure(0.0),
        lambda: draws_without_failure(0.5, 1.0),
        lambda: holm([0.5, math.nan]),
        lambda: holm([[0.5]]),
        lambda: bonferroni(0.05, 0),
        lambda: bonferroni(1.0, 2),
    ):
        with pytest.raises(ValueError):
            call()


def test_hopelessly_near_probabilities_are_refused(monkeypatch):
    monkeypatch.setattr("slth.power.MOST", 2000)
    with pytest.raises(ValueError, match="further apart"):
        trials_needed(0.5, 0.5001)

import itertools
import math
from fractions import Fraction

import pandas as pd
import pytest

from slth.bounds import Direction
from slth.confidence import Interval
from slth.experiments.claims import Claim, claim
from slth.experiments.verdicts import (
    BoundVerdict,
    judge,
    judge_failures,
    one_test,
    verdicts_on_failures,
    verdicts_on_smallest_n,
)
from slth.fits import fit_constant
from slth.theorems.lueker1998_subset_sum import FAILURE_UNIFORM
from slth.theorems.pensia2020_lower import PARAMETERS
from slth.theorems.pensia2020_subset_sum import WIDTH

HOLDS, VIOLATED, UNDECIDED, VACUOUS = BoundVerdict


def at_most(value, trivial=1.0):
    return Claim("failure probability", Direction.UPPER, value, trivial=trivial)


@pytest.mark.parametrize(
    ("direction", "value", "trivial", "low", "high", "verdict"),
    [
        (Direction.UPPER, 0.5, 1, 0.1, 0.5, HOLDS),
        (Direction.UPPER, 0.5, 1, 0.6, 0.7, VIOLATED),
        (Direction.UPPER, 0.5, 1, 0.4, 0.6, UNDECIDED),
        (Direction.UPPER, 1.0, 1, 0.4, 0.6, VACUOUS),
        (Direction.UPPER, 7.0, 1, 0.4, 0.6, VACUOUS),
        (Direction.UPPER, math.inf, None, 0.4, 0.6, VACUOUS),
        (Direction.LOWER, 5, 0, 5, 9, HOLDS),
        (Direction.LOWER, 5, 0, 1, 4, VIOLATED),
        (Direction.LOWER, 5, 0, 1, 9, UNDECIDED),
        (Direction.LOWER, -1, 0, 1, 9, VACUOUS),
        (Direction.LOWER, -math.inf, None, 1, 9, VACUOUS),
        (Direction.HEURISTIC, 4, None, 2, 8, HOLDS),
        (Direction.HEURISTIC, 4, None, 9, 10, VIOLATED),
        (Direction.HEURISTIC, 4, None, 1, 1.9, VIOLATED),
        (Direction.HEURISTIC, 4, None, 1, 3, UNDECIDED),
        (Direction.HEURISTIC, 4, 1, 2, 8, HOLDS),
    ],
)
def test_the_direction_decides_the_verdict(direction, value, trivial, low, high, verdict):
    found = judge(Claim("x", direction, value, trivial=trivial), Interval(low, low, high, 0.95))
    assert found.verdict is verdict
    assert str(verdict) in found.sentence()
    assert ("wrong with probability at most 0.05" in found.sentence()) == (verdict in (HOLDS, VIOLATED))


def test_what_differs_by_rounding_only_is_not_violated():
    third = 1 / 3
    claimed = Claim("x", Direction.UPPER, third)
    assert judge(claimed, Interval(math.nextafter(third, 1), 0.5, 0.6, 0.95)).verdict is UNDECIDED
    below = Claim("x", Direction.LOWER, third)
    assert judge(below, Interval(0, 0.1, math.nextafter(third, 0), 0.95)).verdict is UNDECIDED


def test_a_measurement_beyond_what_counting_allows_is_said_to_be():
    for claimed, interval in (
        (at_most(0.5), Interval(1.5, 2, 3, 0.95)),
        (Claim("n", Direction.LOWER, 3, trivial=0), Interval(-3, -2, -1, 0.95)),
    ):
        found = judge(claimed, interval)
        assert found.verdict is VIOLATED
        assert "which counting rules out" in found.sentence()
    assert judge(at_most(1), Interval(1.5, 2, 3, 0.95)).verdict is VACUOUS


def test_empty_intervals_and_bad_claims_are_refused():
    for interval in (Interval(2, 1, 0, 0.9), Interval(math.nan, 1, 2, 0.9)):
        with pytest.raises(ValueError, match="need low <= high"):
            judge(at_most(0.5), interval)
    with pytest.raises(ValueError, match="at least one place"):
        judge(at_most(0.5), Interval(0, 0, 1, 0.9), places=0)
    for value, trivial, factor in ((math.nan, 1, 2), (1, math.nan, 2), (1, 1, 0.5), (1, 1, math.nan)):
        with pytest.raises(ValueError, match="needs numbers and a factor"):
            Claim("x", Direction.UPPER, value, trivial=trivial, factor=factor)


def wrong(verdict, true, claimed):
    """Whether a verdict on "true <= claimed" is wrong."""
    return verdict is (VIOLATED if true <= claimed else HOLDS)


@pytest.mark.parametrize("error", [0.05, 0.3])
@pytest.mark.parametrize("truth", [("1/4", "1/4", "1/4"), ("1/4", "17/64", "1/8"), ("0", "1/2", "9/32")])
def test_any_verdict_of_a_family_is_wrong_at_most_as_often_as_stated_by_enumeration(truth, error):
    # All 21^3 outcomes of 20 draws at three places, in rational arithmetic; claimed: at most 1/4 at each.
    draws, truth = 20, [Fraction(p) for p in truth]
    verdicts = [judge_failures([at_most(0.25)] * 3, [(k, draws)] * 3, error)[0].verdict for k in range(draws + 1)]
    laws = [[math.comb(draws, k) * p**k * (1 - p) ** (draws - k) for k in range(draws + 1)] for p in truth]
    false = [[k for k in range(draws + 1) if wrong(verdicts[k], p, Fraction(1, 4))] for p in truth]
    chance = Fraction(0)
    for place, other in itertools.product(range(draws + 1), repeat=2):
        free = [k for k in range(draws + 1) if place in false[0] or other in false[1] or k in false[2]]
        chance += laws[0][place] * laws[1][other] * sum(laws[2][k] for k in free)
    assert chance <= Fraction(error)


def test_verdicts_turn_from_holds_to_undecided_to_violated_as_failures_grow():
    order = [judge_failures([at_most(0.1)], [(k, 200)])[0].verdict for k in range(201)]
    assert [verdict for verdict, _ in itertools.groupby(order)] == [HOLDS, UNDECIDED, VIOLATED]
    turned = [
        judge_failures([Claim("failure probability", Direction.LOWER, 0.1)], [(k, 200)])[0].verdict for k in range(201)
    ]
    assert [verdict for verdict, _ in itertools.groupby(turned)] == [VIOLATED, UNDECIDED, HOLDS]


def test_an_undecided_claim_says_how_many_draws_without_a_failure_would_do():
    found = judge_failures([at_most(0.01)], [(0, 100)])[0]
    assert found.verdict is UNDECIDED
    assert "299 draws without a failure would show it" in found.sentence()
    found = judge_failures([at_most(0.01)], [(1, 100)])[0]
    assert found.verdict is UNDECIDED
    assert "more draws may decide" in found.sentence()


def test_claims_of_no_less_than_1_say_nothing_whatever_was_measured():
    for failures in (0, 50, 100):
        assert judge_failures([at_most(1.0, None)], [(failures, 100)])[0].verdict is VACUOUS
        below = Claim("failure probability", Direction.LOWER, 0.0)
        assert judge_failures([below], [(failures, 100)])[0].verdict is VACUOUS


def test_a_family_states_its_error():
    found = judge_failures([at_most(0.5)] * 4, [(0, 50)] * 4, 0.08)
    assert {one.error for one in found} == {0.02}
    assert found[0].family_wise_error == 0.08
    assert "any of the 4 verdicts with at most 0.08" in found[0].sentence()


def test_draws_without_a_result_count_against_either_verdict():
    # 0 of 100 would hold and 40 of 100 be violated; with 40 that may be either nothing is shown.
    assert one_test(at_most(0.1), 0, 0, 100, 0.05).verdict is HOLDS
    assert one_test(at_most(0.1), 40, 40, 100, 0.05).verdict is VIOLATED
    found = one_test(at_most(0.1), 0, 40, 100, 0.05)
    assert found.verdict is UNDECIDED
    assert found.measured.low == 0
    assert "40 of them without a result" in found.sentence()


def test_counts_claims_and_levels_are_checked():
    with pytest.raises(ValueError, match="as many counts"):
        judge_failures([at_most(0.1)], [])
    with pytest.raises(ValueError, match="at least one test"):
        judge_failures([], [])
    with pytest.raises(ValueError, match="between 0 and 1/2"):
        judge_failures([at_most(0.1)], [(1, 2)], 0.9)
    with pytest.raises(ValueError, match="heuristic"):
        judge_failures([Claim("x", Direction.HEURISTIC, 0.1)], [(1, 2)])
    with pytest.raises(TypeError, match="must be an integer"):
        judge_failures([at_most(0.1)], [(0.5, 2)])


def test_a_bound_of_a_theorem_becomes_a_claim_with_its_origin():
    found = claim(FAILURE_UNIFORM, {"epsilon": 0.01, "n": 60}, trivial=1)
    assert found.direction is Direction.UPPER
    assert found.value == FAILURE_UNIFORM.evaluate(epsilon=0.01, n=60)
    assert not found.vacuous
    assert claim(PARAMETERS, {"epsilon": 0.4, "d": 1}, trivial=0).vacuous  # log2(1.25) - 1 < 0


def test_a_constant_from_the_caller_is_named_as_such():
    values = {"C": 3, "d_in": 4, "d_out": 4, "L": 1, "epsilon": 0.1, "delta": 0.1}
    assert "C = 3 as supplied by the caller" in claim(WIDTH, values).origin


def test_a_bound_with_a_fitted_constant_is_a_heuristic_and_no_theorem():
    fitted = fit_constant([10, 20, 30], [5, 10, 15], [6, 11, 16], [1, 2, 3], 0.95)
    values = {"C": fitted, "d_in": 4, "d_out": 4, "L": 1, "epsilon": 0.1, "delta": 0.1}
    found = claim(WIDTH, values)
    assert found.direction is Direction.HEURISTIC
    assert "fitted: not its constant" in found.origin
    refuted = fit_constant([10, 20], [5, 40], [5, 40], [1, 2], 0.95)
    with pytest.raises(ValueError, match="no constant C fits"):
        claim(WIDTH, values | {"C": refuted})


def failures_table(*rows):
    return pd.DataFrame(rows, columns=["draws", "missing", "failures", "claimed"])


def test_a_table_of_failures_gets_verdicts_and_sentences():
    found = verdicts_on_failures(
        failures_table((300, 0, 0, 0.05), (300, 0, 90, 0.05), (60, 200, 0, 0.05), (9, 0, 1, 1.0))
    )
    assert list(found["verdict"]) == ["holds", "violated", "undecided", "vacuous"]
    assert "any of the 4 verdicts with at most 0.05" in found["sentence"][0]
    assert "200 of them without a result" in found["sentence"][2]


def test_a_table_of_smallest_n_gets_verdicts_and_sentences():
    rows = [(3, 5, 9, 0.95), (12, 14, 9, 0.95), (8, 12, 9, 0.95), (3, 5, None, 0.95), (math.nan, math.nan, 9, 0.95)]
    table = pd.DataFrame(rows, columns=["n_low", "n_high", "theorem_n", "confidence"])
    found = verdicts_on_smallest_n(table)
    assert list(found["verdict"]) == ["holds", "violated", "undecided", "vacuous", "undecided"]
    assert "the theorem names no n" in found["sentence"][3]
    assert "no result" in found["sentence"][4]
    assert set(verdicts_on_smallest_n(table, trivial=9)["verdict"][:3]) == {"vacuous"}


def test_tables_are_checked():
    with pytest.raises(ValueError, match="missing: \\['claimed'\\]"):
        verdicts_on_failures(failures_table((1, 0, 0, 0.5)).drop(columns="claimed"))
    with pytest.raises(ValueError, match="missing: rows"):
        verdicts_on_failures(failures_table())
    with pytest.raises(ValueError, match="theorem_n"):
        verdicts_on_smallest_n(pd.DataFrame({"n_low": [1]}))

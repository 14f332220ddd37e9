"""The search for the smallest n: its stopping rule errs no more often than it says, and it resumes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slth.confidence import excess_p_value
from slth.experiments import search, work
from slth.experiments.measure import measure
from slth.experiments.search import Judgement, Rule, bisected, most_judged, smallest_n
from slth.experiments.summaries import proved, sums_met

GRID = {"widths": (1, 1), "epsilon": 0.1, "delta": 0.2}


@given(st.integers(1, 3000), st.integers(0, 60), st.integers(1, 3000))
def test_the_bracket_is_the_undecided_stretch_and_few_n_are_judged(first, undecided, largest):
    enough, asked = first + undecided, []

    def judge(n):
        asked.append(n)
        return Judgement.TOO_FEW if n < first else Judgement.UNDECIDED if n < enough else Judgement.ENOUGH

    low, high = bisected(judge, largest)
    assert high == (enough if enough <= largest else math.inf)
    assert low == min(first, largest + 1)
    assert len(set(asked)) <= most_judged(largest)
    assert max(asked) <= largest


@pytest.mark.parametrize("offset", [0.0, 1e-9, -1e-9])
def test_one_n_is_judged_wrongly_no_more_often_than_stated(offset):
    """At the boundary, where errors are likeliest; 600 simulated runs, false alarm 1e-6."""
    rule, delta, largest = Rule(proved, 0.5, 256), 0.2, 2
    rng = np.random.default_rng(1)
    wrong = 0
    for _ in range(600):
        draws = (rng.random(256) < 1 - delta + offset).tolist()
        found = rule.judge(lambda m, draws=draws: draws[:m], largest, delta)
        wrong += found is (Judgement.TOO_FEW if offset >= 0 else Judgement.ENOUGH)
    assert excess_p_value(wrong, 600, rule.level(largest) * len(rule.looks)) > 1e-6


def test_the_interval_holds_the_smallest_n_as_often_as_stated():
    """Success probability 1 - 2^-n and delta = 0.1: the smallest n is 4. 200 simulated searches, false alarm 1e-6."""
    rule, largest = Rule(proved, 0.8, 512), 64
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(200):

        def judge(n):
            draws = (rng.random(512) >= 2.0**-n).tolist()
            return rule.judge(lambda m: draws[:m], largest, 0.1)

        known = {}
        low, high = bisected(lambda n, judge=judge, known=known: known.setdefault(n, known.get(n) or judge(n)), largest)
        missed += not low <= 4 <= high
    assert excess_p_value(missed, 200, 0.2) > 1e-6


def test_the_smallest_n_of_a_theorem_outside_the_package_is_bracketed(toy):
    """It fails with probability 2^-n, so 3 candidates are needed for 1 - delta = 0.8."""
    (found,) = smallest_n(toy, GRID).to_dict("records")
    assert found["status"] == "done"
    assert found["n_low"] <= 3 <= found["n_high"] <= 4
    assert found["theorem_n"] == 40


def test_a_search_resumes_without_drawing_again(toy, tmp_path, monkeypatch):
    whole = smallest_n(toy, GRID, tmp_path / "whole", most=128)
    original, chunks = work.measure_all, []

    def interrupted(chunk):
        chunks.append(len(chunk))
        if len(chunks) == 5:
            raise KeyboardInterrupt
        return original(chunk)

    monkeypatch.setattr(work, "measure_all", interrupted)
    with pytest.raises(KeyboardInterrupt):
        smallest_n(toy, GRID, tmp_path / "cut", most=128)
    again = smallest_n(toy, GRID, tmp_path / "cut", most=128)
    assert again.equals(whole)
    count = len(chunks)
    assert smallest_n(toy, GRID, tmp_path / "cut", most=128).equals(whole)
    assert len(chunks) == count
    assert sum(chunks) - chunks[4] == whole["draws"][0]


def test_draws_of_different_n_share_no_seed_and_draws_of_one_n_differ_in_their_trial(toy):
    one = search.Search(next(search.points(search.axes(toy, GRID))), Rule(proved, 0.95, 256), None)
    assert len({one.points(n, 1)[0]["seed"] for n in range(1, 50)}) == 49
    assert [point["trial"] for point in one.points(5, 4)] == [0, 1, 2, 3]
    assert one.points(5, 8)[:4] == one.points(5, 4)


def test_a_search_that_never_succeeds_has_no_upper_end(toy):
    (found,) = smallest_n(toy, GRID, success=never, largest=8).to_dict("records")
    assert (found["n_low"], found["n_high"]) == (9, math.inf)


def never(found):
    return False


def test_a_search_with_failed_draws_says_so_and_the_others_go_on(toy, monkeypatch):
    seed = search.Search(next(search.points(search.axes(toy, GRID))), Rule(proved, 0.95, 128), None)
    bad = seed.points(2, 1)[0]["seed"]
    original = toy.source

    def source(target, epsilon, delta, seed, samples=None, trial=0):
        if seed == bad:
            raise ValueError("no")
        return original(target, epsilon, delta, seed, samples, trial)

    monkeypatch.setattr(toy, "source", source)
    broken, whole = smallest_n(toy, {**GRID, "epsilon": [0.1, 0.2]}, most=128).to_dict("records")
    assert (broken["status"], whole["status"]) == ("failed", "done")
    assert math.isnan(broken["n_low"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"grid": {"samples": 3}}, "chooses samples by itself"),
        ({"grid": {"trial": 3}}, "chooses trial by itself"),
        ({"most": 8}, "most at least 16"),
        ({"confidence": 1.0}, "confidence in"),
        ({"largest": 0}, "must be at least 1"),
        ({"grid": {"delta": 0.001}}, r"allow about \d+ draws or more"),
    ],
)
def test_searches_that_can_decide_nothing_are_refused(toy, arguments, message):
    grid = GRID | arguments.pop("grid", {})
    with pytest.raises(ValueError, match=message):
        smallest_n(toy, grid, **arguments)


def test_more_candidates_than_the_bound_asks_for_are_never_needed():
    """Both definitions of success, for a real theorem: the measured n is at most the theorem's."""
    from slth.theorems import pensia2020_subset_sum as pensia

    found = smallest_n(pensia, {"widths": (1, 1), "epsilon": 0.2, "delta": 0.5}, most=16, success=sums_met)
    assert (found["n_high"] <= found["theorem_n"]).all()


@pytest.mark.parametrize("samples", [6, 9, 14])
def test_draws_of_a_search_have_the_verdicts_that_the_whole_effort_gives(samples):
    from slth.theorems import pensia2020_subset_sum as pensia

    grid = {"widths": (2, 2, 2), "epsilon": 0.2, "delta": 0.5}
    start = next(search.points(search.axes(pensia, grid)))
    drawn = search.Search(start, Rule(proved, 0.95, 16), None).points(samples, 12)
    known = [measure(point)["result"] for point in drawn]
    whole = [measure({name: v for name, v in point.items() if name != "effort"})["result"] for point in drawn]
    assert [found["verdict"] for found in known] == [found["verdict"] for found in whole]
    assert known != whole


def test_a_success_of_ones_own_sees_the_whole_effort(toy):
    start = next(search.points(search.axes(toy, GRID)))
    own = search.Search(start, Rule(lambda found: found["upper"] < 0.05, 0.95, 256), None)
    assert "effort" not in own.points(4, 1)[0]

"""Intervals: crossed ends are a bug and say so."""

import math

import numpy as np
import pytest

from slth.errors.interval import ContradictoryBounds, ErrorInterval, Lower, Upper, joined

X = np.zeros(2)


def interval(lower, upper):
    return ErrorInterval(lower, upper, "l2", "a ball", "search", "proof", X)


def test_crossed_ends_are_refused_as_a_bug_of_a_method():
    with pytest.raises(ContradictoryBounds, match=r"search.*proof.*bug"):
        interval(1.0, math.nextafter(1.0, 0.0))
    assert issubclass(ContradictoryBounds, RuntimeError)


def test_equal_ends_are_allowed():
    assert interval(1.0, 1.0).ratio == 1.0


def test_the_ratio_measures_what_is_not_known():
    assert interval(0.5, 2.0).ratio == 4.0
    assert interval(0.0, 0.0).ratio == 1.0
    assert interval(0.0, 1.0).ratio == math.inf


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_ends_that_are_no_errors_are_refused(value):
    for make in (
        lambda: Lower(value, X, "search"),
        lambda: Upper(value, "proof"),
        lambda: interval(0.0, value),
    ):
        with pytest.raises(ValueError, match="finite number"):
            make()
    with pytest.raises(ValueError, match="finite number"):
        interval(value, 1.0)


def test_joining_takes_the_best_pair_and_keeps_everything():
    lowers = (Lower(0.1, X, "a"), Lower(0.3, X + 1, "b"))
    uppers = (Upper(0.9, "c"), Upper(0.5, "d"))
    best = joined(lowers, uppers, "linf", "a box")
    assert (best.lower, best.upper, best.lower_method, best.upper_method) == (0.3, 0.5, "b", "d")
    assert best.ladder == (*lowers, *uppers)
    assert best.witness is lowers[1].witness


def test_joining_needs_ends_of_both_kinds():
    with pytest.raises(ValueError, match="both kinds"):
        joined((), (Upper(0.9, "c"),), "linf", "a box")
    with pytest.raises(ValueError, match="both kinds"):
        joined((Lower(0.1, X, "a"),), (), "linf", "a box")

"""Pensia et al. 2020, Theorem 2."""

import pytest

from slth.networks.examples import random_target
from slth.theorems import pensia2020_lower, pensia2020_subset_sum
from slth.theorems.certificate import Verdict
from slth.theorems.theorem import verify


def test_the_worked_example_needs_564_parameters():
    assert pensia2020_lower.PARAMETERS.evaluate(d=10, epsilon=0.01) == pytest.approx(563.3856, abs=1e-3)


def test_no_source_that_served_a_square_map_has_fewer_parameters_than_the_bound():
    for d in (2, 3, 4):
        target = pensia2020_subset_sum.normalised(random_target([d, d], seed=d))
        found = verify(pensia2020_subset_sum, target, 0.05, 0.1, seed=d, samples=16)
        needed = pensia2020_lower.PARAMETERS.evaluate(d=d, epsilon=0.05)
        assert found.verdict is not Verdict.HOLDS or found.construction.ticket.source.parameters >= needed

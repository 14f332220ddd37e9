"""Worked examples with known answers, for statements that have no file of their own yet.

The formula stands in the test. When a theorem file comes, its example moves to the file's test and is computed there.
"""

import math

import numpy as np
import pytest

from slth.gadget import collapse
from slth.networks.layers import Dense
from slth.networks.source import Source
from slth.networks.target import Target
from slth.networks.ticket import Ticket


def test_two_units_realise_one_weight_for_both_signs():
    # u = (1/2, -1/2), v = (1, -1) on the grid of odd integers: both products are a half up to 2^-23
    class Fixed:
        low, high = -1.0, 1.0

        def weights(self, bits):
            half, one = 2**23 + 1, 2**24 - 1
            return np.array([half, -half] if len(bits) == 2 and self.first() else [one, -one])

        calls = 0

        def first(self):
            Fixed.calls += 1
            return Fixed.calls == 1

    source = Source(0, (1, 2, 1), law=Fixed())
    ticket = Ticket(source, (np.ones((2, 1), dtype=bool), np.ones((1, 2), dtype=bool)))
    layer = collapse(Target((Dense.from_floats([[0.5]]),)), ticket)[0]
    assert abs(layer.plus.item()) < 2**-23
    assert layer.positive.item() == layer.negative.item()


def test_golden_ratio_greedy_takes_the_known_cells():
    g = (math.sqrt(5) - 1) / 2
    middle = [(g ** (k + 2) + g ** (k + 1)) / 2 for k in range(8)]
    rest, taken = 0.7, []
    for w in middle:
        taken.append(int(w <= rest))
        rest -= w if w <= rest else 0.0
    assert taken == [1, 0, 1, 0, 0, 0, 0, 0]
    assert rest == pytest.approx(0.00902, abs=1e-5)
    assert g**8 == pytest.approx(0.02129, abs=1e-5)
    assert rest <= g**8


def test_rows_for_matching_single_products():
    # e' = 0.05, 200 matches, delta = 0.1: N = (4 / e'^2) ln(200 / delta)
    assert math.ceil(4 / 0.05**2 * math.log(200 / 0.1)) == 12162


def test_samples_that_represent_every_small_integer():
    # integers uniform on {-128..128}: P(some |z| <= 128 is missed) <= 4 M^2 (3/4)^n
    assert math.ceil(math.log(4 * 128**2 / 0.1) / math.log(4 / 3)) == 47

"""Layers, errors and domains that do not belong together are refused."""

import numpy as np
import pytest
from problems import UNIT, effective

from slth.errors.chain import check_chain, ticket_matrix, ticket_shift
from slth.errors.domain import Ball
from slth.gadget import EffectiveLayer
from slth.networks.layers import Dense


def test_layers_that_do_not_chain_are_named():
    with pytest.raises(ValueError, match="layer 2 has 3 inputs but layer 1 has 1 outputs"):
        check_chain([effective(np.ones((1, 2))), effective(np.ones((1, 3)))], Ball(2))


def test_a_domain_of_another_dimension_is_named():
    with pytest.raises(ValueError, match=r"layer 1 has 2 inputs but the domain \(unit l2 ball in R\^5\)"):
        check_chain([effective(np.ones((1, 2)))], Ball(5))


def test_a_network_without_layers_is_refused():
    with pytest.raises(ValueError, match="at least one layer"):
        check_chain([], Ball(5))


@pytest.mark.parametrize("wrong", ["positive", "negative", "bias"])
def test_errors_of_the_wrong_shape_are_refused(wrong):
    good = {
        "positive": np.zeros((1, 2), np.int64),
        "negative": np.zeros((1, 2), np.int64),
        "bias": np.zeros(1, np.int64),
    }
    layer = EffectiveLayer(Dense.from_floats(np.ones((1, 2))), **(good | {wrong: np.zeros(7, np.int64)}))
    with pytest.raises(ValueError, match="layer 1 must have shapes"):
        check_chain([layer], Ball(2))


def test_sums_beyond_53_bits_are_refused_not_rounded():
    weight = np.array([[16 * UNIT - 1]])
    layer = EffectiveLayer(Dense(weight, weight[0]), weight + 16 * UNIT, weight, weight[0] + 16 * UNIT)
    for total in (ticket_matrix, ticket_shift):
        with pytest.raises(ValueError, match="2\\^53"):
            total(layer)


def test_the_ticket_matrix_is_exact():
    layer = effective([[1.0]], 2.0**-48, bias=[0.5], bias_error=2.0**-48)
    assert ticket_matrix(layer)[0, 0] - 1.0 == 2.0**-48
    assert ticket_shift(layer)[0] - 0.5 == 2.0**-48
    assert ticket_shift(effective([[1.0]], bias_error=0.25))[0] == 0.25

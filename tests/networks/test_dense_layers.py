import numpy as np
import pytest

from slth.networks.layers import Dense


def test_a_layer_holds_the_nearest_grid_values():
    layer = Dense.from_floats([[0.5, 2.0**-50]], [-0.25])
    assert layer.weight.tolist() == [[2**47, 0]]
    assert layer.bias.tolist() == [-(2**46)]
    assert (layer.outputs, layer.inputs) == (1, 2)


def test_the_bias_is_the_last_channel():
    layer = Dense.from_floats([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0])
    assert np.array_equal(layer.channels / 2.0**48, [[1, 2, 5], [3, 4, 6]])
    assert np.array_equal(layer.shift, [5.0, 6.0])
    without = Dense.from_floats([[1.0, 2.0]])
    assert without.channels is without.weight
    assert np.array_equal(without.shift, [0.0])


@pytest.mark.parametrize("weight", [[1.0], [[]], np.zeros((0, 3)), np.zeros((2, 2, 2)), 1.0])
def test_a_weight_that_is_no_matrix_is_refused(weight):
    with pytest.raises(ValueError, match="must be a matrix"):
        Dense.from_floats(weight)


def test_wrong_integers_are_refused():
    with pytest.raises(ValueError, match="int64 weight matrix"):
        Dense(np.zeros((2, 2), dtype=np.int32))
    with pytest.raises(ValueError, match=r"int64 of shape \(2,\)"):
        Dense(np.zeros((2, 3), dtype=np.int64), np.zeros(3, dtype=np.int64))
    with pytest.raises(ValueError, match=r"int64 of shape \(2,\)"):
        Dense(np.zeros((2, 3), dtype=np.int64), np.zeros(2))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 17.0])
def test_bad_values_are_refused_by_name(value):
    with pytest.raises(ValueError, match="fc1 must"):
        Dense.from_floats([[value]], name="fc1")
    with pytest.raises(ValueError, match="the bias beside fc1 must"):
        Dense.from_floats([[1.0]], [value], name="fc1")

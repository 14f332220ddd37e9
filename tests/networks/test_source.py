import numpy as np
import pytest
from drawn import weights
from hypothesis import given
from hypothesis import strategies as st

from slth.laws import Uniform
from slth.networks.source import Source

SOURCE = Source(seed=2**64 - 1, widths=(3, 11, 2, 5, 4), biased=(True, False, False, False), trial=9)


def test_shapes_include_the_column_of_biases():
    assert SOURCE.shapes == ((11, 4), (2, 11), (5, 2), (4, 5))
    assert SOURCE.parameters == 44 + 22 + 10 + 20
    assert SOURCE.depth == 4


@pytest.mark.parametrize("matrix", range(4))
def test_every_weight_is_the_philox_bit_of_its_place(matrix):
    shape = SOURCE.shapes[matrix]
    expected = weights(2**64 - 1, 9, matrix, shape)
    assert np.array_equal(SOURCE.rows(matrix, 0, shape[0]), expected)


@given(st.integers(0, 3), st.data())
def test_any_block_of_rows_has_the_same_bits(matrix, data):
    height = SOURCE.shapes[matrix][0]
    start = data.draw(st.integers(0, height))
    stop = data.draw(st.integers(start, height))
    assert np.array_equal(SOURCE.rows(matrix, start, stop), SOURCE.rows(matrix, 0, height)[start:stop])


@pytest.mark.parametrize("max_bytes", [1, 64, 100, 120, 1 << 20])
def test_chunks_cover_the_rows_in_order(max_bytes):
    for matrix, (height, columns) in enumerate(SOURCE.shapes):
        pieces = list(SOURCE.chunks(matrix, max_bytes))
        assert [start for start, _ in pieces] == list(np.cumsum([0, *(len(p) for _, p in pieces[:-1])]))
        assert np.array_equal(np.concatenate([p for _, p in pieces]), SOURCE.rows(matrix, 0, height))
        assert all(p.nbytes <= max(max_bytes, 8 * columns) for _, p in pieces)


def test_seeds_trials_and_matrices_have_different_bits():
    draws = [
        Source(seed, (4, 4, 4), trial=trial).rows(matrix, 0, 4)
        for seed in (0, 1)
        for trial in (0, 1)
        for matrix in (0, 1)
    ]
    assert len({draw.tobytes() for draw in draws}) == 8


def test_a_source_of_one_matrix_is_the_first_trial():
    one = Source(5, (3, 2))
    assert (one.shapes, one.trial) == (((2, 3),), 0)
    assert np.array_equal(one.rows(0, 0, 2), weights(5, 0, 0, (2, 3)))


def test_the_law_reaches_the_weights():
    drawn = Source(1, (8, 8, 8), (), Uniform(0.0, 0.5)).rows(0, 0, 8)
    assert drawn.min() > 0
    assert drawn.max() < 2**23


@pytest.mark.parametrize(
    ("widths", "biased"),
    [
        ((1, 2), (False, False)),
        ((1,), ()),
        ((), ()),
        ((1, 0, 1), (False, False)),
        ((1, 2, 1), (False, True, False)),
        ((1, -2, 1), (True, False)),
    ],
)
def test_misfits_are_refused(widths, biased):
    with pytest.raises(ValueError, match=r"K \+ 1 positive widths"):
        Source(1, widths, biased)


@pytest.mark.parametrize(("seed", "trial"), [(0, -1), (0, 2**48), (-1, 0), (2**64, 0), (True, 0), (1.0, 0)])
def test_seeds_and_trials_out_of_range_are_refused(seed, trial):
    with pytest.raises(ValueError):
        Source(seed, (1, 1, 1), trial=trial)


@pytest.mark.parametrize(("matrix", "start", "stop"), [(-1, 0, 1), (4, 0, 1), (0, -1, 1), (0, 2, 1), (0, 0, 12)])
def test_rows_that_do_not_exist_are_refused(matrix, start, stop):
    with pytest.raises(ValueError, match=r"has (matrices|rows)"):
        SOURCE.rows(matrix, start, stop)

"""Assignments of hidden units to inputs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from slth.assignment import adaptive, block

SIGNS = st.tuples(st.integers(1, 5), st.integers(1, 6)).flatmap(lambda s: arrays(bool, (s[0] * s[1], s[0])))


def test_block_gives_every_input_its_units_in_order():
    assert block(np.zeros((6, 3), dtype=bool), 2, np.ones(3, dtype=bool)).tolist() == [0, 0, 1, 1, 2, 2]


@given(SIGNS, st.booleans())
def test_adaptive_fills_slots_with_the_right_signs_and_leaves_none_that_could_be_filled(positive, nonnegative):
    hidden, inputs = positive.shape
    units = hidden // inputs
    reads = adaptive(positive, units, np.full(inputs, nonnegative))
    assert reads.shape == (hidden,)
    assert np.array_equal(reads, adaptive(positive, units, np.full(inputs, nonnegative)))
    unused = np.flatnonzero(reads < 0)
    for j in range(inputs):
        own = positive[reads == j, j]
        room = {True: units if nonnegative else -(-units // 2), False: 0 if nonnegative else units // 2}
        for sign in (True, False):
            filled = np.count_nonzero(own == sign)
            assert filled <= room[sign]
            assert filled == room[sign] or not (positive[unused, j] == sign).any()


@given(SIGNS, st.booleans())
def test_adaptive_equals_a_plain_scan_of_a_list(positive, nonnegative):
    hidden, inputs = positive.shape
    free, reads = list(range(hidden)), [-1] * hidden
    for turn in range(hidden // inputs):
        for j in range(inputs):
            fitting = [unit for unit in free if positive[unit, j] == (nonnegative or turn % 2 == 0)]
            if fitting:
                free.remove(fitting[0])
                reads[fitting[0]] = j
    assert adaptive(positive, hidden // inputs, np.full(inputs, nonnegative)).tolist() == reads


def test_adaptive_wastes_almost_no_unit_of_a_wide_layer():
    positive = np.random.default_rng(0).random((20 * 30, 20)) < 0.5
    for nonnegative in (False, True):
        assert np.count_nonzero(adaptive(positive, 30, np.full(20, nonnegative)) < 0) <= 2


def test_a_one_sided_input_gets_positive_units_only_beside_two_sided_ones():
    positive = np.random.default_rng(1).random((40, 2)) < 0.5
    reads = adaptive(positive, 20, np.array([False, True]))
    assert positive[reads == 1, 1].all()
    assert 0 < np.count_nonzero(positive[reads == 0, 0]) < np.count_nonzero(reads == 0)

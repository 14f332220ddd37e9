"""Splitting over threads covers every row once and changes no answer."""

from itertools import pairwise

import numba
import numpy as np
import pytest

from slth.subset_sum import SubsetSums, any_within, best
from slth.subset_sum.kernels import threads


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 5000])
@pytest.mark.parametrize("workers", [1, numba.config.NUMBA_NUM_THREADS])
def test_every_row_is_visited_once(monkeypatch, count, workers):
    monkeypatch.setattr(threads, "PIECE", 1000)
    monkeypatch.setattr(threads.numba, "get_num_threads", lambda: workers)
    visits = np.zeros(count, dtype=int)

    def visit(start, stop):
        assert start % 64 == 0
        visits[start:stop] += 1

    threads.in_pieces(visit, count, 64)
    assert (visits == 1).all()


def test_an_error_in_a_thread_is_raised(monkeypatch):
    monkeypatch.setattr(threads.numba, "get_num_threads", lambda: 2)

    def fail(start, stop):
        raise RuntimeError("from the thread")

    with pytest.raises(RuntimeError, match="from the thread"):
        threads.in_pieces(fail, 500, 64)


def test_answers_do_not_depend_on_the_number_of_threads(monkeypatch):
    rng = np.random.default_rng(2)
    problem = SubsetSums(rng.integers(-(2**40), 2**40, (700, 13)), rng.integers(-(2**40), 2**40, 700))
    answers = []
    for workers in (1, 2, 5):
        monkeypatch.setattr(threads.numba, "get_num_threads", lambda workers=workers: workers)
        answers.append((best(problem).masks, any_within(problem, 1 << 30).masks))
    for one, other in pairwise(answers):
        assert (one[0] == other[0]).all()
        assert (one[1] == other[1]).all()

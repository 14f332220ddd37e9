"""Figures of the measured laws: what is drawn is what the rows say."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from slth import plots_laws
from slth.confidence import Interval
from slth.experiments.laws import FailureRow, MedianRow, SmallestRow
from slth.experiments.ticket_counts import CountRow


def interval(low, middle, high):
    return Interval(low, middle, high, 0.95)


MEDIANS = [MedianRow("U[-1, 1]", n, 0.25, 9, interval(0.5**n, 0.6**n, 0.7**n), 0.55**n) for n in (4, 6, 8)]
SMALLEST = [
    SmallestRow("U[-1, 1]", k, 0.5, e, 9, 0.9, interval(low, low + 1, high), interval(0.8, 0.9, 1), 3, theorem)
    for k, e, low, high, theorem in ((None, 0.1, 8, 10, 26.0), (None, 0.03, 10, 12, 35.0), (3, 0.1, 9, 12, None))
]
FAILURES = [
    FailureRow("U[-1, 1]", 0.5, 0.1, n, 9, 1, interval(0.4**n, 0.5**n, 0.6**n), 1.0, 2.0 ** (1 - n), None)
    for n in (4, 6, 8)
]
COUNTS = [CountRow("U[-1, 1]", 20, 1e-3, 0.25, 9, y, interval(y / 3, y / 2, y), y / 2) for y in (0.2, 0.6, 1.0)]
FIGURES = {
    plots_laws.median_errors: MEDIANS,
    plots_laws.smallest_samples: SMALLEST,
    plots_laws.failure_probabilities: FAILURES,
    plots_laws.count_distribution: COUNTS,
}
EACH = pytest.mark.parametrize(("draw", "rows"), FIGURES.items(), ids=lambda value: getattr(value, "__name__", ""))


def drawn(ax):
    return {line.get_label(): line for line in ax.lines}


def bars(ax):
    return np.array([segment for collection in ax.collections for segment in collection.get_segments()])


@EACH
def test_axes_that_are_given_are_drawn_into_and_returned(draw, rows):
    mine = Figure().add_subplot()
    assert draw(rows, ax=mine) is mine
    assert mine.lines


@EACH
def test_every_estimate_has_its_interval(draw, rows):
    names = {MedianRow: "error", SmallestRow: "n", FailureRow: "probability", CountRow: "share"}
    intervals = [getattr(row, names[type(row)]) for row in rows]
    ends = {(i.low, i.high) for i in intervals}
    assert {(bottom[1], top[1]) for bottom, top in bars(draw(rows))} == ends


@EACH
def test_nothing_and_several_laws_are_refused(draw, rows):
    with pytest.raises(ValueError, match="no rows to draw"):
        draw([])
    from dataclasses import replace

    with pytest.raises(ValueError, match="one law"):
        draw([*rows, replace(rows[0], law="another")])


def test_the_heuristic_median_is_a_line_through_its_values():
    line = plots_laws.median_errors(MEDIANS).lines[0]
    assert line.get_xydata().tolist() == [[row.n, row.predicted] for row in MEDIANS]
    assert "heuristic" in line.get_label()


def test_bounds_are_dashed_and_dotted():
    lines = drawn(plots_laws.failure_probabilities(FAILURES))
    upper, lower = lines["upper bound (derived)"], lines["lower bound: all samples of one sign (derived)"]
    assert upper.is_dashed()
    assert lower.is_dashed()
    assert upper.get_ydata().tolist() == [1.0] * 3
    assert lower.get_ydata().tolist() == [row.lower for row in FAILURES]


def test_every_size_has_its_dots_and_free_subsets_the_theorem():
    lines = drawn(plots_laws.smallest_samples(SMALLEST))
    assert lines["any subset"].get_ydata().tolist() == [11, 9]
    assert lines["subsets of 3"].get_ydata().tolist() == [10]
    assert lines["suffice (theorem, derived)"].get_ydata().tolist() == [35.0, 26.0]


def test_a_number_that_was_not_reached_is_an_arrow():
    short = SmallestRow("U[-1, 1]", None, 0.5, 0.01, 9, 0.9, interval(12, math.inf, math.inf), interval(0, 0, 1), 6, 42)
    ax = plots_laws.smallest_samples([*SMALLEST, short])
    arrows = [line for line in ax.lines if line.get_marker() == "^" and len(line.get_xdata())]
    assert [line.get_xydata().tolist() for line in arrows] == [[[0.01, 12.0]]]


def test_every_text_of_a_figure_is_inside_it():
    for draw, rows in FIGURES.items():
        ax = draw(rows)
        ax.figure.canvas.draw()
        width, height = ax.figure.bbox.size
        box = ax.get_tightbbox()
        assert 0 <= box.x0 < box.x1 <= width + 1
        assert 0 <= box.y0 < box.y1 <= height + 1

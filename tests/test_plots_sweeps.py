"""Figures of sweeps: what is drawn is what the rows say, and what cannot be drawn is said."""

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from slth.errors.interval import ErrorInterval, Lower, Upper
from slth.experiments.ticket_rows import SizeRow
from slth.plots import Curve, save
from slth.plots_axes import framed, values
from slth.plots_ladders import error_ladder
from slth.plots_laws import counts_of_sizes
from slth.plots_searches import smallest_n
from slth.plots_sweeps import density_curve, errors, heat_map, phase_transition


def draws(**changes):
    """Ten draws at each of three numbers of candidates."""
    samples = np.repeat([4, 8, 16], 10)
    upper = np.tile(np.arange(1, 11) / 10, 3) * 2.0 ** (-samples / 4)
    columns = {
        "status": "done",
        "widths": "3-5-2",
        "epsilon": 0.05,
        "samples": samples,
        "verdict": np.where(upper < 0.05, "holds", "fails"),
        "lower": upper / 2,
        "upper": upper,
        "density": 1 / samples,
        "kept_per_target_weight": 2.0,
    }
    return pd.DataFrame(columns | changes)


def table(**changes):
    """One cell for each of three numbers of candidates and two epsilons."""
    columns = {
        "samples": [4, 8, 16, 4, 8, 16], "epsilon": [0.1] * 3 + [0.2] * 3, "draws": 20, "missing": 0,
        "failure": [1.0, 0.5, 0.1, 0.8, 0.3, 0.0], "failure_low": [0.8, 0.3, 0.0, 0.6, 0.1, 0.0],
        "failure_high": [1.0, 0.7, 0.3, 0.9, 0.5, 0.2], "claimed": [1.0, 1.0, 0.2] * 2,
    }  # fmt: skip
    return pd.DataFrame(columns | changes)


def brackets(**changes):
    """Searches at three epsilons and two deltas; the last found no n that is enough."""
    columns = {
        "epsilon": [0.1, 0.2, 0.4] * 2, "delta": [0.1] * 3 + [0.2] * 3, "confidence": 0.95,
        "n_low": [12.0, 10.0, 9.0, 11.0, 9.0, 8.0], "n_high": [16.0, 14.0, 10.0, 13.0, 9.0, math.inf],
        "theorem_n": [80, 70, None, 70, 60, 50],
    }  # fmt: skip
    return pd.DataFrame(columns | changes)


SIZES = [SizeRow("U[-1, 1]", 3, 0.01, 0.25, 9, k, mean, 0.5, 1.0, 1.0) for k, mean in ((1, 0.25), (2, 0.0), (3, 1.5))]
LADDER = (Lower(0.0, np.zeros(1), "a"), Lower(0.2, np.ones(1), "b"), Upper(0.9, "c"), Upper(0.3, "d"))
ERROR = ErrorInterval(0.2, 0.3, "l2", "a ball", "b", "d", np.ones(1), LADDER)
FIGURES = {
    "errors": lambda **ax: errors(draws(), "samples", **ax),
    "density_curve": lambda **ax: density_curve(draws(), **ax),
    "phase_transition": lambda **ax: phase_transition(table(), "samples", by="epsilon", **ax),
    "heat_map": lambda **ax: heat_map(table(), "samples", "epsilon", "failure", **ax),
    "error_ladder": lambda **ax: error_ladder(ERROR, epsilon=0.1, **ax),
    "smallest_n": lambda **ax: smallest_n(brackets(), "epsilon", by="delta", **ax),
    "counts_of_sizes": lambda **ax: counts_of_sizes(SIZES, **ax),
}
EACH = pytest.mark.parametrize("draw", FIGURES.values(), ids=FIGURES)


def lines(ax):
    return {line.get_label(): line for line in ax.lines}


@EACH
def test_axes_that_are_given_are_drawn_into_and_returned(draw):
    mine = Figure().add_subplot()
    assert draw(ax=mine) is mine
    assert mine.lines or mine.images


@EACH
def test_saving_twice_gives_the_same_bytes(draw, tmp_path):
    first, second = (save(draw().figure, tmp_path / f"{name}.svg").read_bytes() for name in "ab")
    assert first == second


@EACH
def test_every_text_of_a_figure_is_inside_it(draw):
    ax = draw()
    ax.figure.canvas.draw()
    width, height = ax.figure.bbox.size
    box = ax.get_tightbbox()
    assert 0 <= box.x0 < box.x1 <= width + 1
    assert 0 <= box.y0 < box.y1 <= height + 1


def test_the_lines_of_errors_are_the_medians_of_each_end():
    drawn = lines(errors(draws(), "samples", quantiles=(0, 1)))
    upper = drawn["proved upper end of the error"]
    assert upper.get_xdata().tolist() == [4, 8, 16]
    assert np.allclose(upper.get_ydata(), 0.5 * 2.0 ** -np.array([1, 2, 4]))
    assert np.allclose(drawn["attained lower end of the error"].get_ydata(), 0.25 * 2.0 ** -np.array([1, 2, 4]))


def test_the_bands_of_errors_are_quantiles():
    ax = errors(draws(), "samples", quantiles=(0, 1))
    band = ax.collections[0].get_paths()[0].vertices
    assert np.allclose(np.unique(band[band[:, 0] == 4][:, 1]), [0.05, 0.5])


def test_the_bound_is_dashed_and_labelled():
    bound = Curve([4, 16], [1.0, 0.1], "Theorem 1 (derived)")
    for ax in (errors(draws(), "samples", bound=bound), density_curve(draws(), bound=bound)):
        assert lines(ax)["Theorem 1 (derived)"].is_dashed()
        assert lines(ax)["Theorem 1 (derived)"].get_color() == "black"


def test_epsilon_stands_in_every_figure_of_errors_even_where_it_is_the_axis():
    rows = draws(epsilon=np.repeat([0.1, 0.2, 0.4], 10))
    asked = lines(errors(rows, "epsilon"))[r"$\varepsilon$, the error asked for"]
    assert asked.get_xdata().tolist() == asked.get_ydata().tolist() == [0.1, 0.2, 0.4]


def test_points_without_a_result_or_without_a_place_are_counted_in_the_title():
    rows = draws()
    rows.loc[:4, "status"] = "failed"
    rows.loc[29, "samples"] = math.nan
    title = errors(rows, "samples").get_title(loc="left")
    assert "5 of 30 points without a result" in title
    assert "1 draws without a number for samples" in title
    assert "of 5 to 10 draws" in title
    assert "5 of 30 points" in density_curve(rows).get_title(loc="left")


def test_infinite_upper_ends_and_errors_of_0_are_left_out_of_a_logarithmic_axis():
    rows = draws(upper=np.repeat([np.inf, 0.2, 0.1], 10), lower=np.repeat([0.1, 0.0, 0.1], 10))
    drawn = lines(errors(rows, "samples"))
    assert np.isnan(drawn["proved upper end of the error"].get_ydata()).tolist() == [True, False, False]
    assert np.isnan(drawn["attained lower end of the error"].get_ydata()).tolist() == [False, True, False]


def test_places_are_worked_out_from_the_widths_and_the_weights():
    assert set(values(draws(), "width")) == {5}
    assert set(values(draws(), "depth")) == {2}
    assert values(draws(), "overparameterisation")[::10].tolist() == [8, 16, 32]


def test_filled_dots_are_the_proved_draws():
    drawn = lines(density_curve(draws()))
    good, bad = drawn["proved within epsilon"], drawn["not proved"]
    assert len(good.get_xdata()) == (draws()["verdict"] == "holds").sum()
    assert len(good.get_xdata()) + len(bad.get_xdata()) == 30
    assert bad.get_markerfacecolor() == "none"


def test_empty_tickets_are_counted_and_not_drawn():
    rows = draws()
    rows.loc[:2, ["density", "kept_per_target_weight"]] = 0.0
    assert "3 empty tickets" in density_curve(rows).get_title(loc="left")
    with pytest.raises(ValueError, match="every ticket is empty"):
        density_curve(draws(density=0.0))


def test_a_phase_transition_has_the_success_shares_and_their_intervals():
    ax = phase_transition(table()[:3], "samples")
    assert np.allclose(lines(ax)["measured"].get_ydata(), [0, 0.5, 0.9])
    bars = [segment[:, 1].tolist() for segment in ax.collections[0].get_segments()]
    assert np.allclose(bars, [[0, 0.2], [0.3, 0.7], [0.7, 1]])


def test_the_claim_is_drawn_only_where_the_theorem_makes_one():
    claimed = lines(phase_transition(table()[:3], "samples"))[r"$1 - \delta$, claimed by the theorem"]
    assert claimed.is_dashed()
    assert claimed.get_ydata()[2] == 0.8
    assert np.isnan(claimed.get_ydata()[:2]).all()
    assert len(lines(phase_transition(table(claimed=1.0)[:3], "samples"))) == 1


def test_every_group_has_a_line_with_a_marker_of_its_own():
    ax = phase_transition(table(), "samples", by="epsilon")
    own = [line for line in ax.lines if line.get_label().startswith("epsilon")]
    assert [line.get_label() for line in own] == ["epsilon 0.1", "epsilon 0.2"]
    assert len({line.get_marker() for line in own}) == len({line.get_color() for line in own}) == 2


def test_groups_may_be_widths_depths_or_options():
    shapes = brackets(widths=["3-3"] * 3 + ["3-5-3"] * 3, **{"option density": [0.1] * 3 + [0.25] * 3})
    for by, first, second in (
        ("width", "width 3", "width 5"),
        ("depth", "depth 1", "depth 2"),
        ("option density", "density 0.1", "density 0.25"),
    ):
        ax = smallest_n(shapes, "epsilon", by=by)
        assert {f"measured, {first}", f"measured, {second}"} <= set(lines(ax))


def test_equal_brackets_of_two_groups_do_not_hide_one_another():
    same = brackets(n_low=8.0, n_high=9.0)
    for x in ([0.1, 0.2, 0.4] * 2, [0.1, 0.11, 0.12] * 2):  # a logarithmic axis, and one that is not
        ax = smallest_n(same.assign(epsilon=x), "epsilon", by="delta")
        places = [list(line.get_xdata()) for line in ax.lines if str(line.get_label()).startswith("measured")]
        assert all(left < place < right for left, place, right in zip(places[0], x, places[1], strict=False))
        assert np.allclose(places[0], places[1], rtol=0.05)
    first, second = phase_transition(table(failure=0.5), "samples", by="epsilon").collections
    assert [bar[0][0] for bar in first.get_segments()] < [bar[0][0] for bar in second.get_segments()]


def test_a_short_logarithmic_axis_has_plain_numbers():
    def labels(values):
        ax = Figure().add_subplot()
        ax.plot([1, 2], values)
        ax.set_yscale("log")
        framed(ax)
        ax.figure.draw_without_rendering()
        return {label.get_text() for label in ax.yaxis.get_ticklabels(which="both")} - {""}

    assert {"0.2", "0.3"} <= labels([0.15, 0.6])
    assert labels([1e-7, 1]) >= {"$\\mathdefault{10^{-7}}$"}


def test_the_bar_of_a_search_is_its_bracket_and_the_theorems_n_is_dashed():
    ax = smallest_n(brackets()[:3], "epsilon", counting=Curve([0.1, 0.4], [5, 4], "counting"))
    (bars,) = ax.collections
    assert [[tuple(end) for end in bar] for bar in bars.get_segments()] == [
        [(0.1, 12), (0.1, 16)], [(0.2, 10), (0.2, 14)], [(0.4, 9), (0.4, 10)]
    ]  # fmt: skip
    dashed = lines(ax)["n that the theorem asks for"]
    assert list(dashed.get_xdata()) == [0.1, 0.2]
    assert list(dashed.get_ydata()) == [80, 70]
    assert dashed.is_dashed()
    assert lines(ax)["counting"].is_dashed()


def test_an_arrow_says_that_no_n_was_enough():
    ax = smallest_n(brackets()[3:], "epsilon")
    (arrow,) = (line for line in ax.lines if line.get_marker() == "^")
    assert (list(arrow.get_xdata()), list(arrow.get_ydata())) == ([0.4], [16.0])


def test_searches_that_are_not_finished_are_counted_in_the_title():
    left = brackets(n_low=[math.nan, *[8.0] * 5])
    assert "1 searches are not finished" in smallest_n(left, "epsilon").get_title(loc="left")
    with pytest.raises(ValueError, match="none of 6 searches is finished"):
        smallest_n(brackets(n_low=math.nan), "epsilon")


def test_a_heat_map_writes_every_number_into_its_field():
    ax = heat_map(table(), "samples", "epsilon", "failure")
    assert ax.images[0].get_array().tolist() == [[1.0, 0.5, 0.1], [0.8, 0.3, 0.0]]
    assert sorted(text.get_text() for text in ax.texts) == sorted(["1", "0.5", "0.1", "0.8", "0.3", "0"])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["4", "8", "16"]


def test_the_colours_of_a_share_span_0_to_1_although_no_draw_failed():
    ax = heat_map(table(failure=0.0), "samples", "epsilon", "failure")
    assert ax.images[0].get_clim() == (0, 1)


def test_an_option_of_a_theorem_is_named_on_its_axis():
    ax = errors(draws(**{"option density": np.repeat([0.1, 0.2, 0.3], 10)}), "option density")
    assert ax.get_xlabel() == "density, an option of the theorem"


def test_a_field_without_a_result_is_blank():
    ax = heat_map(table(failure=[1.0, math.nan, 0.1, 0.8, 0.3, 0.0], missing=1), "samples", "epsilon", "failure")
    assert np.ma.getmaskarray(np.ma.masked_invalid(ax.images[0].get_array())).sum() == 1
    assert len(ax.texts) == 5
    assert "6 points without a result" in ax.get_title(loc="left")


def test_a_ladder_has_every_end_with_its_method_the_best_at_the_interval():
    ax = error_ladder(ERROR, epsilon=0.1)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["a  0", "b  0.2", "d  0.3", "c  0.9"]
    assert [line.get_marker() for line in ax.lines[:4]] == [">", ">", "<", "<"]
    assert ax.get_xscale() == "log"


def test_sizes_without_a_subset_have_no_dot():
    drawn = lines(counts_of_sizes(SIZES))
    assert drawn["measured, mean of 9 draws"].get_xydata().tolist() == [[1, 0.25], [3, 1.5]]
    assert drawn["limit (heuristic)"].get_xdata().tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: errors(draws(), "samples", quantiles=(0.9, 0.1)), "quantile levels"),
        (lambda: errors(draws(status="lost"), "samples"), "none of 30 rows has a result"),
        (lambda: errors(pd.DataFrame(), "samples"), "none of 0 rows has a result"),
        (lambda: errors(draws(), "height"), "no column 'height'"),
        (lambda: errors(draws(samples=math.nan), "samples"), "no draw has a number for samples"),
        (lambda: errors(draws(widths=None), "width"), "no number"),
        (lambda: errors(draws(law="signs"), "law"), "no number"),
        (lambda: density_curve(draws(status="failed")), "has a result"),
        (lambda: phase_transition(table(), "samples"), "several cells at one place"),
        (lambda: phase_transition(table(failure=math.nan), "samples"), "finite failure"),
        (lambda: heat_map(table(), "samples", "draws", "failure"), "several cells have one samples"),
        (lambda: heat_map(table()[:0], "samples", "epsilon", "failure"), "none of 0 cells"),
        (lambda: error_ladder(ErrorInterval(0.1, 0.2, "l2", "a ball", "a", "b", np.ones(1))), "no ladder"),
    ],
)
def test_rows_that_make_no_figure_are_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()

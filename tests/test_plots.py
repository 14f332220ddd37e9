import math
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure

from slth.plots import Curve, error_intervals, save

CANDIDATES = np.repeat([4, 8, 16], 5)
UPPER = 2.0 ** (-0.5 * CANDIDATES) * np.tile([1.0, 1.2, 1.4, 1.6, 3.0], 3)
LOWER = UPPER / 2
FAILED = CANDIDATES == 4
X = np.geomspace(4, 300, 50)
THEOREM = Curve(X, 100 * (15 / 16) ** X, "Theorem 1 (derived)")
COUNTING = (X, 0.5 * 2.0**-X, "counting bound (derived)")


def figure_axes(**changes):
    arguments = {"epsilon": 0.01, "failed": FAILED, "theorem": THEOREM, "counting": COUNTING} | changes
    return error_intervals(CANDIDATES, LOWER, UPPER, **arguments)


def lines(ax):
    return {line.get_label(): line for line in ax.lines}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_both_axes_are_logarithmic_and_labelled():
    ax = figure_axes()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "candidates per weight and side"
    assert ax.get_ylabel() == "largest error over the domain"


def test_the_lines_are_the_medians_of_each_end():
    drawn = lines(figure_axes())
    medians = 1.4 * 2.0 ** (-0.5 * np.array([4, 8, 16]))
    assert np.array_equal(drawn["proved upper end"].get_xdata(), [4, 8, 16])
    assert np.allclose(drawn["proved upper end"].get_ydata(), medians)
    assert np.allclose(drawn["attained lower end"].get_ydata(), medians / 2)


def test_the_filled_bands_are_the_interval_and_the_quantiles():
    interval, above, below = (band.get_paths()[0].vertices for band in figure_axes(quantiles=(0, 1)).collections)
    at_four = {
        name: np.unique(band[band[:, 0] == 4][:, 1]) for name, band in (("i", interval), ("a", above), ("b", below))
    }
    assert np.allclose(at_four["i"], [0.175, 0.35])
    assert np.allclose(at_four["a"], [0.25, 0.75])
    assert np.allclose(at_four["b"], [0.125, 0.375])


def test_the_theorem_is_dashed_the_counting_bound_dotted_and_both_black():
    drawn = lines(figure_axes())
    for name, curve in (("theorem", THEOREM), ("counting", COUNTING)):
        assert drawn[name].get_color() == "black"
        assert drawn[name].is_dashed()
        assert np.array_equal(drawn[name].get_ydata(), curve[1])
        assert curve[2] in texts(figure_axes())
    dash = {name: drawn[name]._unscaled_dash_pattern[1][0] for name in ("theorem", "counting")}
    assert dash["theorem"] > 3 * dash["counting"]


def test_curves_stand_in_the_order_of_the_claim():
    drawn = lines(figure_axes())
    at = {
        name: np.interp(8, line.get_xdata(), line.get_ydata())
        for name, line in drawn.items()
        if len(line.get_xdata()) > 2
    }
    assert at["counting"] < at["attained lower end"] < at["proved upper end"] < at["theorem"]


def test_epsilon_is_a_labelled_horizontal_line():
    ax = figure_axes(epsilon=0.02)
    assert set(lines(ax)["epsilon"].get_ydata()) == {0.02}
    assert r"$\varepsilon = 0.02$" in texts(ax)


def test_every_failed_draw_is_marked_and_counted():
    ax = figure_axes()
    crosses = lines(ax)["failed"]
    assert sorted(crosses.get_ydata()) == sorted(UPPER[FAILED])
    assert r"$\times$ a subset sum missed its tolerance (5 of 15 draws)" in texts(ax)


def test_counts_of_failed_subset_sums_mark_as_booleans_do():
    assert len(lines(figure_axes(failed=FAILED * 7))["failed"].get_xdata()) == FAILED.sum()


def test_nothing_is_marked_where_nothing_failed():
    for failed in (None, np.zeros(15, dtype=bool)):
        ax = figure_axes(failed=failed)
        assert "failed" not in lines(ax)
        assert not any("failed" in text for text in texts(ax))


def test_the_label_says_how_many_draws_there_are():
    assert "medians and 10% to 90% bands of 5 draws" in texts(figure_axes())
    ax = error_intervals([4, 4, 8], [0.1] * 3, [0.2] * 3, epsilon=0.1)
    assert "medians and 10% to 90% bands of 1 to 2 draws" in texts(ax)


def test_the_frame_holds_the_data_and_epsilon_but_no_vacuous_bound():
    huge = Curve(X, 1e300 * 0.5**X, "far away")
    ax = figure_axes(theorem=huge, epsilon=1e-7)
    bottom, top = ax.get_ylim()
    assert bottom < min(LOWER.min(), 1e-7)
    assert UPPER.max() < top < 100 * UPPER.max()
    assert "far away" not in texts(ax)
    left, right = ax.get_xlim()
    assert left < 4
    assert right > 16


def test_infinite_points_of_a_bound_are_left_out():
    y = np.where(X < 10, np.inf, 1.0)
    assert lines(figure_axes(theorem=(X, y, "bound")))["theorem"].get_xdata().min() >= 10


def test_every_label_of_a_full_figure_is_inside_the_figure():
    ax = figure_axes()
    ax.figure.canvas.draw()
    width, height = ax.figure.bbox.size
    for text in ax.texts:
        box = text.get_window_extent()
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height


def test_axes_that_are_given_are_drawn_into_and_returned():
    mine = Figure().add_subplot()
    assert figure_axes(ax=mine) is mine
    assert len(mine.lines) == 6


def settings():
    # Reading the backend would choose one.
    return {name: matplotlib.rcParams[name] for name in matplotlib.rcParams if not name.startswith("backend")}


def test_the_user_s_settings_stay_as_they_are(tmp_path):
    before = settings()
    save(figure_axes().figure, tmp_path / "a.png")
    assert settings() == before


def test_drawing_and_saving_leave_pyplot_alone(tmp_path):
    code = (
        "import sys; from slth.plots import error_intervals, save; "
        "save(error_intervals([1], [1], [1], epsilon=1).figure, sys.argv[1]); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "a.png"], check=False).returncode == 0


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf", ".PNG"])
def test_saving_twice_gives_the_same_bytes_without_a_date(tmp_path, suffix):
    first, second = (save(figure_axes().figure, tmp_path / f"{name}{suffix}") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert b"Matplotlib" not in first.read_bytes()
    assert b"CreationDate" not in first.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [first.name, second.name]


def test_a_save_that_breaks_leaves_the_old_file_and_no_other(tmp_path):
    path = save(figure_axes().figure, tmp_path / "a.png")
    old = path.read_bytes()
    broken = Figure()
    broken.savefig = lambda *args, **kwargs: 1 / 0
    with pytest.raises(ZeroDivisionError):
        save(broken, path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_paths_that_cannot_be_saved_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"end in .png or .svg or .pdf; got 'a.jpg'"):
        save(Figure(), tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="no folder"):
        save(Figure(), tmp_path / "missing" / "a.png")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([], [], []), "at least one draw"),
        (([4, 8], [0.1], [0.2, 0.3]), "one entry per draw"),
        (([[4]], [[0.1]], [[0.2]]), "one entry per draw"),
        (([4], [0.3], [0.2]), "exceeds the proved one in draw 0"),
        (([4], [0.0], [0.2]), "lower must be positive"),
        (([4], [0.1], [math.inf]), "upper must be positive and finite"),
        (([0], [0.1], [0.2]), "candidates must be positive"),
        (([4], [math.nan], [0.2]), "lower must be positive"),
    ],
)
def test_draws_that_cannot_be_drawn_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        error_intervals(*columns, epsilon=0.1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epsilon": 0.0}, "epsilon"),
        ({"epsilon": math.nan}, "epsilon"),
        ({"quantiles": (0.9, 0.1)}, "quantile levels"),
        ({"failed": [True]}, "one entry per draw"),
        ({"theorem": ([1, 2], [1], "x")}, "theorem curve needs x and y"),
        ({"counting": ([1, 2], [1, 0], "x")}, "counting curve must be positive"),
        ({"counting": ([1, 2], [1, math.nan], "x")}, "counting curve must be positive"),
    ],
)
def test_arguments_that_make_no_figure_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        figure_axes(**changes)

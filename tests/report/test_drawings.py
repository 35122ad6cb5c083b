import itertools
import math

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text

from msl.report import drawings

NAN = math.nan
DEMSAR = (["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"], [3.143, 2.000, 2.893, 1.964], 1.25)  # JMLR 7, section 3.2.2
LONG = "a class whose name is far longer than any figure could ever hold in one line of its margin"


def contrast(first: str, second: str) -> float:
    def light(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))

    low, high = sorted((light(first), light(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("ground", ["#ffffff", "#12161b"], ids=["light", "dark"])
def test_every_colour_stands_out_from_both_grounds(ground):
    assert len(set(drawings.COLOURS)) == 12
    assert min(contrast(colour, ground) for colour in drawings.COLOURS) >= 3


def texts(figure) -> list[str]:
    FigureCanvasAgg(figure).draw()
    return [text.get_text() for text in figure.findobj(Text) if text.get_text() and text.get_visible()]


def curve(y, low=None, high=None):
    return ([1, 2, 3], y, low, high)


def test_lines_keep_gaps_bands_levels_and_marks():
    series = {"a": curve([1, NAN, 3], [0, NAN, 2], [2, NAN, 4]), "b": curve([3, 2, 1])}
    figure = drawings.lines(series, xlabel="epoch", ylabel="mAP", levels={"chance": 0.5}, marks={"chosen": 2})
    first, second, level, mark = figure.axes[0].lines
    assert np.isnan(first.get_ydata()).tolist() == [False, True, False]
    assert first.get_linestyle() != second.get_linestyle()
    assert first.get_marker() != second.get_marker()
    assert first.get_color() != second.get_color()
    assert len(figure.axes[0].collections) == 1
    assert (level.get_ydata()[0], mark.get_xdata()[0]) == (0.5, 2)
    assert {"a", "b", "chance", "chosen", "epoch", "mAP"} <= set(texts(figure))


def test_lines_at_whole_numbers_and_over_a_logarithmic_axis_read_plainly():
    whole = drawings.lines({"a": curve([1, 2, 3])}, xlabel="x", ylabel="y")
    assert all(float(tick).is_integer() for tick in whole.axes[0].get_xticks())
    decades = drawings.lines({"a": ([1, 10, 1000], [1, 2, 3], None, None)}, xlabel="x", ylabel="y", log_x=True)
    assert {"1", "10", "100", "1000"} <= set(texts(decades))


def test_intervals_stand_in_order_and_leave_out_what_was_not_measured():
    rows = [("first", 0.02, 0.01, 0.03), ("none", NAN, NAN, NAN), ("one split", -0.01, NAN, NAN)]
    figure = drawings.intervals(rows, xlabel="difference", zero=True)
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["first", "one split"]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top
    bar, dot = axes.lines[:2]
    assert [*bar.get_xdata(), *dot.get_xdata()] == [0.01, 0.03, 0.02]
    assert {"+0.020 [+0.010, +0.030]", "−0.010"} <= set(texts(figure))
    without = drawings.intervals(rows, xlabel="", zero=False).axes[0]
    assert [len(axes.lines), len(without.lines)] == [5, 4]
    assert list(axes.lines[-1].get_xdata()) == [0, 0]


def test_bars_are_as_long_as_their_values():
    figure = drawings.bars(["cat", "dog", "owl"], [0.5, NAN, 0.25], xlabel="mAP", reference=0.125)
    axes = figure.axes[0]
    assert [(bar.get_x(), bar.get_width()) for bar in axes.patches] == [(0, 0.5), (0, 0.25)]
    assert axes.lines[0].get_xdata()[0] == 0.125
    assert {"cat", "owl", "0.500", "0.250", "chance 0.125"} <= set(texts(figure))


def test_scatter_draws_each_point_once_in_the_colour_of_its_group():
    points = np.random.default_rng(0).normal(size=(40, 2))
    groups, shapes = [f"class {i % 5}" for i in range(40)], ["image" if i < 20 else "text" for i in range(40)]
    figure = drawings.scatter(points, groups, shapes)
    drawn = [part for part in figure.axes[0].collections if len(part.get_offsets())]
    assert len(drawn) == 10
    found = {(*map(float, offset), to_hex(part.get_facecolor()[0])) for part in drawn for offset in part.get_offsets()}
    assert found == {(*map(float, p), drawings.COLOURS[int(g[-1])]) for p, g in zip(points, groups, strict=True)}
    assert {"1 class 0", "5 class 4", "image", "text"} <= set(texts(figure))
    five = next(text for text in figure.axes[0].texts if text.get_text() == "5")
    assert five.get_position() == pytest.approx(np.median(points[4::5], axis=0))


def test_scatter_refuses_more_groups_than_colours():
    with pytest.raises(ValueError, match="at most 12 groups"):
        drawings.scatter(np.zeros((13, 2)), [str(i) for i in range(13)], ["image"] * 13)


def test_critical_difference_is_demsars_figure():
    names, ranks, cd = DEMSAR
    figure = drawings.critical_difference(names, ranks, cd, [names[1:], names[:3]])
    axes = figure.axes[0]
    assert axes.get_xlim() == (4, 1)  # the best on the right
    spans = [line.get_xdata() for line in axes.lines]
    assert [spans[place][0] for place in range(4)] == sorted(ranks)
    assert {spans[place][2] for place in (0, 1)} == {1}
    assert {spans[place][2] for place in (2, 3)} == {4}
    assert [pytest.approx(span, abs=0.04) for span in ([1.964, 2.893], [2.0, 3.143])] == [spans[4], spans[5]]
    written = texts(figure)
    assert {"CD = 1.25", "C4.5+m+cf  1.96", "C4.5  3.14"} <= set(written)
    bar = axes.collections[-1].get_segments()[0]
    assert bar[:, 0].tolist() == pytest.approx([4 - cd, 4])


FIGURES = {
    "lines": lambda: drawings.lines({LONG: curve([1, 2, 3]), "b": curve([1, 1, 1])}, xlabel=LONG, ylabel=LONG),
    "intervals": lambda: drawings.intervals([(LONG, 0.1, 0.0, 0.2)] * 3, xlabel=LONG, zero=False),
    "bars": lambda: drawings.bars([LONG] * 40, [0.1] * 40, xlabel=LONG, reference=0.2),
    "scatter": lambda: drawings.scatter(np.eye(12)[:, :2], [f"{i} {LONG}" for i in range(12)], [LONG, "b"] * 6),
    "ranks": lambda: drawings.critical_difference([f"{i} {LONG}" for i in range(7)], range(1, 8), 2.0, []),
    "nothing": lambda: drawings.bars([], [], xlabel="x", reference=None),
}


@pytest.mark.parametrize("name", FIGURES)
def test_long_names_stay_within_the_figure_and_apart(name):
    figure = FIGURES[name]()
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    inside = figure.get_tightbbox(canvas.get_renderer())
    assert inside.x0 >= -0.02
    assert inside.y0 >= -0.02
    assert inside.x1 <= figure.get_figwidth() + 0.02
    assert inside.y1 <= figure.get_figheight() + 0.02
    labels = [label.get_window_extent() for label in figure.axes[0].get_yticklabels() if label.get_text()]
    assert not any(above.overlaps(below) for above, below in itertools.pairwise(labels))

"""Drawings that every report uses: lines with bands, intervals, bars, code spaces, critical differences.

Each returns a `Figure` on a transparent ground, readable on white and on black, where colour never tells anything alone.
NaN is nothing measured: it leaves a gap, or the row out. Texts are shown as they are; a ``$`` begins no formula.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter

from msl.types import Floats

INK, FAINT, PAPER = "#1b1f24", "#c9d1d8", "#fefefd"
"""Text and axes, grids, and what stands for the ground; a page puts its theme's colours in their place."""

COLOURS = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7f7f7f", "#8e5bd0",
    "#b8860b", "#c2185b", "#5b8c00", "#3a86c8", "#a0522d", "#00897b",
)  # fmt: skip
"""Okabe and Ito's as far as they stand out (3 : 1) from white and from black, then others that do."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9, "axes.labelsize": 9, "xtick.labelsize": 8.5, "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5, "text.parse_math": False, "text.color": INK, "axes.labelcolor": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.edgecolor": INK, "axes.linewidth": 0.7, "xtick.major.width": 0.7, "ytick.major.width": 0.7,
    "axes.spines.top": False, "axes.spines.right": False, "grid.color": FAINT, "grid.linewidth": 0.6,
    "axes.axisbelow": True, "legend.frameon": False, "lines.linewidth": 1.6, "savefig.transparent": True,
}  # fmt: skip
"""Matplotlib's settings to draw and to save with."""

Series: TypeAlias = tuple[Sequence[float], Sequence[float], Sequence[float] | None, Sequence[float] | None]
"""x (n,), y (n,), and the band around y: low (n,) and high (n,), or None and None."""

_WIDTH, _LABEL = 5.2, 28  # inches, characters in a line
_DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "^", "s", "D", "v", "P", "X")


@rc_context(STYLE)
def lines(
    series: Mapping[str, Series],
    *,
    xlabel: str,
    ylabel: str,
    log_x: bool = False,
    levels: Mapping[str, float] | None = None,
    marks: Mapping[str, float] | None = None,
) -> Figure:
    """A line for each of `series`, with its band; `levels` are named heights (chance), `marks` named places on x."""
    figure, axes = _blank(3.5, xlabel, ylabel)
    for number, (name, (x, y, low, high)) in enumerate(series.items()):
        colour, marker = COLOURS[number % len(COLOURS)], _MARKERS[number % len(_MARKERS)] if len(x) <= 12 else ""
        dash = _DASHES[number % len(_DASHES)]
        axes.plot(x, y, label=_wrapped(name, 60), color=colour, linestyle=dash, marker=marker, markersize=4)
        if low is not None and high is not None:
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    for name, height in (levels or {}).items():
        axes.axhline(height, color=INK, linewidth=0.9, linestyle=(0, (1, 2)), label=_wrapped(name, 60))
    for name, place in (marks or {}).items():
        axes.axvline(place, color=INK, linewidth=0.9, linestyle=(0, (6, 3)), label=_wrapped(name, 60))
    axes.grid(axis="y")
    _scale_x(axes, [x for x, *_ in series.values()], log_x)
    _legend_above(figure, axes)
    return figure


@rc_context(STYLE)
def intervals(rows: Sequence[tuple[str, float, float, float]], *, xlabel: str, zero: bool) -> Figure:
    """A forest plot: label, mean, low and high of each row, first on top; `zero` draws the line of no difference."""
    shown = [row for row in rows if np.isfinite(row[1])]
    labels = [_wrapped(label, _LABEL) for label, *_ in shown]
    figure, axes = _rows(labels, xlabel)
    for place, (_, mean, low, high) in enumerate(shown):
        axes.plot([low, high], [place, place], color=COLOURS[0], linewidth=2, solid_capstyle="butt", marker="|")
        axes.plot([mean], [place], color=COLOURS[0], marker="o", markersize=5.5)
    if zero:
        axes.axvline(0, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
    _values_right(axes, [_interval_text(*row[1:], sign=zero) for row in shown])
    return figure


@rc_context(STYLE)
def bars(names: Sequence[str], values: Sequence[float], *, xlabel: str, reference: float | None) -> Figure:
    """Horizontal bars from 0, first on top, each with its value; `reference` marks chance."""
    shown = [(name, value) for name, value in zip(names, values, strict=True) if np.isfinite(value)]
    figure, axes = _rows([_wrapped(name, _LABEL) for name, _ in shown], xlabel)
    axes.barh(range(len(shown)), [value for _, value in shown], height=0.66, color=COLOURS[0])
    if reference is not None:
        axes.axvline(reference, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), label=f"chance {reference:.3f}")
        _legend_above(figure, axes)
    _values_right(axes, [f"{value:.3f}" for _, value in shown])
    return figure


@rc_context(STYLE)
def scatter(points: Floats, groups: Sequence[str], shapes: Sequence[str]) -> Figure:
    """Points (n, 2) of a code space: the group of each is a colour and a number at the group's median, its shape a marker.

    Axes have no units and are not drawn; both have one scale. At most as many groups as `COLOURS`, else ValueError.
    """
    kinds, markers = list(dict.fromkeys(groups)), list(dict.fromkeys(shapes))
    if len(kinds) > len(COLOURS) or len(markers) > len(_MARKERS):
        raise ValueError(f"at most {len(COLOURS)} groups and {len(_MARKERS)} shapes, not {len(kinds)}, {len(markers)}")
    named = [_wrapped(f"{number} {kind}", 26) for number, kind in enumerate(kinds, start=1)]
    figure, axes = _blank(max(3.7, 0.19 * "\n".join([*named, *markers]).count("\n") + 0.5))
    group, shape = np.asarray(groups, dtype=object), np.asarray(shapes, dtype=object)
    for number, kind in enumerate(kinds, start=1):
        axes.scatter([], [], color=COLOURS[number - 1], marker="s", label=named[number - 1])
        for marker, name in zip(_MARKERS, markers, strict=False):
            x, y = points[(group == kind) & (shape == name)].T
            axes.scatter(x, y, s=20, color=COLOURS[number - 1], marker=marker, linewidth=0.4, edgecolor=PAPER)
    _number(axes, [np.median(points[group == kind], axis=0) for kind in kinds])
    for marker, name in zip(_MARKERS, markers, strict=False):
        axes.scatter([], [], color=INK, marker=marker, label=_wrapped(name, 26))
    axes.set(xticks=[], yticks=[], box_aspect=1)
    axes.set_aspect("equal", adjustable="datalim")
    axes.spines[:].set(visible=True, color=FAINT)
    figure.legend(loc="outside right upper")
    return figure


@rc_context(STYLE)
def critical_difference(
    names: Sequence[str], ranks: Sequence[float], cd: float, cliques: Sequence[Sequence[str]]
) -> Figure:
    """Demšar's diagram (JMLR 7, 2006, Figure 1): mean ranks, the best on the right; a thick bar joins each of `cliques`.

    A clique is the names of methods that the critical difference `cd` cannot tell apart.
    """
    count = len(names)
    order, half, below = np.argsort(ranks, kind="stable"), (count + 1) // 2, 1.2 + 0.5 * len(cliques)
    figure, axes = _blank(0.75 + 0.27 * (below + half))
    for place, which in enumerate(order):
        best = place < half
        depth, edge = (below + place, 1) if best else (below + count - 1 - place, count)
        axes.plot([ranks[which]] * 2 + [edge], [0, depth, depth], color=INK, linewidth=0.9, clip_on=False)
        text, offset = f"{_wrapped(names[which], 24)}  {ranks[which]:.2f}", (4 if best else -4, 0)
        written = axes.annotate(text, (edge, depth), offset, textcoords="offset points", annotation_clip=False)
        written.set(ha="left" if best else "right", va="center")
    rank_of = dict(zip(names, ranks, strict=True))
    for depth, clique in enumerate(cliques):
        ends = sorted(rank_of[name] for name in clique)
        axes.plot([ends[0] - 0.03, ends[-1] + 0.03], [0.8 + 0.5 * depth] * 2, color=COLOURS[0], linewidth=4)
    axes.errorbar([count - cd / 2], [-1.9], xerr=cd / 2, color=INK, capsize=3)
    axes.text(count - cd / 2, -2.2, f"CD = {cd:.2f}", ha="center", va="bottom")
    axes.set(xlim=(count, 1), ylim=(below + half - 0.5, -2.4), yticks=[], xticks=range(1, count + 1))
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set(visible=True, position=("data", 0))
    axes.xaxis.tick_top()
    return figure


def _blank(height: float, xlabel: str = "", ylabel: str = "") -> tuple[Figure, Axes]:
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=_wrapped(xlabel, 60), ylabel=_wrapped(ylabel, 40))
    return figure, axes


def _rows(labels: Sequence[str], xlabel: str) -> tuple[Figure, Axes]:
    """A blank with a line for each label, first on top."""
    line = 0.34 if any("\n" in label for label in labels) else 0.21
    figure, axes = _blank(0.95 + line * max(len(labels), 2), xlabel)
    axes.set(yticks=range(len(labels)), yticklabels=labels, ylim=(len(labels) - 0.4, -0.6))
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    return figure, axes


def _values_right(axes: Axes, texts: Sequence[str]) -> None:
    twin = axes.secondary_yaxis("right")
    twin.set_yticks(range(len(texts)), texts)
    twin.spines["right"].set_visible(False)
    twin.tick_params(axis="y", length=0)


def _number(axes: Axes, places: Sequence[Floats]) -> None:
    for number, (x, y) in enumerate(places, start=1):
        box = {"boxstyle": "circle,pad=0.18", "facecolor": PAPER, "edgecolor": COLOURS[number - 1]}
        axes.text(x, y, str(number), ha="center", va="center", fontsize=8, bbox=box)


def _interval_text(mean: float, low: float, high: float, *, sign: bool) -> str:
    texts = [f"{value:{'+' if sign else ''}.3f}".replace("-", "−") for value in (mean, low, high)]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]" if np.isfinite([low, high]).all() else texts[0]


def _scale_x(axes: Axes, places: Sequence[Sequence[float]], log: bool) -> None:
    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
    elif all(float(x).is_integer() for part in places for x in part):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _legend_above(figure: Figure, axes: Axes) -> None:
    _, labels = axes.get_legend_handles_labels()
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    columns = max(1, min(len(labels), 76 // (longest + 8)))
    figure.legend(loc="outside upper left", ncols=columns, columnspacing=1.6, handlelength=2.6)


def _wrapped(text: str, width: int) -> str:
    return "\n".join(textwrap.wrap(printable(text), width, max_lines=2, placeholder=" …"))


def printable(text: str) -> str:
    """The text with � for what neither XML nor UTF-8 can hold: control characters and halves of surrogate pairs."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text)

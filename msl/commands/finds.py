"""What a search found, as a table in the terminal."""

from collections.abc import Mapping, Sequence
from textwrap import shorten
from typing import Any

from rich.console import Console
from rich.text import Text

from msl.encode.pictures import on_white, read_picture
from msl.serve.names import Label
from msl.serve.retriever import Hit
from msl.serve.share.thumbnails import PIXELS
from msl.serve.terminal import drawn, flat, print_table
from msl.types import InputError

_COLUMNS = 12  # characters of a picture in the terminal
_LONGEST = 120  # characters of a text there


def print_hits(hits: Sequence[Hit], *, pictures: bool | None) -> None:
    """Print items, best first, and what their scores mean.

    Args:
        hits: what was found.
        pictures: draw them, where there are any; None: if the terminal can show their colours.
    """
    console = Console(markup=False)
    wanted = console.color_system == "truecolor" if pictures is None else pictures
    shown = wanted and any(hit.item.picture for hit in hits)
    heads = ["", *([""] if shown else []), "score", "cosine", "item", "classes"]
    rows = [_row(rank, hit, picture=shown) for rank, hit in enumerate(hits, start=1)]
    print_table(console, heads, rows, lines=shown)
    console.print("score: of held-out pairs of seen classes as similar as this, the share that have a class in common")


def print_labels(labels: Mapping[Any, Sequence[Label]]) -> None:
    """Print names by their sort, best first."""
    rows = (
        [_score(label.score), f"{label.cosine:.3f}", label.name, f"{sort}{_mark(label.seen)}"]
        for sort, found in labels.items()
        for label in found
    )
    print_table(Console(markup=False), ["score", "cosine", "name", ""], rows, lines=False)


def _row(rank: int, hit: Hit, *, picture: bool) -> list[str | Text]:
    text = shorten(flat(hit.item.text or hit.item.id), _LONGEST, placeholder=" …")
    classes = f"{', '.join(hit.item.classes)}{_mark(hit.seen)}"
    drawing = [_thumbnail(hit)] if picture else []
    return [str(rank), *drawing, _score(hit.score), f"{hit.cosine:.3f}", text, classes]


def _thumbnail(hit: Hit) -> Text:
    try:
        file = hit.item.picture
        return drawn(on_white(read_picture(file, pixels=PIXELS)), columns=_COLUMNS) if file else Text("")
    except InputError:  # its text stands beside it
        return Text("")


def _score(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _mark(seen: bool | None) -> str:
    """Says of an item or a class whether it was trained on."""
    return "" if seen is None else " (seen)" if seen else " (unseen)"

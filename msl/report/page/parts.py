"""What a report page is made of; `msl.report.page.write` writes it as HTML."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Prose:
    """Paragraphs of plain text."""

    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A sortable table: cells of a column are all text, or all numbers or intervals as text; "", "–" and "nan" are missing."""

    caption: str
    heads: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    keys: Sequence[Sequence[float | str]] | None = None
    """What each cell sorts by (NaN or "": missing, last); None: the number that it shows (`-0.01 ± 0.02`, `1,000`), or its text."""


@dataclass(frozen=True)
class Drawing:
    """A figure with what it shows in words, for those who do not see it, and its numbers."""

    name: str
    """Its file's name, without ending: letters, digits, `-`, `_`, `.`; no two of a page alike."""
    title: str
    description: str
    figure: Figure
    numbers: Grid | None = None


@dataclass(frozen=True)
class Item:
    """One item of a gallery: its picture or its text, its true classes, and whether it was a right find (None: the query)."""

    classes: str
    right: bool | None
    picture: Path | None = None
    text: str | None = None


@dataclass(frozen=True)
class Gallery:
    """Queries with what was found for each, best first."""

    caption: str
    rows: tuple[tuple[Item, tuple[Item, ...]], ...]


Part: TypeAlias = Prose | Grid | Drawing | Gallery


@dataclass(frozen=True)
class Section:
    """A titled part of a page."""

    title: str
    parts: tuple[Part, ...]

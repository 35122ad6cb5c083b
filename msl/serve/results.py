"""What a search in a notebook or a script gives: finds that show themselves."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from rich.console import Console
from rich.text import Text

from msl.encode.pictures import read_picture_bytes
from msl.serve.retriever import Hit
from msl.serve.share.thumbnails import PIXELS, Previews
from msl.serve.terminal import drawn, flat, print_table
from msl.types import InputError

_COLUMNS = 12  # characters of a picture in the terminal
_FONT = "font:0.85rem/1.35 system-ui,sans-serif"
_FINDS = "display:flex;flex-wrap:wrap;gap:1rem"
_FIND = "margin:0;width:10rem;overflow-wrap:anywhere"


@dataclass(frozen=True, repr=False)
class Results:
    """Finds, best first: a table as text, pictures in a notebook, `show()` for a terminal.

    Attributes:
        query: what was searched with, in words.
        hits: what was found.
        previews: gives the small picture of a find.
    """

    query: str
    hits: tuple[Hit, ...]
    previews: Previews = field(compare=False)

    def __len__(self) -> int:
        return len(self.hits)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __getitem__(self, rank: int) -> Hit:
        return self.hits[rank]

    def __repr__(self) -> str:
        lines = [
            f"{rank:>3}  {_score(hit):>4}  {hit.cosine:6.3f}  {_name(hit)}{_classes(hit)}"
            for rank, hit in enumerate(self.hits, 1)
        ]
        return "\n".join([f"{len(self.hits)} found for {flat(self.query)}", *lines])

    def _repr_html_(self) -> str:
        cells = "".join(f'<figure style="{_FIND}">{self._cell(rank, hit)}</figure>' for rank, hit in enumerate(self, 1))
        return f'<div style="{_FONT}"><p>found for {escape(self.query)}</p><div style="{_FINDS}">{cells}</div></div>'

    def show(self) -> None:
        """Print the finds, with their pictures where the terminal has the colours for it."""
        console = Console(markup=False)
        pictures = console.color_system == "truecolor" and any(map(self.previews, (hit.item for hit in self)))
        heads = ["", *([""] if pictures else []), "score", "cosine", "item", "classes"]
        rows = [self._row(rank, hit, pictures=pictures) for rank, hit in enumerate(self, 1)]
        print_table(console, heads, rows, lines=False)

    def _row(self, rank: int, hit: Hit, *, pictures: bool) -> list[str | Text]:
        picture = [self._drawn(hit)] if pictures else []
        return [str(rank), *picture, _score(hit), f"{hit.cosine:.3f}", _name(hit), _classes(hit).strip()]

    def _cell(self, rank: int, hit: Hit) -> str:
        preview, name = self.previews(hit.item), escape(_name(hit))
        source = base64.b64encode(preview or b"").decode()
        picture = f'<img alt="{name}" style="max-width:100%" src="data:image/jpeg;base64,{source}">' if preview else ""
        figures = f"{rank}. <b>{_score(hit)}</b> cosine {hit.cosine:.3f}"
        return f"{picture}<figcaption>{figures}<br>{name}<br><i>{escape(_classes(hit))}</i></figcaption>"

    def _drawn(self, hit: Hit) -> Text:
        try:
            preview = read_picture_bytes(self.previews(hit.item) or b"", name=hit.item.id, pixels=PIXELS)
            return drawn(preview, columns=_COLUMNS)
        except InputError:  # there is none, or a stranger's is damaged
            return Text("")


def _name(hit: Hit) -> str:
    return flat(hit.item.text or hit.item.id)


def _score(hit: Hit) -> str:
    return "" if hit.score is None else f"{hit.score:.0%}"


def _classes(hit: Hit) -> str:
    mark = "" if hit.seen is None else " (seen)" if hit.seen else " (unseen)"
    return f"  [{flat(', '.join(hit.item.classes))}{mark}]" if hit.item.classes else ""

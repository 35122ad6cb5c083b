"""Queries and what was found for them: successes, failures, and some drawn at random so that nobody takes the former for all."""

from msl.report.items import class_names, share_a_class, words
from msl.report.page.parts import Gallery, Item, Prose, Section
from msl.report.run.measured import Measured
from msl.report.run.queries import Found
from msl.report.run.results import direction_title

_CHOSEN = {"best": "highest average precision", "worst": "lowest average precision", "random": "drawn at random"}


def gallery_section(run: Measured) -> Section:
    """Both directions, each with its best and worst queries and some at random."""
    said = (
        f"Queries of the {run.regime} regime, each with its first finds. The best and the worst are those of highest and "
        "lowest average precision (AP, over the whole ranking; equal ones in the data set's order): the two ends. Those "
        f"drawn at random, by seed {run.shown.seed}, show what is typical. A find is right if it shares a class with "
        "the query; the classes shown are the true ones, which the method is never told."
    )
    return Section("Successes and failures", (Prose((said,)), *(_gallery(run, found) for found in run.found)))


def _gallery(run: Measured, found: Found) -> Gallery:
    forward = found.direction == run.data.card.directions[0]
    rows = []
    for query, precision, items in zip(found.queries, found.precision, found.items, strict=True):
        finds = tuple(
            _item(run, item, forward=not forward, right=share_a_class(run.data, query, item)) for item in items
        )
        rows.append((_item(run, query, forward=forward, right=None, said=f" (AP {precision:.2f})"), finds))
    what = _CHOSEN[found.kind]
    title = direction_title(run.data, found.direction)
    return Gallery(caption=f"{title}: {what}, {len(rows)} of {found.asked:,} queries", rows=tuple(rows))


def _item(run: Measured, row: int, *, forward: bool, right: bool | None, said: str = "") -> Item:
    """An item of the first modality (`forward`), by its picture if there are any, or of the second, by its text."""
    data, classes = run.data, f"{class_names(run.data, row)}{said}"
    if forward and data.pictures:
        return Item(classes, right, picture=data.pictures[row])
    return Item(classes, right, text=words(data, row, picture=forward))

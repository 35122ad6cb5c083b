"""The field's published feature files, read as anybody's are: only their parts must be their own."""

from dataclasses import replace
from pathlib import Path

from msl.data.classes import Classes
from msl.data.dataset import TEST, Card, DataSet
from msl.data.finding.choose import Wanted
from msl.data.folder import read
from msl.types import InputError


def read_published(path: Path, card: Card, wanted: Wanted, names: tuple[str, ...] | None) -> DataSet:
    """The data set at `path`, with its classes called `names`; what was noticed on the way stands in its card's source.

    Raises:
        InputError: the files are not there or not readable, do not say which rows are test rows, or have other classes.
    """
    if not path.exists():
        raise InputError(f"data set {card.name!r} is not in {path}: {card.obtain}; give data.path=FOLDER")
    reading = read(path, card, wanted, test_share=0.0, seed=0)
    data = reading.data
    if not (data.part == TEST).any():
        raise InputError(
            f"{path} does not say which rows are test rows, so nothing measured on it could be compared; "
            "give data.path=... of the published train and test files, or use data=folder"
        )
    if names is not None and len(names) != len(data.classes):
        raise InputError(
            f"{path} has {len(data.classes)} classes, data set {card.name!r} has {len(names)}; use data=folder for it"
        )
    classes = data.classes if names is None else Classes(names, data.classes.vectors)
    told = replace(data.card, source="; ".join((card.source, *reading.notes)))
    return replace(data, classes=classes, card=told)

"""NUS-WIDE as its makers publish it: text files of numbers, one per concept, tag list and kind of low-level feature."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np

from msl.data.classes import Classes
from msl.data.dataset import TEST, TRAIN, Card, DataSet
from msl.data.pairs import Features, Pairs, checked_features
from msl.types import Floats, InputError, Ints

GROUNDTRUTH = "Groundtruth"
LOW_LEVEL = ("CH", "CM55", "CORR", "EDH", "WT")
"""Colour histogram, colour moments, correlogram, edge directions, wavelets: 634 numbers."""
PARTS = ("Train", "Test")


def read_original(folder: Path, card: Card, *, concepts: int) -> DataSet:
    """Both parts with the most frequent `concepts`, ids being row numbers in the part; wants some 3 GiB of memory.

    Raises:
        InputError: one line naming the file, and the line in it, that is missing or wrong.
    """
    names = _names(folder)
    labels = [np.stack([_labels(folder, name, part) for name in names], axis=1) for part in PARTS]
    counts = sum(each.sum(axis=0, dtype=np.int64) for each in labels)
    kept = np.sort(np.argsort(-np.asarray(counts), kind="stable")[:concepts])
    rows = [np.flatnonzero(each[:, kept].any(axis=1)) for each in labels]
    a = np.concatenate(
        [_images(folder, part, chosen, len(each)) for part, chosen, each in zip(PARTS, rows, labels, strict=True)]
    )
    b = np.concatenate(
        [_tags(folder, part, chosen, len(each)) for part, chosen, each in zip(PARTS, rows, labels, strict=True)]
    )
    whole = sum(map(len, labels))
    said = f"{whole - len(a):,} of {whole:,} items have none of the {len(kept)} concepts and are left out"
    pairs = Pairs(
        tuple(f"{part.lower()} {row}" for part, chosen in zip(PARTS, rows, strict=True) for row in chosen),
        Features(checked_features(a, what=f"{folder}: low-level features")),
        Features(checked_features(b, what=f"{folder}: tags")),
        np.concatenate([each[chosen][:, kept] for each, chosen in zip(labels, rows, strict=True)]),
    )
    return DataSet(
        card=replace(card, source=f"{card.source}; {said}", features=("CH, CM55, CORR, EDH, WT", "1,000 tags")),
        pairs=pairs,
        classes=Classes(tuple(names[index] for index in kept), np.empty((len(kept), 0), np.float32)),
        part=np.repeat([TRAIN, TEST], [len(chosen) for chosen in rows]),
    )


def _names(folder: Path) -> list[str]:
    """The concepts in their published order: of the list, else of the labels' files, which is the same alphabet."""
    for place in (folder / "ConceptsList" / "Concepts81.txt", folder / "Concepts81.txt"):
        if place.is_file():
            return place.read_text(encoding="utf-8").split()
    files = sorted((folder / GROUNDTRUTH / "TrainTestLabels").glob("Labels_*_Train.txt"))
    if not files:
        raise InputError(
            f"{folder / GROUNDTRUTH / 'TrainTestLabels'} has no Labels_*_Train.txt; unpack NUS-WIDE's groundtruth there"
        )
    return [file.name.removeprefix("Labels_").removesuffix("_Train.txt") for file in files]


def _labels(folder: Path, name: str, part: str) -> Ints:
    file = folder / GROUNDTRUTH / "TrainTestLabels" / f"Labels_{name}_{part}.txt"
    values = _table(file)[:, 0]
    bad = np.flatnonzero((values != 0) & (values != 1))
    if len(bad):
        raise InputError(
            f"{file}: line {bad[0] + 1} is {values[bad[0]]:.0f}; wanted 0 or 1: correct it by Groundtruth/AllLabels "
            "(the published file of lake has one such line, 78372)"
        )
    flags: Ints = values.astype(np.uint8)
    return flags


def _images(folder: Path, part: str, rows: Ints, count: int) -> Floats:
    files = [folder / "Low_Level_Features" / f"{part}_Normalized_{kind}.dat" for kind in LOW_LEVEL]
    return np.concatenate([_rows(file, rows, count) for file in files], axis=1)


def _tags(folder: Path, part: str, rows: Ints, count: int) -> Floats:
    return _rows(folder / "NUS_WID_Tags" / f"{part}_Tags1k.dat", rows, count)


def _rows(file: Path, rows: Ints, count: int) -> Floats:
    table = _table(file)
    if len(table) != count:
        raise InputError(f"{file}: wanted {count} lines, one per label, but got {len(table)}; get it again")
    return table[rows]


def _table(file: Path) -> Floats:
    """Numbers between blanks, as many a line as in the first; a blank at a line's end is none."""
    if not file.is_file():
        raise InputError(f"there is no file {file}; unpack NUS-WIDE's own archives below {file.parent.parent}")
    with file.open("rb") as stream:
        width = len(stream.readline().split())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # numpy only warns of what is no number
            values = np.fromfile(file, dtype=np.float32, sep=" ")
    except (DeprecationWarning, ValueError):
        values = np.empty(1, np.float32)
        width = 0
    if not width or len(values) % width:
        raise InputError(f"{file} is no table of numbers; get it again")
    return values.reshape(-1, width)

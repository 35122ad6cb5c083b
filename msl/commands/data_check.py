"""`msl data check PATH [KEY=VALUE ...]`: what msl sees in somebody's files, what is wrong, and the command to train."""

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from msl.commands.data import show
from msl.commands.next_command import override, say_next
from msl.config import check as check_config
from msl.config import composed, instantiate, resolved
from msl.data.dataset import TEST, DataSet
from msl.data.finding.choose import Wanted
from msl.data.finding.classlists import numbered
from msl.data.finding.findings import findings
from msl.data.finding.join import Stacked
from msl.data.folder import Reading, card_of, read
from msl.encode.matching import match
from msl.encode.words import WordVectors
from msl.types import InputError

console = Console()

_KEYS = ("modalities", "a", "b", "labels", "split", "ids", "class_names", "class_vectors")


def check(path: str, choices: list[str]) -> None:
    """Print what was found at `path`, what is worth knowing, and the command that trains on it.

    `choices` are KEY=VALUE of `data=folder`, with or without ``data.`` before them.
    """
    given = [choice if choice.startswith("data.") else f"data.{choice}" for choice in choices]
    node = _node(path, given)
    wanted = Wanted(**{key: node[key] for key in _KEYS})
    reading = read(
        Path(path), card_of(Path(path), node["name"]), wanted, test_share=node["test_share"], seed=node["seed"]
    )
    for line in reading.became:
        console.print(f"found: {line}", highlight=False, soft_wrap=True)
    _show(reading)
    if not (reading.data.part == TEST).any():
        raise InputError(
            f"{path}: no row is a test row, so nothing can be measured; give data.split=FILE that says test for some, a larger "
            "data.test_share, or to msl encode a larger test_share"
        )
    named = any(choice.startswith("data.name=") for choice in given)
    overrides = ["data=folder", override("data.path", path), *given]
    overrides += [] if named else [override("data.name", reading.data.card.name)]
    overrides += _embedding(reading.data)
    overrides += _protocol(reading.data, overrides)
    console.print("it can be trained on; what is worth knowing stands in the notes")
    say_next("msl", "train", *overrides)


def _node(path: str, given: list[str]) -> dict[str, Any]:
    unknown = next((choice for choice in given if "=" not in choice), None)
    if unknown:
        raise InputError(
            f"{unknown.removeprefix('data.')!r} is no KEY=VALUE; the keys are {', '.join(_KEYS)}, test_share, seed"
        )
    node: dict[str, Any] = resolved(composed("train", ["data=folder", override("data.path", path), *given]))["data"]
    check_config(node, "data")
    return node


def _show(reading: Reading) -> None:
    data = reading.data
    show(data)
    pairs = data.pairs
    for name, features in zip(data.card.modalities, (pairs.a, pairs.b), strict=True):
        kept = "stays on disk, memory-mapped" if _on_disk(features.matrix) else "read into memory"
        console.print(f"note: {name}: {int(features.present.sum()):,} rows, {kept}", highlight=False, soft_wrap=True)
    for note in (*reading.notes, *findings(data)):
        console.print(f"note: {note}", highlight=False, soft_wrap=True)


def _on_disk(matrix: Any) -> bool:
    return isinstance(matrix, (np.memmap, Stacked))


def _embedding(data: DataSet) -> list[str]:
    """The class embedding to choose: the data's own or word vectors, and without either the classes' identity."""
    names = data.classes.names
    if data.classes.vectors.shape[1]:
        return []
    if numbered(names):
        console.print(
            "note: the classes have numbers for names, so they have no word vectors and nothing carries over to unseen "
            "classes; give data.class_names=FILE, or train with embedding=onehot or embedding=none",
            soft_wrap=True,
        )
        return ["embedding=onehot"]
    vectors = WordVectors.load()
    lacking = [name for name in names if not match(name, vectors).rows]
    if not lacking:
        console.print(f"note: all {len(names)} class names have word vectors")
        return []
    console.print(
        f"note: {len(lacking)} of {len(names)} class names have no word vectors ({', '.join(lacking[:5])}); rename them, or "
        "give data.class_vectors=FILE",
        soft_wrap=True,
    )
    return ["embedding=onehot"]


def _protocol(data: DataSet, overrides: list[str]) -> list[str]:
    """Unseen classes where there are enough of them, else all classes shared by training and test."""
    try:
        instantiate(resolved(composed("train", overrides))["split"])(data)
    except InputError:
        console.print(
            f"note: {len(data.classes)} classes are too few to hold some out; protocol=standard shares all of them",
            soft_wrap=True,
        )
        return ["protocol=standard"]
    return []

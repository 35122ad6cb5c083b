"""Anybody's features: a file or a folder, its arrays recognised by their names.

What is found by itself, in this order:

1. ``features.npz`` with the seven arrays of `msl.data.formats` is read as that page says.
2. Every array of every file (.npy .npz .mat .h5 .csv .tsv .parquet) is given a role by the words of its names: its key
   where the file holds several, its file, the folders above. Words are cut at ``_ . - /`` and capitals. ``label lab L
   cat category class y`` are labels, ``split part`` parts, ``id ids index`` ids, ``class_names classes names`` the
   classes' names, ``class_vectors class_emb`` their vectors; a matrix of any other name is features.
3. ``train test val query database`` (and ``tr te``), before, after or as a folder, say which rows an array holds; such
   halves are joined. ``database`` rows are training rows where there are no others, and left aside otherwise.
4. Features whose names differ in anything else are different modalities, and there must be two: those with words such as
   image, text, audio, video, sketch (and their synonyms) count before those without, images come first and texts last.
5. A folder that holds one ``.npy`` vector per item is a modality; names are ids, sub-folders are classes.
   Labels may also stand in a ``labels.csv`` with ``id`` and ``label``.
6. Rows are pairs where both modalities have ids and share some, else where there are equally many; unless each has
   labels of its own that differ. Otherwise nothing is paired, and an item has one modality.
7. Labels are class numbers from 0 or from 1, text (``;`` and ``|`` between several classes), or a column of 0 and 1 per
   class. Items without any class are left out.
8. Where nothing says which rows are test rows, a share of each class is drawn.

Whatever is left open by this is an error that names the key which settles it.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Gt

from msl.data.classes import Classes
from msl.data.dataset import TEST, Card, DataSet
from msl.data.finding.assign import Shared
from msl.data.finding.choose import Chosen, Spec, Wanted, choose
from msl.data.finding.classlists import Labelled, labelled
from msl.data.finding.discover import Discovery, Found, discover
from msl.data.finding.items import read_items
from msl.data.finding.join import Modality, column, joined
from msl.data.finding.pairing import Items, paired, part_numbers
from msl.data.formats import KEYS, read_dataset, read_encoders
from msl.data.labels import classes_of
from msl.data.pairs import Features, Pairs, checked_features
from msl.files import own_name
from msl.types import Floats, Fraction, InputError, Ints


@dataclass(frozen=True)
class Reading:
    """A data set and how it came about: what became of each array, and what else is worth knowing, in words."""

    data: DataSet
    became: tuple[str, ...]
    notes: tuple[str, ...] = ()


def load(
    *,
    path: str,
    name: str | None,
    modalities: tuple[str, str] | None = None,
    a: Spec | None = None,
    b: Spec | None = None,
    labels: Spec | None = None,
    split: Spec | None = None,
    ids: Spec | None = None,
    class_names: str | None = None,
    class_vectors: str | None = None,
    test_share: Fraction,
    seed: Annotated[int, Gt(-1)],
) -> DataSet:
    """Read the features at `path` as this module's docstring says; null finds a thing by itself.

    Args:
        path: a file of arrays, or a folder.
        name: stands beside every number measured on the data; null takes the path's own name.
        modalities: what the two modalities are called in the files' names; with `a` and `b`, what to call them.
        a, b: the features of either: a file, the key of an array, or ``file:key``; a list of them where they come in parts.
        labels, split, ids: the same for the labels, for train/test/validation (or 0/1/2), and for the items' ids.
        class_names: a file with one name a line, a JSON list, or an array, in the order of the labels.
        class_vectors: an array with one row per class.
        test_share: of each class, drawn as test rows by `seed` where nothing says which are.
        seed: of that draw.

    Raises:
        InputError: one line with what was found and the key that settles it.
    """
    wanted = Wanted(
        modalities=modalities, a=a, b=b, labels=labels, split=split, ids=ids,
        class_names=class_names, class_vectors=class_vectors,
    )  # fmt: skip
    return read(Path(path), card_of(Path(path), name), wanted, test_share=test_share, seed=seed).data


def card_of(path: Path, name: str | None) -> Card:
    """The card of a person's own data."""
    own = path.resolve()
    return Card(
        name=name or own_name(path),
        title=f"features from {own.name}",
        modalities=("image", "text"),
        features=("as given", "as given"),
        embedding="as given",
        source=f"the user's own {'folder' if own.is_dir() else 'file'} {own.name}",
        licence="unstated",
        obtain="the user's own",
    )


def read(path: Path, card: Card, wanted: Wanted, *, test_share: float, seed: int) -> Reading:
    """The data set at `path` with what of `card` the files decide filled in: the modalities' names and sizes."""
    file = path / "features.npz" if path.is_dir() else path
    if wanted == Wanted() and _whole_layout(file):
        return Reading(read_dataset(file, card), (f"{file.name}: the features.npz layout",))
    discovery = discover(path)
    chosen = choose(discovery, wanted)
    a, b = joined(chosen.a, discovery.root), joined(chosen.b, discovery.root)
    shared = Shared(
        *(
            column(getattr(chosen.shared, key), chosen.a.features, discovery.root, key=key)
            for key in ("labels", "split", "ids")
        )
    )
    a, b = (_with_parts(side, arrays.split, chosen, discovery) for side, arrays in ((a, chosen.a), (b, chosen.b)))
    items = paired(a, b, shared, discovery.root)
    return _data_set(discovery, chosen, a, b, items, card, test_share=test_share, seed=seed)


def _whole_layout(file: Path) -> bool:
    """Whether a file is an .npz with all arrays of `msl.data.formats`; a damaged one is for its reader to refuse."""
    try:
        with zipfile.ZipFile(file) as archive:
            return file.suffix == ".npz" and {f"{key}.npy" for key in KEYS} <= set(archive.namelist())
    except Exception:  # of a damaged file zipfile, struct and the codecs each have their own
        return False


def _with_parts(side: Modality, arrays: list[Found], chosen: Chosen, discovery: Discovery) -> Modality:
    values = column(arrays, chosen.a.features, discovery.root, key="split")
    return side if values is None else replace(side, part=part_numbers(values, str(discovery.root / arrays[0].place)))


def _data_set(
    discovery: Discovery,
    chosen: Chosen,
    a: Modality,
    b: Modality,
    items: Items,
    card: Card,
    *,
    test_share: float,
    seed: int,
) -> Reading:
    vectors, whole = _vectors(chosen, discovery), len(items.ids)
    items = items.with_classes()
    found = _labelled(discovery, chosen, items, vectors)
    if len(found.names) < 2:
        raise InputError(
            f"{discovery.root}: every item is of one class, {found.names[0]!r}, so nothing could be found wrongly; give labels of "
            "at least two classes, with data.labels=FILE if others were meant"
        )
    part, drawn = (items.part, "") if items.part is not None else _drawn(items, found.labels, test_share, seed)
    classes = Classes(found.names, np.empty((len(found.names), 0), np.float32) if vectors is None else vectors)
    pairs = Pairs(items.ids, _features(a, items.a), _features(b, items.b), found.labels)
    texts, pictures = read_items(discovery.root, items.ids) if items.named else (None, None)
    made = read_encoders(discovery.root)
    card = replace(card, modalities=(a.name, b.name), features=(_made(made, a.name), _made(made, b.name)))
    data = DataSet(card=card, pairs=pairs, classes=classes, part=part, texts=texts, pictures=pictures, encoders=made)
    dropped = f"{whole - len(items.ids)} items without any class are left out" if len(items.ids) < whole else ""
    notes = (items.how, *found.notes, *filter(None, (dropped, drawn)), *_aside(discovery, chosen))
    return Reading(data, _became(chosen), notes)


def _made(encoders: Mapping[str, Any] | None, modality: str) -> str:
    """What a card says of a modality's features."""
    return str(encoders[modality]["settings"]["name"]) if encoders and modality in encoders else "as given"


def _features(side: Modality, rows: Ints) -> Features:
    whole = len(rows) == len(side) and np.array_equal(rows, np.arange(len(side)))
    return Features(side.matrix, None if whole else rows)


def _vectors(chosen: Chosen, discovery: Discovery) -> Floats | None:
    if chosen.class_vectors is None:
        return None
    return checked_features(chosen.class_vectors.array, what=str(discovery.root / chosen.class_vectors.place))


def _labelled(discovery: Discovery, chosen: Chosen, items: Items, vectors: Floats | None) -> Labelled:
    names, arrays = chosen.class_names, [*chosen.shared.labels, *chosen.a.labels, *chosen.b.labels]
    if names is not None and (names.array.ndim != 1 or names.array.dtype.kind != "U"):
        raise InputError(
            f"{discovery.root / names.place}: wanted class names, a list of text; give data.class_names=FILE"
        )
    return labelled(
        items.labels,
        None if names is None else tuple(names.array.tolist()),
        classes=None if vectors is None else len(vectors),
        what=f"{discovery.root}: {', '.join(found.place for found in arrays)}",
    )


def _drawn(items: Items, labels: Ints, share: float, seed: int) -> tuple[Ints, str]:
    """Parts where nobody says any: of each class, and of each modality of unpaired items, a share is test."""
    rng, part = np.random.default_rng(seed), np.zeros(len(items.ids), dtype=np.int64)
    first = np.array([classes_of(label)[0] for label in labels])
    kind = first * 4 + 2 * (items.a >= 0) + (items.b >= 0)
    for value in np.unique(kind):
        rows = rng.permutation(np.flatnonzero(kind == value))
        part[rows[: round(share * len(rows))]] = TEST
    return part, f"nothing says which rows are test rows: {share:g} of each class drawn by data.seed={seed}"


def _became(chosen: Chosen) -> tuple[str, ...]:
    lines: list[tuple[str, Any]] = []
    for side in (chosen.a, chosen.b, chosen.shared):
        whose = "" if side is chosen.shared else f" of {side.name}"
        for what in ("features", "labels", "split", "ids"):
            lines += [(f"{what}{whose}", found) for found in getattr(side, what)]
    lines += [("class names", chosen.class_names), ("class vectors", chosen.class_vectors)]
    return tuple(
        f"{found.place} {found.array.shape} {found.array.dtype}: {what}" for what, found in lines if found is not None
    )


def _aside(discovery: Discovery, chosen: Chosen) -> tuple[str, ...]:
    left = [*(f"{found.place} {found.array.shape}" for found in chosen.unused), *discovery.aside]
    return (f"left aside: {', '.join(left[:_AT_MOST])}{', ...' if len(left) > _AT_MOST else ''}",) if left else ()


_AT_MOST = 8

"""The `features.npz` layout: both modalities, labels, train/test part, class names and class vectors in one file.

Keys: ``image`` (n, d_image), ``text`` (n, d_text), ``label`` (n,) class indices, ``split`` (n,) "train" or "test",
``class_names`` (c,), ``class_vectors`` (c, e), ``ids`` (n,). Beside it may lie ``items.jsonl`` (or ``texts.jsonl``):
one object a line with ``id``, ``text`` and the path of the ``image``, which galleries show; and ``encoders.json``, which
says what made the features, so that new queries can be encoded alike.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from msl.data.classes import Classes
from msl.data.dataset import Card, DataSet
from msl.data.finding.items import read_items
from msl.data.labels import checked_labels
from msl.data.pairs import Features, Pairs, checked_features
from msl.types import InputError, Ints

KEYS = ("image", "text", "label", "split", "class_names", "class_vectors", "ids")


def read_dataset(path: Path, card: Card) -> DataSet:
    """Read `features.npz` (the file, or the folder it lies in) and the items beside it.

    Raises `InputError`, one line naming the file, the row and the remedy, for whatever is missing or wrong.
    """
    file = path / "features.npz" if path.is_dir() else path
    arrays = _arrays(file)
    labels = checked_labels(arrays["label"], len(_names(arrays, "class_names", file)), what=f"{file}: label")
    pairs = Pairs(
        _ids(arrays, file, len(labels)),
        Features(checked_features(arrays["image"], what=f"{file}: image", rows=len(labels))),
        Features(checked_features(arrays["text"], what=f"{file}: text", rows=len(labels))),
        labels,
    )
    names = _names(arrays, "class_names", file)
    try:
        classes = Classes(names, checked_features(arrays["class_vectors"], what=f"{file}: class_vectors"))
    except InputError as error:
        raise InputError(f"{file}: {error}" if str(file) not in str(error) else str(error)) from None
    texts, pictures = read_items(file.parent, pairs.ids)
    return DataSet(
        card=card,
        pairs=pairs,
        classes=classes,
        part=_part(arrays, file),
        texts=texts,
        pictures=pictures,
        encoders=read_encoders(file.parent),
    )


def read_encoders(folder: Path) -> Mapping[str, Any] | None:
    """``encoders.json`` beside features, None where there is none; an `InputError` for one that is damaged."""
    file = folder / "encoders.json"
    if not file.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        for encoder in found.values():
            encoder["settings"]["name"], encoder["identity"].keys()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f"{file} does not say which encoders made the features; encode them again, or remove it"
        ) from None
    return found


def _arrays(file: Path) -> Mapping[str, np.ndarray[Any, Any]]:
    if not file.is_file():
        raise InputError(f"there is no file {file}; give the path of a features.npz or of the folder that holds it")
    try:
        with file.open("rb") as stream:  # numpy would leave a damaged file open
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"{file} is a single array; wanted an .npz with the keys {', '.join(KEYS)}")
            lacking = [key for key in KEYS if key not in archive.files]
            if lacking:
                raise InputError(f"{file} has no array {lacking[0]!r}; wanted the keys {', '.join(KEYS)}")
            arrays = {key: archive[key] for key in KEYS}
        odd = [key for key, array in arrays.items() if not isinstance(array, np.ndarray)]  # numpy gives bytes
        if odd:
            raise InputError(f"{file}: {odd[0]} is no numpy array; write the file with numpy.savez")
        return arrays
    except InputError:
        raise
    except Exception as error:  # of a damaged file zipfile, zlib, struct, tokenize and numpy each have their own
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"{file} is not a readable .npz without pickled objects ({reason}); write it with numpy.savez"
        ) from None


def _ids(arrays: Mapping[str, np.ndarray[Any, Any]], file: Path, rows: int) -> tuple[str, ...]:
    ids = _names(arrays, "ids", file)
    if len(ids) != rows:
        raise InputError(
            f"{file}: ids: wanted {rows}, one per label, but got {len(ids)}; write both from the same list of items"
        )
    if len(set(ids)) != rows:
        double = next(name for name in ids if ids.count(name) > 1)
        raise InputError(f"{file}: ids: {double!r} stands twice; give each pair an id of its own")
    return ids


def _names(arrays: Mapping[str, np.ndarray[Any, Any]], key: str, file: Path) -> tuple[str, ...]:
    if arrays[key].ndim != 1:
        raise InputError(
            f"{file}: {key}: wanted a list of names, but got shape {arrays[key].shape}; write one per item"
        )
    return tuple(str(name) for name in arrays[key])


def _part(arrays: Mapping[str, np.ndarray[Any, Any]], file: Path) -> Ints:
    split, rows = arrays["split"], len(arrays["label"])
    words = split.shape == (rows,) and split.dtype.kind == "U"
    bad = np.flatnonzero((split != "train") & (split != "test")) if words else np.arange(0)
    if not words or len(bad):
        where = f"row {bad[0]} is {str(split[bad[0]])!r}" if words else f"got shape {split.shape} of {split.dtype}"
        raise InputError(
            f"{file}: split: wanted 'train' or 'test' for each of the {rows} rows, but {where}; write one word per row"
        )
    part: Ints = (split == "test").astype(np.int64)
    return part

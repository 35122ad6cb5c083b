"""A data set: pairs and classes, a card that says what they are, and what a gallery shows of each pair."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from msl.data.classes import Classes
from msl.data.fetching.download import Remote
from msl.data.pairs import Pairs
from msl.types import Ints

TRAIN, TEST, VALIDATION = 0, 1, 2
"""Values of `DataSet.part`."""
PART_NAMES = ("train", "test", "validation")
"""What they are called."""


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a reader must know before he trusts a number measured on a data set."""

    name: str
    title: str
    modalities: tuple[str, str]
    """Names of modality a and b: ``("image", "text")``; their initials name the directions, ``i2t`` and ``t2i``."""
    features: tuple[str, str]
    embedding: str
    source: str
    licence: str
    obtain: str
    remotes: tuple[Remote, ...] = ()
    """Files that ``msl data get`` fetches."""

    @property
    def directions(self) -> tuple[str, str]:
        """Names of a -> b and b -> a, such as ``("i2t", "t2i")``."""
        first, second = (modality[0] for modality in self.modalities)
        if first == second:
            first, second = "a", "b"
        return f"{first}2{second}", f"{second}2{first}"


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Everything known of a data set; `part` (n,) says of each row whether it is `TRAIN`, `TEST` or `VALIDATION`."""

    card: Card
    pairs: Pairs
    classes: Classes
    part: Ints
    texts: tuple[str, ...] | None = None
    pictures: tuple[Path, ...] | None = None
    encoders: Mapping[str, Any] | None = None
    """What made the features, as ``encoders.json`` beside them says: by modality the encoder's `settings` and `identity`."""


_SAMPLE = 4096


def fingerprint(data: DataSet, *, texts: bool) -> str:
    """First 12 hexadecimal digits of a sha256 of ids, labels, parts, class names and vectors, features, and raw `texts`.

    Of more than `_SAMPLE` items, the features of so many, evenly spaced: enough to tell two data sets apart.
    """
    pairs = data.pairs
    digest = hashlib.sha256("\0".join((*pairs.ids, *data.classes.names)).encode())
    digest.update("\0".join((texts and data.texts) or ()).encode())
    digest.update(np.ascontiguousarray(data.classes.vectors, dtype="<f4").data)
    for array in (pairs.labels, data.part):
        digest.update(np.ascontiguousarray(array, dtype="<i8").data)
    for features in (pairs.a, pairs.b):
        present = np.flatnonzero(features.present)
        chosen = present[np.linspace(0, len(present) - 1, min(len(present), _SAMPLE), dtype=np.int64)]
        digest.update(np.ascontiguousarray(features[chosen], dtype="<f4").data)
    return digest.hexdigest()[:12]

"""From settings to what a method is shown: the data set, its class embeddings, features of its texts, training pairs."""

import hashlib
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from msl.config import instantiate
from msl.data.classes import Classes
from msl.data.dataset import DataSet, fingerprint
from msl.data.finding.classlists import refuse_numbers
from msl.data.labels import carrying, relabelled
from msl.data.pairs import Features, Pairs, checked_features
from msl.data.splits import Group, Split
from msl.encode.matching import Match
from msl.types import Floats, InputError

OWN = "given"
"""The choice of `embedding` and of `texts` that takes what the data set brings."""

_READ_NAMES = (OWN, "words", "vectors", "graph", "sentences")
"""Choices of `embedding` that look up what class names mean, which numbers do not say."""


def read_data(data: dict[str, Any], texts: dict[str, Any]) -> tuple[DataSet, str]:
    """The configured data set as it is, and the hash of what it brings; raw texts count where features are made of them."""
    found: DataSet = instantiate(data)
    return found, fingerprint(found, texts=texts["name"] != OWN)


def with_embedding(data: DataSet, embedding: dict[str, Any], *, tell: Callable[[str], None]) -> DataSet:
    """The data set with the configured class embeddings; `tell` hears of class names matched in part only."""
    names, own = data.classes.names, data.classes.vectors
    if embedding["name"] == OWN and own.shape[1]:
        return data
    matches: list[Match] = []
    embed = instantiate(embedding)
    hears = {"tell": matches.append} if "tell" in inspect.signature(embed).parameters else {}
    if embedding["name"] in _READ_NAMES:
        refuse_numbers(names)
    vectors: Floats = embed(names, own, **hears)
    for match in matches:
        if match.missed:
            tell(f"class embedding of {match}")
    if vectors.shape[1]:
        vectors = checked_features(vectors, what=f"embedding={embedding['name']}")
    said = "WordNet word vectors of the class names" if embedding["name"] == OWN else _described(embedding)
    if embedding.get("path"):  # files of one name may hold anything
        said = f"{said} {hashlib.sha256(np.ascontiguousarray(vectors).data).hexdigest()[:12]}"
    return replace(data, classes=Classes(names, vectors), card=replace(data.card, embedding=said))


def with_texts(data: DataSet, texts: dict[str, Any], split: Split, fitted: Group) -> DataSet:
    """The data set with features of its texts made anew, whatever they learn learnt from the rows of `fitted` alone."""
    if texts["name"] == OWN:
        if not data.pairs.b.shape[1]:
            raise InputError(
                f"data set {data.card.name!r} brings raw texts and no features of them; choose texts=bow or texts=words"
            )
        return data
    if data.texts is None:
        raise InputError(
            f"texts={texts['name']} makes features of raw texts, and data set {data.card.name!r} has none; "
            "give texts=given, or put the texts beside the features"
        )
    encode = instantiate(texts)([data.texts[row] for row in split.positions(fitted, data)])
    features = checked_features(encode(data.texts), what=f"texts={texts['name']}")
    card = replace(
        data.card,
        name=f"{data.card.name}-{texts['name']}",
        features=(data.card.features[0], f"{_described(texts)}, learnt, if at all, from the seen training texts"),
    )
    return replace(data, card=card, pairs=replace(data.pairs, b=Features(features, data.pairs.b.index)))


def training_pairs(data: DataSet, split: Split, *, selecting: bool) -> tuple[Pairs, Classes]:
    """Rows and classes that fitting may see, while selecting or in the final fit; labels index the returned classes.

    An `InputError` if there are none, or if one has a class not fitted: a split file made for other labels would leak.
    """
    indices = split.classes(data, selecting=selecting)
    pairs = data.pairs.take(split.positions("train" if selecting else "seen_train", data))
    if not len(pairs):
        raise InputError(
            "the split leaves no training rows: none of the data's train part is of fitted classes alone; change the data's "
            "train part, split.seen_share or split.pseudo_unseen_share"
        )
    if carrying(pairs.labels, np.setdiff1d(np.arange(len(data.classes)), indices)).any():
        raise InputError(
            f"training rows of the split have classes it does not fit in data set {data.card.name!r}; use the data set the "
            "split was made from"
        )
    pairs = pairs.completed(seed=split.seed)
    return replace(pairs, labels=relabelled(pairs.labels, indices)), data.classes.take(indices)


def _described(node: dict[str, Any]) -> str:
    values = node | ({"path": Path(node["path"]).name} if node.get("path") else {})
    chosen = [f"{key}={value}" for key, value in values.items() if key != "name" and not key.startswith("_")]
    return " ".join([str(node["name"]), *([f"({', '.join(chosen)})"] if chosen else [])])

"""From settings to what a method is shown: the data set, its class embeddings, features of its texts, training pairs."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from msl.config import instantiate
from msl.data.classes import Classes
from msl.data.dataset import DataSet
from msl.data.finding.classlists import refuse_numbers
from msl.data.labels import relabelled
from msl.data.pairs import Features, Pairs, checked_features
from msl.data.splits import Group, Split
from msl.encode.matching import Match
from msl.types import Floats, InputError

OWN = "given"
"""The choice of `embedding` and of `texts` that takes what the data set brings."""


def read_data(data: dict[str, Any], embedding: dict[str, Any], *, tell: Callable[[str], None]) -> DataSet:
    """The configured data set with the configured class embeddings; `tell` hears of class names matched in part only."""
    found: DataSet = instantiate(data)
    names, own = found.classes.names, found.classes.vectors
    if embedding["name"] == OWN and own.shape[1]:
        return found
    matches: list[Match] = []
    embed = instantiate(embedding)
    hears = {"tell": matches.append} if "tell" in inspect.signature(embed).parameters else {}
    if hears or embedding["name"] == "sentences":  # the kinds that read names
        refuse_numbers(names)
    vectors: Floats = embed(names, own, **hears)
    for match in matches:
        if match.missed:
            tell(f"class embedding of {match}")
    if vectors.shape[1]:
        vectors = checked_features(vectors, what=f"embedding={embedding['name']}")
    said = "WordNet word vectors of the class names" if embedding["name"] == OWN else _described(embedding)
    return replace(found, classes=Classes(names, vectors), card=replace(found.card, embedding=said))


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
            "leave it at texts=given, or put the texts beside the features"
        )
    encode = instantiate(texts)
    features = checked_features(encode(data.texts, split.positions(fitted, data)), what=f"texts={texts['name']}")
    card = replace(
        data.card,
        name=f"{data.card.name}-{texts['name']}",
        features=(data.card.features[0], f"{_described(texts)}, fitted to the seen training texts"),
    )
    return replace(data, card=card, pairs=replace(data.pairs, b=Features(features, data.pairs.b.index)))


def training_pairs(data: DataSet, split: Split, *, selecting: bool) -> tuple[Pairs, Classes]:
    """Rows and classes that fitting may see, while selecting or in the final fit; labels index the returned classes."""
    indices = split.classes(data, selecting=selecting)
    pairs = data.pairs.take(split.positions("train" if selecting else "seen_train", data)).completed(seed=split.seed)
    return replace(pairs, labels=relabelled(pairs.labels, indices)), data.classes.take(indices)


def _described(node: dict[str, Any]) -> str:
    chosen = [f"{key}={value}" for key, value in node.items() if key != "name" and not key.startswith("_")]
    return " ".join([str(node["name"]), *([f"({', '.join(chosen)})"] if chosen else [])])

"""Class embeddings: the side information that names classes, one function per kind.

Each maps class names and the vectors the data set itself brings, (classes, size), of size 0 when it brings none, to
float32 (classes, size). `tell` is told how each name was matched, by the kinds that match names.
"""

from pathlib import Path

import numpy as np

from msl.encode.graph import Graph, read_graph
from msl.encode.matching import Match, Tell, candidates, folded, match_all, require
from msl.encode.named_vectors import read_named
from msl.encode.sentences import encode
from msl.encode.vector_files import read_vectors
from msl.encode.words import WordVectors
from msl.types import Count, Floats, InputError


def unheard(match: Match) -> None:
    """Tell nobody."""


def given(names: tuple[str, ...], own: Floats, *, tell: Tell = unheard) -> Floats:
    """The data set's own vectors; if it brings none, those of `words`."""
    return np.asarray(own, np.float32) if own.shape[1] else words(names, own, tell=tell)


def words(names: tuple[str, ...], own: Floats, *, tell: Tell = unheard) -> Floats:
    """The idf-weighted mean of the names' embedded word vectors, of unit length.

    Raises:
        InputError: names without a known English word.
    """
    vectors = _means(names, WordVectors.load(), where="the embedded word vectors", tell=tell)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def vectors(names: tuple[str, ...], own: Floats, *, path: str, tell: Tell = unheard) -> Floats:
    """The mean of the names' vectors in a file of word vectors (`msl.encode.vector_files`), in the file's own units.

    Raises:
        InputError: the file is unreadable, or names of which it knows no word.
    """
    return _means(names, read_vectors(Path(path), candidates(names)), where=path, tell=tell)


def attributes(names: tuple[str, ...], own: Floats, *, path: str, tell: Tell = unheard) -> Floats:
    """Rows of a class x attribute matrix (`msl.encode.named_vectors`): by name, or in class order if it has no names.

    Names may differ in case, accents and separators.

    Raises:
        InputError: the file is unreadable, lacks classes or, without names, has another number of rows.
    """
    table = read_named(Path(path))
    if table.names is None:
        if len(table.vectors) != len(names):
            raise InputError(
                f"{path} has {len(table.vectors)} rows without names, but there are {len(names)} classes; "
                "give one row per class, in class order, or name the rows"
            )
        return table.vectors
    rows = {folded(name): row for row, name in enumerate(table.names)} | {n: row for row, n in enumerate(table.names)}
    found = {name: rows.get(name, rows.get(folded(name))) for name in names}
    require({name: row is not None for name, row in found.items()}, where=path)
    chosen = [row for row in found.values() if row is not None]
    for name, row in zip(names, chosen, strict=True):
        tell(Match(name, (row,), (table.names[row],), ()))
    return table.vectors[chosen]


def graph(names: tuple[str, ...], own: Floats, *, path: str | None, size: Count, tell: Tell = unheard) -> Floats:
    """Vectors of the classes' nodes in a graph of kinds (`msl.encode.graph`), of unit length and at most `size` numbers.

    `path` is a list of edges; None stands for WordNet's hypernyms. A name of several nodes has their mean. The axes are
    chosen for the classes given, seen and unseen: their names are known beforehand, their items are not.

    Raises:
        InputError: the file is no list of edges, or names without a node.
    """
    found = read_graph(Path(path)) if path else Graph.wordnet()
    matches = match_all(names, found, where=path or "WordNet's nouns", tell=tell)
    return found.vectors([match.rows for match in matches], size=size)


def sentences(names: tuple[str, ...], own: Floats, *, model: str, tell: Tell = unheard) -> Floats:
    """Embeddings of the names, underscores read as spaces, by a sentence-transformers model (`msl.encode.sentences`)."""
    return encode([name.replace("_", " ") for name in names], model=model)


def onehot(names: tuple[str, ...], own: Floats, *, tell: Tell = unheard) -> Floats:
    """The identity: which class it is, without any meaning that could carry over to an unseen one."""
    return np.eye(len(names), dtype=np.float32)


def none(names: tuple[str, ...], own: Floats, *, tell: Tell = unheard) -> Floats:
    """Vectors of size 0: no side information at all."""
    return np.empty((len(names), 0), np.float32)


def _means(names: tuple[str, ...], vocabulary: WordVectors, *, where: str, tell: Tell) -> Floats:
    """The idf-weighted mean of each name's words, in the vectors' own units."""
    matches = match_all(names, vocabulary, where=where, tell=tell)
    rows = [list(match.rows) for match in matches]
    means = [
        np.average(vocabulary.vectors[each].astype(np.float64), axis=0, weights=vocabulary.idf[each]) for each in rows
    ]
    return np.asarray(means, np.float32)

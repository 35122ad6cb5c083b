"""A graph of what is a kind of what -> vectors of its nodes, in which kin are near each other.

A node is described by itself and everything above it, x_a = sqrt(IC(a)) for each such a and 0 elsewhere, so that the
inner product of two nodes is the information their common ancestors carry, as in simGIC (Pesquita, Faria, Bastos,
Ferreira, Falcão and Couto, "Metrics for GO based protein semantic similarity: a systematic evaluation", BMC
Bioinformatics 9, 2008; cosine in place of their Jaccard). The information content needs no corpus:
IC(a) = 1 - log(1 + nodes below a) / log(1 + nodes), 1 for a leaf and almost 0 for a root that is above all (Seco, Veale
and Hayes, "An intrinsic information content metric for semantic similarity in WordNet", ECAI 2004; their denominator
log(nodes) makes a root's IC 0, and a class that is a root would have no vector).
"""

import csv
import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from msl.encode.words import WordVectors
from msl.files import embedded
from msl.types import Floats, InputError


@dataclass(frozen=True)
class Graph:
    """Nodes and their parents.

    Attributes:
        words: names of the nodes.
        parents: of each node, the rows of what it is a kind of.
        aliases: word that is no node -> the word that stands for it.
    """

    words: tuple[str, ...]
    parents: tuple[tuple[int, ...], ...]
    aliases: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_edges(cls, edges: Iterable[tuple[str, str]], aliases: Mapping[str, str] | None = None) -> "Graph":
        """Graph of (child, parent) names; nodes stand in the order in which they first appear."""
        above: dict[str, dict[str, None]] = {}
        for child, parent in edges:
            above.setdefault(child, {})[parent] = None
            above.setdefault(parent, {})
        rows = {name: row for row, name in enumerate(above)}
        return cls(tuple(above), tuple(tuple(rows[name] for name in names) for names in above.values()), aliases or {})

    @classmethod
    def wordnet(cls) -> "Graph":
        """The embedded hypernyms of WordNet's nouns; a node ``sense.2`` is the second meaning of a word.

        A word is the node of its commonest meaning as a noun; an adjective or verb lies below the noun it derives from.
        """
        lines = (embedded("words") / "hypernyms.txt").read_text(encoding="utf-8").splitlines()
        families = (line.split() for line in lines)
        return cls.of_edges(((child, parent) for parent, *children in families for child in children), _aliases())

    @functools.cached_property
    def rows(self) -> dict[str, int]:
        """Row of each node."""
        return {name: row for row, name in enumerate(self.words)}

    @functools.cached_property
    def children(self) -> tuple[tuple[int, ...], ...]:
        """Of each node, the rows of what is a kind of it."""
        below: list[list[int]] = [[] for _ in self.words]
        for child, above in enumerate(self.parents):
            for parent in above:
                below[parent].append(child)
        return tuple(map(tuple, below))

    def row(self, word: str) -> int | None:
        """Row of exactly this word, or of its alias, or None."""
        row = self.rows.get(word)
        return self.rows.get(self.aliases.get(word, word)) if row is None else row

    def vectors(self, groups: Sequence[Sequence[int]], *, size: int) -> Floats:
        """Groups of rows, each standing for one class -> float32 (groups, at most `size`), rows of unit length.

        A group's vector is the mean of its nodes' (each of unit length), turned so that the first axes carry most of
        it (singular value decomposition). There are as many axes as groups at most, and turning changes no cosine; only
        a smaller `size` does. A class unrelated to all others is at right angles to them.
        """
        above = {row: _reachable(row, self.parents) for group in groups for row in group}
        columns = {node: column for column, node in enumerate(sorted(set().union(*above.values())))}
        information = {node: self._information(node) for node in columns}
        matrix = np.zeros((len(groups), len(columns)))
        for vector, group in zip(matrix, groups, strict=True):
            for row in group:
                ancestors = sorted(above[row])
                weights = np.array([information[node] for node in ancestors])
                vector[[columns[node] for node in ancestors]] += np.sqrt(weights / weights.sum())
        return _turned(matrix / np.linalg.norm(matrix, axis=1, keepdims=True), size)

    def _information(self, node: int) -> float:
        """Intrinsic information content: (0, 1], the more the fewer nodes lie below."""
        return 1 - math.log(len(_reachable(node, self.children))) / math.log(1 + len(self.words))


def read_graph(path: Path) -> Graph:
    """Read an edge a line: child, a tab or else a comma, parent; ``#`` begins a comment. Cycles do no harm.

    Raises:
        InputError: the file is missing, empty or no text, or a line is no edge; the message names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            graph = Graph.of_edges(_edges(path, stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot read the graph {path}: {reason}; give a UTF-8 text with an edge per line") from None
    if not graph.words:
        raise InputError(f"{path} has no edge; write child, a tab or a comma, and parent on each line")
    return graph


def _edges(path: Path, lines: Iterable[str]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        (cells,) = csv.reader([line], delimiter="\t" if "\t" in line else ",")
        ends = [cell.strip() for cell in cells]
        if len(ends) != 2 or not all(ends):
            raise InputError(f"{path}: line {number}: wanted child, a tab or a comma, parent, but got {line.strip()!r}")
        yield ends[0], ends[1]


def _aliases() -> Mapping[str, str]:
    return WordVectors.load().aliases


def _reachable(start: int, steps: Sequence[Sequence[int]]) -> set[int]:
    """A row and all that steps lead to from it."""
    seen, waiting = {start}, [start]
    while waiting:
        fresh = [row for row in steps[waiting.pop()] if row not in seen]
        seen.update(fresh)
        waiting += fresh
    return seen


def _turned(matrix: Floats, size: int) -> Floats:
    """Rows in the axes of their singular value decomposition; each axis points where its largest entry is positive."""
    left, strengths, _ = np.linalg.svd(matrix, full_matrices=False)
    kept = strengths > strengths[0] * max(matrix.shape) * np.finfo(matrix.dtype).eps
    turned = (left * strengths)[:, kept][:, :size]
    turned = turned * np.sign(turned[np.abs(turned).argmax(axis=0), np.arange(turned.shape[1])])
    return np.asarray(turned, np.float32)

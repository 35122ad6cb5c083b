"""The same codes measured under every protocol of the field: how much of a published difference is protocol."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from msl.data.dataset import TEST, DataSet
from msl.data.splits import Split
from msl.evaluation.evaluate import evaluate
from msl.evaluation.protocol import Protocol, directions
from msl.methods.method import Method

METRICS = ("map", "map@50", "map@50:hits", "map@50:relevant")


def every_protocol(method: Method, data: DataSet, split: Split, own: Protocol) -> Iterator[dict[str, Any]]:
    """Tidy rows of every protocol, its name under ``view``; regimes are those of `own`."""
    for view, protocol, queries in _views(data, split, own):
        sides = directions(method, data, queries, protocol)
        for row in evaluate(sides, data, queries, protocol, metrics=METRICS).rows:
            yield {"view": view} | row


def _views(data: DataSet, split: Split, own: Protocol) -> Iterator[tuple[str, Protocol, Split]]:
    """Name (queries → gallery), protocol, and the split with the queries it asks for."""
    plain = replace(own, gallery="test", standardise="train", similarity="cosine")
    tested = _test_part_only(data, split)
    if tested.rows != split.rows:
        yield "all unseen rows → the same", plain, split
    yield "test → test", plain, tested
    yield "test → train", replace(plain, gallery="train"), tested
    yield (
        "test → train, per matrix (DADN)",
        replace(plain, gallery="train", standardise="per_matrix"),
        tested,
    )
    yield "test → test, per matrix", replace(plain, standardise="per_matrix"), tested
    yield "test → test, Euclidean", replace(plain, similarity="euclidean"), tested
    yield "test → test, dot product", replace(plain, similarity="dot"), tested


def _test_part_only(data: DataSet, split: Split) -> Split:
    rows = split.positions("unseen_test", data)
    kept = rows[data.part[rows] == TEST]
    ids = tuple(data.pairs.ids[row] for row in np.sort(kept))
    return split if len(kept) == len(rows) else replace(split, rows=split.rows | {"unseen_test": ids})

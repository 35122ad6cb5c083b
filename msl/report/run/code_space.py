"""The code space as a person sees it: points of both modalities by t-SNE, the gap between them, a probe for them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from msl.data.dataset import DataSet
from msl.data.labels import carrying, class_counts, classes_of
from msl.data.splits import Group, Split
from msl.evaluation.protocol import Direction
from msl.index.exact import unit_rows
from msl.metrics.modality import modality_gap, modality_probe
from msl.types import Floats, Ints, Regime


@dataclass(frozen=True)
class Sample:
    """Codes (n, code) of some items of one modality, and their rows (n,) in the data."""

    codes: Floats
    rows: Ints


@dataclass(frozen=True)
class Space:
    """Samples of the code space, one of each modality: `items` to measure on, `points` of a few classes to draw."""

    items: list[Sample] = field(default_factory=list)
    points: list[Sample] = field(default_factory=list)

    def gap(self) -> float:
        """The modality gap between the items."""
        return modality_gap(*(sample.codes for sample in self.items))

    def folds(self, wanted: int) -> int:
        """How many folds the items allow, at most `wanted`."""
        return min(wanted, *(len(sample.rows) for sample in self.items))

    def probe(self, *, folds: int, seed: int) -> float:
        """The accuracy of a linear probe for the modality, in at most `folds` folds; NaN for a single item."""
        folds = self.folds(folds)
        if folds < 2:
            return math.nan
        return modality_probe(*(sample.codes for sample in self.items), folds=folds, seed=seed)

    def places(self, *, perplexity: float, seed: int) -> Floats:
        """Where to draw the points (n, 2), those of the first modality before the second's."""
        return tsne(np.concatenate([sample.codes for sample in self.points]), perplexity=perplexity, seed=seed)


def drawn_classes(data: DataSet, split: Split, regime: Regime, *, count: int, seed: int) -> Ints:
    """Indices of at most `count` classes that the regime's queries have (in the unseen one, unseen classes), by `seed`."""
    groups: dict[str, tuple[Group, ...]] = {"unseen": ("unseen_test",), "generalised": ("seen_test", "unseen_test")}
    rows = np.concatenate([split.positions(group, data) for group in groups.get(regime, ("seen_test",))])
    known = np.flatnonzero(class_counts(data.pairs.labels[rows], len(data.classes)))
    if regime == "unseen":
        known = np.intersect1d(known, split.unseen_classes(data))
    return np.sort(np.random.default_rng(seed).permutation(known)[:count])


def sampled(direction: Direction, order: Ints, count: int, *, classes: Ints | None = None) -> Sample:
    """The `count` queries, of `classes` alone if given, whose rows come first in `order`, which has a place for every row.

    Where both modalities are there, the queries of both directions are then the same items in the same order.
    """
    positions = np.arange(len(direction.query_rows))
    if classes is not None:
        positions = positions[carrying(direction.query_labels, classes)]
    chosen = positions[np.argsort(order[direction.query_rows[positions]])][:count]
    return Sample(direction.queries[chosen], direction.query_rows[chosen])


def class_of_each(data: DataSet, rows: Ints, classes: Ints) -> list[str]:
    """The name of the class that each row is drawn as: of several among `classes`, the first."""
    own = [np.intersect1d(classes_of(data.pairs.labels[row]), classes)[0] for row in rows]
    return [data.classes.names[label] for label in own]


def tsne(codes: Floats, *, perplexity: float, seed: int) -> Floats:
    """Places (n, 2) of codes (n, d) by t-SNE (van der Maaten & Hinton, JMLR 2008) on the unit-normalised codes.

    Their Euclidean distances order as the cosines that a search goes by. `perplexity` is cut to a third of the points.
    One thread: the same codes give the same places to the last bit.
    """
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    units = unit_rows(codes)
    spread = min(units.shape) > 1 and bool(np.ptp(units, axis=0).any())
    drawing = TSNE(
        perplexity=min(perplexity, max(1.0, (len(units) - 1) / 3)),
        init="pca" if spread else "random",  # principal components want two dimensions, and points that differ
        random_state=seed,
        n_jobs=1,
    )
    with threadpool_limits(1):
        places: Floats = drawing.fit_transform(units)
    return places


def modality_of_each(points: Sequence[Sample], names: tuple[str, str]) -> list[str]:
    """The modality's name of each point, in the order of `Space.places`."""
    return [name for name, sample in zip(names, points, strict=True) for _ in sample.rows]

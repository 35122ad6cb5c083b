"""Methods ranked over many data sets, and which of them the data sets cannot tell apart (Demšar, JMLR 2006)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msl.evaluation.ledger import Summary
from msl.types import Floats, InputError


@dataclass(frozen=True)
class Ranking:
    """Methods from the best mean rank on, over blocks: data sets under one protocol."""

    methods: tuple[str, ...]
    ranks: tuple[float, ...]
    """Mean rank of each method, 1 the best; tied methods share the mean of their ranks."""
    blocks: tuple[tuple[str, str], ...]
    """(data set, protocol) in which every method was measured."""
    p: float
    """Friedman's test that all methods are alike."""
    critical_difference: float
    """Nemenyi's: mean ranks that differ by less cannot be told apart."""
    cliques: tuple[tuple[str, ...], ...]
    """Largest groups of neighbours in rank that cannot be told apart, of two methods or more."""


def rank(summaries: Sequence[Summary], *, methods: Sequence[str], regime: str, confidence: float = 0.95) -> Ranking:
    """Rank `methods` by their mean value in a regime, over the blocks in which each of them was measured.

    An `InputError` for fewer than two methods, or fewer than two blocks.
    """
    found: dict[tuple[str, str], dict[str, float]] = {}
    for each in summaries:
        if each.regime == regime and each.method in methods:
            found.setdefault((each.data, each.protocol), {})[each.method] = each.value.mean
    blocks = [block for block, values in found.items() if len(values) == len(methods)]
    if len(methods) < 2 or len(blocks) < 2:
        raise InputError(
            f"a ranking wants two or more methods measured on two or more data sets, got {len(methods)} methods and "
            f"{len(blocks)} data sets with all of them in regime {regime!r}; measure {', '.join(methods)} on more data sets"
        )
    scores = np.array([[found[block][method] for method in methods] for block in blocks])
    return _ranking(scores, tuple(methods), tuple(blocks), confidence)


def _ranking(
    scores: Floats, methods: tuple[str, ...], blocks: tuple[tuple[str, str], ...], confidence: float
) -> Ranking:
    from scipy.stats import rankdata, studentized_range  # here, because it takes half a second to import

    by_block = rankdata(-scores, axis=1)
    means = by_block.mean(axis=0)
    order = np.argsort(means, kind="stable")
    count = len(methods)
    spread = np.sqrt(count * (count + 1) / (6 * len(scores)))
    difference = float(studentized_range.ppf(confidence, count, np.inf) / np.sqrt(2) * spread)
    ordered = tuple(methods[place] for place in order)
    ranks = tuple(float(means[place]) for place in order)
    cliques = _cliques(ordered, ranks, difference)
    return Ranking(ordered, ranks, blocks, friedman(by_block), difference, cliques)


def friedman(ranks: Floats) -> float:
    """p of Friedman's test, corrected for ties, on ranks (blocks, methods); 1 if every block ties all methods.

    ``chi² = (k - 1) sum_j (R_j - n (k + 1) / 2)² / sum_ij (r_ij - (k + 1) / 2)²`` with R_j the sums of ranks: for two
    methods as well, which `scipy.stats.friedmanchisquare` refuses.
    """
    from scipy.stats import chi2

    blocks, methods = ranks.shape
    within = float(((ranks - (methods + 1) / 2) ** 2).sum())
    between = float(((ranks.sum(axis=0) - blocks * (methods + 1) / 2) ** 2).sum())
    return float(chi2.sf((methods - 1) * between / within, methods - 1)) if within else 1.0


def _cliques(methods: tuple[str, ...], ranks: tuple[float, ...], difference: float) -> tuple[tuple[str, ...], ...]:
    """Runs of neighbours within `difference` of their best that no longer run holds."""
    found: list[range] = []
    for first, best in enumerate(ranks):
        last = max(place for place, mean in enumerate(ranks) if mean - best < difference)
        if last > first and not (found and found[-1].stop > last):
            found.append(range(first, last + 1))
    return tuple(tuple(methods[place] for place in run) for run in found)

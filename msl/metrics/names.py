"""Metrics by name, `name@k:divisor`: the one table to add a metric to."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from msl.metrics.average_precision import DIVISORS, average_precision_at
from msl.metrics.chance import chance_average_precision, chance_ndcg, chance_precision, chance_recall
from msl.metrics.ndcg import ndcg_at
from msl.metrics.precision import precision_at
from msl.metrics.ranked import Counts, Ranked, Values
from msl.metrics.recall import recall_at
from msl.types import InputError


@dataclass(frozen=True)
class Family:
    """A metric before its cut-off is chosen."""

    title: str
    values: Callable[..., Values]
    """(ranked, k, divisor=... if it has divisors) -> one value per query."""
    chance: Callable[..., Values]
    """(relevant, gallery, k, the same) -> its expected value under a random ranking."""
    whole: bool
    """Whether it makes sense without a cut-off."""
    divisors: tuple[str, ...] = ()


FAMILIES = {
    "map": Family("mAP", average_precision_at, chance_average_precision, whole=True, divisors=DIVISORS),
    "precision": Family("precision", precision_at, chance_precision, whole=False),
    "recall": Family("recall", recall_at, chance_recall, whole=False),
    "ndcg": Family("NDCG", ndcg_at, chance_ndcg, whole=True),
}

_WRITTEN = {"min": "min(R, {k})", "hits": "the hits in the first {k}", "relevant": "R"}


@dataclass(frozen=True)
class Metric:
    """A metric ready to apply."""

    name: str
    title: str
    """For a table's head: with the cut-off and, where papers disagree, the divisor."""
    values: Callable[[Ranked], Values]
    chance: Callable[[Counts, int], Values]


def metric(name: str) -> Metric:
    """Return the metric called `name`: map, map@50, map@50:hits, precision@10, recall@10, ndcg, ndcg@10, ...

    Raises `InputError` for a name that is not one, listing those that are.
    """
    parts = re.fullmatch(r"([a-z]+)(?:@([1-9][0-9]*))?(?::([a-z]+))?", name)
    family = FAMILIES.get(parts[1]) if parts else None
    if parts is None or family is None:
        raise InputError(f"metric: wanted one of {known_metrics()}, got {name!r}")
    k, divisor = int(parts[2]) if parts[2] else None, parts[3]
    if k is None and not family.whole:
        raise InputError(f"metric: wanted a cut-off, as in {name}@10, got {name!r}")
    if divisor and (k is None or divisor not in family.divisors):
        raise InputError(f"metric: wanted one of {known_metrics()}, got {name!r}, whose divisor means nothing")
    return _metric(name, family, k, divisor)


def _metric(name: str, family: Family, k: int | None, divisor: str | None) -> Metric:
    chosen: dict[str, Any] = {"k": k}
    title = family.title + (f"@{k}" if k else "")
    if family.divisors:
        chosen["divisor"] = divisor or family.divisors[0]
        title += f" / {_WRITTEN[chosen['divisor']].format(k=k)}" if k else ""
    return Metric(name, title, partial(family.values, **chosen), partial(family.chance, **chosen))


def known_metrics() -> str:
    """Return the forms a metric's name can take, for messages and help."""
    forms = []
    for name, family in FAMILIES.items():
        forms += [name] if family.whole else []
        forms.append(f"{name}@k" + (f"[:{'|'.join(family.divisors)}]" if family.divisors else ""))
    return ", ".join(forms)

"""A study: the summaries of an experiment's runs."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from msl.evaluation.claims import Verdict
from msl.evaluation.ledger import Summary, summarise
from msl.evaluation.ranking import Ranking, rank
from msl.types import Regime

MANY = 4
"""Data sets below which mean ranks say nothing: with two methods, even one that is always the better can be told at no p < 0.05."""


@dataclass(frozen=True)
class Varied:
    """What one line was measured with that others were not: the value of one key, of a method."""

    axis: str
    method: str
    value: Any
    log: bool
    """Whether an axis of its values wants logarithms."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """An experiment measured: everything its page shows."""

    title: str
    question: str
    metrics: tuple[str, ...]
    """The one that matters first."""
    regimes: tuple[Regime, ...]
    """The one that matters first."""
    reference: str | None
    labels: tuple[str, ...]
    """Lines of a table, in their order."""
    varied: dict[str, Varied]
    """By label; empty where methods are compared."""
    runs: int
    wanted: int
    """Runs measured, and runs of the whole experiment."""
    rows: list[dict[str, Any]]
    verdicts: tuple[Verdict, ...]
    """On published numbers of the same methods and data."""

    def summaries(self, metric: str, direction: str = "mean") -> list[Summary]:
        """Of a metric: data set by data set, regime by regime, in the order of labels."""
        if (metric, direction) not in self._summarised:
            self._summarised[metric, direction] = self._summarise(metric, direction)
        return self._summarised[metric, direction]

    @cached_property
    def _summarised(self) -> dict[tuple[str, str], list[Summary]]:
        """Those asked for before: tables, page and words all begin with them."""
        return {}

    def _summarise(self, metric: str, direction: str) -> list[Summary]:
        chosen = [row for row in self.rows if row["regime"] in self.regimes]
        found = summarise(chosen, metric=metric, direction=direction, reference=self._reference())
        data = list(dict.fromkeys(each.data for each in found))
        return sorted(
            found, key=lambda s: (data.index(s.data), self.regimes.index(s.regime), self.labels.index(s.method))
        )

    def _reference(self) -> str | None:
        return self.reference if any(row["method"] == self.reference for row in self.rows) else None

    def directions(self) -> list[str]:
        """Names of the two directions, if all data sets call them the same."""
        names = list(dict.fromkeys(row["direction"] for row in self.rows if row["direction"] != "mean"))
        return names if len(names) == 2 else []

    def parts(self, metric: str) -> dict[str, list[Summary]]:
        """The summaries of a metric by data set."""
        found: dict[str, list[Summary]] = {}
        for each in self.summaries(metric):
            found.setdefault(each.data, []).append(each)
        return found

    def by_direction(self, metric: str, data: str) -> dict[str, list[Summary]]:
        """The same lines in each direction."""
        return {name: [s for s in self.summaries(metric, name) if s.data == data] for name in self.directions()}

    @property
    def many(self) -> bool:
        """Whether there are so many methods and data sets that a reader first wants to see them at a glance."""
        return not self.varied and len(self.labels) > 2 and len({row["data"] for row in self.rows}) > 1

    def ranking(self) -> Ranking | None:
        """Of the methods, over the data sets, by the first metric in the first regime; None for one method or too few data sets."""
        found = [each for each in self.summaries(self.metrics[0]) if each.regime == self.regimes[0]]
        blocks = [
            {each.method for each in found if each.data == data} for data in dict.fromkeys(each.data for each in found)
        ]
        complete = sum(block == set(self.labels) for block in blocks)
        if self.varied or len(self.labels) < 2 or complete < MANY:
            return None
        return rank(found, methods=self.labels, regime=self.regimes[0])


def varied_lines(study: Study, found: list[Summary]) -> dict[tuple[str, str, str], list[tuple[Varied, Summary]]]:
    """The lines that vary one key, by ``method on data``, regime and axis, in the order of values."""
    lines: dict[tuple[str, str, str], list[tuple[Varied, Summary]]] = {}
    for each in found:
        varied = study.varied.get(each.method)
        if varied:
            lines.setdefault((f"{varied.method} on {each.data}", each.regime, varied.axis), []).append((varied, each))
    return lines

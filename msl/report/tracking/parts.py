"""What a tracker is told of a run, and what a tracker is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from msl.types import Floats


@dataclass(frozen=True, kw_only=True)
class About:
    """What is known of a run as it starts; its files lie in `folder`."""

    project: str
    name: str
    group: str
    job_type: str
    tags: Sequence[str]
    config: Mapping[str, Any]
    folder: Path


@dataclass(frozen=True)
class Artifact:
    """Files that are kept together: a `kind` (split, weights or codes) and a name that says which."""

    kind: str
    name: str
    files: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run found: tidy `rows`, `curves` on `levels` and per-class means by ``regime/direction``, pictures, artifacts."""

    rows: Sequence[Mapping[str, Any]]
    curves: Mapping[str, Floats]
    levels: Floats
    per_class: Mapping[str, Mapping[str, float]]
    pictures: Sequence[Path]
    chosen: Mapping[str, Any]
    """What selection chose, by name, with its validation mAP."""
    artifacts: Sequence[Artifact]

    def headline(self) -> dict[str, Any]:
        """The numbers a run is known by: ``regime/direction/`` the first metric, its lift and chance; ``chosen/...``."""
        metric = self.rows[0]["metric"]
        found: dict[str, Any] = {}
        for row in self.rows:
            key = f"{row['regime']}/{row['direction']}"
            if row["metric"] == metric:
                found |= {f"{key}/{metric}": row["value"]} | {f"{key}/{what}": row[what] for what in ("lift", "chance")}
            elif row["metric"] == f"{metric}_harmonic":
                found[f"{key}/{row['metric']}"] = row["value"]
        return found | {f"chosen/{name}": value for name, value in self.chosen.items() if value is not None}

    def class_means(self) -> dict[str, dict[str, float]]:
        """By regime, the first metric of every class, mean of the directions that ask for it; NaN is left out."""
        found: dict[str, dict[str, list[float]]] = {}
        for key, values in self.per_class.items():
            for name, value in values.items():
                if not np.isnan(value):
                    found.setdefault(key.split("/")[0], {}).setdefault(name, []).append(value)
        return {
            regime: {name: float(np.mean(each)) for name, each in classes.items()} for regime, classes in found.items()
        }


class Tracker(Protocol):
    """One run in one tracker; any method may raise, `Board` sees to it that nothing comes of it."""

    begins_anew: bool
    """Whether a resumed run's earlier epochs have to be told again."""

    @property
    def place(self) -> Path:
        """The folder of the run's files."""

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """The scalars of one epoch."""

    def results(self, outcome: Outcome) -> None:
        """What the run found."""

    def finish(self, *, exit_code: int) -> None:
        """End the run; any `exit_code` but 0 marks it as failed."""


def flat(values: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Nested values by dotted key."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{path}.{key}" if path else str(key)
        found |= flat(value, name) if isinstance(value, Mapping) else {name: value}
    return found

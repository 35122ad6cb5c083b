"""What `msl train` is told, checked: everything that can be wrong with it is found before anything is written."""

from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig
from pydantic import BaseModel, ConfigDict, Field

from msl.config import check, config_hash, instantiate, resolved, validated
from msl.data.classes import Classes
from msl.data.dataset import DataSet
from msl.data.pairs import Pairs
from msl.data.splits import Split, read_split
from msl.evaluation.protocol import GallerySide
from msl.evaluation.run import Card, RunFolder
from msl.methods.method import Method, Sizes
from msl.metrics.names import metric
from msl.metrics.similarity import Similarity
from msl.report.board import Mode
from msl.types import InputError


class Group(BaseModel):
    """A group of keys; one that is not declared is an error."""

    model_config = ConfigDict(extra="forbid")


class Logger(Group):
    """The `logger` group."""

    mode: Mode
    project: str


class Evaluating(Group):
    """The `evaluation` group."""

    metrics: list[str] = Field(min_length=1)
    gallery: GallerySide
    similarity: Similarity

    def model_post_init(self, context: Any) -> None:
        """Refuse unknown metrics now, not after training."""
        for name in self.metrics:
            metric(name)


class Reporting(Group):
    """The `report` group: how large the gallery is."""

    queries: int = Field(ge=0)
    finds: int = Field(ge=1)
    seed: int = Field(ge=0)


class Settings(Group):
    """`conf/train.yaml`."""

    seed: int = Field(ge=0)
    label: str = Field(min_length=1)
    resume: str | None
    ledger: str | None
    progress: bool
    logger: Logger
    evaluation: Evaluating
    report: Reporting
    data: dict[str, Any]
    split: dict[str, Any]
    method: dict[str, Any]
    optimiser: dict[str, Any]
    trainer: dict[str, Any]


def read_settings(cfg: DictConfig) -> tuple[Settings, str]:
    """The checked settings and the hash of all that can change a number."""
    values = resolved(cfg)
    check(values)
    return validated(Settings, values), config_hash(values)


@dataclass(frozen=True)
class Run:
    """A configured run, everything checked, nothing done yet."""

    settings: Settings
    folder: RunFolder
    data: DataSet
    split: Split
    card: Card

    @property
    def resuming(self) -> bool:
        """Whether the run goes on where it stopped."""
        return self.settings.resume is not None

    def training_pairs(self, *, selecting: bool) -> tuple[Pairs, Classes]:
        """All that fitting may see: rows of seen classes, labelled 0.. among the classes fitted, and those classes."""
        return training_pairs(self.data, self.split, selecting=selecting)

    def build(self, pairs: Pairs, classes: Classes, chosen: dict[str, Any]) -> Method:
        """The configured method, with the searched values `chosen`, for these pairs and classes."""
        return build(self.settings.method, sizes(pairs, classes), chosen)

    def title(self) -> str:
        """What was measured, for the heads of tables and figures."""
        return f"{self.settings.label} on {self.data.card.name}, class split {self.split.seed}"


def prepare(cfg: DictConfig, folder: Path, overrides: list[str]) -> Run:
    """Check the configuration, read the data, make the split."""
    settings, digest = read_settings(cfg)
    if settings.resume is None and (folder / "card.json").exists():
        raise InputError(
            f"{folder} already holds a run; go on with msl train resume={folder}, or give another hydra.run.dir"
        )
    data: DataSet = instantiate(settings.data)
    split: Split = read_split(folder / "split.json") if settings.resume else instantiate(settings.split)(data)
    pairs, classes = training_pairs(data, split, selecting=False)
    build(settings.method, sizes(pairs, classes), {})  # a wrong combination of networks shows here
    card = Card(
        label=settings.label,
        method=settings.method["name"],
        sizes=sizes(pairs, classes),
        classes=classes.names,
        data=data.card.name,
        encoders=data.card.features,
        overrides=tuple(overrides),
        config_hash=digest,
    )
    if settings.resume and RunFolder(folder).card().config_hash != digest:
        raise InputError(
            f"the configuration in {folder} is not the one the run was started with; restore config.yaml or start a new run"
        )
    return Run(settings, RunFolder(folder), data, split, card)


def training_pairs(data: DataSet, split: Split, *, selecting: bool) -> tuple[Pairs, Classes]:
    """Rows and classes that fitting may see, while selecting or in the final fit; labels index the returned classes."""
    indices = split.classes(data, selecting=selecting)
    pairs = data.pairs.take(split.positions("train" if selecting else "seen_train", data))
    position = np.full(len(data.classes), -1)
    position[indices] = np.arange(len(indices))
    return replace(pairs, labels=position[pairs.labels]), data.classes.take(indices)


def sizes(pairs: Pairs, classes: Classes) -> Sizes:
    """The widths that the data decide."""
    return Sizes(a=pairs.a.shape[1], b=pairs.b.shape[1], classes=len(classes), embedding=classes.vectors.shape[1])


def build(method: dict[str, Any], sizes: Sizes, chosen: dict[str, Any]) -> Method:
    """Instantiate a method node; `chosen` maps dotted keys below it to searched values."""
    node = deepcopy(method)
    for path, value in chosen.items():
        *parents, last = path.split(".")
        place = node
        for key in parents:
            place = place.get(key, {})
        if last not in place:
            raise InputError(f"method.search names {path!r}, which is no key of method={method['name']}; correct it")
        place[last] = value
    check(node, "method")
    built: Method = instantiate(node)(sizes)
    return built

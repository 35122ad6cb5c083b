"""What `msl train` is told, checked: everything that can be wrong with it is found before anything is written."""

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from omegaconf import DictConfig
from pydantic import BaseModel, ConfigDict, Field

from msl.commands.inputs import read_data, training_pairs, with_embedding, with_texts
from msl.commands.searching import build, check_search
from msl.config import check, config_hash, instantiate, resolved, validated
from msl.data.classes import Classes
from msl.data.dataset import DataSet
from msl.data.pairs import Pairs
from msl.data.splits import Split, read_split
from msl.evaluation.evaluate import PROBE
from msl.evaluation.protocol import GallerySide, Protocol, Standardising, check_rows
from msl.evaluation.run import Card, RunFolder
from msl.methods.method import Method, Sizes
from msl.metrics.names import metric
from msl.metrics.similarity import Similarity
from msl.report.tracking.board import Mode, Name
from msl.types import InputError

SELECTED_ON_TEST = (
    "select_on=test is refused: the test rows are what the result is measured on, and what is chosen on them (the best "
    "epoch alone has added .03 mAP to a published method) becomes part of the number; select_on=validation chooses on "
    "classes or rows held out of training, select_on=nothing trains for trainer.epochs"
)


class Group(BaseModel):
    """A group of keys; one that is not declared is an error."""

    model_config = ConfigDict(extra="forbid")


class Logger(Group):
    """The `logger` group."""

    tracker: Name
    mode: Mode
    project: str
    group: str | None
    tags: list[str]
    artifacts: list[Literal["split", "weights", "codes"]]
    largest_file: int = Field(ge=0)


class Evaluating(Group):
    """The `evaluation` group."""

    metrics: list[str] = Field(min_length=1)
    regimes: list[Literal["seen", "unseen", "generalised"]] = Field(min_length=1)
    gallery: GallerySide
    standardise: Standardising
    similarity: Similarity

    @property
    def protocol(self) -> Protocol:
        """How codes are searched."""
        return Protocol(
            gallery=self.gallery,
            standardise=self.standardise,
            similarity=self.similarity,
            regimes=tuple(self.regimes),
        )

    def model_post_init(self, context: Any) -> None:
        """Refuse unknown metrics now, not after training."""
        for name in self.metrics:
            if name != PROBE:
                metric(name)
        if self.metrics[0] == PROBE:
            raise InputError(
                f"evaluation.metrics begins with {PROBE}; put a metric of the ranking before it, as in [map,{PROBE}]"
            )


class Reporting(Group):
    """The `report` group: how large the gallery is."""

    queries: int = Field(ge=0)
    finds: int = Field(ge=1)
    seed: int = Field(ge=0)


class Settings(Group):
    """`conf/train.yaml`."""

    seed: int = Field(ge=0)
    label: str = Field(min_length=1)
    select_on: str
    resume: str | None
    ledger: str | None
    progress: bool
    logger: Logger
    evaluation: Evaluating
    report: Reporting
    data: dict[str, Any]
    embedding: dict[str, Any]
    texts: dict[str, Any]
    split: dict[str, Any]
    method: dict[str, Any]
    optimiser: dict[str, Any]
    trainer: dict[str, Any]

    @property
    def split_rule(self) -> str:
        """The name of the function that splits."""
        return str(self.split["_target_"].rpartition(".")[2])

    def model_post_init(self, context: Any) -> None:
        """Refuse to choose on what is measured."""
        if self.select_on == "test":
            raise InputError(SELECTED_ON_TEST)
        if self.select_on not in ("validation", "nothing"):
            raise InputError(f"select_on={self.select_on}: wanted validation or nothing")


def read_settings(cfg: DictConfig) -> tuple[Settings, str]:
    """The checked settings and the hash of all that can change a number."""
    values = resolved(cfg)
    return checked_settings(values), config_hash(values)


def checked_settings(values: dict[str, Any]) -> Settings:
    """The settings as a model; an `InputError` naming what is wrong with one."""
    check(values)
    return validated(Settings, values)


@dataclass(frozen=True)
class Run:
    """A configured run, everything checked, nothing done yet."""

    settings: Settings
    folder: RunFolder
    data: DataSet
    fitted_data: DataSet
    """The data set as the final fit and the evaluation see it."""
    split: Split
    card: Card
    notes: tuple[str, ...]
    """What a person should know about how the inputs were understood."""

    @property
    def resuming(self) -> bool:
        """Whether the run goes on where it stopped."""
        return self.settings.resume is not None

    @functools.cached_property
    def selection_data(self) -> DataSet:
        """The data set as selection sees it: nothing in it was learnt from the classes or rows held out."""
        return with_texts(self.data, self.settings.texts, self.split, "train")

    def training_pairs(self, *, selecting: bool) -> tuple[Pairs, Classes]:
        """All that fitting may see: rows of seen classes, labelled 0.. among the classes fitted, and those classes."""
        return training_pairs(self.selection_data if selecting else self.fitted_data, self.split, selecting=selecting)

    def build(self, pairs: Pairs, classes: Classes, chosen: dict[str, Any]) -> Method:
        """The configured method, with the searched values `chosen`, for these pairs and classes."""
        return build(self.settings.method, sizes(pairs, classes), chosen)

    def title(self) -> str:
        """What was measured, for the heads of tables and figures."""
        return f"{self.settings.label} on {self.card.data}, class split {self.split.seed}"


def prepare(cfg: DictConfig, folder: Path, overrides: list[str]) -> Run:
    """Check the configuration, read the data, make the split."""
    settings, digest = read_settings(cfg)
    if settings.resume is None and (folder / "card.json").exists():
        raise InputError(
            f"{folder} already holds a run; go on with msl train resume={folder}, or give another hydra.run.dir"
        )
    notes: list[str] = []
    if settings.method.get("search") and settings.select_on == "nothing":
        notes.append("select_on=nothing: method.search is left aside, settings are used as they stand")
    found, digest_of_data = read_data(settings.data, settings.texts)
    data = with_embedding(found, settings.embedding, tell=notes.append)
    split: Split = read_split(folder / "split.json") if settings.resume else instantiate(settings.split)(data)
    shown = with_texts(data, settings.texts, split, "seen_train")
    pairs, classes = training_pairs(shown, split, selecting=False)
    check_rows(shown, split, settings.evaluation.protocol)
    check_search(settings.method, settings.trainer)
    build(settings.method, sizes(pairs, classes), {})  # a wrong combination of networks shows here
    card = Card(
        label=settings.label,
        method=settings.method["name"],
        sizes=sizes(pairs, classes),
        classes=classes.names,
        data=shown.card.name,
        data_hash=digest_of_data,
        encoders=shown.card.features,
        modalities=shown.card.modalities,
        embedding=shown.card.embedding,
        overrides=tuple(overrides),
        config_hash=digest,
    )
    if settings.resume:
        _check_same(RunFolder(folder).card(), card, folder)
    return Run(settings, RunFolder(folder), data, shown, split, card, tuple(notes))


def _check_same(started: Card, now: Card, folder: Path) -> None:
    if started.config_hash != now.config_hash:
        raise InputError(
            f"the configuration in {folder} is not the one the run was started with; restore config.yaml or start a new run"
        )
    check_same_data(started, now.data_hash, folder)
    if started.embedding != now.embedding:
        raise InputError(
            f"the class embeddings are not those the run in {folder} was started with ({started.embedding}, now "
            f"{now.embedding}); restore their file or start a new run"
        )


def check_same_data(card: Card, found: str, folder: Path) -> None:
    """An `InputError` unless the data are those a run was trained on."""
    if card.data_hash != found:
        raise InputError(
            f"the data set {card.data!r} is not the one the run in {folder} was trained on (its hash is {found}, the run's "
            f"{card.data_hash}); restore the data or train anew"
        )


def sizes(pairs: Pairs, classes: Classes) -> Sizes:
    """The widths that the data decide."""
    return Sizes(a=pairs.a.shape[1], b=pairs.b.shape[1], classes=len(classes), embedding=classes.vectors.shape[1])

"""What `msl sweep` is told, checked before the first trial: settings of every trial, what is searched, how."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

from omegaconf import DictConfig, OmegaConf
from pydantic import Field

from msl.commands.searching import searched_paths
from msl.commands.settings import Group, Run, prepare, read_settings
from msl.commands.sweeping.held_out import check_same_rows, held_out, other_rows, rows_from
from msl.commands.sweeping.space import Choice, Space, Value, read_space, written
from msl.commands.sweeping.suggest import Sampler, grid, optuna
from msl.config import composed, resolved, validated
from msl.types import Count, InputError

OBJECTIVE = "validation_map"
"""What a sweep maximises; there is no other."""

_ELSEWHERE = {"seed": "sweep.seeds=[...]", "split.seed": "sweep.splits=[...]", "resume": "sweep.folder=FOLDER"}
_QUIET = ("logger=none", "progress=false")

Seeds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]


class Options(Group):
    """The `sweep` group of `conf/sweep.yaml`."""

    trials: Count
    splits: Seeds
    seeds: Seeds
    sampler: Sampler
    sampler_seed: int = Field(ge=0)
    objective: str
    folder: str = Field(min_length=1)
    wandb: str | None

    def model_post_init(self, context: Any) -> None:
        """Refuse to choose on what is measured."""
        if self.objective != OBJECTIVE:
            raise InputError(
                f"sweep.objective={self.objective} is refused: a sweep chooses by {OBJECTIVE}, on rows held out of training; "
                "test rows are what the result is measured on, and what is chosen on them becomes part of the number"
            )


class Settings(Group):
    """`conf/sweep.yaml`."""

    sweep: Options


@dataclass(frozen=True)
class Plan:
    """A sweep: its options, the overrides that hold for every trial, what is searched."""

    options: Options
    fixed: tuple[str, ...]
    space: Space

    @property
    def trials(self) -> int:
        """How many trials there are in all."""
        if not self.space:
            return 1
        return len(grid(self.space)) if self.options.sampler == "grid" else self.options.trials

    def configured(self, values: Mapping[str, Value]) -> DictConfig:
        """`conf/train.yaml` as a trial has it, for the first class split and seed."""
        first = (f"split.seed={self.options.splits[0]}", f"seed={self.options.seeds[0]}")
        return composed("train", [*_QUIET, *self.fixed, *written(values), *first])

    def definition(self, first: Run) -> dict[str, Any]:
        """What trials must share to be compared, as plain JSON values; `first` is the run of the first values."""
        options = self.options.model_dump(include={"splits", "seeds", "sampler", "sampler_seed", "objective"})
        space = {
            key: asdict(parameter) | ({"values": list(parameter.values)} if isinstance(parameter, Choice) else {})
            for key, parameter in self.space.items()
        }
        hashes = {"config_hash": first.card.config_hash, "data_hash": first.card.data_hash}
        return {"overrides": list(self.fixed), "space": space, **options, **hashes}


@dataclass(frozen=True)
class First:
    """The run of the first values, which those of all others are held against."""

    run: Run
    held_out: Mapping[int, str]
    """`held_out` of each class split."""


def read_plan(arguments: Sequence[str]) -> Plan:
    """The plan of a command line; an `InputError` for a wrong option and for what no sweep may search."""
    own = [text for text in arguments if text.lstrip("+~").startswith("sweep.")]
    options = validated(Settings, resolved(composed("sweep", own))).sweep
    fixed, space = read_space([text for text in arguments if text not in own])
    for key in [text.partition("=")[0] for text in fixed] + list(space):
        if key.lstrip("+~") in _ELSEWHERE:
            raise InputError(f"{key} is not for a sweep; give {_ELSEWHERE[key.lstrip('+~')]}")
    for key in space:
        plain = key.lstrip("+")
        if plain.partition(".")[0] in ("split", "protocol", "select_on") or plain in ("data", "data.path"):
            raise other_rows(key)
    # in order of key, however given: the grid and Optuna's suggestions go by it
    plan = Plan(options, tuple(fixed), dict(sorted(space.items())))
    if options.sampler == "grid" and plan.trials > options.trials:
        raise InputError(f"the grid has {plan.trials} combinations; give sweep.trials={plan.trials}, or fewer values")
    return plan


def seeded(cfg: DictConfig, *, split: int, seed: int) -> DictConfig:
    """A trial's configuration for another class split and seed."""
    own = deepcopy(cfg)
    OmegaConf.update(own, "split.seed", split)
    OmegaConf.update(own, "seed", seed)
    return own


def check_plan(plan: Plan) -> First:
    """Check every value as training would, and that it leaves every class split the same validation rows."""
    if plan.space and plan.options.sampler != "grid" and not plan.options.wandb:
        optuna()
    first = {key: parameter.checked[0] for key, parameter in plan.space.items()}
    runs = dict(_prepared(plan, first))
    found = First(runs[plan.options.splits[0]], {split: held_out(run) for split, run in runs.items()})
    _check_searched_once(plan.space, found.run)
    for key, parameter in plan.space.items():
        for value in parameter.checked[1:]:
            _check_value(plan, found, first, {key: value})
    return found


def _prepared(plan: Plan, values: Mapping[str, Value]) -> Iterator[tuple[int, Run]]:
    cfg = plan.configured(values)
    for split in plan.options.splits:
        yield split, prepare(seeded(cfg, split=split, seed=plan.options.seeds[0]), Path("no run yet"), [])


def _check_value(plan: Plan, first: First, others: Mapping[str, Value], value: Mapping[str, Value]) -> None:
    values = {**others, **value}
    settings, _ = read_settings(plan.configured(values))
    if rows_from(settings) == rows_from(first.run.settings):
        return  # data are read again only where they could differ
    for split, run in _prepared(plan, values):
        check_same_rows(run, first.held_out[split], value)


def _check_searched_once(space: Space, run: Run) -> None:
    for key in run.settings.method.get("search") or {}:
        for path in searched_paths(key):
            if path in space:
                raise InputError(
                    f"{path} is chosen anew in every run from method.search, whatever a sweep gives it; search it here alone "
                    f"with '~method.search{'.' + key if key.isidentifier() else ''}'"
                )

"""What an experiment is: methods on data sets, each with what is varied of it, as arms; and what an arm is configured with."""

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from msl.commands.next_command import override
from msl.commands.settings import Group
from msl.config import composed, resolved
from msl.files import embedded
from msl.types import Count, InputError, Regime


class Source(Group):
    """A data set with its protocol, and on how many class splits (`split.seed` 0, 1, ...) it is measured."""

    overrides: list[str]
    splits: Count
    seeds: Count | None = None
    """None: the experiment's."""


class Axis(Group):
    """One key that is varied alone, by its values; its `name` stands on the axis of a figure."""

    name: str
    key: str
    values: list[Any]
    log: bool = False


class Experiment(Group):
    """`conf/experiment/NAME.yaml`."""

    name: str
    title: str
    question: str
    data: dict[str, Source]
    methods: dict[str, list[str]] | Literal["all"]
    """Overrides by label."""
    tuned: bool = False
    """Whether each of `all` methods stands there twice: with its source's settings, and with those that its `conf/search` finds."""
    seeds: Count
    tuned_seeds: Count | None = None
    """Of the tuned rows, whose runs are as many trainings as their search has trials; None: as of the others."""
    reference: str | None
    """The label that others are compared with."""
    regimes: list[Regime] = Field(min_length=1)
    """Those shown, the one that matters first."""
    metrics: list[str] = Field(min_length=1)
    """Those measured, the one shown first."""
    axes: list[Axis] = Field(default_factory=list)

    def model_post_init(self, context: Any) -> None:
        """Refuse what would make two lines one: axes of one name."""
        names = [axis.name for axis in self.axes]
        if len(set(names)) < len(names):
            raise InputError(f"experiment={self.name}: two axes share a name; give each its own")


@dataclass(frozen=True)
class Arm:
    """What one line of a table is measured with; `axis` and `value` say what of a method was varied, if anything was."""

    source: str
    method: str
    label: str
    shared: tuple[str, ...]
    """What the data set and its protocol say."""
    own: tuple[str, ...]
    """What the method and the axis say."""
    further: tuple[str, ...]
    """What the command says."""
    axis: str | None = None
    value: Any = None

    @property
    def overrides(self) -> tuple[str, ...]:
        """All that is said; the command has the last word."""
        return self.shared + self.own + self.further


def arms(experiment: Experiment, source: str, further: Sequence[str]) -> Iterator[Arm]:
    """The lines of one data set: every method, then every method with one key of an axis changed."""
    shared = (*experiment.data[source].overrides, f"evaluation.metrics=[{','.join(experiment.metrics)}]")
    for label, own in methods(experiment).items():
        if not experiment.axes:
            yield Arm(source, label, label, shared, tuple(own), tuple(further))
        for axis in experiment.axes:
            for value in axis.values:
                said = override(axis.key, "null" if value is None else str(value))
                yield Arm(
                    source,
                    label,
                    f"{label}, {axis.name} {value}",
                    shared,
                    (*own, said),
                    tuple(further),
                    axis.name,
                    value,
                )


def methods(experiment: Experiment) -> dict[str, list[str]]:
    """Overrides by label; `all` are those of `conf/method`."""
    if experiment.methods != "all":
        return experiment.methods
    names = sorted(file.stem for file in (embedded("conf") / "method").glob("*.yaml"))
    if not experiment.tuned:
        return {name: [f"method={name}"] for name in names}
    return {label: own for name in names for label, own in _twice(name).items()}


def _twice(name: str) -> dict[str, list[str]]:
    """A method as its source has it, and tuned."""
    plain = [f"method={name}"]
    # read, not composed: labels are asked for before it is known which methods are
    searches = "/search@search:" in (embedded("conf") / "method" / f"{name}.yaml").read_text(encoding="utf-8")
    return {name: [*plain, "~method.search"] if searches else plain, f"{name} tuned": [*plain, f"search={name}"]}


def narrowed(
    experiment: Experiment, *, only: list[str] | None, datasets: list[str] | None, seeds: int | None
) -> Experiment:
    """Some methods, data sets and seeds of an experiment; an `InputError` for one it does not have."""
    labels, sources = methods(experiment), experiment.data
    chosen = {label: labels[label] for label in _known(only, labels, "methods", experiment)}
    found = {name: sources[name] for name in _known(datasets, sources, "datasets", experiment)}
    if seeds:
        found = {name: source.model_copy(update={"seeds": seeds}) for name, source in found.items()}
    reference = experiment.reference if experiment.reference in chosen else None
    return experiment.model_copy(update={"methods": chosen, "data": found, "reference": reference})


def _known(wanted: list[str] | None, there: dict[str, Any], key: str, experiment: Experiment) -> list[str]:
    unknown = [name for name in wanted or [] if name not in there]
    if unknown:
        raise InputError(f"{key}={unknown[0]} is not in experiment={experiment.name}; it has {', '.join(there)}")
    return list(there) if wanted is None else wanted


def arm_values(arm: Arm) -> dict[str, Any]:
    """The configuration of an arm, resolved.

    Composing takes a tenth of a second, and an experiment may have twenty methods on ten data sets: where a data set and
    a method say nothing about the same group, what each changes is composed once.
    """
    try:
        plain, shared, own = (configured(each) for each in ((), arm.shared + arm.further, arm.own))
    except InputError:  # one wants what the other brings, or something is wrong: the whole will tell
        return configured(arm.overrides)
    by_shared, by_own = ({key for key in side if side[key] != plain.get(key)} for side in (shared, own))
    if by_shared & by_own:
        return configured(arm.overrides)
    return plain | {key: shared[key] for key in by_shared} | {key: own[key] for key in by_own}


@functools.cache
def configured(overrides: tuple[str, ...]) -> dict[str, Any]:
    """What `msl train` is configured with by these overrides, resolved; not to be changed."""
    return resolved(composed("train", overrides))

"""`msl evaluate run=FOLDER`: measure a finished run again."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from msl.commands.loading import load
from msl.commands.protocols import every_protocol
from msl.commands.settings import Evaluating, Group
from msl.commands.train import console, described, identity, show
from msl.config import check, resolved, validated
from msl.evaluation.evaluate import evaluate as measure
from msl.evaluation.protocol import directions
from msl.files import write_json
from msl.report import table


class Changes(Group):
    """What is to be measured another way than the run was; None: the same way."""

    metrics: list[str] | None
    regimes: list[str] | None
    gallery: str | None
    standardise: str | None
    similarity: str | None


class Evaluation(Group):
    """`conf/evaluate.yaml`."""

    run: str
    out: str | None
    protocols: bool
    evaluation: Changes


def evaluate(cfg: DictConfig) -> None:
    """Load the run, measure, print; write rows only if `out` names a file."""
    values = resolved(cfg)
    check(values)
    wanted = validated(Evaluation, values)
    method, data, split, card, settings = load(Path(wanted.run))
    changes = {key: value for key, value in wanted.evaluation.model_dump().items() if value is not None}
    chosen = validated(Evaluating, settings.evaluation.model_dump() | changes)
    title = f"{card.label} on {card.data}, class split {split.seed}"
    if wanted.protocols:
        found = list(every_protocol(method, data, split, chosen.protocol))
        console.print(f"{title}: the same codes under every protocol (queries → gallery), mean of both directions")
        for each in table.protocols_tables(found):
            console.print(each)
    else:
        sides = directions(method, data, split, chosen.protocol)
        found = measure(sides, data, split, chosen.protocol, metrics=chosen.metrics).rows
        show(found, title=f"{title}; {described(chosen.protocol)}")
    if wanted.out:
        rows: list[dict[str, Any]] = [identity(settings, split, card) | row for row in found]
        console.print(f"rows: {write_json(Path(wanted.out), rows)}", soft_wrap=True)

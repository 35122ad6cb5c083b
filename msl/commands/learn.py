"""Choosing on validation rows, then fitting on all seen classes: the same for trained and closed-form methods."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from msl.commands.journal import Journal
from msl.commands.searching import build_trainer, searched
from msl.commands.settings import Run
from msl.evaluation.protocol import validation_map
from msl.evaluation.run import Card
from msl.files import write_json
from msl.methods.method import ClosedForm, Method, Trained


@dataclass(frozen=True)
class Trial:
    """One combination of searched values, its validation mAP, and the epoch it was reached at (0: closed form)."""

    chosen: dict[str, Any]
    validation: float | None
    epoch: int


def learn(run: Run, journal: Journal) -> tuple[Method, Card]:
    """Select on validation rows if the split has any, then fit on all seen classes. Test rows are never looked at."""
    trial = select(run, journal)
    method, _ = _fit(run, trial.chosen, journal, stage="final", selecting=False, stop=trial.epoch, score=None)
    card = replace(run.card, chosen=trial.chosen, epoch=trial.epoch or None, validation=trial.validation)
    return method, card


def select(run: Run, journal: Journal) -> Trial:
    """The best trial on validation rows, ties to the earlier; trials that a stopped run finished are not repeated."""
    score = _score(run)
    if score is None:
        return Trial({}, None, run.settings.trainer["epochs"])
    file = run.folder.path / "selection.json"
    trials = [Trial(**each) for each in json.loads(file.read_text())] if run.resuming and file.is_file() else []
    combinations = list(searched(run.settings.method))
    for number in range(len(trials), len(combinations)):
        stage = "select" if len(combinations) == 1 else f"select{number}"
        chosen = combinations[number]
        _, best = _fit(
            run, chosen, journal, stage=stage, selecting=True, stop=run.settings.trainer["epochs"], score=score
        )
        trials.append(Trial(chosen, *best))
        write_json(file, [asdict(trial) for trial in trials])
    return max(trials, key=lambda trial: trial.validation or 0.0)


def _score(run: Run) -> Callable[[Method], float] | None:
    if run.settings.select_on == "nothing" or not run.split.rows["validation"]:
        return None
    protocol = run.settings.evaluation.protocol
    return lambda method: validation_map(method, run.selection_data, run.split, protocol)


def _fit(
    run: Run,
    chosen: dict[str, Any],
    journal: Journal,
    *,
    stage: str,
    selecting: bool,
    stop: int,
    score: Callable[[Method], float] | None,
) -> tuple[Method, tuple[float, int]]:
    """A fitted method, and its best validation score with the epoch it was reached at."""
    pairs, classes = run.training_pairs(selecting=selecting)
    torch.manual_seed(run.settings.seed)
    method = run.build(pairs, classes, chosen)
    if isinstance(method, ClosedForm):
        method.fit(pairs, classes)
        return method, (score(method) if score else 0.0, 0)
    assert isinstance(method, Trained)
    from msl.training.fit import train  # Lightning takes seconds to import

    best = train(
        method,
        pairs,
        classes,
        build_trainer(run.settings.trainer, chosen),
        seed=run.settings.seed,
        stop=stop,
        score=score,
        sinks=[journal.sink(stage)],
        checkpoint=run.folder.path / f"{stage}.ckpt",
        resume=run.resuming,
        progress=run.settings.progress and sys.stderr.isatty(),
    )
    return method, best or (0.0, stop)

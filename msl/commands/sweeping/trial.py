"""One trial of a sweep: selection on validation rows, for every class split and seed, and nothing after it."""

import itertools
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import numpy as np

from msl.commands.journal import Journal
from msl.commands.learn import select
from msl.commands.settings import prepare
from msl.commands.sweeping.held_out import check_same_rows
from msl.commands.sweeping.plan import First, Plan, seeded
from msl.commands.sweeping.space import Value
from msl.report.tracking.board import Board
from msl.types import InputError


@dataclass(frozen=True)
class Tried:
    """A trial that has ended: what it tried, the mean validation mAP over its runs, each run's own."""

    number: int
    state: Literal["done", "failed"]
    validation: float | None
    seconds: float
    values: dict[str, Value]
    runs: list[dict[str, Any]]
    reason: str | None
    """Why it failed."""


def attempt(plan: Plan, first: First, values: dict[str, Value], number: int) -> Tried:
    """Run one trial. If it diverges, or its values do not go together, it has failed, and the sweep goes on."""
    started, runs, reason = time.perf_counter(), [], None
    try:
        runs = list(_runs(plan, first, values))
    except (InputError, RuntimeError) as error:  # RuntimeError: it diverged, shapes do not fit, memory is full
        reason = " ".join(str(error).split())
    found = float(np.mean([run["validation"] for run in runs])) if runs else math.nan
    if reason is None and not math.isfinite(found):
        runs, reason = [], "the validation mAP is not a number"
    done = reason is None
    seconds = round(time.perf_counter() - started, 3)
    return Tried(number, "done" if done else "failed", found if done else None, seconds, values, runs, reason)


def _runs(plan: Plan, first: First, values: dict[str, Value]) -> Iterator[dict[str, Any]]:
    cfg = plan.configured(values)
    for split, seed in itertools.product(plan.options.splits, plan.options.seeds):
        with TemporaryDirectory() as folder:  # checkpoints: a trial is repeated, not resumed
            run = prepare(seeded(cfg, split=split, seed=seed), Path(folder), [])
            check_same_rows(run, first.held_out[split], values)
            best = select(run, Journal(Path(folder) / "log.csv", Board(None), resume=False))
        yield {"split": split, "seed": seed, "validation": best.validation, "epoch": best.epoch or None}

"""`msl sweep`: search settings by the validation mAP, trial by trial."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from msl.commands.next_command import override, say_next
from msl.commands.settings import Run
from msl.commands.sweeping.plan import OBJECTIVE, First, Plan, check_plan, read_plan
from msl.commands.sweeping.space import Value, written
from msl.commands.sweeping.suggest import importance, suggest
from msl.commands.sweeping.trial import Tried, attempt
from msl.commands.sweeping.wandb_file import write_wandb_sweep
from msl.files import write_json
from msl.report.tracking.board import Board, check_tracker
from msl.types import InputError, Interrupted, TrainingError

_SHOWN = 10
"""How many of the best trials are shown; as many are wanted before importance is."""


def sweep(arguments: list[str]) -> None:
    """Run `msl sweep`; what was tried lies in the sweep's folder, in `sweep.json`, whole after every trial."""
    plan = read_plan(arguments)
    first = check_plan(plan)
    run = first.run
    check_tracker(run.settings.logger.tracker, run.settings.logger.mode)
    if plan.options.wandb:
        write_wandb_sweep(plan, run, Path(plan.options.wandb))
        return
    file = Path(plan.options.folder) / "sweep.json"
    definition = plan.definition(run)
    trials = read_trials(file, definition)
    _write(file, definition, trials)  # a place that cannot be written shows before anything is trained
    _announce(plan, run, len(trials))
    with _saying_how_to_go_on(arguments, plan):
        for number in range(len(trials), plan.trials):
            trials.append(_next(plan, first, trials, number))
            _write(file, definition, trials)
            _tell(trials, plan.trials)
    _conclude(plan, trials, file)


def read_trials(file: Path, definition: dict[str, Any]) -> list[Tried]:
    """The trials that an earlier start finished; an `InputError` if they are another sweep's."""
    if not file.is_file():
        return []
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        trials = [Tried(**trial) for trial in found.pop("trials")]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file} is damaged ({error}); restore it or give another sweep.folder") from None
    for key, wanted in definition.items():
        if found.get(key) != wanted:
            raise InputError(
                f"{file} holds a sweep with other {key} ({found.get(key)}, now {wanted}); its trials cannot be compared with "
                "new ones; give another sweep.folder"
            )
    return trials


def _write(file: Path, definition: dict[str, Any], trials: Sequence[Tried]) -> None:
    write_json(file, {**definition, "trials": [asdict(trial) for trial in trials]})


def _next(plan: Plan, first: First, trials: Sequence[Tried], number: int) -> Tried:
    """Suggest and run a trial; values that were tried before are not trained again."""
    values = _suggested(plan, trials)
    for earlier in trials:
        if earlier.values == values:
            return Tried(**(asdict(earlier) | {"number": number, "seconds": 0.0}))
    board = _board(plan, first.run, values, number)
    try:
        tried = attempt(plan, first, values, number)
        if tried.validation is not None:
            board.log(0, {OBJECTIVE: tried.validation})
    except BaseException:
        board.finish(exit_code=1)
        raise
    board.finish(exit_code=0 if tried.state == "done" else 1)
    return tried


def _suggested(plan: Plan, trials: Sequence[Tried]) -> dict[str, Value]:
    tried = [(trial.values, trial.validation) for trial in trials]
    return suggest(plan.space, tried, sampler=plan.options.sampler, seed=plan.options.sampler_seed)


def _board(plan: Plan, first: Run, values: dict[str, Value], number: int) -> Board:
    logger, folder, options = first.settings.logger, Path(plan.options.folder), plan.options
    return Board.start(
        tracker=logger.tracker,
        mode=logger.mode,
        project=logger.project,
        name=f"{folder.name}-trial{number}",
        group=logger.group or folder.name,
        job_type="trial",
        tags=[first.card.method, first.card.data, *logger.tags],
        config=values | {"overrides": list(plan.fixed), "splits": options.splits, "seeds": options.seeds},
        folder=folder / f"trial{number}",
    )


def _announce(plan: Plan, first: Run, finished: int) -> None:
    options, held_out = plan.options, first.split.pseudo_unseen
    what = ", ".join(plan.space) or "the settings as given"
    rows = f"{len(held_out)} pseudo-unseen classes" if held_out else "rows held out of the train part"
    said = [
        f"{first.card.label} on {first.card.data}: {what}",
        f"a trial's number is the validation mAP, over {rows}, of class splits {options.splits} and seeds {options.seeds}",
        f"trials: {plan.trials}, of which {finished} are finished; no test row is looked at",
        f"writes {options.folder}/sweep.json; stopped, the same command with sweep.folder={options.folder} goes on",
    ]
    if plan.space and len(options.splits) == 1:
        said.append(
            "note: which classes are held out moves the mAP a lot; sweep.splits=[0,1,2] takes the mean over three splits"
        )
    print("\n".join(said), flush=True)


@contextmanager
def _saying_how_to_go_on(arguments: Sequence[str], plan: Plan) -> Iterator[None]:
    """After a signal, say how the sweep goes on; the trial that was running is repeated."""
    try:
        yield
    except (Interrupted, KeyboardInterrupt, SystemExit) as stop:
        say_next("msl", "sweep", *_with_folder(arguments, plan.options.folder))
        if isinstance(stop, Interrupted):  # its own words name the trial's folder, which is gone
            print("msl: stopped", file=sys.stderr)
            raise SystemExit(128 + stop.signum) from None
        raise


def _with_folder(arguments: Sequence[str], folder: str) -> list[str]:
    return [*(text for text in arguments if not text.startswith("sweep.folder=")), override("sweep.folder", folder)]


def _tell(trials: Sequence[Tried], total: int) -> None:
    last, best = trials[-1], _best_first(trials)
    said = [
        f"mAP {last.validation:.4f}" if last.validation is not None else f"failed: {last.reason}",
        *written(last.values),
    ]
    if best:
        said.append(f"best {best[0].validation:.4f} in trial {best[0].number}")
    took = [trial.seconds for trial in trials if trial.seconds]  # 0: values that were tried before
    if took and len(trials) < total:
        said.append(f"about {timedelta(seconds=round(sum(took) / len(took) * (total - len(trials))))} left")
    print(f"trial {last.number} ({len(trials)} of {total}): {', '.join(said)}", flush=True)


def _best_first(trials: Sequence[Tried]) -> list[Tried]:
    """Finished trials, each combination of values once, ties in their order."""
    once = {str(trial.values): trial for trial in reversed(trials) if trial.validation is not None}
    return sorted(once.values(), key=lambda trial: (-(trial.validation or 0.0), trial.number))


def _conclude(plan: Plan, trials: Sequence[Tried], file: Path) -> None:
    best = _best_first(trials)
    if not best:
        raise TrainingError(f"no trial came to its end; the last said: {trials[-1].reason} (all of them are in {file})")
    Console().print(_table(best[:_SHOWN], plan))
    if plan.options.sampler != "grid" and len(best) >= _SHOWN and len(plan.space) > 1:
        shares = importance(
            plan.space, [(each.values, each.validation) for each in best], seed=plan.options.sampler_seed
        )
        print("importance:", ", ".join(f"{key} {share:.2f}" for key, share in shares.items()))
    say_next("msl", "train", *_trained(plan, best[0].values))


def _trained(plan: Plan, values: dict[str, Value]) -> list[str]:
    """The arguments of `msl train` for these values, on the class splits and seeds they were tried on."""
    splits, seeds = plan.options.splits, plan.options.seeds
    several = ["-m"] if len(splits) * len(seeds) > 1 else []
    lists = [f"{key}={','.join(map(str, values))}" for key, values in (("split.seed", splits), ("seed", seeds))]
    return [*several, *plan.fixed, *written(values), *lists]


def _table(best: Sequence[Tried], plan: Plan) -> Table:
    table = Table(title="best trials", title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for head in ("trial", "validation mAP", *plan.space):
        table.add_column(head, justify="right")
    for trial in best:
        values = [trial.values[key] for key in plan.space]
        cells = [f"{value:.4g}" if isinstance(value, float) else str(value) for value in values]
        table.add_row(str(trial.number), f"{trial.validation:.4f}", *cells)
    return table

"""`msl train`: from a configuration to a run folder."""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from rich.console import Console

from msl.commands.encoders import ENCODERS
from msl.commands.journal import Journal
from msl.commands.learn import learn
from msl.commands.next_command import override, say_next
from msl.commands.settings import Run, Settings, prepare
from msl.commands.tracking import keep_codes, outcome, start_board
from msl.config import redacted
from msl.data.splits import Split
from msl.evaluation.evaluate import evaluate
from msl.evaluation.ledger import append
from msl.evaluation.protocol import Direction, Protocol, directions, headline_regime
from msl.evaluation.run import Card
from msl.files import write_json
from msl.methods.method import Method
from msl.report import figures, table
from msl.report.tracking.board import Board, check_tracker

console = Console(markup=False)


def train(cfg: DictConfig, folder: Path, overrides: list[str]) -> list[dict[str, Any]]:
    """Run `msl train` in `folder`; returns the tidy rows."""
    run = prepare(cfg, folder, overrides)
    check_tracker(run.settings.logger.tracker, run.settings.logger.mode)
    _announce(run)
    if not run.resuming:
        run.folder.start(redacted(cfg), run.card, run.split)
        if run.data.encoders:
            write_json(folder / ENCODERS, dict(run.data.encoders))
    board = start_board(run)
    try:
        started, busy = time.perf_counter(), time.process_time()
        method, card = learn(run, Journal(folder / "log.csv", board, resume=run.resuming))
        busy = time.process_time() - busy
        console.print(f"learnt in {time.perf_counter() - started:.1f} s{_chosen(card, run.split)}", soft_wrap=True)
        run.folder.write_weights(method)
        run.folder.write_card(replace(card, seconds=None if run.resuming else round(busy, 3)))
        rows = report(run, method, card, board)
    except BaseException:
        board.finish(exit_code=1)
        raise
    board.finish(exit_code=0)
    return rows


def report(run: Run, method: Method, card: Card, board: Board) -> list[dict[str, Any]]:
    """Evaluate, write numbers and pictures, print the table and what to do next."""
    chosen, path = run.settings.evaluation, run.folder.path
    found: list[figures.Finds] = []
    sides = _watched(directions(method, run.fitted_data, run.split, chosen.protocol), run, found)
    sides = keep_codes(sides, run, tell=_note)
    evaluation = evaluate(sides, run.fitted_data, run.split, chosen.protocol, metrics=chosen.metrics)
    pictures = [figures.curves(evaluation.curves, title=run.title(), file=path / "curves.png")]
    if found:
        title = f"{run.title()}, {headline_regime(run.split, run.settings.evaluation.protocol)} classes"
        pictures.append(figures.gallery(found, run.data, title=title, file=path / "gallery.png"))
    rows = run.folder.write_evaluation(evaluation, identity(run.settings, run.split, card))
    if run.settings.ledger:
        append(Path(run.settings.ledger), rows)
    board.results(outcome(run, card, evaluation, rows, pictures, tell=_note))
    show(rows, title=f"{run.title()}; {described(chosen.protocol)}")
    console.print("pictures:", *(_near(picture) for picture in pictures), soft_wrap=True)
    if board.place:
        console.print(board.place, soft_wrap=True)
    say_next("msl", "evaluate", override("run", _near(path)), "protocols=true")
    return rows


def _watched(sides: Iterator[Direction], run: Run, found: list[figures.Finds]) -> Iterator[Direction]:
    """The directions as they come, with the gallery's finds of one regime collected on the way: codes are made once."""
    chosen = run.settings.report
    for direction in sides:
        if chosen.queries and direction.regime == headline_regime(run.split, run.settings.evaluation.protocol):
            found.append(figures.finds(direction, rows=chosen.queries, columns=chosen.finds, seed=chosen.seed))
        yield direction
        del direction  # nothing keeps the codes of a direction that is done


def described(protocol: Protocol) -> str:
    """The protocol, for the head of a table."""
    scaled = "" if protocol.standardise == "train" else ", each matrix z-scored on its own"
    return f"gallery={protocol.gallery}, {protocol.similarity}{scaled}"


def show(rows: list[dict[str, Any]], *, title: str) -> None:
    """Print one run's table."""
    console.print(table.run_table(rows, title=title))
    if len({row["metric"] for row in rows if row["regime"] != "generalised"}) > 1:
        console.print(table.metrics_table(rows))
    line = table.generalised_line(rows, rows[0]["metric"])
    if line:
        console.print(line)
    lacking = sum(
        row["queries_without_relevant"]
        for row in rows
        if row["metric"] == rows[0]["metric"] and row["direction"] != "mean"
    )
    if lacking:
        console.print(f"{lacking} queries have nothing relevant in their gallery; they are left out of every mean")


def identity(settings: Settings, split: Split, card: Card) -> dict[str, Any]:
    """What every tidy row says of its run."""
    return {
        "method": card.label,
        "data": card.data,
        "data_hash": card.data_hash,
        "features": list(card.encoders),
        "embedding": card.embedding,
        "split_rule": settings.split_rule,
        "split_seed": split.seed,
        "split_hash": split.hash,
        "class_split": split.classes_hash,
        "seed": settings.seed,
        "config_hash": card.config_hash,
        "epoch": card.epoch,
        "validation": card.validation,
    }


def _announce(run: Run) -> None:
    split, card, training = run.split, run.card, len(run.split.rows["seen_train"])
    held_out = f" ({len(split.pseudo_unseen)} of them held out for selection first)" if split.pseudo_unseen else ""
    console.print(
        f"{card.label} on {card.data}: {training:,} training pairs of {len(card.classes)} seen classes{held_out},"
    )
    console.print(f"{len(split.unseen)} unseen classes; class split {split.seed} ({split.hash})")
    for note in run.notes:
        _note(note)
    console.print(f"{'goes on' if run.resuming else 'writes'} in {run.folder.path}", soft_wrap=True)


def _note(words: str) -> None:
    console.print(f"note: {words}", soft_wrap=True)


def _chosen(card: Card, split: Split) -> str:
    if card.validation is None:
        return ""
    values = [f"{name}={value}" for name, value in card.chosen.items()]
    what = ", ".join([*values, *([f"{card.epoch} epochs"] if card.epoch else [])]) or "nothing"
    held_out = "pseudo-unseen classes" if split.pseudo_unseen else "rows held out of training"
    return f"; chosen on {held_out} (mAP {card.validation:.3f}): {what}"


def _near(path: Path) -> str:
    near = os.path.relpath(path)
    return str(path) if near.startswith("..") else near

"""What a run tells its tracker: its names, groups and tags, what it found, and the files it keeps there."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from msl.commands.settings import Run
from msl.evaluation.evaluate import Evaluation
from msl.evaluation.protocol import Direction
from msl.evaluation.run import Card
from msl.metrics.curves import LEVELS
from msl.report.tracking.board import Board
from msl.report.tracking.codes import kept
from msl.report.tracking.parts import Artifact, Outcome

_FILES = {
    "split": ["split.json"],
    "weights": ["weights.safetensors", "card.json", "config.yaml"],
    "codes": ["codes/*.npz"],
}


def start_board(run: Run) -> Board:
    """The run on the board: a group for what is repeated over splits and seeds, the method as its job."""
    settings, split, card = run.settings, run.split, run.card
    rule = settings.split_rule
    facts = {"split_rule": rule, "split_hash": split.hash, "class_split": split.classes_hash}
    hashes = {"config_hash": card.config_hash, "data_hash": card.data_hash}
    return Board.start(
        tracker=settings.logger.tracker,
        mode=settings.logger.mode,
        project=settings.logger.project,
        name=_name(run),
        group=settings.logger.group or f"{settings.label}-{card.data}",
        job_type=settings.label,
        tags=list(dict.fromkeys([card.method, card.data, rule, settings.embedding["name"], *settings.logger.tags])),
        config=settings.model_dump(exclude={"logger", "progress"}) | facts | hashes,
        folder=run.folder.path,
    )


def keep_codes(sides: Iterator[Direction], run: Run, *, tell: Callable[[str], None]) -> Iterator[Direction]:
    """The directions as they come; their codes are kept on the way if the tracker is to have them."""
    logger = run.settings.logger
    if logger.mode == "disabled" or "codes" not in logger.artifacts:
        return sides
    return kept(sides, run.data.pairs.ids, run.folder.path / "codes", largest=logger.largest_file, tell=tell)


def outcome(
    run: Run,
    card: Card,
    evaluation: Evaluation,
    rows: Sequence[dict[str, Any]],
    pictures: Sequence[Path],
    *,
    tell: Callable[[str], None],
) -> Outcome:
    """What the tracker is told at the end."""
    chosen = {name.rpartition(".")[2]: value for name, value in card.chosen.items()}
    return Outcome(
        rows=rows,
        curves=evaluation.curves,
        levels=LEVELS,
        per_class=evaluation.per_class,
        pictures=pictures,
        chosen=chosen | {"validation_map": card.validation, "epoch": card.epoch},
        artifacts=list(_artifacts(run, tell)) if run.settings.logger.mode != "disabled" else [],
    )


def _artifacts(run: Run, tell: Callable[[str], None]) -> Iterator[Artifact]:
    logger, folder = run.settings.logger, run.folder.path
    names = {"split": f"{run.card.data}-{run.split.seed}", "weights": _name(run), "codes": _name(run)}
    for kind in logger.artifacts:
        files = [file for pattern in _FILES[kind] for file in sorted(folder.glob(pattern))]
        large = [file for file in files if file.stat().st_size > logger.largest_file]
        for file in large:
            tell(f"{file.name} is larger than logger.largest_file={logger.largest_file} and stays out of the artifacts")
        if files and not large:
            yield Artifact(kind, names[kind], tuple(files))


def _name(run: Run) -> str:
    return f"{run.settings.label}-{run.card.data}-split{run.split.seed}-seed{run.settings.seed}"

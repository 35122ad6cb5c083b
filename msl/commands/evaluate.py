"""`msl evaluate run=FOLDER`: measure a finished run again."""

from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from msl.commands.settings import Evaluating, Group, Settings, build, read_settings
from msl.commands.train import console, identity, show
from msl.config import check, instantiate, recomposed, resolved, validated
from msl.data.dataset import DataSet
from msl.data.splits import Split, read_split
from msl.evaluation.protocol import evaluate as measure
from msl.evaluation.run import Card, RunFolder
from msl.files import write_json
from msl.methods.method import Method


class Evaluation(Group):
    """`conf/evaluate.yaml`."""

    run: str
    out: str | None
    evaluation: Evaluating


def evaluate(cfg: DictConfig) -> None:
    """Load the run, measure, print; write rows only if `out` names a file."""
    values = resolved(cfg)
    check(values)
    wanted = validated(Evaluation, values)
    method, data, split, card, settings = load(Path(wanted.run))
    chosen = wanted.evaluation
    found = measure(method, data, split, metrics=chosen.metrics, gallery=chosen.gallery, similarity=chosen.similarity)
    rows: list[dict[str, Any]] = [identity(settings, split, card) | row for row in found.rows]
    show(
        rows,
        title=f"{card.label} on {card.data}, class split {split.seed}; gallery={chosen.gallery}, {chosen.similarity}",
    )
    if wanted.out:
        console.print(f"rows: {write_json(Path(wanted.out), rows)}", soft_wrap=True)


def load(path: Path) -> tuple[Method, DataSet, Split, Card, Settings]:
    """A run's method with its weights, the data and the split it was trained on, its card and settings.

    The method is built by name from the installed configuration; nothing in the folder is executed.
    """
    folder = RunFolder(path)
    card = folder.card()
    cfg = recomposed("train", card.overrides, path / "config.yaml")
    OmegaConf.update(cfg, "resume", None)
    settings, _ = read_settings(cfg)
    data: DataSet = instantiate(settings.data)
    split = read_split(path / "split.json")
    method = build(settings.method, card.sizes, card.chosen)
    folder.load_weights(method)
    return method, data, split, card, settings

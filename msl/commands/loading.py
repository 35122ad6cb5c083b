"""A finished run, read back: its method with or without the data it was trained on. Nothing in its folder is executed."""

from pathlib import Path

from omegaconf import OmegaConf

from msl.commands.inputs import read_data, with_texts
from msl.commands.recompose import recomposed
from msl.commands.searching import build
from msl.commands.settings import Settings, check_same_data
from msl.config import check, resolved, validated
from msl.data.dataset import DataSet
from msl.data.splits import Split, read_split
from msl.evaluation.run import Card, RunFolder
from msl.methods.method import Method

_OF_TRAINING = ("trainer", "optimiser")
"""Groups that a trained method does not need; looking at their targets would import Lightning, which takes seconds."""


def load(path: Path) -> tuple[Method, DataSet, Split, Card, Settings]:
    """A run's method with its weights, the data and the split it was trained on, its card and settings."""
    method, card, settings = load_method(path)
    data, digest = read_data(settings.data, settings.texts)
    check_same_data(card, digest, path)
    split = read_split(path / "split.json")
    return method, with_texts(data, settings.texts, split, "seen_train"), split, card, settings


def load_method(path: Path) -> tuple[Method, Card, Settings]:
    """A run's method with its weights, its card and settings; the data are not read.

    The method is built by name from the installed configuration; nothing in the folder is executed.
    """
    folder = RunFolder(path)
    card = folder.card()
    cfg = recomposed("train", card.overrides, path / "config.yaml")
    OmegaConf.update(cfg, "resume", None)
    values = resolved(cfg)
    check({key: value for key, value in values.items() if key not in _OF_TRAINING})
    settings = validated(Settings, values)
    method = build(settings.method, card.sizes, card.chosen)
    folder.load_weights(method)
    return method, card, settings

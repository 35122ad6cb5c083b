"""`msl data list|describe|check`: what data sets there are, what is in one, what is wrong with a file."""

from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import OmegaConf
from rich.console import Console

from msl.config import check as check_config
from msl.config import instantiate
from msl.data.dataset import DataSet
from msl.data.features import load
from msl.files import embedded
from msl.types import InputError

console = Console()


def data(arguments: list[str]) -> None:
    """Dispatch `list`, `describe NAME` and `check PATH`."""
    match arguments:
        case ["list"]:
            _list()
        case ["describe", name]:
            _describe(name)
        case ["check", path]:
            _check(Path(path))
        case _:
            raise InputError("data wants one of: msl data list, msl data describe NAME, msl data check PATH")


def _list() -> None:
    for name in _names():
        node = _node(name)
        console.print(
            f"[bold]{name}[/bold]",
            "needs data.path=FILE" if node.get("path") == "???" else instantiate(node).card.title,
        )
    console.print("next: msl data describe emoji")


def _describe(name: str) -> None:
    if name not in _names():
        raise InputError(f"there is no data set {name!r}; there are {', '.join(_names())}")
    node = _node(name)
    if node.get("path") == "???":
        raise InputError(f"data set {name!r} is a file of yours; describe it with msl data check PATH")
    _show(instantiate(node))
    console.print(f"next: msl train data={name}")


def _check(path: Path) -> None:
    data = load(path=str(path), name=path.resolve().parent.name if path.name == "features.npz" else path.stem)
    _show(data)
    counts = np.bincount(data.pairs.labels, minlength=len(data.classes))
    thin = [name for name, count in zip(data.classes.names, counts, strict=True) if count < 2]
    if thin:
        console.print(
            f"note: {len(thin)} classes have fewer than 2 pairs ({thin[0]!r}): nothing relevant may be left to find for them"
        )
    console.print("nothing is wrong with it")
    console.print(f"next: msl train data=features data.path={path} data.name={data.card.name}", soft_wrap=True)


def _show(data: DataSet) -> None:
    card, pairs = data.card, data.pairs
    train = int((data.part == 0).sum())
    counts = np.bincount(pairs.labels, minlength=len(data.classes))
    lines = {
        "name": f"{card.name} - {card.title}",
        "pairs": f"{len(pairs):,} ({train:,} train, {len(pairs) - train:,} test)",
        card.modalities[0]: f"{pairs.a.shape[1]} features: {card.features[0]}",
        card.modalities[1]: f"{pairs.b.shape[1]} features: {card.features[1]}",
        "classes": f"{len(data.classes)}, of {counts.min()} to {counts.max()} pairs; embeddings of {data.classes.vectors.shape[1]}: {card.embedding}",
        "pictures": "yes" if data.pictures else "no",
        "source": card.source,
        "licence": card.licence,
        "obtain": card.obtain,
        "class names": ", ".join(data.classes.names),
    }
    for head, text in lines.items():
        console.print(f"[bold]{head:12}[/bold] {text}", highlight=False)


def _names() -> list[str]:
    return sorted(file.stem for file in (embedded("conf") / "data").glob("*.yaml"))


def _node(name: str) -> dict[str, Any]:
    node = OmegaConf.to_container(OmegaConf.load(embedded("conf") / "data" / f"{name}.yaml"))
    assert isinstance(node, dict)
    values = {str(key): value for key, value in node.items()}
    check_config(values, "data")
    return values

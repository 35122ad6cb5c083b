"""`msl data list|describe|check|get|convert`: what data sets there are, what is in them, and how they come here."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from omegaconf import OmegaConf
from rich.console import Console

from msl.config import check as check_config
from msl.config import instantiate
from msl.data.dataset import TEST, TRAIN, VALIDATION, Card, DataSet
from msl.data.labels import class_counts
from msl.files import embedded
from msl.types import InputError

console = Console()

USAGE = (
    "data wants one of: msl data list, msl data describe NAME, msl data check PATH [KEY=VALUE ...], "
    "msl data get NAME, msl data convert FILE out=FOLDER"
)
OWN = "folder"
"""The data set that is any path of the user's."""


def data(arguments: list[str]) -> None:
    """Dispatch to `list`, `describe NAME`, `check PATH`, `get NAME` and `convert FILE out=FOLDER`."""
    from msl.commands.data_check import check
    from msl.commands.data_get import convert, get

    match arguments:
        case ["list"]:
            _list()
        case ["describe", name]:
            _describe(_known(name), name)
        case ["check", path, *choices]:
            check(path, choices)
        case ["get", name]:
            get(_card(name), name)
        case ["convert", file, out] if out.startswith("out="):
            convert(Path(file), Path(out.removeprefix("out=")))
        case _:
            raise InputError(USAGE)


def card_of(node: dict[str, Any]) -> Card:
    """A data set's card, without reading its data."""
    card: Card = _module(node).CARD
    return card


def show(data: DataSet) -> None:
    """Print a data set's card and sizes."""
    card, pairs = data.card, data.pairs
    counts = class_counts(pairs.labels, len(data.classes))
    several = ", an item may have several" if pairs.labels.ndim == 2 else ""
    sides = zip(card.modalities, (pairs.a, pairs.b), card.features, strict=True)
    lines = {
        "name": f"{card.name} - {card.title}",
        "pairs" if pairs.paired else "items": f"{len(pairs):,} ({sizes_said(data)})",
        **{side: f"{features.shape[1]} features: {said}" for side, features, said in sides},
        "classes": f"{len(data.classes)}, of {counts.min()} to {counts.max()} items{several}; {_embedding(data)}",
        "pictures": "yes" if data.pictures else "no",
        **_origin(card),
        "class names": ", ".join(data.classes.names),
    }
    _print(lines)


def sizes_said(data: DataSet) -> str:
    """Rows of each part, in words."""
    said = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
    counts = {word: int((data.part == part).sum()) for word, part in said.items()}
    return ", ".join(f"{count:,} {word}" for word, count in counts.items() if count or word != "validation")


def _embedding(data: DataSet) -> str:
    size = data.classes.vectors.shape[1]
    return f"embeddings of {size}: {data.card.embedding}" if size else "no embeddings of their own"


def _list() -> None:
    for name in _names():
        node = _node(name)
        if name == OWN:
            console.print(f"[bold]{name}[/bold]", "features of yours: data.path=FILE or FOLDER")
            continue
        console.print(
            f"[bold]{name}[/bold]", card_of(node).title, f"[dim]({_whether_here(node)})[/dim]", soft_wrap=True
        )
    console.print("next: msl data describe emoji")


def _whether_here(node: dict[str, Any]) -> str:
    path = node.get("path")
    return "ships with msl" if path is None else "here" if Path(path).exists() else "not here"


def _describe(node: dict[str, Any], name: str) -> None:
    if name == OWN:
        raise InputError("data set 'folder' is a path of yours; describe it with msl data check PATH")
    if _whether_here(node) == "not here":
        card = card_of(node)
        _print({"name": f"{card.name} - {card.title}", "modalities": ", ".join(card.modalities), **_origin(card)})
        remedy = (
            f"next: msl data get {name}"
            if card.remotes
            else f"put them there, or give data.path to msl train data={name}"
        )
        console.print(f"its files are not in {node['path']}; {remedy}", soft_wrap=True)
        return
    found: DataSet = instantiate(node)
    show(found)
    published = getattr(_module(node), "PUBLISHED", None)
    sizes = tuple(int((found.part == part).sum()) for part in (TRAIN, VALIDATION, TEST))
    if published and sizes not in published:
        said = " or ".join("/".join(f"{size:,}" for size in each) for each in published)
        console.print(
            f"[yellow]its sizes are {'/'.join(f'{size:,}' for size in sizes)} (train/validation/test), published are {said}: "
            "numbers measured on it are not comparable with published ones[/yellow]"
        )
    console.print(f"next: msl train data={name}")


def _card(name: str) -> Card:
    if name == OWN:
        raise InputError("data set 'folder' is a path of your own; look at it with msl data check PATH")
    return card_of(_known(name))


def _origin(card: Card) -> dict[str, str]:
    return {"source": card.source, "licence": card.licence, "obtain": card.obtain}


def _print(lines: dict[str, str]) -> None:
    for head, text in lines.items():
        console.print(f"[bold]{head:12}[/bold] {text}", highlight=False, soft_wrap=True)


def _names() -> list[str]:
    return sorted(file.stem for file in (embedded("conf") / "data").glob("*.yaml"))


def _known(name: str) -> dict[str, Any]:
    if name not in _names():
        raise InputError(f"there is no data set {name!r}; there are {', '.join(_names())}")
    return _node(name)


def _node(name: str) -> dict[str, Any]:
    node = OmegaConf.to_container(OmegaConf.load(embedded("conf") / "data" / f"{name}.yaml"), resolve=True)
    assert isinstance(node, dict)
    values = {str(key): value for key, value in node.items()}
    check_config(values, "data")
    return values


def _module(node: dict[str, Any]) -> ModuleType:
    return import_module(str(node["_target_"]).rpartition(".")[0])

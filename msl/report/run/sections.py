"""The page of one run: its head and its sections, in the order a reader asks."""

import json
import shlex
from typing import Any

from msl.data.labels import class_counts
from msl.report.page.parts import Grid, Part, Prose, Section
from msl.report.run.gallery import gallery_section
from msl.report.run.measured import Measured
from msl.report.run.paper import paper_section
from msl.report.run.results import classes_section, curves_section, numbers_section
from msl.report.run.space import space_section
from msl.report.run.training import training_section
from msl.report.table import titled
from msl.types import InputError

PAPER = "masln"
"""The method whose page tells how it differs from its paper."""


def sections(run: Measured) -> list[Section]:
    """Every section of a run's page; those of a page on many runs that shows one of them too."""
    return [
        numbers_section(run),
        curves_section(run),
        classes_section(run),
        gallery_section(run),
        space_section(run),
        training_section(run),
        *([paper_section()] if run.card.method == PAPER else []),
        classes_of_split(run),
        what_was_run(run),
    ]


def title(run: Measured) -> str:
    """The page's heading."""
    return f"{run.card.label} on {run.card.data}, class split {run.split.seed}"


def lead(run: Measured) -> list[str]:
    """The result in a sentence, then what was trained on what."""
    metric = run.metrics[0]
    (row,) = (r for r in run.rows if (r["regime"], r["direction"], r["metric"]) == (run.regime, "mean", metric))
    data, split = run.data.card, run.split
    classes = (
        f"{len(split.seen)} classes"
        if split.kind == "standard"
        else f"{len(split.seen)} seen classes, {len(split.unseen)} unseen"
    )
    return [
        f"{titled(metric)} in the {run.regime} regime: {row['value']:.3f}, {row['value'] / row['chance']:.1f} × chance "
        f"({row['chance']:.3f}), mean of both directions over {row['queries']:,} queries. One class split: no interval.",
        f"{data.title[:1].upper()}{data.title[1:]}. {classes}, {len(split.rows['seen_train']):,} training pairs.",
    ]


def classes_of_split(run: Measured) -> Section:
    """Each class, its part in the split, and how many rows it has to train and to be tested on."""
    split, data = run.split, run.data
    parts = {"seen": split.seen, "seen, held out for selection": split.pseudo_unseen, "unseen": split.unseen}
    part = {name: what for what, names in parts.items() for name in names}
    trained, *tested = (
        class_counts(data.pairs.labels[split.positions(group, data)], len(data.classes))
        for group in ("seen_train", "seen_test", "unseen_test")
    )
    rows = [
        [name, part[name], f"{trained[place]:,}", f"{tested[0][place] + tested[1][place]:,}"]
        for place, name in enumerate(data.classes.names)
        if name in part
    ]
    grid = Grid(caption="Classes of the split", heads=("class", "part", "training rows", "test rows"), rows=rows)
    return Section("Classes", (grid,))


def what_was_run(run: Measured) -> Section:
    """What it takes to run it again: the command, hashes of what went in, the environment."""
    card, split, data = run.card, run.split, run.data.card
    known = {
        "command": shlex.join(["msl", "train", *card.overrides]),
        "configuration's hash": card.config_hash,
        "data": f"{card.data}: {data.title}",
        "source": data.source,
        "licence": data.licence,
        "data's hash": card.data_hash,
        **{f"features, {name}": said for name, said in zip(data.modalities, card.encoders, strict=True)},
        "class embedding": card.embedding,
        "split": f"{split.kind}, seed {split.seed}",
        "split's hash": split.hash,
        "class split's hash": split.classes_hash,
    }
    return Section(
        "What was run",
        (_table("The run", known), _table("Environment", _environment(run)), *_overridden(card.overrides)),
    )


def _overridden(overrides: tuple[str, ...]) -> tuple[Part, ...]:
    if not overrides:
        return (Prose(("Nothing was overridden: every value is conf/train.yaml's.",)),)
    return (Grid(caption="Overrides", heads=("override",), rows=[[each] for each in overrides]),)


def _table(caption: str, known: dict[str, str]) -> Grid:
    return Grid(caption=caption, heads=("what", "value"), rows=[[what, said] for what, said in known.items()])


def _environment(run: Measured) -> dict[str, str]:
    file = run.folder / "environment.json"
    try:
        found: dict[str, Any] = dict(json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{file} is not readable ({error}); restore it or train again") from None
    return {name: str(version or "not installed") for name, version in found.items()}

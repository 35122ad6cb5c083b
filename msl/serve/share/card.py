"""The model card: what a stranger must know before he trusts a model, in the format of the Hugging Face hub."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Any

_USE = """\
```python
import msl
model = msl.load("FOLDER")  # or user/model on the hub
print(model.search("a few words"))  # without its index: gallery=[...], texts or pathlib.Path of pictures
```"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a card is written from.

    Attributes:
        license: identifier of the hub's list for the model itself.
        about: a sentence on the method.
        features: how the features of both modalities were made.
        source: where the data come from and their own licence, if it is known.
        searched: how codes were compared, in words.
        selection: what chose epoch and settings, in words.
        rows: tidy rows of `metrics.json`.
        limits: sentences on what the model cannot do.
    """

    label: str
    method: str
    about: str
    license: str
    data: str
    source: str
    modalities: tuple[str, str]
    features: tuple[str, str]
    embedding: str
    seen: Sequence[str]
    unseen: Sequence[str]
    split_seed: int
    searched: str
    selection: str
    rows: Sequence[Mapping[str, Any]]
    limits: Sequence[str]


def model_card(facts: Facts) -> str:
    """Markdown with a YAML header whose `model-index` has every number of the run, its chance level and its split."""
    import yaml  # type: ignore[import-untyped]  # comes with omegaconf

    header = yaml.safe_dump(_header(facts), sort_keys=False, allow_unicode=True, width=120)
    return f"---\n{header}---\n\n{_body(facts)}"


def _header(facts: Facts) -> dict[str, Any]:
    results = [
        {"task": {"type": "cross-modal-retrieval"}, "dataset": dataset, "metrics": metrics}
        for dataset, metrics in _results(facts)
    ]
    return {
        "license": facts.license,
        "library_name": "msl",
        "tags": ["zero-shot", "cross-modal-retrieval", *facts.modalities, facts.method],
        "datasets": [facts.data],
        "metrics": sorted({row["metric"] for row in facts.rows}),
        "model-index": [{"name": f"{facts.label}-{facts.data}", "results": results}],
    }


def _results(facts: Facts) -> Iterable[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """By regime and direction the data measured on, and the metrics."""
    for (regime, direction), rows in groupby(facts.rows, lambda row: (row["regime"], row["direction"])):
        dataset = {
            "type": facts.data, "name": facts.data, "config": f"class split {facts.split_seed}", "split": regime
        }  # fmt: skip
        yield dataset, [_metric(row, f"{regime}/{direction}") for row in rows if row["value"] is not None]


def _metric(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    args = {key: row[key] for key in ("chance", "queries", "gallery") if row.get(key) is not None}
    return {"type": row["metric"], "name": f"{prefix}/{row['metric']}", "value": row["value"], "args": args}


def _body(facts: Facts) -> str:
    first, second = facts.modalities
    parts = [
        f"# {_said(facts.label)} on {_said(facts.data)}",
        f"Finds {first}s with {second}s and {second}s with {first}s, also of classes never seen in training. {_said(facts.about)}",
        "## How it was trained",
        _listed(_training(facts)),
        "## How good it is",
        f"Mean over queries of test items; {_said(facts.searched)}. Every other number is in the header of this file.",
        "\n".join(_table(facts.rows)),
        "## How to use it",
        _USE,
        "## What to bear in mind",
        _listed(_said(line) for line in facts.limits),
    ]
    return "\n\n".join(parts) + "\n"


def _listed(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _training(facts: Facts) -> list[str]:
    first, second = facts.modalities
    return [
        f"Data: {_said(facts.data)}. {_said(facts.source)}",
        f"Features of the {first}s: {_said(facts.features[0])}.",
        f"Features of the {second}s: {_said(facts.features[1])}.",
        f"Class embeddings: {_said(facts.embedding)}.",
        f"Classes trained on ({len(facts.seen)}): {_said(', '.join(facts.seen))}.",
        f"Classes never seen ({len(facts.unseen)}): {_said(', '.join(facts.unseen)) or 'none'}.",
        f"Chosen: {_said(facts.selection)}.",
    ]


def _table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first metric of every regime and direction."""
    shown = [row for row in rows if row["metric"] == rows[0]["metric"] and row["value"] is not None]
    lines = [
        f"| {row['regime']} | {row['direction']} | {row['metric']} | {row['value']:.4f} | {_number(row.get('chance'))} |"
        for row in shown
    ]
    return ["| classes | direction | metric | value | chance |", "|---|---|---|---|---|", *lines]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _said(text: str) -> str:
    """Text from data or settings, so that it is no markup of any kind."""
    flat = escape(" ".join(text.split()), quote=False)
    return "".join(f"\\{each}" if each in "\\`*_[]|#" else each for each in flat)

"""What `docs/methods/NAME.md` says: one page per `conf/method/NAME.yaml`, from code, configuration and ledger."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from equation_page import ROOT, Equation, equations

from msl.commands.reproduce import Reproduction
from msl.commands.reproducing.experiment import found_rows
from msl.config import composed, resolved, validated
from msl.evaluation.ledger import read_rows, summarise
from msl.methods.method import Trained
from msl.report.table import markdown
from msl.types import InputError

FOLDER = ROOT / "docs" / "methods"
LEDGER = ROOT / "results" / "ledger.jsonl"
EXPERIMENTS = ("extendable", "standard")
"""Those whose rows are shown."""
DIFFERENCES = {
    "masln": "[differences.md](../differences.md) says what differs from the paper, and what it leaves open."
}


def pages() -> dict[Path, str]:
    """The page of every method that has a configuration."""
    names = sorted(file.stem for file in (ROOT / "conf" / "method").glob("*.yaml"))
    return {FOLDER / f"{name}.md": page(name) for name in names}


def page(name: str) -> str:
    """What one method's page must say."""
    values = resolved(composed("train", [f"method={name}"]))
    cls = _found(values["method"]["_target_"])
    parts = [
        f"# {name}",
        f"Written by `python docs/generate.py` from {_link(values['method']['_target_'])}, "
        f"[conf/method/{name}.yaml](../../conf/method/{name}.yaml) and "
        "[results/ledger.jsonl](../../results/ledger.jsonl); change those, not this page.",
        inspect.cleandoc(cls.__doc__ or ""),
        *([DIFFERENCES[name]] if name in DIFFERENCES else []),
        *_equations(values["method"]),
        "## Settings",
        _settings(values, trained=issubclass(cls, Trained)),
        "## What is chosen, and on what",
        _chosen(values, trained=issubclass(cls, Trained)),
        f"```\nmsl train method={name}\n```",
        "## Results",
        _results(name),
    ]
    return "\n\n".join(parts).rstrip() + "\n"


def _equations(method: dict[str, Any]) -> Iterator[str]:
    """The equations whose homes are the files of the losses that the method is configured with."""
    used = {f"{target.rpartition('.')[0].replace('.', '/')}.py" for target in _targets(method)}
    own = [each for each in equations() if each.file in used]
    if own:
        yield "## Equations"
        yield "\n".join(["| eq. | what | formula |", "|---|---|---|", *map(_equation, own)])
        yield "Symbols, arguments and tests: [equations.md](../equations.md)."


def _equation(equation: Equation) -> str:
    formulas = "<br>".join(f"`{formula}`" for formula in equation.formulas).replace("|", "\\|")
    return f"| ({equation.number}) | [{equation.what}](../../{equation.file}#L{equation.line}) | {formulas} |"


def _targets(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from [node["_target_"]] if "_target_" in node else []
        for value in node.values():
            yield from _targets(value)


def _settings(values: dict[str, Any], *, trained: bool) -> str:
    """Every key with its value, below a line per part that links to its code."""
    groups = ("method", "optimiser", "trainer") if trained else ("method",)
    lines = [line for group in groups for line in _lines(values[group], group)]
    return "\n".join(["| key | value |", "|---|---|", *lines])


def _lines(node: dict[str, Any], path: str) -> Iterator[str]:
    if "_target_" in node:
        yield f"| `{path}` | {_link(node['_target_'])} |"
    for key, value in node.items():
        if isinstance(value, dict) and (path, key) != ("trainer", "optimiser") and key != "search":
            yield from _lines(value, f"{path}.{key}")
        elif not isinstance(value, dict) and not key.startswith("_") and key != "name":
            yield f"| `{path}.{key}` | {'null' if value is None else str(value).lower() if isinstance(value, bool) else value} |"


def _link(target: str) -> str:
    """The target's name, leading to its file where that is here."""
    module, _, name = target.rpartition(".")
    file = f"{module.replace('.', '/')}.py"
    return f"[{name}](../../{file})" if (ROOT / file).is_file() else f"`{target}`"


def _found(target: str) -> Any:
    module, _, name = target.rpartition(".")
    return getattr(import_module(module), name)


def _chosen(values: dict[str, Any], *, trained: bool) -> str:
    search, trainer = values["method"].get("search") or {}, values["trainer"]
    said = [
        *(f"`method.{key}` of {', '.join(map(str, options))}" for key, options in search.items()),
        *(
            [f"the number of epochs, of every {trainer['validate_every']}th up to {trainer['epochs']}"]
            if trained
            else []
        ),
    ]
    if not said:
        return "Nothing is: every setting is used as it stands above."
    return (
        f"In every run anew: {'; '.join(said)}. What reaches the best mAP on rows held out of training (*pseudo-unseen* "
        "classes; in the standard regime, rows of the train part) is then fitted to all seen classes. Test rows choose "
        "nothing. Everything else is as it stands above; [sweeps.md](../sweeps.md) says how to search it."
    )


def _results(name: str) -> str:
    rows = [row for experiment in EXPERIMENTS for row in _measured(experiment, name)]
    if not rows:
        return (
            "None in the ledger yet: " + ", ".join(f"`msl reproduce experiment={each}`" for each in EXPERIMENTS) + "."
        )
    found = summarise(rows, metric="map", direction="mean", reference=None)
    return (
        "mAP over the full ranking, mean of both directions, ± the half-width of the 95 % t-interval over class splits.\n\n"
        + markdown(found, reference=None)
    )


def _measured(experiment: str, name: str) -> list[dict[str, Any]]:
    asked = validated(Reproduction, resolved(composed("reproduce", [f"experiment={experiment}", f"methods=[{name}]"])))
    try:
        return found_rows(asked.cells(), read_rows(LEDGER))
    except InputError:  # nothing of it yet
        return []

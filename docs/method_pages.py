"""What `docs/methods/NAME.md` says: one page per `conf/method/NAME.yaml`, from code, configuration and ledger."""

import functools
import inspect
import itertools
import math
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from equation_page import ROOT, Equation, equations

from msl.commands.reproduce import Reproduction
from msl.commands.reproducing.arms import configured
from msl.commands.reproducing.cells import found_rows
from msl.commands.searching import build, searched_paths
from msl.config import composed, resolved, validated
from msl.evaluation.ledger import read_rows, summarise
from msl.methods.method import Sizes, Trained
from msl.report.table import markdown
from msl.types import InputError

FOLDER = ROOT / "docs" / "methods"
LEDGER = ROOT / "results" / "ledger.jsonl"
EXPERIMENTS = ("rivals", "wikipedia_standard")
"""Those whose rows are shown."""
DIFFERENCES = {
    "masln": "[differences.md](../differences.md) says what differs from the paper, and what it leaves open."
}


def pages() -> dict[Path, str]:
    """The page of every method that has a configuration."""
    names = sorted(file.stem for file in (ROOT / "conf" / "method").glob("*.yaml"))
    return {FOLDER.parent / "methods.md": index(names)} | {FOLDER / f"{name}.md": page(name) for name in names}


def index(names: list[str]) -> str:
    """The page that leads to all others: every method, its idea in a line, and where it comes from."""
    lines = [
        f"| [{name}](methods/{name}.md) | {_idea(name)} | {_kind(name)} | {_needs(name)} | {_source(name)} |"
        for name in names
    ]
    table = ["| method | idea | learnt | class embeddings | source |", "|---|---|---|---|---|", *lines]
    return f"# Methods\n\n{_RULES}\n\n" + "\n".join(table) + "\n"


_RULES = """Written by `python docs/generate.py` from `conf/method` and `msl/methods`. Every method runs on any data set and
protocol (`lstm` and `attention` want raw texts, or `texts=given`):

```
msl train method=dscmr                                          # its source's settings, ours where it states none
msl train method=dscmr search=dscmr 'label=dscmr tuned'         # the best of eight trials on rows held out of training
msl train method=cca                                            # closed form: the eight trials unasked, they take seconds
msl train method=cca '~method.search' label=plain               # its settings as they stand
```

All beside each other, under the same rules: [results/rivals.md](../results/rivals.md).

The same for all: features are centred and scaled by the training rows, pictures' each by its own deviation, texts' by one
for all (in closed forms each by its own), then both to a mean squared norm of 128 unless a method says otherwise; at most 40
epochs, whose number is chosen on rows held out of training; cosine. Settings are the source's, and ours where a page says
that it leaves them open; where it has them wider, hidden layers above features are 512 and codes 256. MASLN's, which its
paper does not state, are 1,024 and 200. What these limits do to the comparison is measured:
[results/limits.md](../results/limits.md). A choice on a few held-out classes is a noisy one: a tuned row is no upper
bound. MASLN's settings were chosen by hand on emoji; what was changed of the others after a look at one emoji split is
listed in [differences.md](differences.md). The class embeddings of unseen classes are given to none."""


def _idea(name: str) -> str:
    """The first sentence of what is said of it."""
    return re.split(r"\.?\n\n", said(name), maxsplit=1)[0].replace("\n", " ").removesuffix(".")


def _needs(name: str) -> str:
    """Whether it does without class embeddings."""
    try:
        build(_values(f"method={name}")["method"], Sizes(a=4, b=4, classes=3, embedding=0), {})
    except InputError:
        return "needed"
    return ""


def _source(name: str) -> str:
    """The first reference of what is said of it."""
    found = re.search(r"References?: (.+?)(?:;|\.$|\.\s)", said(name), flags=re.DOTALL | re.MULTILINE)
    return found[1].replace("\n", " ") if found else ""


def _kind(name: str) -> str:
    return "by gradients" if issubclass(_class(name), Trained) else "in closed form"


def page(name: str) -> str:
    """What one method's page must say."""
    values = _values(f"method={name}")
    cls = _class(name)
    searches = bool(values["method"].get("search"))
    command = f"msl train method={name}"
    other = f"{command} '~method.search' label=plain" if searches else f"{command} search={name} 'label={name} tuned'"
    parts = [
        f"# {name}",
        f"Written by `python docs/generate.py` from {_link(values['method']['_target_'])}, "
        f"[conf/method/{name}.yaml](../../conf/method/{name}.yaml) and "
        "[results/ledger.jsonl](../../results/ledger.jsonl); change those, not this page.",
        said(name),
        *([DIFFERENCES[name]] if name in DIFFERENCES else []),
        *_equations(values["method"]),
        "## Settings",
        _settings(values, trained=issubclass(cls, Trained)),
        "## What is chosen, and on what",
        _chosen(values, trained=issubclass(cls, Trained)),
        _tuned(name),
        f"```\n{command}\n{other}\n```",
        "## Results",
        _results(name, trained=issubclass(cls, Trained)),
    ]
    return "\n\n".join(parts).rstrip() + "\n"


def said(name: str) -> str:
    """Idea, formula, source and differences: from the head of the configuration of a method that is made of shared parts
    alone, else from its class.
    """
    return _commented(name) or inspect.cleandoc(_class(name).__doc__ or "")


def _class(name: str) -> Any:
    return _named(_values(f"method={name}")["method"]["_target_"])


def _commented(name: str) -> str:
    lines = (ROOT / "conf" / "method" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    head = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in head if "@package" not in line)


def _equations(method: dict[str, Any]) -> Iterator[str]:
    """The equations that the configured losses are, and those of the same file that they are made of, which come after."""
    used = set(_targets(method))
    first: dict[str, int] = {}
    for each in equations():
        if f"{each.file.removesuffix('.py').replace('/', '.')}.{each.name}" in used:
            first.setdefault(each.file, each.number)
    own = [each for each in equations() if each.number >= first.get(each.file, math.inf)]
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


def _named(target: str) -> Any:
    module, _, name = target.rpartition(".")
    return getattr(import_module(module), name)


def _chosen(values: dict[str, Any], *, trained: bool) -> str:
    search, trainer = values["method"].get("search") or {}, values["trainer"]
    said = [
        *_options(search),
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


def _tuned(name: str) -> str:
    """What `search=NAME` lists."""
    search = _values(f"method={name}", f"search={name}")["method"]["search"]
    return f"`search={name}` chooses among {math.prod(map(len, search.values()))} combinations: {'; '.join(_options(search))}."


def _options(search: dict[str, list[Any]]) -> list[str]:
    places = {key: " and ".join(f"`{path}`" for path in searched_paths(key)) for key in search}
    return [f"{places[key]} of {', '.join(map(str, options))}" for key, options in search.items()]


def _results(name: str, *, trained: bool) -> str:
    rows = [row for experiment in EXPERIMENTS for row in _measured(experiment, name)]
    if not rows:
        return (
            "None in the ledger yet: " + ", ".join(f"`msl reproduce experiment={each}`" for each in EXPERIMENTS) + "."
        )
    found = summarise(rows, metric="map", direction="mean", reference=None)
    return (
        "mAP over the full ranking, mean of both directions, ± the half-width of the 95 % t-interval over class splits. "
        f"`{name}` has the settings above{', its epochs chosen' if trained else ''}; `{name} tuned` is `search={name}`.\n\n"
        + markdown(found, reference=None)
    )


def _measured(experiment: str, name: str) -> list[dict[str, Any]]:
    return [row for row in _found_rows(experiment, LEDGER) if row["method"] in (name, f"{name} tuned")]


@functools.cache
def _found_rows(experiment: str, ledger: Path) -> list[dict[str, Any]]:
    asked = validated(Reproduction, resolved(composed("reproduce", [f"experiment={experiment}"])))
    try:
        return found_rows(asked.cells(), read_rows(ledger))
    except InputError:  # nothing of it yet
        return []


def _values(*overrides: str) -> dict[str, Any]:
    return configured(overrides)

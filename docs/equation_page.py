"""What `docs/equations.md` says, from the docstrings of `msl/losses` and the tests marked `equation(n)`."""

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "equations.md"

HEAD = """\
# From equation to line

Written by `python docs/generate.py` from the docstrings of `msl/losses` and the tests marked `equation(n)`; change
those, not this page. The paper is Xu, Song, Lu, Yang, Shen, Huang: *Modal-adversarial Semantic Learning Network for
Extendable Cross-modal Retrieval*, ICMR 2018, [doi 10.1145/3206025.3206033](https://doi.org/10.1145/3206025.3206033).
Modality a is its image v, modality b its text t. Every loss gives one value per pair; the
[objective](../msl/losses/objective.py) takes the means, weighs and adds them.

| eq. | what | symbol → argument | file | test |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Equation:
    """One equation's home: what the first lines of a loss's docstring say, and where they stand."""

    number: int
    name: str
    what: str
    formulas: tuple[str, ...]
    symbols: tuple[str, ...]
    file: str
    line: int


@dataclass(frozen=True)
class MarkedTest:
    """A test function that carries `@pytest.mark.equation(number)`, on itself or on one of its parameter sets."""

    number: int
    name: str
    file: str


def equations(folder: Path = ROOT / "msl" / "losses") -> list[Equation]:
    """Every function whose docstring begins with `Eq. (n).`, by number."""
    found = [each for file in sorted(folder.rglob("*.py")) for each in _homes(file)]
    return sorted(found, key=lambda equation: equation.number)


def _homes(file: Path) -> Iterator[Equation]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        docstring = (ast.get_docstring(node) or "") if isinstance(node, ast.FunctionDef) else ""
        first = re.match(r"Eq\. \((\d+)\)\. (.+)", docstring)
        if first and isinstance(node, ast.FunctionDef):
            yield Equation(
                number=int(first[1]),
                name=node.name,
                what=first[2],
                formulas=tuple(_formulas(docstring)),
                symbols=tuple(_symbols(docstring)),
                file=_from_root(file),
                line=node.lineno,
            )


def _formulas(docstring: str) -> Iterator[str]:
    """Everything in double backquotes on lines that begin with them."""
    for line in re.findall(r"^``.+", docstring, flags=re.MULTILINE):
        yield from re.findall(r"``(.+?)``", line)


def _symbols(docstring: str) -> Iterator[str]:
    """The bullets `symbol -> argument`, each on one line."""
    for bullet in re.findall(r"^- (.+(?:\n {2,}.+)*)", docstring, flags=re.MULTILINE):
        if " -> " in bullet:
            yield " ".join(bullet.split()).replace(" -> ", " → ")


def marked_tests(folder: Path = ROOT / "tests") -> list[MarkedTest]:
    """Every test function marked with an equation's number, by file and in the file's order."""
    return [each for file in sorted(folder.rglob("test_*.py")) for each in _marks(file)]


def _marks(file: Path) -> Iterator[MarkedTest]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for number in sorted({_number(call) for each in node.decorator_list for call in ast.walk(each)} - {0}):
                yield MarkedTest(number, node.name, _from_root(file))


def _number(node: ast.AST) -> int:
    """The n of `pytest.mark.equation(n)`, 0 for anything else."""
    is_mark = isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.equation"
    return int(ast.literal_eval(node.args[0])) if is_mark else 0


def _from_root(file: Path) -> str:
    return file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else file.name


def page() -> str:
    """What `docs/equations.md` must say."""
    tests = marked_tests()
    return HEAD + "".join(_row(each, [test for test in tests if test.number == each.number]) for each in equations())


def _row(equation: Equation, tests: list[MarkedTest]) -> str:
    what = [equation.what, *(f"`{formula}`" for formula in equation.formulas)]
    home = f"[{equation.file.rpartition('/')[2]}](../{equation.file}#L{equation.line})<br>`{equation.name}`"
    files = list(dict.fromkeys(test.file for test in tests))
    marked = [
        line
        for file in files
        for line in (f"[{file.rpartition('/')[2]}](../{file})", *(_plain(t.name) for t in tests if t.file == file))
    ]
    cells = [f"({equation.number})", "<br>".join(what), "<br>".join(equation.symbols), home, "<br>".join(marked)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _plain(test: str) -> str:
    return textwrap.shorten(test.removeprefix("test_").replace("_", " "), 120, placeholder=" …")

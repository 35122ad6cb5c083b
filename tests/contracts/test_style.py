"""Sizes that keep reading pleasant. `python tests/contracts/test_style.py` prints them; only the hard rules are asserted."""

import ast
import statistics
from pathlib import Path

import pytest

import msl

ROOT = Path(msl.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
LONGEST_FILE = 250
NAMELESS = {"utils", "util", "helpers", "helper", "common", "base", "manager", "engine", "misc"}
EVERY_FILE = pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines(file):
    return len(file.read_text(encoding="utf-8").splitlines())


def public(body, prefix=""):
    """Public functions and classes, and the public methods of public classes, by dotted name."""
    for node in body:
        if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body, f"{prefix}{node.name}.")


def undocumented(text):
    """Public names without a docstring; a method may leave it to a protocol of its file, an overload to its function."""
    named = dict(public(ast.parse(text).body))
    protocols = {name for name, node in named.items() if "Protocol" in map(ast.unparse, getattr(node, "bases", []))}
    promised = {name.partition(".")[2] for name in named if name.partition(".")[0] in protocols}
    lacking = [name for name, node in named.items() if not ast.get_docstring(node)]
    return [
        name for name in lacking if name.partition(".")[0] in protocols or name.partition(".")[2] not in promised - {""}
    ]


@EVERY_FILE
def test_no_file_is_too_long_to_read_in_one_sitting(file):
    assert lines(file) <= LONGEST_FILE


@EVERY_FILE
def test_every_module_is_called_after_what_it_does(file):
    parts = {part.removesuffix(".py").strip("_") for part in file.relative_to(ROOT).parts}
    assert not parts & NAMELESS


@EVERY_FILE
def test_everything_public_has_a_docstring(file):
    assert undocumented(file.read_text(encoding="utf-8")) == []


def test_a_function_a_class_and_a_method_without_docstrings_would_be_found():
    text = (
        "def f(): ...\nclass C:\n  @property\n  def m(self): ...\n  def _n(self): ...\nclass _D:\n  def o(self): ...\n"
    )
    assert undocumented(text) == ["f", "C", "C.m"]


def test_only_a_protocol_spares_a_method_its_docstring():
    head = "class C:\n  'c'\n  def m(self): ...\n  def n(self): ...\n"
    assert undocumented(head + "class P(Protocol):\n  'p'\n  def m(self):\n    'm'\n") == ["C.n"]
    assert undocumented(head + "class P:\n  'p'\n  def m(self):\n    'm'\n") == ["C.m", "C.n"]


def report():
    """Lines per function and per file: median, 90th percentile, longest."""
    functions = {
        f"{file.relative_to(ROOT)}:{node.name}": node.end_lineno - node.lineno + 1
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, Function)
    }
    files = {str(file.relative_to(ROOT)): lines(file) for file in FILES}
    for what, sizes in (("function", functions), ("file", files)):
        longest = max(sizes, key=sizes.get)
        median, tenths = statistics.median(sizes.values()), statistics.quantiles(sizes.values(), n=10)
        print(f"{what}: {len(sizes)}, median {median:g}, p90 {tenths[-1]:g}, longest {sizes[longest]} ({longest})")


if __name__ == "__main__":
    report()

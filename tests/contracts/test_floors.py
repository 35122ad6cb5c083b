"""Imports go down only; siblings never import each other; each heavy library has one home."""

import ast
from pathlib import Path

import pytest

import msl

ROOT = Path(msl.__file__).parent
FLOORS = [
    {"types", "files", "functional", "__init__", ""},
    {"data", "encode", "nets", "losses", "metrics", "index"},
    {"methods"},
    {"training"},
    {"evaluation"},
    {"report", "serve"},
    {"config", "cli", "commands", "__main__"},
]
HOMES = {
    "hydra": {"config.py", "cli.py", "commands/multirun.py", "commands/sweeping/space.py"},
    "omegaconf": {"config.py", "cli.py", "commands/"},
    "pytorch_lightning": {"training/"},
    "wandb": {"report/tracking/wandb_run.py"},
    "matplotlib": {"report/"},
    "faiss": {"index/faiss.py"},
    "fastapi": {"serve/web/"},
    "starlette": {"serve/web/"},
    "uvicorn": {"serve/web/"},
    "onnx": {"serve/share/portable.py"},
    "onnxscript": {"serve/share/portable.py"},
    "onnxruntime": {"serve/share/portable.py"},
    "huggingface_hub": {"encode/encoders/", "serve/share/hub.py"},
}
FILES = sorted(ROOT.rglob("*.py"))


def place(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def floor(part: str) -> int:
    return next(number for number, parts in enumerate(FLOORS) if part in parts)


def imported(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative imports hide the floor"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_imports_go_down_only(file):
    name = file.relative_to(ROOT)
    if str(name) == "__init__.py":
        return  # lazy exports
    own = name.parts[0].removesuffix(".py")
    for module in imported(file):
        if module.split(".")[0] != "msl":
            continue
        other = place(module)
        if other != own and {own, other} - FLOORS[-1]:
            assert floor(other) < floor(own), f"{name} imports {module}"


@pytest.mark.parametrize("library", HOMES)
def test_each_library_has_its_home(library):
    users = {str(file.relative_to(ROOT)) for file in FILES if any(m.split(".")[0] == library for m in imported(file))}
    homes = HOMES[library]
    assert users
    assert all(
        any(user == home or (home.endswith("/") and user.startswith(home)) for home in homes) for user in users
    ), users


def test_every_part_stands_on_a_floor():
    for part in ROOT.iterdir():
        if part.suffix == ".py" or (part / "__init__.py").exists():
            floor(part.stem)

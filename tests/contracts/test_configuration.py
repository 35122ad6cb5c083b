"""What stands in for structured types: configuration and code name each other's parts."""

import inspect
from importlib import import_module
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from msl.config import _target, check, composed, parameters_of, resolved
from msl.files import embedded

CONF = embedded("conf")
GROUPS = [
    "data", "embedding", "encoder", "index", "texts", "split", "method", "loss", "net", "adversary", "optimiser", "trainer",
]  # fmt: skip
NODES = [file for group in GROUPS for file in (CONF / group).glob("*.yaml")]


def nodes(values, path=""):
    if isinstance(values, dict):
        if "_target_" in values:
            yield path, values
        for key, value in values.items():
            yield from nodes(value, f"{path}.{key}")


@pytest.mark.parametrize("file", NODES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_every_key_is_a_parameter_of_its_target(file):
    found = list(nodes(OmegaConf.to_container(OmegaConf.load(file))))
    assert found
    for path, node in found:
        parameters = parameters_of(_target(node["_target_"], path))
        keys = {key for key in node if not key.startswith("_")} - {"name", "search", "defaults"}
        assert keys <= parameters.keys()


@pytest.mark.parametrize(
    "group", ["data", "embedding", "encoder", "index", "texts", "loss", "net", "adversary", "split"]
)
def test_every_public_part_of_the_code_has_a_configuration(group):
    package = {
        "data": "data", "embedding": "encode", "texts": "encode", "loss": "losses", "net": "nets", "adversary": "methods",
        "split": "data", "encoder": "encode/encoders", "index": "index",
    }[group]  # fmt: skip
    used = {
        node["_target_"] if group != "loss" else node["loss"]["_target_"]
        for file in (CONF / group).glob("*.yaml")
        for path, node in nodes(OmegaConf.to_container(OmegaConf.load(file)))
        if not path
    }
    wanted = {
        "data": {
            name for name in public("data", inspect.isfunction, leave_out=set(), files=set()) if name.endswith(".load")
        },
        "loss": public(
            "losses", inspect.isfunction, leave_out={"branch_reconstruction", "softmax_term"}, files={"objective"}
        ),
        "net": public("nets", inspect.isclass, leave_out=set(), files={"mlp"}),
        "adversary": {"msl.methods.adversary.Reversal", "msl.methods.adversary.Alternating"},
        "split": of_module("msl.data.splits") - {"msl.data.splits.read_split"},
        "embedding": of_module("msl.encode.class_vectors") - {"msl.encode.class_vectors.unheard"},
        "texts": of_module("msl.encode.texts"),
        "encoder": concrete("encode/encoders", "msl.encode.encoders.encoder.Encoder"),
        "index": concrete("index", "msl.index.search.Kind"),
    }[group]
    assert used == wanted, package


def concrete(package, kind):
    """Dotted names of what a package defines of a kind that can be built."""
    named = public(package, inspect.isclass, leave_out=set(), files=set()) | {kind}
    found = {name: getattr(import_module(name.rpartition(".")[0]), name.rpartition(".")[2]) for name in named}
    return {name for name, each in found.items() if issubclass(each, found[kind]) and not inspect.isabstract(each)}


def of_module(name):
    """Dotted names of a module's public functions."""
    module = import_module(name)
    found = inspect.getmembers(module, lambda value: inspect.isfunction(value) and value.__module__ == name)
    return {f"{name}.{function}" for function, _ in found if not function.startswith("_")}


def public(package, kind, *, leave_out, files):
    """Dotted names of what the files of a package define; equations inside equations are left out."""
    import msl

    found = set()
    for file in (Path(msl.__file__).parent / package).glob("*.py"):
        if file.stem in files | {"__init__"}:
            continue
        module = import_module(f"msl.{package.replace('/', '.')}.{file.stem}")
        defined = inspect.getmembers(
            module, lambda value, module=module: kind(value) and value.__module__ == module.__name__
        )
        found |= {f"{module.__name__}.{name}" for name, _ in defined if not name.startswith("_")}
    return {name for name in found if name.rpartition(".")[2] not in leave_out}


@pytest.mark.parametrize("file", sorted((CONF / "method").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_method_composes_and_passes_its_checks(file):
    values = resolved(composed("train", [f"method={file.stem}"]))
    check(values)
    assert values["method"]["name"] == file.stem


@pytest.mark.parametrize("group", ["debug", "logger", "protocol"])
def test_every_overlay_composes_and_passes_its_checks(group):
    files = sorted((CONF / group).glob("*.yaml"))
    assert files
    for file in files:
        check(resolved(composed("train", [f"{group}={file.stem}"])))


@pytest.mark.parametrize(
    "name", ["board", "encode", "evaluate", "export", "index", "report", "score", "search", "serve", "sweep", "table"]
)
def test_every_command_composes(name):
    assert composed(name, [])

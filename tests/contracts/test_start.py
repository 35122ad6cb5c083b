"""Starting is quick: nothing heavy is loaded before it is needed."""

import importlib.util
import json
import subprocess
import sys

import pytest

import msl

HEAVY = {
    "torch", "pytorch_lightning", "lightning", "hydra", "omegaconf", "pydantic", "wandb", "matplotlib",
    "scipy", "sklearn", "skimage", "PIL", "rich", "safetensors",
}  # fmt: skip
ENDING = "\nimport json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"


def python(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def loaded(code):
    """What a fresh interpreter has loaded after `code`."""
    ran = python("-c", code + ENDING)
    assert ran.returncode == 0, ran.stderr
    return set(json.loads(ran.stdout.splitlines()[-1]))


def test_importing_msl_loads_nothing_at_all():
    assert not loaded("import msl") & (HEAVY | {"numpy"})


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_asking_for_help_or_the_version_loads_nothing_heavy(argument):
    modules = loaded(f"from msl.cli import main; assert main([{argument!r}]) == 0")
    assert "msl" in modules
    assert not modules & HEAVY


def test_what_counts_as_heavy_would_be_seen():
    assert "torch" in loaded("import msl.functional") & HEAVY


def test_python_m_msl_is_the_command():
    assert python("-m", "msl", "--version").stdout == f"msl {msl.__version__}\n"


def test_python_m_msl_gives_the_commands_exit_status():
    ran = python("-m", "msl", "trian")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "did you mean msl train?" in ran.stderr


def test_importing_the_main_module_runs_nothing():
    assert importlib.util.find_spec("msl.__main__") is not None
    assert python("-c", "import msl.__main__").stdout == ""


@pytest.mark.parametrize("name", msl.__all__)
def test_public_names_are_there_and_documented(name):
    value = getattr(msl, name)
    if name != "__version__":
        assert callable(value)
        assert value.__doc__
        assert value.__module__.startswith("msl.")


def test_a_name_that_does_not_exist_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'msl' has no attribute 'mean_avrage_precision'"):
        _ = msl.mean_avrage_precision
    assert not hasattr(msl, "torch")

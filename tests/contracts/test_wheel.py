"""What people install: the wheel is whole, and trains in an empty folder without the checkout."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import msl

ROOT = Path(__file__).resolve().parents[2]
FAST = ["debug=fast", "logger=none", "report.queries=0", "progress=false"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    ran = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    (file,) = place.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def names(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    place = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    return place


@pytest.fixture
def python(installed, tmp_path):
    """Run the interpreter in an empty folder, the unpacked wheel before anything else on its path."""
    place = tmp_path / "empty"
    place.mkdir()

    def run(*arguments):
        environment = os.environ | {"PYTHONPATH": str(installed), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-P", *arguments]  # -P: the current folder is not searched
        ran = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran

    run.place = place
    return run


def carried(folder, under):
    """Names in the wheel of every file of a folder of the checkout."""
    files = [file for file in (ROOT / folder).rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    assert files
    return {f"{under}/{file.relative_to(ROOT / folder).as_posix()}" for file in files}


def test_wheel_is_pure_python_of_this_version(wheel):
    assert wheel.name == f"msl-{msl.__version__}-py3-none-any.whl"


@pytest.mark.parametrize(
    ("folder", "under"),
    [
        ("msl", "msl"),
        ("conf", "msl/conf"),
        ("data/emoji", "msl/embedded/emoji"),
        ("data/words", "msl/embedded/words"),
        ("data/licences", "msl/embedded/licences"),
    ],
)
def test_wheel_carries_every_file_of(folder, under, names):
    assert carried(folder, under) <= names


@pytest.mark.parametrize(
    "name",
    [
        "msl/py.typed",
        "msl/conf/train.yaml",
        "msl/embedded/README.md",
        "msl/embedded/emoji/features.npz",
        "msl/embedded/emoji/images/1f99c.png",
        "msl/embedded/words/vectors.npy",
        "msl/embedded/licences/wordnet-base.txt",
        "msl/embedded/pages/differences.md",
        "msl/report/page/page.html.jinja",
        f"msl-{msl.__version__}.dist-info/licenses/LICENSE",
    ],
)
def test_wheel_carries(name, names):
    assert name in names


def test_wheel_carries_nothing_else(names):
    assert {name.partition("/")[0] for name in names} == {"msl", f"msl-{msl.__version__}.dist-info"}
    parts = {part for name in names for part in Path(name).parts}
    assert not parts & {"tests", "docs", "results", "runs", "build_emoji.py", "__pycache__"}


def test_package_and_everything_embedded_are_found_in_the_unpacked_wheel(python, installed):
    code = "import msl; from msl.files import embedded; print(msl.__file__, *map(embedded, ('conf', 'emoji', 'words')))"
    package = installed.resolve() / "msl"
    wanted = [package / "__init__.py", package / "conf", package / "embedded" / "emoji", package / "embedded" / "words"]
    assert [Path(place).resolve() for place in python("-c", code).stdout.split()] == wanted


def test_wheel_trains_in_an_empty_folder(python, installed):
    watch = f"import msl, sys; assert msl.__file__.startswith({str(installed)!r}), msl.__file__; "
    run = "from runpy import run_module; sys.argv = ['msl', *sys.argv[1:]]; run_module('msl', run_name='__main__')"
    ran = python("-c", watch + run, "train", *FAST)
    (file,) = python.place.rglob("metrics.json")
    assert {row["regime"] for row in json.loads(file.read_text())} == {"seen", "unseen", "generalised"}
    assert "unseen" in ran.stdout
    assert [each.name for each in python.place.iterdir()] == ["runs"]

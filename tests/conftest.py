import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

# Bits are compared, so every test computes with one thread: neighbours on the machine then change nothing.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)


def plant(folder: Path, *, classes: int = 12, items: int = 10, seed: int = 0, **changes) -> Path:
    """Write a features.npz whose two modalities share a class signal; `changes` replace arrays (None leaves one out)."""
    rng = np.random.default_rng(seed)
    meaning = rng.standard_normal((classes, 6))
    label = np.repeat(np.arange(classes), items)
    hidden = meaning[label] + 0.5 * rng.standard_normal((len(label), 6))
    arrays = {
        "image": (hidden @ rng.standard_normal((6, 16)) + 0.1 * rng.standard_normal((len(label), 16))).astype(
            np.float32
        ),
        "text": (hidden @ rng.standard_normal((6, 9)) + 0.1 * rng.standard_normal((len(label), 9))).astype(np.float32),
        "label": label,
        "split": np.where(np.arange(len(label)) % items < items * 0.7, "train", "test"),
        "class_names": np.array([f"class {number}" for number in range(classes)]),
        "class_vectors": meaning.astype(np.float32),
        "ids": np.array([f"item {number}" for number in range(len(label))]),
    } | changes
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "features.npz", **{name: array for name, array in arrays.items() if array is not None})
    return folder


@pytest.fixture
def planted(tmp_path):
    return plant(tmp_path / "planted")


SMALL = [
    "data=folder", "data.path=PLANTED", "data.name=planted", "logger=none", "progress=false", "report.queries=0", "trainer.batch=16",
    "trainer.epochs=4", "method.encoder_a.hidden=[16]", "method.encoder_b.hidden=[16]", "method.code.size=8",
]  # fmt: skip
"""A run of a second, on what `plant` wrote to PLANTED."""


@pytest.fixture
def small(planted):
    """Overrides for a run of a second on the planted data."""
    return [each.replace("PLANTED", str(planted)) for each in SMALL]


@pytest.fixture
def run_msl(tmp_path, monkeypatch, capsys):
    """Run a command in this process, in an empty folder; gives (status, standard output, standard error)."""
    from msl.cli import main

    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return status, said.out, said.err

    return run


@pytest.fixture
def shell(tmp_path):
    """Start a command in a process of its own, what it says goes to said.txt; gives the Popen."""
    place = tmp_path / "shell"
    place.mkdir()

    def start(*arguments: str) -> subprocess.Popen:
        with (place / "said.txt").open("a") as said:
            return subprocess.Popen(
                [sys.executable, "-m", "msl", *map(str, arguments)], cwd=place, stdout=said, stderr=said
            )

    start.place = place
    return start


@pytest.fixture(scope="session")
def indexed(tmp_path_factory):
    """A run on painted pictures with captions, encoded, trained and indexed; to be copied before it is changed."""
    from painted import paint

    from msl.cli import main

    folder = tmp_path_factory.mktemp("painted")
    data, run = folder / "features", folder / "run"
    training = ["logger=none", "report.queries=0", "trainer.epochs=20", "trainer.batch=16", "method.code.size=16"]
    for arguments in (
        ["encode", f"path={paint(folder / 'pictures')}", f"out={data}", "layout=classes", "progress=false"],
        ["train", "data=folder", f"data.path={data}", f"hydra.run.dir={run}", "progress=false", *training],
        ["index", f"run={run}"],
    ):
        assert main(arguments) == 0
    return run


@pytest.fixture
def indexed_copy(indexed, tmp_path):
    """The same run, to be changed."""
    return Path(shutil.copytree(indexed, tmp_path / "run"))


@pytest.fixture
def grey(run_msl, tmp_path):
    """Two more painted pictures with captions, encoded."""
    from painted import paint

    paint(tmp_path / "more", colours={"grey": (128, 128, 128)}, things=("mouse", "road"))
    asked = (f"path={tmp_path / 'more'}", f"out={tmp_path / 'grey'}", "layout=classes", "progress=false")
    assert run_msl("encode", *asked)[0] == 0
    return tmp_path / "grey"


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window."""
    program = shutil.which("chromium")
    if not program:
        pytest.skip("no program `chromium` to open the page with")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import plant

import msl
from msl.commands.journal import Journal

KEY = "0123456789" * 4
SMALL = [
    "data=folder", "data.name=planted", "progress=false", "report.queries=1", "trainer.batch=16", "trainer.epochs=4",
    "method.encoder_a.hidden=[16]", "method.encoder_b.hidden=[16]", "method.code.size=8",
]  # fmt: skip


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """The folder of a run tracked offline by W&B, with a key in the environment."""
    place = tmp_path_factory.mktemp("offline")
    data = plant(place / "planted")
    command = [sys.executable, "-m", "msl", "train", *SMALL, f"data.path={data}", "logger=wandb", "logger.tags=[mine]"]
    done = subprocess.run(
        [*command, "hydra.run.dir=run"],
        cwd=place, env=os.environ | {"WANDB_API_KEY": KEY, "HOME": str(place)}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "W&B run: run/wandb/offline-run" in done.stdout
    assert done.stderr == ""
    return place / "run"


@pytest.fixture(scope="module")
def log(offline):
    """Every record of the run, as W&B's own reader gives them."""
    (folder,) = offline.glob("wandb/offline-run-*")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", str(folder), "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


def of(log, kind):
    return [record[kind] for record in log if record["type"] == kind]


def headline(folder):
    rows = json.loads((folder / "metrics.json").read_text())
    return {(row["regime"], row["direction"], row["metric"]): row["value"] for row in rows}


def test_a_run_is_named_grouped_and_tagged_by_what_it_is(offline, log):
    (run,) = of(log, "run")
    assert run["display_name"] == "masln-planted-split0-seed0"
    assert run["run_group"] == "masln-planted"
    assert run["job_type"] == "masln"
    assert run["tags"] == ["masln", "planted", "extendable", "given", "mine"]
    config = run["config"]["update"]
    card = json.loads((offline / "card.json").read_text())
    assert (config["config_hash"], config["data_hash"]) == (card["config_hash"], card["data_hash"])
    assert config["split"]["seed"] == 0
    assert "logger" not in config


def test_every_epoch_and_the_headline_numbers_are_logged(offline, log):
    history = [record["item"] for record in of(log, "history")]
    with (offline / "log.csv").open() as stream:
        epochs = [line for line in csv.DictReader(stream) if line["stage"] == "final"]
    told = [item["final/total"] for item in history if "final/total" in item]
    assert told == [float(line["total"]) for line in epochs]
    last = {name: value for item in history for name, value in item.items()}
    for (regime, direction, metric), value in headline(offline).items():
        assert (last.get(f"{regime}/{direction}/{metric}") == value) == (metric in ("map", "map_harmonic"))
    assert {"unseen/mean/lift", "unseen/mean/chance", "chosen/validation_map", "chosen/epoch"} <= last.keys()
    media = {name.partition(".")[0] for name in last}
    assert {"pictures/curves", "pictures/gallery", "tables/results", "curves/precision_recall_table"} <= media
    assert {"per_class/unseen_table", "per_class/seen_table"} <= media


def test_split_weights_and_codes_are_artifacts_as_they_lie_in_the_folder(offline, log):
    found = {each["name"]: each for each in of(log, "artifact")}
    names = ["codes-masln-planted-split0-seed0", "split-planted-0", "weights-masln-planted-split0-seed0"]
    assert [name for name in sorted(found) if not name.startswith("run-")] == names
    files = {name: [Path(each["local_path"]) for each in found[name]["manifest"]["contents"]] for name in names}
    assert all(file.is_relative_to(offline) and file.is_file() for each in files.values() for file in each)
    assert {file.name for file in files[names[2]]} == {"weights.safetensors", "card.json", "config.yaml"}
    assert [file.name for file in files[names[1]]] == ["split.json"]


def test_the_codes_kept_give_every_number_back(offline, run_msl):
    measured = headline(offline)
    for regime in ("seen", "unseen"):
        for direction in ("i2t", "t2i"):
            found = np.load(offline / "codes" / f"{regime}-{direction}.npz")
            arrays = [found[name] for name in ("queries", "gallery", "query_labels", "gallery_labels")]
            assert msl.mean_average_precision(*arrays) == pytest.approx(measured[regime, direction, "map"], abs=1e-12)
            assert found["query_ids"][0].startswith("item ")
    status, out, err = run_msl("score", f"codes={offline / 'codes' / 'unseen-i2t.npz'}", "metrics=[map]")
    assert status == 0, err
    assert f"{measured['unseen', 'i2t', 'map']:.4f}" in out


def test_secrets_stay_out_of_every_file(offline):
    for file in offline.parent.rglob("*"):
        if file.is_file():
            assert KEY.encode() not in file.read_bytes(), file


def test_what_tables_hold_is_staged_in_the_runs_folder_and_not_at_home(offline):
    assert list(offline.glob("wandb/artifacts/staging/*"))
    assert not (offline.parent / ".local").exists()


def test_disabled_never_imports_wandb(shell, small):
    code = (
        "import sys; from msl.cli import main; status = main(sys.argv[1:]); "
        "print('imported' if 'wandb' in sys.modules else 'absent'); sys.exit(status)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, "train", *small], cwd=shell.place, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[-1] == "absent"


def test_a_failing_board_is_told_once_and_ends_nothing(run_msl, small, monkeypatch):
    import wandb

    def broken(*_, **__):
        raise OSError("no space left")

    monkeypatch.setattr(wandb, "init", broken)
    status, out, err = run_msl("train", *small, "logger=wandb")
    assert status == 0
    assert err.count("no space left") == 1
    assert "unseen" in out


def test_every_job_of_a_sweep_is_a_finished_run_of_its_own(run_msl, small):
    run_msl("train", "-m", *small, "logger=wandb", "split.seed=0,1")
    folders = list(Path("runs").rglob("offline-run-*"))
    assert len({folder.name.rpartition("-")[2] for folder in folders}) == 2


def test_the_csv_log_is_written_without_a_board(run_msl, small):
    run_msl("train", *small, "logger=wandb", "logger.mode=disabled", "hydra.run.dir=run")
    with Path("run/log.csv").open() as stream:
        assert list(csv.DictReader(stream))
    assert not Path("run/board.json").exists()
    assert not Path("run/codes").exists()


def test_a_closed_form_method_is_told_to_tensorboard_by_configuration_alone(run_msl, small):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    closed = [each for each in small if not each.startswith("method.")]
    changes = ["method=cca", "method.search={ridge: [0.1]}", "logger=tensorboard", "logger.group=mine"]
    status, out, err = run_msl("train", *closed, *changes, "hydra.run.dir=run")
    assert status == 0, err
    assert "TensorBoard run: run/tensorboard" in out
    events = EventAccumulator("run/tensorboard")
    events.Reload()
    (found,) = events.Scalars("unseen/mean/map")
    assert found.value == pytest.approx(headline(Path("run"))["unseen", "mean", "map"])
    assert json.loads(Path("run/board.json").read_text())["group"] == "mine"


def test_a_tracker_that_is_not_installed_is_named_before_anything_is_written(run_msl, small, monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    status, _, err = run_msl("train", *small, "logger=mlflow", "hydra.run.dir=run")
    assert status == 2
    assert err.count("\n") == 1
    assert "pip install 'msl[trackers]'" in err
    assert not list(Path("run").glob("*"))


def test_files_over_the_limit_stay_out_of_the_artifacts_with_a_word(run_msl, small):
    changes = ["logger=tensorboard", "logger.artifacts=[split,weights,codes]", "logger.largest_file=1"]
    status, out, err = run_msl("train", *small, *changes, "hydra.run.dir=run")
    assert status == 0, err
    for name in ("split.json", "weights.safetensors", "unseen-i2t.npz"):
        assert f"note: {name}" in out
    assert not Path("run/codes").exists()


class Told:
    """A board that remembers."""

    def __init__(self, *, begins_anew):
        self.begins_anew = begins_anew
        self.epochs = []

    def log(self, epoch, values):
        self.epochs.append((epoch, dict(values)))


@pytest.mark.parametrize("begins_anew", [True, False])
def test_a_resumed_run_tells_each_epoch_once(tmp_path, begins_anew):
    first, then = Told(begins_anew=begins_anew), Told(begins_anew=begins_anew)
    sink = Journal(tmp_path / "log.csv", first, resume=False).sink("final")
    for epoch in (1, 2):
        sink(epoch, {"total": 1 / epoch})
    sink = Journal(tmp_path / "log.csv", then, resume=True).sink("final")
    for epoch in (2, 3):  # the checkpoint is of the first epoch
        sink(epoch, {"total": 1 / epoch})
    every = [(epoch, {"final/total": 1 / epoch}) for epoch in (1, 2, 3)]
    assert first.epochs == every[:2]
    assert then.epochs == (every if begins_anew else every[2:])

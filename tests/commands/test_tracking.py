import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_an_offline_run_is_read_back(run_msl, small):
    status, _, err = run_msl("train", *small, "logger=wandb", "report.queries=1", "hydra.run.dir=run")
    assert status == 0, err
    (folder,) = Path("run/wandb").glob("offline-run-*")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", str(folder), "--summary", "--json"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    summary = found.stdout
    rows = json.loads(Path("run/metrics.json").read_text())
    headline = next(
        row for row in rows if (row["regime"], row["direction"], row["metric"]) == ("unseen", "mean", "map")
    )
    assert "unseen/mean/map" in summary
    assert f"{headline['value']:.6f}"[:7] in summary
    for name in ("adversarial", "discriminator_accuracy", "validation_map", "results", "precision_recall", "gallery"):
        assert name in summary, name


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


@pytest.mark.parametrize("mode", ["disabled", "offline"])
def test_the_csv_log_is_written_whatever_the_board(run_msl, small, mode):
    run_msl("train", *small, "logger=wandb", f"logger.mode={mode}", "hydra.run.dir=run")
    with Path("run/log.csv").open() as stream:
        assert list(csv.DictReader(stream))


def test_secrets_stay_out_of_every_file(run_msl, small, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
    run_msl("train", *small, "logger=wandb", "hydra.run.dir=run")
    for file in Path("run").rglob("*"):
        if file.is_file():
            assert b"0123456789" * 4 not in file.read_bytes(), file

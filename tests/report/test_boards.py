"""Each tracker is told the same and read back by its own reader."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msl.evaluation.protocol import Direction
from msl.report.tracking.board import RECORD, Board, check_tracker
from msl.report.tracking.codes import kept
from msl.report.tracking.parts import Artifact, Outcome, flat
from msl.types import InputError

# SQLAlchemy 2.1 warns of what MLflow 3.17 imports of it
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

TRACKERS = ["wandb", "tensorboard", "mlflow"]
LONG_TAG = "a tag that is longer than the sixty-four characters that W&B allows for one"
ROWS = [
    {"regime": regime, "direction": direction, "metric": metric, "value": value, "lift": value - 0.1, "chance": 0.1}
    for regime, base in (("unseen", 0.25), ("generalised", 0.125))
    for direction in ("i2t", "mean")
    for metric, value in (("map", base), ("map_harmonic", base / 2), ("map@50", base * 2))
]
HEADLINE = {
    "unseen/mean/map": 0.25, "unseen/mean/lift": 0.15, "unseen/mean/chance": 0.1, "generalised/i2t/map": 0.125,
    "generalised/mean/map_harmonic": 0.0625, "chosen/epoch": 3, "chosen/ridge": 0.5,
}  # fmt: skip
"""Some of the headline numbers."""


def start(tracker, folder, **changes):
    about = {
        "mode": "offline", "project": "msl", "name": "masln-emoji-split0-seed0", "group": "masln-emoji", "job_type": "masln",
        "tags": ["emoji", LONG_TAG], "config": {"seed": 7, "method": {"lr": 0.5, "hidden": [1, 2]}}, "folder": folder,
    }  # fmt: skip
    return Board.start(tracker=tracker, **about | changes)


def outcome(folder):
    Image.new("RGB", (4, 3), "red").save(folder / "curves.png")
    (folder / "split.json").write_text("{}")
    return Outcome(
        rows=ROWS,
        curves={"unseen/i2t": np.array([1.0, 0.5]), "unseen/t2i": np.array([0.75, 0.25])},
        levels=np.array([0.0, 1.0]),
        per_class={"unseen/i2t/map": {"cat": 0.5, "dog": float("nan")}, "unseen/t2i/map": {"cat": 0.25, "dog": 0.125}},
        pictures=[folder / "curves.png"],
        chosen={"epoch": 3, "ridge": 0.5, "validation_map": None},
        artifacts=[Artifact("split", "emoji-0", (folder / "split.json",))],
    )


def leet(folder, *options):
    (place,) = (folder / "wandb").glob("offline-run-*")
    command = [sys.executable, "-m", "wandb", "leet", "inspect", str(place), "--json", *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def read_wandb(folder):
    found = json.loads(leet(folder, "--summary"))
    records = [json.loads(line) for line in leet(folder).splitlines()]
    history = [each["history"]["item"] for each in records if each["type"] == "history"]
    (run,) = (each["run"] for each in records if each["type"] == "run")
    return {
        "losses": {item["epoch"]: item["final/total"] for item in history if "final/total" in item},
        "summary": found["summary"],
        "settings": flat(found["config"]),
        "failed": bool(found["exit_code"]),
        "words": [run["display_name"], run["run_group"], run["job_type"], *run["tags"]],
        "pictures": [name for name, value in found["summary"].items() if "image-file" in str(value)],
        "records": records,
    }


def read_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    scalars = {tag: {each.step: each.value for each in events.Scalars(tag)} for tag in events.Tags()["scalars"]}
    texts = [
        events.Tensors(tag)[0].tensor_proto.string_val[0].decode()
        for tag in events.Tags()["tensors"]
        if "text_summary" in tag
    ]
    return {
        "losses": scalars["final/total"],
        "summary": {tag: values[max(values)] for tag, values in scalars.items()},
        "settings": hparams(events),
        "failed": "state: failed" in texts,
        "words": "\n".join(texts),
        "pictures": events.Tags()["images"],
    }


def hparams(events):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    settings = {}
    if any("hparams" in tag for tag in events.summary_metadata):
        for content in events.PluginTagToContent("hparams").values():
            settings |= HParamsPluginData.FromString(content).session_start_info.hparams
    return {key: value.number_value or value.string_value for key, value in settings.items()}


def read_mlflow(folder):
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{folder}/mlflow/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("msl").experiment_id])
    number = run.info.run_id
    return {
        "losses": {each.step: each.value for each in client.get_metric_history(number, "final/total")},
        "summary": run.data.metrics,
        "settings": run.data.params,
        "failed": run.info.status == "FAILED",
        "words": [run.info.run_name, *run.data.tags, *run.data.tags.values()],
        "pictures": [file.path.removesuffix(".png") for file in client.list_artifacts(number, "pictures")],
        "split": [file.path for file in client.list_artifacts(number, "split")],
    }


READ = {"wandb": read_wandb, "tensorboard": read_tensorboard, "mlflow": read_mlflow}


@pytest.mark.parametrize("tracker", TRACKERS)
def test_a_run_is_read_back_by_its_trackers_own_reader(tracker, tmp_path, capsys):
    board = start(tracker, tmp_path)
    board.log(1, {"final/total": 3.0, "select/validation_map": 0.5})
    board.log(2, {"final/total": 2.0, "select/validation_map": 0.25})
    board.results(outcome(tmp_path))
    board.finish(exit_code=0)
    assert capsys.readouterr().err == ""
    found = READ[tracker](tmp_path)
    assert found["losses"] == {1: 3.0, 2: 2.0}
    assert {name: pytest.approx(value) for name, value in HEADLINE.items()}.items() <= found["summary"].items()
    assert "unseen/mean/map@50" not in found["summary"]
    assert [str(found["settings"][key]).removesuffix(".0") for key in ("seed", "method.lr", "method.hidden")] == [
        "7", "0.5", "[1, 2]",
    ]  # fmt: skip
    assert not found["failed"]
    for word in ("masln-emoji-split0-seed0", "masln-emoji", "masln", "emoji", LONG_TAG[:64]):
        assert any(word in each for each in found["words"]) or word in found["words"], word
    assert [name.split("/") for name in found["pictures"]] == [["pictures", "curves"]]
    assert json.loads((tmp_path / RECORD).read_text())["state"] == "finished"
    if tracker == "wandb":
        check_what_only_wandb_has(found, tmp_path)
    if tracker == "mlflow":
        assert found["split"] == ["split/split.json"]


def check_what_only_wandb_has(found, folder):
    assert found["summary"]["select/validation_map"] == {"max": 0.5}
    assert found["summary"]["tables/results"]["nrows"] == len(ROWS)
    assert found["summary"]["curves/precision_recall_table"]["nrows"] == 4
    (bars,) = folder.glob("wandb/offline-run-*/files/media/table/per_class/unseen_table_*.json")
    assert json.loads(bars.read_text())["data"] == [["cat", 0.375], ["dog", 0.125]]
    metrics = {each["metric"]["name"]: each["metric"] for each in found["records"] if each["type"] == "metric"}
    assert metrics["final/total"]["step_metric"] == "epoch"
    artifacts = {each["artifact"]["name"]: each["artifact"] for each in found["records"] if each["type"] == "artifact"}
    (file,) = artifacts["split-emoji-0"]["manifest"]["contents"]
    assert Path(file["local_path"]) == folder / "split.json", "the artifact is the file itself, not a copy"


@pytest.mark.parametrize("tracker", ["tensorboard", "mlflow"])
def test_a_failed_run_is_marked_and_goes_on_under_the_same_name(tracker, tmp_path):
    board = start(tracker, tmp_path)
    board.log(1, {"final/total": 3.0})
    board.finish(exit_code=1)
    assert READ[tracker](tmp_path)["failed"]
    assert json.loads((tmp_path / RECORD).read_text())["state"] == "failed"
    board = start(tracker, tmp_path)
    assert not board.begins_anew
    board.log(2, {"final/total": 2.0})
    board.finish(exit_code=0)
    assert READ[tracker](tmp_path)["losses"] == {1: 3.0, 2: 2.0}


def test_a_failed_wandb_run_is_marked_and_a_resumed_one_keeps_its_id(tmp_path):
    start("wandb", tmp_path).finish(exit_code=1)
    assert json.loads(leet(tmp_path, "--summary"))["exit_code"] == 1
    again = start("wandb", tmp_path)
    again.finish(exit_code=0)
    assert again.begins_anew
    # offline-run-TIME-ID, and a -1 behind it if both began within one second
    ids = {place.name.split("-")[3] for place in (tmp_path / "wandb").glob("offline-run-*")}
    assert ids == {(tmp_path / "wandb" / "id").read_text()}


def test_the_first_failure_is_told_once_and_ends_nothing(tmp_path, capsys):
    class Broken:
        def log(self, *_):
            raise OSError("no space\nleft")

    (tmp_path / RECORD).write_text("{}")
    board = Board(Broken(), "mlflow", tmp_path / RECORD)
    board.log(1, {})
    board.log(2, {})
    board.finish(exit_code=0)
    said = capsys.readouterr().err
    assert said == "msl: MLflow is left out from here on (OSError: no space left); the run goes on\n"
    assert board.place is None
    assert json.loads((tmp_path / RECORD).read_text())["state"] == "finished"


@pytest.mark.parametrize(
    ("tracker", "mode", "absent", "says"),
    [
        ("tensorboard", "offline", "tensorboard", "pip install 'msl[trackers]'"),
        ("mlflow", "offline", "mlflow", "pip install 'msl[trackers]'"),
        ("mlflow", "offline", "alembic", "package alembic"),
        ("tensorboard", "online", None, "has no server"),
        ("mlflow", "online", None, "MLFLOW_TRACKING_URI"),
    ],
)
def test_what_a_tracker_lacks_is_said_in_one_line(tracker, mode, absent, says, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    if absent:
        monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(InputError, match=says.replace("[", r"\[")) as error:
        check_tracker(tracker, mode)
    assert "\n" not in str(error.value)


def test_nothing_is_asked_of_a_tracker_that_is_not_used(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    assert check_tracker("mlflow", "disabled") is None


def directions():
    for regime, count in (("seen", 2), ("unseen", 3), ("generalised", 5)):
        codes, rows = np.ones((count, 4), np.float32) * count, np.arange(count)
        yield Direction(regime, "i2t", codes, codes, rows, rows, rows, rows)


def test_codes_are_kept_for_seen_and_unseen_with_ids_and_passed_on(tmp_path):
    passed = [side.regime for side in kept(directions(), "abcde", tmp_path, largest=10**6, tell=pytest.fail)]
    assert passed == ["seen", "unseen", "generalised"]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["seen-i2t.npz", "unseen-i2t.npz"]
    found = np.load(tmp_path / "unseen-i2t.npz")
    assert found["query_ids"].tolist() == ["a", "b", "c"]
    assert found["gallery"].shape == (3, 4)


def test_codes_that_are_too_large_are_told_and_not_kept(tmp_path):
    said = []
    assert len(list(kept(directions(), "abcde", tmp_path, largest=2 * 2 * 4 * 4, tell=said.append))) == 3
    assert [file.name for file in tmp_path.iterdir()] == ["seen-i2t.npz"]
    assert len(said) == 1
    assert said[0].startswith("unseen-i2t.npz: 96 bytes of codes")

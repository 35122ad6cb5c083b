"""`msl report` as typed: a page beside the run's files, one line for whatever is wrong."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import plant

from msl.cli import main

FEW = ["show.finds=2", "show.best=1", "show.worst=1", "show.random=1", "show.points=40"]


CCA = [
    "data=folder",
    "data.name=planted",
    "method=cca",
    "method.search={ridge:[1.0,10.0]}",
    "logger=none",
    "report.queries=0",
    "evaluation.regimes=[unseen]",
]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A finished run of the unseen regime, and its data, whose class names are hostile."""
    place = tmp_path_factory.mktemp("original")
    names = np.array([f"<script>alert({number})</script> $x_{number}$ & é" for number in range(12)])
    data = plant(place / "data", class_names=names)
    assert main(["train", *CCA, f"data.path={data}", f"hydra.run.dir={place / 'run'}"]) == 0
    return place


@pytest.fixture
def finished(run_msl, original):
    """A copy of it, the folder `once`."""
    return Path(shutil.copytree(original / "run", "once"))


def assert_one_line(outcome, *parts):
    status, _, err = outcome
    assert status == 2
    assert len(err.strip().splitlines()) == 1, err
    for part in parts:
        assert part in err


def test_a_page_is_written_and_named_with_the_next_command(run_msl, small):
    run_msl("train", *small, "hydra.run.dir=once", "evaluation.regimes=[unseen]")
    before = {file: file.read_bytes() for file in Path("once").iterdir() if file.is_file()}
    status, out, err = run_msl("report", "run=once", *FEW)
    page = Path("once/report.html").read_text(encoding="utf-8")
    assert (status, err) == (0, "")
    assert out.splitlines()[0] == "writes once/report.html and once/report-figures"
    assert out.splitlines()[-1] == "next: msl evaluate run=once protocols=true"
    assert "masln on planted, class split 0" in page
    for row in json.loads(Path("once/metrics.json").read_text()):
        if row["metric"] == "map":
            assert f">{row['value']:.3f}</td>" in page
    assert Path("once/report-figures/code-space-before.pdf").is_file()
    assert Path("once/report-figures/training-validation.svg").is_file()
    assert all(file.read_bytes() == content for file, content in before.items())


def test_the_same_run_gives_the_same_bytes_and_nothing_in_its_folder_is_executed(run_msl, finished):
    assert run_msl("report", f"run={finished}", "out=a/page.html", *FEW)[0] == 0
    config = finished / "config.yaml"
    config.write_text(config.read_text().replace("_target_: msl.methods.cca.CCA", "_target_: os.system"))
    assert "os.system" in config.read_text()
    assert run_msl("report", f"run={finished}", "out=b/page.html", *FEW)[0] == 0
    first, second = ({file.name: file.read_bytes() for file in Path(place).rglob("*.*")} for place in "ab")
    assert len(first) == 7
    assert first == second
    assert not (finished / "report.html").exists()


def test_hostile_class_names_are_shown_not_run(run_msl, finished):
    assert run_msl("report", f"run={finished}", *FEW)[0] == 0
    page = (finished / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(3)&lt;/script&gt; $x_3$ &amp; é" in page


def test_what_is_no_finished_run_is_one_line(run_msl, finished):
    assert_one_line(run_msl("report"), "run=VALUE")
    assert_one_line(run_msl("report", "run=nowhere"), "nowhere", "card.json")
    (finished / "metrics.json").unlink()
    assert_one_line(run_msl("report", "run=once"), "stopped before its end", "msl train resume=once")
    assert not list(Path().rglob("*.html"))


@pytest.mark.parametrize(
    ("out", "says"), [("once", "out=once is a folder"), ("once/card.json/deep/page.html", "once/card.json is a file")]
)
def test_a_place_where_no_page_can_be_is_told_before_anything_is_measured(run_msl, finished, monkeypatch, out, says):
    monkeypatch.setattr("msl.commands.report.read_run", lambda *_: pytest.fail("it was measured first"))
    before = sorted(Path().rglob("*"))
    assert_one_line(run_msl("report", "run=once", f"out={out}"), says)
    assert sorted(Path().rglob("*")) == before


def test_changed_data_are_one_line(run_msl, finished, original, tmp_path):
    other = plant(tmp_path / "other", seed=1)
    card = finished / "card.json"
    card.write_text(card.read_text().replace(str(original / "data"), str(other)))
    config = finished / "config.yaml"
    config.write_text(config.read_text().replace(str(original / "data"), str(other)))
    assert_one_line(run_msl("report", "run=once"), "not the one the run in once was trained on")


@pytest.mark.parametrize(
    ("file", "content", "says"),
    [
        ("metrics.json", "[]", "does not hold the rows"),
        ("metrics.json", "{", "not a ledger"),
        ("environment.json", "[1]", "environment.json is not readable"),
        ("environment.json", None, "environment.json is not readable"),
        ("selection.json", "3", "selection.json is not the record of a selection"),
        ("selection.json", '[{"chosen": 1}]', "selection.json is not the record of a selection"),
    ],
    ids=str,
)
def test_a_damaged_file_is_one_line(run_msl, finished, file, content, says):
    if content is None:
        (finished / file).unlink()
    else:
        (finished / file).write_text(content)
    assert_one_line(run_msl("report", "run=once"), file, says)


def change(row, **values):
    row |= values
    row["lift"] = (row["value"] - row["chance"]) / (1 - row["chance"])


@pytest.mark.parametrize("changes", [{"value": 0.99}, {"queries": 7}, {"gallery": "many"}], ids=str)
def test_numbers_that_the_weights_do_not_give_are_refused(run_msl, finished, changes):
    rows = json.loads((finished / "metrics.json").read_text())
    rows = [row for row in rows if (row["regime"], row["metric"]) != ("unseen", "map")] + [
        row for row in rows if (row["regime"], row["metric"]) == ("unseen", "map")
    ]
    for row in rows[-3:]:
        change(row, **changes)
    (finished / "metrics.json").write_text(json.dumps(rows))
    assert_one_line(run_msl("report", "run=once"), "metrics.json: the row unseen", "map", "the run's weights give")


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("show.classes=13", "show.classes=13: input should be less than or equal to 12"),
        ("show.best=-1", "show.best=-1"),
        ("show.perplexity=0", "show.perplexity=0"),
        ("show.folds=1", "show.folds=1"),
        ("show.queries=3", "show.queries"),
    ],
)
def test_a_wrong_value_is_one_line(run_msl, override, says):
    assert_one_line(run_msl("report", "run=nowhere", override), says)

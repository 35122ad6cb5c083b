import json
import multiprocessing
import random
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import plant

from msl.commands.reproduce import Reproduction
from msl.commands.reproducing.cells import cells, found_rows, missing
from msl.commands.reproducing.run_cells import TimeLeft, run_cell
from msl.config import composed, resolved, validated
from msl.evaluation.ledger import read_rows
from msl.files import embedded, locked
from msl.types import InputError

EXPERIMENTS = sorted((embedded("conf") / "experiment").glob("*.yaml"))


def wanted(name, *overrides):
    return validated(Reproduction, resolved(composed("reproduce", [f"experiment={name}", *overrides])))


@pytest.fixture(scope="module")
def imported():
    """Processes that come with Lightning imported, which takes seconds: forks of one that does nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["msl.commands.train", "msl.commands.resume"])
    return context


@pytest.fixture(autouse=True)
def quick_workers(monkeypatch, imported):
    """Where nothing is said of jobs, one; the tests with a `shell` start workers as a person's command does."""
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    monkeypatch.setattr("msl.commands.reproducing.workers._CONTEXT", imported)


@pytest.fixture
def tiny(tmp_path):
    """An experiment of four runs of a second, on planted data; the words to give to `msl reproduce`."""
    data = plant(tmp_path / "planted")
    shared = [
        "data=folder", f"data.path={data}", "data.name=planted", "trainer.epochs=4", "trainer.batch=16", "trainer.save_seconds=0",
        "method.encoder_a.hidden=[16]", "method.encoder_b.hidden=[16]", "method.code.size=8",
    ]  # fmt: skip
    experiment = {
        "name": "tiny", "title": "Tiny", "question": "Does it run?",
        "data": {"planted": {"overrides": shared[:3], "splits": 2}},
        "methods": {"masln": ["method=masln", *shared[3:]], "cca": ["method=cca"]},
        "seeds": 1, "reference": "cca", "regimes": ["unseen", "seen"], "metrics": ["map"],
    }  # fmt: skip
    return write(tmp_path, experiment)


def write(folder, experiment):
    place = folder / "conf" / "experiment"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{experiment['name']}.yaml").write_text(json.dumps(experiment))  # JSON is YAML
    return [f"hydra.searchpath=[file://{folder}/conf]", f"experiment={experiment['name']}"]


def changed(tiny, **changes):
    file = Path(tiny[0].removeprefix("hydra.searchpath=[file://").rstrip("]")) / "experiment" / "tiny.yaml"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))
    return tiny


def ledger_rows():
    return read_rows(Path("runs/ledger.jsonl"))


def measured(rows):
    """Everything in the rows, in an order that does not tell who came first."""
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def test_from_an_empty_ledger_to_tables_and_a_page_and_nothing_the_second_time(run_msl, tiny):
    status, out, err = run_msl("reproduce", *tiny, "jobs=1")
    assert status == 0, err
    assert "4 runs; runs/ledger.jsonl has 0 of them" in out
    assert "4/4" in out
    assert "All 4 runs are measured." in out
    folder = Path("runs/reproduce/tiny")
    before = {file: file.stat().st_mtime_ns for file in [*folder.rglob("metrics.json"), Path("runs/ledger.jsonl")]}
    assert len(before) == 5
    for ending in ("md", "tex", "csv", "html"):
        assert (folder / f"tiny.{ending}").stat().st_size
    assert "One of the runs: masln on planted" in (folder / "tiny.html").read_text()
    status, again, err = run_msl("reproduce", *tiny)
    assert status == 0, err
    assert "4 runs; runs/ledger.jsonl has 4 of them" in again
    assert "at a time" not in again
    assert "as it was made before" in again
    assert {file: file.stat().st_mtime_ns for file in before} == before
    assert tables(again) == tables(out)
    status, offline, err = run_msl("table", *tiny, "ledger=runs/ledger.jsonl")
    assert status == 0, err
    assert tables(offline) == tables(out)


def tables(said):
    return said[said.index("mAP\n") : said.index("All 4 runs")]


def test_killed_at_any_moment_it_loses_no_finished_run_and_repeats_none(tiny, shell):
    data = {"planted": {"overrides": ["data=folder", *composed_data(tiny)], "splits": 6}}
    changed(tiny, methods={"cca": ["method=cca"]}, data=data)
    moments, finished = random.Random(0), {}
    for _ in range(2):
        process = shell("reproduce", *tiny, "jobs=1", "page=false")
        time.sleep(moments.uniform(2, 6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.3)
        finished = unchanged(finished, shell.place)
    assert shell("reproduce", *tiny, "jobs=1", "page=false").wait() == 0
    assert len(unchanged(finished, shell.place)) == 6
    rows = read_rows(shell.place / "runs" / "ledger.jsonl")
    assert all(row.pop("seconds") > 0 for row in rows)
    runs = [json.loads(file.read_text()) for file in shell.place.rglob("metrics.json")]
    assert measured(rows) == measured(row for run in runs for row in run)


def unchanged(finished, folder):
    """What is finished by now, after a check that nothing of what was finished before has been written again."""
    now = {file: file.stat().st_mtime_ns for file in folder.rglob("metrics.json")}
    assert {file: now[file] for file in finished} == finished
    return now


def test_a_run_stopped_in_its_middle_goes_on_to_the_same_numbers(tiny, tmp_path):
    cell = next(replace(cell, data_hash="d") for cell in wanted("tiny", tiny[0]).cells() if cell.arm.method == "masln")
    rows = run_cell(cell, tmp_path / "cells", tmp_path / "ledger.jsonl")
    folder = tmp_path / "cells" / cell.name
    (folder / "metrics.json").unlink()
    (folder / "weights.safetensors").unlink()
    assert run_cell(cell, tmp_path / "cells", tmp_path / "again.jsonl") == rows
    assert "goes on in" in (folder / "said.txt").read_text()
    written = (folder / "metrics.json").stat().st_mtime_ns
    assert run_cell(cell, tmp_path / "cells", tmp_path / "third.jsonl") == rows  # finished, but its rows were lost
    assert (folder / "metrics.json").stat().st_mtime_ns == written
    first, third = (read_rows(tmp_path / f"{name}.jsonl") for name in ("ledger", "third"))
    assert all(row.pop("seconds") > 0 for row in first)
    assert all(row.pop("seconds") is None for row in third)  # of a run that was stopped nobody knows
    assert third == first


def test_a_run_that_fails_leaves_the_others_and_is_tried_again(run_msl, tiny):
    broken = ["method=masln", "optimiser.lr=1e30", "trainer.epochs=2", "trainer.batch=16", "method.code.size=8"]
    changed(tiny, methods={"cca": ["method=cca"], "broken": broken}, seeds=1)
    status, out, err = run_msl("reproduce", *tiny, "page=false", "jobs=1")
    assert status == 1
    assert err == "msl: 2 runs failed; the same command tries them again\n"
    assert "broken on planted, split 0, seed 0: failed: the term" in out
    assert "2 of 4 runs are measured" in out
    assert {row["method"] for row in ledger_rows()} == {"cca"}
    assert [str(cell) for cell in missing(wanted("tiny", tiny[0]).cells(), ledger_rows())] == [
        "broken on planted, split 0, seed 0", "broken on planted, split 1, seed 0",
    ]  # fmt: skip


def test_data_that_are_not_there_are_named_and_left_out(run_msl, tiny):
    there = {"overrides": ["data=folder", *composed_data(tiny)], "splits": 1}
    absent = {"overrides": ["data=folder", "data.path=nowhere"], "splits": 1}
    changed(tiny, data={"planted": there, "absent": absent}, methods={"cca": ["method=cca"]})
    status, out, err = run_msl("reproduce", *tiny, "page=false", "jobs=1")
    assert status == 0, err
    assert "absent is left out: " in out
    assert "1 of 2 runs are measured" in out
    status, _, err = run_msl("reproduce", *tiny, "page=false", "datasets=[absent]")
    assert status == 2
    assert "nowhere" in err
    assert err.count("\n") == 1


def composed_data(tiny):
    return wanted("tiny", tiny[0]).experiment.data["planted"].overrides[1:]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("experiment=nothing", "there are ablation, "),
        ("methods=[dadn]", "methods=dadn is not in experiment=tiny; it has masln, cca"),
        ("datasets=[moon]", "datasets=moon is not in experiment=tiny; it has planted"),
        ("jobs=0", "jobs"),
        ("train=['trainer.epoch=3']", "trainer.epoch"),
    ],
)
def test_a_wrong_word_is_one_line(run_msl, tiny, said, expected):
    words = [said if said.startswith("experiment") else tiny[1], tiny[0], *([] if said.startswith("exp") else [said])]
    status, _, err = run_msl("reproduce", *words)
    assert status == 2
    assert expected in err
    assert err.count("\n") == 1


def test_a_second_one_at_the_same_work_is_refused(run_msl, tiny):
    with locked(Path("runs/reproduce/tiny/runs")):
        status, _, err = run_msl("reproduce", *tiny)
    assert status == 2
    assert "another msl reproduce is at work in runs/reproduce/tiny" in err


def test_a_launcher_of_hydras_runs_the_cells(shell, tiny):
    changed(tiny, methods={"cca": ["method=cca"]})
    status = shell(
        "reproduce", *tiny, "page=false", "launcher=joblib", "launcher_options=['hydra.launcher.n_jobs=1']"
    ).wait()
    said = (shell.place / "said.txt").read_text()
    assert status == 0, said
    assert "2 to do, by joblib" in said
    assert "All 2 runs are measured" in said


@pytest.mark.parametrize("file", EXPERIMENTS, ids=lambda file: file.stem)
def test_every_experiment_expands_to_what_msl_train_would_run(file):
    """The hash of a cell, which is worked out without composing it, is that of its composed configuration."""
    from msl.commands.settings import read_settings

    asked = wanted(file.stem)
    assert asked.experiment.name == file.stem
    every = asked.cells()
    names = [cell.name for cell in every]
    assert len(set(names)) == len(names)
    for cell in (every[0], every[len(every) // 2], every[-1]):
        settings, digest = read_settings(composed("train", cell.overrides))
        assert digest == cell.config_hash
        assert settings.label == cell.arm.label
        assert settings.seed == cell.seed


def test_rows_are_found_by_configuration_and_data_and_shown_under_the_cells_label():
    every = wanted("emoji_extendable").cells()
    first, last = every[0], every[-1]
    rows = [
        {"config_hash": first.config_hash, "method": "old name", "data_hash": "old", "data": "emoji", "value": 1},
        {"config_hash": first.config_hash, "method": "old name", "data_hash": "new", "data": "emoji", "value": 2},
        {"config_hash": "another", "method": "x", "data_hash": "new", "data": "emoji", "value": 3},
    ]
    shown = [(row["method"], row["value"]) for row in found_rows(every, rows)]
    assert shown == [(first.arm.label, 2)]  # of two versions of the data, the one measured last
    older = [replace(cell, data_hash="old") for cell in every]
    assert [row["value"] for row in found_rows(older, rows)] == [1]
    with pytest.raises(InputError, match="msl reproduce"):
        found_rows([last], rows)


def test_changed_data_are_measured_anew_and_never_averaged_with_the_old(run_msl, tiny, tmp_path):
    changed(tiny, methods={"cca": ["method=cca"]}, data={"planted": {"overrides": planted(tiny), "splits": 1}})
    assert run_msl("reproduce", *tiny, "page=false")[0] == 0
    plant(tmp_path / "planted", seed=99)
    changed(tiny, data={"planted": {"overrides": planted(tiny), "splits": 2}})
    status, out, err = run_msl("reproduce", *tiny, "page=false")
    assert status == 0, err
    assert "2 runs; runs/ledger.jsonl has 0 of them" in out
    rows = ledger_rows()
    assert len({row["data_hash"] for row in rows}) == 2
    latest = [row["value"] for row in rows if (row["regime"], row["direction"]) == ("unseen", "mean")][1:]
    assert f"{sum(latest) / 2:.3f} ± " in out


def test_two_data_sets_of_one_file_name_are_two(run_msl, tiny, tmp_path):
    places = [plant(tmp_path / name / "features", seed=seed) for seed, name in enumerate(("one", "two"))]
    data = {place.parent.name: {"overrides": ["data=folder", f"data.path={place}"], "splits": 1} for place in places}
    changed(tiny, methods={"cca": ["method=cca"]}, data=data)
    status, out, err = run_msl("reproduce", *tiny, "page=false")
    assert status == 0, err
    assert "2 to do" in out
    assert "one, unseen" in out
    assert "two, unseen" in out
    status, again, err = run_msl("reproduce", *tiny, "page=false")
    assert status == 0, err
    assert "to do" not in again
    assert "two, unseen" in again


def planted(tiny):
    return ["data=folder", *composed_data(tiny)]


def test_a_part_of_an_experiment_is_called_one_and_leaves_the_whole_alone(run_msl, tiny):
    changed(tiny, methods={"cca": ["method=cca"], "other": ["method=cca", "method.size=3"]})
    assert run_msl("reproduce", *tiny, "page=false")[0] == 0
    whole = Path("runs/reproduce/tiny/tiny.md").read_text()
    status, _, err = run_msl("reproduce", *tiny, "page=false", "methods=[cca]")
    assert status == 0, err
    assert Path("runs/reproduce/tiny/tiny.md").read_text() == whole
    assert Path("runs/reproduce/tiny/tiny-part.md").read_text().startswith("# Tiny (only methods=cca)")


def test_words_may_be_varied_and_odd_names_stay_whole(run_msl, tiny):
    axis = {"name": "kind/of [similarity]", "key": "evaluation.similarity", "values": ["cosine", "dot"]}
    changed(tiny, methods={"cca [/x]": ["method=cca"]}, axes=[axis], reference=None)
    status, out, err = run_msl("reproduce", *tiny)
    assert status == 0, out + err
    assert "cca [/x], kind/of [similarity] dot on planted, split 0, seed 0: unseen map" in out
    assert "cca [/x], kind/of [similarity] dot" in Path("runs/reproduce/tiny/tiny.html").read_text()


def test_a_place_that_cannot_be_written_is_one_line(run_msl, tiny):
    Path("afile").write_text("")
    status, _, err = run_msl("reproduce", *tiny, "folder=afile/x")
    assert status == 2
    assert "afile" in err
    assert err.count("\n") == 1


def test_what_an_experiment_says_is_not_said_again(run_msl, tiny):
    status, _, err = run_msl("table", *tiny, "ledger=l.jsonl", "metric=map")
    assert status == 2
    assert "metric= is what experiment=tiny says itself" in err or "there is no file l.jsonl" in err


def test_a_closed_form_method_is_run_with_one_seed():
    asked = wanted("wikipedia_extendable")
    seeds = {(cell.arm.method, cell.seed) for cell in asked.cells()}
    assert {seed for method, seed in seeds if method == "cca"} == {0}
    assert {seed for method, seed in seeds if method == "masln"} == {0, 1, 2}


@pytest.mark.parametrize(
    ("said", "plain", "tuned"), [([], {0, 1}, {0}), (["seeds=3"], {0, 1, 2}, {0, 1, 2}), (["seeds=1"], {0}, {0})]
)
def test_tuned_rows_have_seeds_of_their_own_unless_the_command_says_how_many(said, plain, tuned):
    some = ["methods=[dscmr,dscmr tuned,sae,sae tuned]", "datasets=[emoji]"]
    seeds = {}
    for cell in wanted("rivals", *some, *said).cells():
        seeds.setdefault(cell.arm.method, set()).add(cell.seed)
    assert seeds == {"dscmr": plain, "dscmr tuned": tuned, "sae": {0}, "sae tuned": {0}}


def test_cells_of_one_configuration_are_one_run():
    """The default weight of a term is the same run in every axis."""
    every = cells(wanted("weights").experiment, further=[])
    plain = [
        cell for cell in every if cell.arm.value == {"correlation": 0.1, "reconstruction": 0.1}.get(cell.arm.axis, 1.0)
    ]
    assert len(plain) == 4 * 5
    assert len({cell.config_hash for cell in plain}) == 5


def test_the_time_left_is_what_runs_of_the_same_arm_took():
    masln, cca = (wanted("emoji_extendable").cells()[place] for place in (1, 0))
    left = TimeLeft([masln, masln, cca, cca], jobs=2)
    assert str(left) == "time left unknown"
    left.done(masln, 100.0)
    assert left.seconds() == pytest.approx(300 / 2)
    left.done(cca, 10.0)
    assert left.seconds() == pytest.approx((100 + 10) / 2)
    left.done(cca, None)  # it failed: nothing is learnt of how long one takes
    assert left.seconds() == pytest.approx(100 / 2)
    assert str(left) == "about 50 s left"

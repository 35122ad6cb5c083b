import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from msl.commands import sweep as sweeping
from msl.commands.sweeping import trial
from msl.commands.sweeping.space import Choice, Interval, read_space
from msl.commands.sweeping.suggest import grid, importance, suggest
from msl.data.pairs import Features

LR = "optimiser.lr=tag(log,interval(1e-3,1e-1))"
RIDGE = "method.ridge=tag(log,interval(1e-2,1e2))"


@pytest.fixture
def closed(small):
    """Overrides for linear CCA without its own search: a trial of a fraction of a second."""
    return [*(text for text in small if not text.startswith("method.")), "method=cca", "~method.search"]


def tried(folder):
    """What a sweep wrote, but for the seconds."""
    trials = json.loads((Path(folder) / "sweep.json").read_text())["trials"]
    assert all(trial.pop("seconds") >= 0 for trial in trials)
    return trials


def poisoned(run, groups):
    """The run with the rows of some groups NaN and -1, and with no vector for an unseen class."""
    data, split = run.data, run.split
    rows = np.concatenate([split.positions(group, data) for group in groups])
    labels, a, b, vectors = (
        array.copy() for array in (data.pairs.labels, data.pairs.a[:], data.pairs.b[:], data.classes.vectors)
    )
    assert len(rows)
    labels[rows], a[rows], b[rows] = -1, np.nan, np.nan
    vectors[[data.classes.names.index(name) for name in split.unseen]] = np.nan
    pairs = replace(data.pairs, labels=labels, a=Features(a), b=Features(b))
    data = replace(data, pairs=pairs, classes=replace(data.classes, vectors=vectors))
    return replace(run, data=data, fitted_data=data)


def poison(monkeypatch, groups):
    select = trial.select
    monkeypatch.setattr(trial, "select", lambda run, journal: select(poisoned(run, groups), journal))


@pytest.mark.parametrize(("method", "protocol"), [("masln", "extendable"), ("cca", "extendable"), ("cca", "standard")])
def test_poisoned_test_rows_change_no_bit_of_a_sweep(method, protocol, run_msl, small, closed, monkeypatch):
    searched = [*small, LR] if method == "masln" else [*closed, RIDGE]
    command = ["sweep", *searched, f"protocol={protocol}", f"sweep.trials={1 if method == 'masln' else 2}"]
    assert run_msl(*command, "sweep.folder=clean")[0] == 0
    groups = ["seen_test"] if protocol == "standard" else ["seen_test", "unseen_train", "unseen_test"]
    poison(monkeypatch, groups)
    status, _, err = run_msl(*command, "sweep.folder=poisoned")
    assert status == 0, err
    assert tried("clean") == tried("poisoned")
    assert {each["state"] for each in tried("clean")} == {"done"}


def test_poisoned_validation_rows_would_be_noticed(run_msl, closed, monkeypatch):
    """The sentinel can fail: what a trial does look at fails it."""
    poison(monkeypatch, ["validation"])
    status, _, err = run_msl("sweep", *closed, RIDGE, "sweep.trials=1", "sweep.folder=s")
    assert status == 1
    assert "no trial came to its end" in err
    assert tried("s")[0]["state"] == "failed"


def test_a_trials_number_is_the_mean_over_class_splits_and_seeds(run_msl, closed):
    status, out, _ = run_msl("sweep", *closed, "method.ridge=3", "sweep.splits=[0,1]", "sweep.folder=both")
    assert status == 0
    assert "trials: 1," in out
    run_msl("sweep", *closed, "method.ridge=3", "sweep.splits=[1]", "sweep.seeds=[4]", "sweep.folder=one")
    (both,), (one,) = tried("both"), tried("one")
    found = [run["validation"] for run in both["runs"]]
    assert found[0] != found[1] == one["validation"]  # a closed form knows no seed
    assert [(run["split"], run["seed"]) for run in both["runs"] + one["runs"]] == [(0, 0), (1, 0), (1, 4)]
    assert both["validation"] == pytest.approx(np.mean(found), abs=1e-15)


def test_the_next_command_trains_with_the_best_values(run_msl, closed):
    _, out, _ = run_msl("sweep", *closed, RIDGE, "method.size=choice(2,5)", "sweep.trials=3", "sweep.folder=s")
    line = next(text for text in out.splitlines() if text.startswith("next: "))
    best = max(tried("s"), key=lambda each: each["validation"])
    assert run_msl(*shlex.split(line.removeprefix("next: msl ")), "hydra.run.dir=run")[0] == 0
    assert json.loads(Path("run/card.json").read_text())["validation"] == best["validation"]
    assert out.index("best trials") < out.index("next: ")


def test_a_stopped_sweep_goes_on_as_if_it_had_not_been_stopped(run_msl, closed, monkeypatch):
    command = ["sweep", *closed, RIDGE, "method.power=interval(0,1)", "sweep.trials=3"]
    run_msl(*command, "sweep.folder=whole")
    attempt = sweeping.attempt
    numbers = []

    def stopped(*given):
        numbers.append(given[-1])
        if numbers == [0, 1]:
            raise KeyboardInterrupt
        return attempt(*given)

    monkeypatch.setattr(sweeping, "attempt", stopped)
    status, out, _ = run_msl(*command, "sweep.folder=stopped")
    assert status == 130
    (line,) = [text for text in out.splitlines() if text.startswith("next: ")]
    status, out, _ = run_msl(*shlex.split(line.removeprefix("next: msl ")))
    assert status == 0
    assert "trials: 3, of which 1 are finished" in out
    assert numbers == [0, 1, 1, 2]
    assert tried("stopped") == tried("whole")


def test_another_sweep_is_not_mixed_with_the_one_in_the_folder(run_msl, closed):
    run_msl("sweep", *closed, RIDGE, "sweep.trials=1", "sweep.folder=s")
    before = Path("s/sweep.json").read_bytes()
    for other in ("sweep.splits=[1]", "method.power=1"):
        status, _, err = run_msl("sweep", *closed, RIDGE, other, "sweep.trials=2", "sweep.folder=s")
        assert status == 2
        assert "give another sweep.folder" in err
    Path("s/sweep.json").write_bytes(before[:-9])
    status, _, err = run_msl("sweep", *closed, RIDGE, "sweep.trials=1", "sweep.folder=s")
    assert (status, "is damaged" in err, len(err.splitlines())) == (2, True, 1)


def test_a_trial_that_diverges_has_failed_and_the_sweep_goes_on(run_msl, small):
    values = ["optimiser.lr=choice(1e30,0.01)", "sweep.sampler=grid", "sweep.folder=s"]
    status, out, _ = run_msl("sweep", *small, *values)
    first, second = tried("s")
    assert status == 0
    assert (first["state"], first["validation"], second["state"]) == ("failed", None, "done")
    assert "nan" in first["reason"]
    assert "optimiser.lr=0.01" in out.splitlines()[-1]


def test_values_that_come_again_are_not_trained_again(run_msl, closed, monkeypatch):
    attempt, numbers = sweeping.attempt, []
    monkeypatch.setattr(sweeping, "attempt", lambda *given: numbers.append(given[-1]) or attempt(*given))
    run_msl("sweep", *closed, "method.ridge=choice(1,10)", "sweep.trials=6", "sweep.folder=s")
    assert len(tried("s")) == 6
    assert len(numbers) == len({each["values"]["method.ridge"] for each in tried("s")}) <= 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["sweep.objective=unseen/mean/map"], "a sweep chooses by validation_map"),
        (["select_on=test"], "select_on=test is refused"),
        (["select_on=nothing"], "a sweep chooses by them"),
        (["split.pseudo_unseen_share=0"], "a sweep chooses by them"),
        (["method.ridge=interval(-1,1)"], "method.ridge=-1.0: input should be greater than or equal to 0"),
        (["method.size=choice(3,0)"], "method.size=0: input should be greater than or equal to 1"),
        (["method.riddge=interval(0,1)"], "there is no configuration key 'method.riddge'"),
        (["method.ridge=interval(2,1)"], "LOW below HIGH"),
        (["method.ridge=tag(log,interval(0,1))"], "LOW above 0"),
        (["split.seed=1,2"], "sweep.splits=[...]"),
        (["seed=1"], "sweep.seeds=[...]"),
        (["split.seen_share=interval(0.3,0.7)"], "changes which rows validate"),
        (["method.ridge=1,2", "method.ridge=3"], "given twice"),
        (["sweep.sampler=grid", RIDGE], "method.ridge has an interval"),
        (["sweep.sampler=grid", "method.size=range(1,30)"], "the grid has 29 combinations; give sweep.trials=29"),
        (["sweep.trials=0"], "sweep.trials=0"),
        (["sweep.splits=[]"], "sweep.splits=[]"),
        (["sweep.wandb=w.yaml"], "wants something to search"),
        (["protocol=extendable,standard"], "changes which rows validate"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_wrong_is_said_in_one_line_before_the_first_trial(given, said, run_msl, closed):
    status, _, err = run_msl("sweep", *closed, "sweep.folder=s", *given)
    assert status == 2, err
    assert said in err
    assert len(err.splitlines()) == 1
    assert not Path("s").exists()


@pytest.mark.parametrize(
    ("searched", "said"),
    [
        ("data.path=choice(hard,easy)", "data.path changes which rows"),
        ("debug=fast,overfit", "a sweep chooses by them"),
    ],
    ids=["data", "debug"],
)
def test_another_data_set_and_a_value_without_held_out_rows_are_refused(searched, said, small, run_msl):
    given = [text for text in small if not text.startswith("data.path=") or not searched.startswith("data.path=")]
    status, _, err = run_msl("sweep", *given, searched, "sweep.sampler=grid", "sweep.folder=s")
    assert (status, said in err, len(err.splitlines())) == (2, True, 1), err
    assert not Path("s").exists()


@pytest.fixture
def two_images():
    """Overrides for a folder with two image features of the same rows and nothing that says which are test rows."""
    rng, label = np.random.default_rng(0), np.repeat(np.arange(12), 10)
    names = {"image_first": 6, "image_second": 7, "text": 5}
    arrays = {name: rng.standard_normal((len(label), width)) for name, width in names.items()}
    other = np.roll(label, 5)  # as many rows of every class
    np.savez("two.npz", **arrays, labels_first=label, labels_second=other, class_vectors=rng.standard_normal((12, 4)))
    return ["data=folder", "data.path=two.npz", "data.labels=labels_first", "data.b=text", "logger=none", "method=cca",
            "~method.search", "sweep.sampler=grid", "sweep.folder=s"]  # fmt: skip


@pytest.mark.parametrize(
    ("searched", "said"),
    [
        ("data.test_share=choice(.2,.5)", "data.test_share=0.5 changes which rows validate"),
        ("data.labels=labels_first,labels_second", "data.labels=labels_second changes which rows validate"),
    ],
    ids=["parts", "labels"],
)
def test_what_changes_the_held_out_rows_is_refused_before_the_first_trial(searched, said, run_msl, two_images):
    overrides = [text for text in two_images if not text.startswith(searched.partition("=")[0] + "=")]
    status, _, err = run_msl("sweep", *overrides, "data.a=image_first", searched)
    assert (status, said in err, len(err.splitlines())) == (2, True, 1), err
    assert not Path("s").exists()


def test_features_of_the_same_rows_are_searched(run_msl, two_images):
    status, _, err = run_msl("sweep", *two_images, "data.a=image_first,image_second", "sweep.splits=[0,1]")
    assert status == 0, err
    first, second = tried("s")
    assert first["validation"] != second["validation"]


def test_a_trial_on_other_rows_than_the_first_values_has_no_number(run_msl, closed, monkeypatch):
    """What single values do not show: together they change the rows."""
    attempt = sweeping.attempt
    other = {0: "another digest"}
    monkeypatch.setattr(
        sweeping, "attempt", lambda plan, first, *rest: attempt(plan, replace(first, held_out=other), *rest)
    )
    status, _, err = run_msl("sweep", *closed, "method.ridge=3", "sweep.folder=s")
    assert (status, "changes which rows validate" in err) == (1, True)
    assert tried("s")[0]["validation"] is None


@pytest.mark.parametrize(
    ("given", "ends"),
    [
        (["sweep.splits=[3]", "sweep.seeds=[5]"], ["split.seed=3", "seed=5"]),
        (["sweep.splits=[0,1]", "sweep.seeds=[5]"], ["split.seed=0,1", "seed=5"]),
    ],
    ids=["one", "several"],
)
def test_the_next_command_names_the_class_splits_and_seeds(given, ends, run_msl, closed):
    _, out, _ = run_msl("sweep", *closed, "method.ridge=3", *given)
    words = shlex.split(out.splitlines()[-1])
    assert words[-2:] == ends
    assert words[:3] == ["next:", "msl", "train"]
    assert (words[3] == "-m") == ("," in ends[0])


def test_a_folder_that_cannot_be_written_is_noticed_before_the_first_trial(run_msl, closed, monkeypatch):
    monkeypatch.setattr(sweeping, "attempt", lambda *given: pytest.fail("a trial was run"))
    Path("taken").write_text("a file")
    status, _, err = run_msl("sweep", *closed, "method.ridge=3", "sweep.folder=taken")
    assert (status, "taken" in err, len(err.splitlines())) == (2, True, 1)


def test_searched_keys_in_another_order_are_the_same_sweep(run_msl, closed):
    space = [RIDGE, "method.power=interval(0,1)"]
    run_msl("sweep", *closed, *space, "sweep.trials=3", "sweep.folder=whole")
    for trials, given in ((1, space), (3, space[::-1])):
        assert run_msl("sweep", *closed, *given, f"sweep.trials={trials}", "sweep.folder=turned")[0] == 0
    assert tried("turned") == tried("whole")


def test_what_every_run_searches_by_itself_is_not_searched_here(run_msl, small):
    given = [text for text in small if not text.startswith("method.")]
    status, _, err = run_msl("sweep", *given, "method=cca", RIDGE, "sweep.folder=s")
    assert status == 2
    assert "'~method.search.ridge'" in err


def test_without_optuna_the_extra_is_named_and_the_grid_still_works(run_msl, closed, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    status, _, err = run_msl("sweep", *closed, RIDGE, "sweep.folder=s")
    assert (status, "pip install 'msl[sweep]'" in err) == (2, True)
    listed = ["method.ridge=choice(1,10)", "method.size=range(2,6,2)", "sweep.sampler=grid", "sweep.folder=s"]
    assert run_msl("sweep", *closed, *listed)[0] == 0
    values = [tuple(each["values"].values()) for each in tried("s")]
    assert values == [(1, 2), (1, 4), (10, 2), (10, 4)]


def test_the_wandb_sweep_asks_agents_for_trials_that_report_validation_only(run_msl, closed, monkeypatch):
    space = [RIDGE, "method.size=int(interval(2,8))", "method.power=choice(0.0,1.0)"]
    status, out, err = run_msl("sweep", *closed, *space, "label='a b'", "sweep.splits=[0,1]", "sweep.wandb=w.yaml")
    assert status == 0, err
    assert out.splitlines()[-1] == "next: wandb sweep w.yaml"
    definition = yaml.safe_load(Path("w.yaml").read_text())
    assert definition["metric"] == {"name": "validation_map", "goal": "maximize"}
    assert definition["method"] == "bayes"
    assert definition["parameters"] == {
        "method.ridge": {"distribution": "log_uniform_values", "min": 0.01, "max": 100.0},
        "method.size": {"distribution": "int_uniform", "min": 2, "max": 8},
        "method.power": {"values": [0.0, 1.0]},
    }
    suggested = {"method.ridge": 0.5, "method.size": 4, "method.power": 1.0}
    arguments = [f"{key}={value}" for key, value in suggested.items()]  # as wandb.sdk.launch.sweeps.utils writes them
    macros = {"${program}": [definition["program"]], "${args_no_hyphens}": arguments}
    line = [text for word in definition["command"] for text in macros.get(word, [word])]
    logged, started = [], []

    class Told:
        def log(self, epoch, values):
            logged.append(values)

        def finish(self, *, exit_code):
            logged.append(exit_code)

    monkeypatch.setattr(sweeping.Board, "start", lambda **about: started.append(about) or Told())
    assert line[0] == "msl"
    assert run_msl(*line[1:], "sweep.folder=s")[0] == 0
    (only,) = tried("s")
    assert logged == [{"validation_map": only["validation"]}, 0]
    assert started[0]["mode"] == "online"
    assert len(only["runs"]) == 2
    status, _, _ = run_msl("sweep", *closed, *arguments, "sweep.folder=t")
    assert tried("t")[0]["runs"] == only["runs"][:1]  # the values reach the trial


def test_names_that_wandb_refuses_are_refused_here(run_msl, small):
    status, _, err = run_msl("sweep", *small, "net@method.decoders=choice(decoders)", "sweep.wandb=w.yaml")
    assert (status, "cannot be searched by W&B" in err) == (2, True)


def test_hydras_grammar_is_read():
    fixed, space = read_space(
        [
            "a=1",
            "~b",
            "c=interval(0,1)",
            "d=tag(log,int(interval(1,64)))",
            "e=choice(1,2.5,true,[3,4])",
            "f=x,y",
            "g=range(0,1,0.5)",
            "+h=float(interval(1,2))",
        ]
    )
    assert fixed == ["a=1", "~b"]
    assert space == {
        "c": Interval(0.0, 1.0, log=False),
        "d": Interval(1, 64, log=True),
        "e": Choice((1, 2.5, "True", "[3,4]")),
        "f": Choice(("x", "y")),
        "g": Choice((0.0, 0.5)),
        "+h": Interval(1.0, 2.0, log=False),
    }
    assert [space[key].whole for key in ("c", "d", "+h")] == [False, True, False]
    assert list(grid({key: space[key] for key in "fg"}))[:2] == [{"f": "x", "g": 0.0}, {"f": "x", "g": 0.5}]


def walk(sampler, count, *, seed):
    space = {"x": Interval(0.0, 1.0, log=False), "n": Interval(1, 8, log=False), "c": Choice(("a", "b"))}
    done = []
    for number in range(count):
        values = suggest(space, done, sampler=sampler, seed=seed)
        assert 0 <= values["x"] <= 1
        assert values["n"] in range(1, 9)
        assert values["c"] in "ab"
        score = None if number % 5 == 4 else -abs(values["x"] - 0.3)  # every fifth fails
        done.append((values, score))
    return done


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_suggestions_follow_from_the_seed_and_what_was_tried_alone(sampler):
    assert walk(sampler, 16, seed=1) == walk(sampler, 16, seed=1)
    assert walk(sampler, 2, seed=1) != walk(sampler, 2, seed=2)
    assert len({values["x"] for values, _ in walk(sampler, 16, seed=1)}) == 16


def test_tpe_learns_from_trials_and_random_does_not():
    def late(sampler):
        runs = [walk(sampler, 30, seed=seed)[15:] for seed in range(3)]
        return np.mean([abs(values["x"] - 0.3) for run in runs for values, _ in run])

    assert late("tpe") < 0.75 * late("random")


@pytest.mark.parametrize("count", [10, 30])
def test_importance_finds_the_key_that_matters_and_bears_equal_scores(count):
    space = {key: Interval(0.0, 1.0, log=False) for key in ("idle", "matters")}
    values = [dict(zip(space, row, strict=True)) for row in np.random.default_rng(0).random((count, 2)).tolist()]
    shares = importance(space, [(each, -((each["matters"] - 0.5) ** 2)) for each in values], seed=0)
    assert next(iter(shares)) == "matters"
    assert sum(shares.values()) == pytest.approx(1)
    assert importance(space, [(each, 0.5) for each in values], seed=0).keys() == space.keys()

"""`search=NAME`: what is chosen on held-out rows, and that it is what then trains."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from msl.commands.reproduce import Reproduction
from msl.commands.reproducing.arms import methods
from msl.commands.searching import searched_paths
from msl.config import composed, resolved, validated
from msl.files import embedded

NAMES = sorted(file.stem for file in (embedded("conf") / "method").glob("*.yaml"))


@pytest.fixture
def deepsm(small):
    return [*(text for text in small if not text.startswith("method.")), "trainer.epochs=2", "method=deepsm"]


def test_what_was_chosen_given_outright_gives_the_same_weights(run_msl, deepsm):
    status, _, err = run_msl("train", *deepsm, "search=deepsm", "hydra.run.dir=searched")
    assert status == 0, err
    card, trials = (json.loads(Path("searched", name).read_text()) for name in ("card.json", "selection.json"))
    chosen = card["chosen"]
    assert set(chosen) == {"trainer.optimiser.lr", "encoder_a.dropout,encoder_b.dropout", "searched"}
    assert len(trials) == 8
    assert card["validation"] == max(trial["validation"] for trial in trials)
    assert len({trial["validation"] for trial in trials}) > 4  # a value that did nothing would leave trials alike
    outright = [
        f"optimiser.lr={chosen['trainer.optimiser.lr']}",
        f"method.searched={chosen['searched']}",
        *(f"method.encoder_{side}.dropout={chosen['encoder_a.dropout,encoder_b.dropout']}" for side in "ab"),
    ]
    assert run_msl("train", *deepsm, *outright, "hydra.run.dir=outright")[0] == 0
    one, other = (load_file(f"{run}/weights.safetensors") for run in ("searched", "outright"))
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert run_msl("evaluate", "run=searched")[0] == 0


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("{trainer.optimiser.size:[1,2]}", "method.search names 'optimiser.size', which is no key of the trainer"),
        ("{trainer.epochs:[1,2]}", "trainer.epochs is chosen in every trial already"),
        ("{trainer.optimiser.lr:[-1.0]}", "trainer.optimiser.lr=-1.0"),
        ("{trainer.optimiser.lr:0.1}", "method.search.trainer.optimiser.lr=0.1: wanted a list of values"),
        ("{encoder_a.dropout:[]}", "wanted a list of values"),
        ("{name:[x,y]}", "method.search names 'name', which is no setting"),
        ("{encoder_a.width:[1,2]}", "method.search names 'encoder_a.width', which is no key of method=deepsm"),
    ],
)
def test_a_key_that_cannot_be_searched_is_one_line(run_msl, deepsm, search, said):
    status, _, err = run_msl("train", *deepsm, f"+method.search={search}")
    assert status == 2
    assert said in err
    assert err.count("\n") == 1


def test_without_held_out_rows_nothing_is_searched_and_that_is_said(run_msl, deepsm):
    status, said, err = run_msl("train", *deepsm, "search=deepsm", "select_on=nothing", "hydra.run.dir=run")
    assert status == 0, err
    assert "select_on=nothing: method.search is left aside" in said
    assert json.loads(Path("run/card.json").read_text())["chosen"] == {}


@pytest.mark.parametrize("search", ["null", "nonsense", "1"])
def test_a_search_that_is_not_there_is_one_line(run_msl, deepsm, search):
    status, _, err = run_msl("train", *deepsm, f"search={search}")
    assert (status, err.count("\n")) == (2, 1)


@pytest.fixture(scope="module")
def arms():
    """Overrides by label, of every method twice."""
    return methods(validated(Reproduction, resolved(composed("reproduce", ["experiment=rivals"]))).experiment)


@pytest.mark.parametrize("name", NAMES)
def test_every_method_gets_eight_trials_of_values_it_takes_its_own_among_them(name, arms):
    plain, tuned = (resolved(composed("train", arms[label])) for label in (name, f"{name} tuned"))
    assert not plain["method"].get("search")
    search = tuned["method"].pop("search")
    assert tuned["method"] == {key: value for key, value in plain["method"].items() if key != "search"}
    assert math.prod(map(len, search.values())) == 8
    for key, options in search.items():
        for path in searched_paths(key):
            assert leaf(plain, path) in options, f"{path} is {leaf(plain, path)}"


def leaf(values, path):
    for key in path.split("."):
        values = values[key]
    return values

import csv
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

ROW = {
    "method", "data", "regime", "direction", "metric", "value", "chance", "lift",
    "queries", "gallery", "split_seed", "seed", "config_hash",
}  # fmt: skip

WIDE = ["method.encoder_a.hidden=[64]", "method.encoder_b.hidden=[64]", "method.code.size=16"]


def only_run(place=Path("runs")):
    (card,) = place.rglob("card.json")
    return card.parent


def test_a_run_leaves_a_whole_folder_and_tidy_rows(run_msl, small):
    status, out, _ = run_msl("train", *small, "report.queries=2")
    folder = only_run()
    assert status == 0
    files = "config.yaml split.json weights.safetensors card.json metrics.json per_query.npz per_class.json environment.json"
    files += " curves.png gallery.png log.csv"
    assert all((folder / name).stat().st_size for name in files.split())
    rows = json.loads((folder / "metrics.json").read_text())
    assert all(row.keys() >= ROW for row in rows)
    assert {(row["regime"], row["direction"]) for row in rows} == {
        (regime, direction) for regime in ("seen", "unseen", "generalised") for direction in ("i2t", "t2i", "mean")
    }
    assert "unseen" in out
    assert f"run={folder}" in out


def test_values_per_query_average_to_the_rows(run_msl, small):
    run_msl("train", *small)
    folder = only_run()
    per_query = np.load(folder / "per_query.npz")
    for row in json.loads((folder / "metrics.json").read_text()):
        if row["direction"] != "mean" and "_" not in row["metric"]:
            values = per_query[f"{row['regime']}/{row['direction']}/{row['metric']}"]
            assert np.nanmean(values) == pytest.approx(row["value"], abs=1e-12)


def test_planted_classes_are_retrieved_unseen(run_msl, small):
    run_msl("train", *small, "trainer.epochs=20", "optimiser.lr=0.01")
    (row,) = [
        row
        for row in json.loads((only_run() / "metrics.json").read_text())
        if (row["regime"], row["direction"], row["metric"]) == ("unseen", "mean", "map")
    ]
    assert row["value"] > 2 * row["chance"]


def test_log_has_every_term_monitor_and_validation(run_msl, small):
    run_msl("train", *small, "trainer.validate_every=2")
    with (only_run() / "log.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    assert [line["epoch"] for line in lines if line["stage"] == "select"] == ["1", "2", "3", "4"]
    wanted = "correlation reconstruction adversarial discriminative total discriminator_accuracy validation_map"
    assert all(float(lines[1][name]) >= 0 for name in wanted.split())
    card = json.loads((only_run() / "card.json").read_text())
    best = max((float(line["validation_map"]), -int(line["epoch"])) for line in lines if line["validation_map"])
    assert (card["validation"], -card["epoch"]) == best
    assert sum(line["stage"] == "final" for line in lines) == card["epoch"]


def test_same_seed_same_weights_other_seed_other_weights(run_msl, small):
    for seed, name in ((0, "a"), (0, "b"), (1, "c")):
        run_msl("train", *small, f"seed={seed}", f"hydra.run.dir={name}")
    first, again, other = (load_file(f"{name}/weights.safetensors") for name in "abc")
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert not all(np.array_equal(first[key], other[key]) for key in first)


def test_dropout_makes_no_difference_to_repetition(run_msl, small):
    for name in "ab":
        run_msl("train", *small, "method.encoder_a.dropout=0.5", f"hydra.run.dir={name}")
    first, again = (load_file(f"{name}/weights.safetensors") for name in "ab")
    assert all(np.array_equal(first[key], again[key]) for key in first)


@pytest.mark.parametrize("term", ["correlation", "reconstruction", "adversarial", "discriminative"])
def test_any_term_can_be_dropped(run_msl, small, term):
    status, _, _ = run_msl("train", *small, f"~method.objective.terms.{term}")
    assert status == 0
    assert term not in (only_run() / "log.csv").read_text().splitlines()[0].split(",")


def test_a_term_can_be_added_and_weighted(run_msl, small):
    extra = ["+loss@method.objective.terms.again=correlation", "method.objective.terms.again.weight=0.5"]
    status, _, _ = run_msl("train", *small, *extra)
    assert status == 0
    with (only_run() / "log.csv").open() as stream:
        line = next(csv.DictReader(stream))
    terms = ("correlation", "reconstruction", "adversarial", "discriminative")
    card = (only_run() / "config.yaml").read_text()
    assert "again" in card
    assert line["again"] == line["correlation"]
    assert all(name in line for name in terms)


def test_a_term_can_be_replaced(run_msl, small):
    status, _, _ = run_msl("train", *small, "loss@method.objective.terms.reconstruction=correlation")
    assert status == 0
    with (only_run() / "log.csv").open() as stream:
        line = next(csv.DictReader(stream))
    assert line["reconstruction"] == line["correlation"]


def test_alternating_optimisation_is_a_configuration(run_msl, small):
    status, _, _ = run_msl("train", *small, "adversary@method.adversary=alternating")
    assert status == 0


@pytest.mark.parametrize("method", ["masln", "cca"])
def test_evaluate_repeats_the_numbers_of_training(run_msl, small, method):
    chosen = small if method == "masln" else [text for text in small if not text.startswith("method.")]
    run_msl("train", *chosen, f"method={method}")
    folder = only_run()
    status, out, _ = run_msl("evaluate", f"run={folder}", "out=again.json")
    assert status == 0
    assert "unseen" in out
    assert json.loads(Path("again.json").read_text()) == json.loads((folder / "metrics.json").read_text())


def test_evaluate_takes_the_other_gallery_and_other_metrics(run_msl, small):
    run_msl("train", *small)
    status, out, _ = run_msl(
        "evaluate",
        f"run={only_run()}",
        "evaluation.gallery=train",
        "evaluation.metrics=[map,precision@5]",
        "out=x.json",
    )
    rows = json.loads(Path("x.json").read_text())
    assert status == 0
    assert "gallery=train" in out
    assert {row["metric"].split("_")[0] for row in rows} == {"map", "precision@5"}
    assert {row["gallery_side"] for row in rows} == {"train"}


def test_evaluate_uses_the_stored_values_not_new_defaults(run_msl, small):
    run_msl("train", *small)
    config = only_run() / "config.yaml"
    text = config.read_text().replace("similarity: cosine", "similarity: dot")
    config.write_text(text)
    status, _, _ = run_msl("evaluate", f"run={only_run()}")
    assert status == 0


def test_the_standard_regime_trains_on_all_classes(run_msl, small):
    status, _, _ = run_msl("train", *small, "split=standard")
    rows = json.loads((only_run() / "metrics.json").read_text())
    assert status == 0
    assert {row["regime"] for row in rows} == {"standard"}
    assert len(json.loads((only_run() / "card.json").read_text())["classes"]) == 12


def test_a_sweep_gives_a_folder_per_job_and_one_table(run_msl, small):
    status, out, _ = run_msl("train", "-m", *small, "split.seed=0,1,2", "seed=0,1")
    assert status == 0
    assert len(list(Path("runs").rglob("metrics.json"))) == 6
    table = out[out.rindex("95 % t-interval") :]
    assert "unseen" in table
    assert " 3 " in table  # class splits, seeds averaged within them


def test_table_compares_with_a_reference_on_the_same_splits(run_msl, small):
    run_msl("train", "-m", *small, "split.seed=0,1", "ledger=ledger.jsonl")
    others = [text for text in small if not text.startswith("method.")]
    run_msl("train", "-m", *others, "method=cca", "split.seed=0,1", "ledger=ledger.jsonl")
    status, out, _ = run_msl("table", "ledger=ledger.jsonl", "reference=cca", "out=table.md")
    assert status == 0
    assert "− cca" in out
    lines = Path("table.md").read_text().splitlines()
    assert any(line.startswith("| unseen | masln |") and "±" in line.split("|")[-4] for line in lines)


def test_the_split_is_the_same_for_every_method_and_differs_by_seed(run_msl, small):
    others = [text for text in small if not text.startswith("method.")]
    run_msl("train", *small, "hydra.run.dir=a")
    run_msl("train", *others, "method=cca", "hydra.run.dir=b")
    run_msl("train", *small, "split.seed=1", "hydra.run.dir=c")
    first, same, other = (json.loads(Path(f"{name}/split.json").read_text())["hash"] for name in "abc")
    assert first == same != other


def test_overfitting_the_training_rows_reaches_map_1(run_msl, small):
    import msl
    from msl.commands.loading import load

    run_msl("train", *small, "debug=overfit", "optimiser.lr=0.01", "trainer.epochs=300", *WIDE)
    method, data, split, _, _ = load(only_run())
    rows = split.positions("seen_train", data)
    codes = [method.encode(features[rows], side) for features, side in ((data.pairs.a, "a"), (data.pairs.b, "b"))]
    assert msl.mean_average_precision(*codes, data.pairs.labels[rows], data.pairs.labels[rows]) > 0.999


def test_the_command_to_type_next_can_be_pasted(run_msl, small):
    """Whatever the run's folder is called."""
    _, out, _ = run_msl("train", *small, "trainer.epochs=1", r"hydra.run.dir='it\'s (my) dàta'")
    (line,) = [line for line in out.splitlines() if line.startswith("next: ")]
    status, _, err = run_msl(*shlex.split(line)[2:])
    assert (status, err) == (0, "")


@pytest.mark.parametrize("verb", ["evaluate", "score", "table", "data"])
def test_every_command_says_what_it_takes(verb, run_msl):
    status, out, err = run_msl(verb, "--help")
    assert (status, err) == (0, "")
    assert f"msl {verb}" in out


def test_a_run_whose_method_searches_a_nested_key_can_be_measured_again(run_msl, small):
    status, _, err = run_msl("train", *small, "+method.search={code.size:[4,6]}", "hydra.run.dir=run")
    assert status == 0, err
    status, _, err = run_msl("evaluate", "run=run")
    assert status == 0, err

"""Protocols, class embeddings and features of raw texts, as a user asks for them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import plant

from msl.commands.inputs import with_texts
from msl.commands.journal import Journal
from msl.commands.learn import learn
from msl.commands.settings import prepare
from msl.config import composed
from msl.evaluation.ledger import read_rows
from msl.report.tracking.board import Board

KINGDOM = ["dog", "cat", "horse", "cow", "car", "bus", "train", "boat", "chair", "sofa", "bottle", "bird"]


def rows_of(folder="."):
    (file,) = Path(folder).rglob("metrics.json")
    return json.loads(file.read_text())


def told(tmp_path, **changes):
    """Planted data with a text per item: the class's own words and two that everybody uses."""
    folder = plant(tmp_path / "told", **{"class_names": np.array(KINGDOM)} | changes)
    items = [
        {"id": f"item {n}", "text": f"a {KINGDOM[n // 10]} and its {KINGDOM[(n // 10 + 1 + n % 3) % 12]} number{n}"}
        for n in range(120)
    ]
    (folder / "items.jsonl").write_text("\n".join(map(json.dumps, items)))
    return folder


@pytest.mark.parametrize(
    ("protocol", "rule", "gallery", "standardise", "regimes"),
    [
        ("extendable", "extendable", "test", "train", {"seen", "unseen", "generalised"}),
        ("dadn", "even_odd", "train", "per_matrix", {"seen", "unseen", "generalised"}),
        ("shares", "extendable", "train", "per_matrix", {"seen", "unseen", "generalised"}),
        ("test_to_test", "extendable", "test", "train", {"seen", "unseen", "generalised"}),
        ("generalised", "extendable", "test", "train", {"generalised"}),
        ("standard", "standard", "test", "train", {"standard"}),
    ],
)
def test_a_protocol_is_one_short_name(protocol, rule, gallery, standardise, regimes, run_msl, small):
    status, out, err = run_msl("train", *small, "trainer.epochs=1", f"protocol={protocol}")
    assert (status, err) == (0, "")
    rows = rows_of()
    for key, value in (("split_rule", rule), ("gallery_side", gallery), ("standardise", standardise)):
        assert {row[key] for row in rows} == {value}
    assert {row["regime"] for row in rows} == regimes
    assert ("z-scored on its own" in out) == (standardise == "per_matrix")


def test_a_published_split_file_is_trained_on(run_msl, small):
    run_msl("train", *small, "trainer.epochs=1", "split.seed=3", "hydra.run.dir=first")
    status, _, err = run_msl(
        "train", *small, "trainer.epochs=1", "protocol=files", "split.path=first/split.json", "hydra.run.dir=second"
    )
    assert (status, err) == (0, "")
    first, second = (json.loads(Path(name, "split.json").read_text()) for name in ("first", "second"))
    assert first == second


def test_the_published_files_of_a_data_set_without_any_are_asked_for(run_msl, small):
    status, _, err = run_msl("train", *small, "protocol=files")
    assert status == 2
    assert "splits" in err
    assert len(err.strip().splitlines()) == 1


def test_a_share_of_classes_is_swept(run_msl, small):
    shares = ["protocol=shares", "split.seen_share=0.3,0.7", "label=at ${split.seen_share}"]
    status, _, _ = run_msl("train", "-m", *small, "trainer.epochs=1", *shares, "split.pseudo_unseen_share=0")
    assert status == 0
    seen = {file: len(json.loads(file.read_text())["seen"]) for file in Path().rglob("split.json")}
    assert sorted(seen.values()) == [4, 8]


def test_choosing_on_test_is_refused_with_a_reason(run_msl, small):
    status, _, err = run_msl("train", *small, "select_on=test")
    assert status == 2
    assert len(err.strip().splitlines()) == 1
    assert "refused: the test rows are what the result is measured on" in err
    assert not list(Path().rglob("card.json"))


def test_choosing_on_nothing_trains_all_epochs(run_msl, small):
    status, _, _ = run_msl("train", *small, "select_on=nothing", "trainer.epochs=3")
    (card,) = Path().rglob("card.json")
    assert status == 0
    assert json.loads(card.read_text())["epoch"] == 3
    assert {row["validation"] for row in rows_of()} == {None}


def test_evaluation_repeats_the_runs_own_protocol_unless_told_otherwise(run_msl, small):
    run_msl("train", *small, "trainer.epochs=1", "protocol=dadn", "hydra.run.dir=run")
    run_msl("evaluate", "run=run", "out=same.json")
    run_msl("evaluate", "run=run", "evaluation.standardise=train", "out=other.json")
    assert json.loads(Path("same.json").read_text()) == rows_of("run")
    other = json.loads(Path("other.json").read_text())
    assert {(row["gallery_side"], row["standardise"]) for row in other} == {("train", "train")}


def test_the_same_codes_are_scored_under_every_protocol(run_msl, small):
    run_msl("train", *small, "trainer.epochs=1", "hydra.run.dir=run")
    status, out, _ = run_msl("evaluate", "run=run", "protocols=true", "out=all.json")
    assert status == 0
    rows = json.loads(Path("all.json").read_text())
    views = list(dict.fromkeys(row["view"] for row in rows))
    assert len(views) == 7
    assert all(view in out for view in views)
    first = [{key: value for key, value in row.items() if key != "view"} for row in rows if row["view"] == views[0]]
    own = [row for row in rows_of("run") if row["metric"].split("_")[0] in {each["metric"] for each in first}]
    assert first == own
    dadn = [row for row in rows if "DADN" in row["view"]]
    assert {(row["gallery_side"], row["standardise"]) for row in dadn} == {("train", "per_matrix")}


@pytest.mark.parametrize(
    ("embedding", "size"), [("words", 120), ("graph", 12), ("onehot", 12), ("none", 0), ("given", 6)]
)
def test_class_embeddings_are_a_choice(embedding, size, run_msl, small, tmp_path):
    folder = told(tmp_path)
    status, _, err = run_msl("train", *small, f"data.path={folder}", "trainer.epochs=1", f"embedding={embedding}")
    assert (status, err) == (0, "")
    (card,) = Path().rglob("card.json")
    content = json.loads(card.read_text())
    assert content["sizes"]["embedding"] <= size if embedding == "graph" else content["sizes"]["embedding"] == size
    assert embedding == "given" or embedding in content["embedding"]


def test_a_class_name_nobody_knows_is_named(run_msl, small, tmp_path):
    folder = told(tmp_path, class_names=np.array([*KINGDOM[:-1], "xqzzt"]))
    status, _, err = run_msl("train", *small, f"data.path={folder}", "embedding=words")
    assert status == 2
    assert "xqzzt" in err
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize("texts", ["bow", "words"])
def test_features_are_made_of_the_texts(texts, run_msl, small, tmp_path):
    folder = told(tmp_path)
    status, _, err = run_msl(
        "train", *small, f"data.path={folder}", "trainer.epochs=1", f"texts={texts}", "hydra.run.dir=run"
    )
    assert (status, err) == (0, "")
    assert {row["data"] for row in rows_of("run")} == {f"planted-{texts}"}
    status, _, _ = run_msl("evaluate", "run=run", "out=again.json")
    assert status == 0
    assert json.loads(Path("again.json").read_text()) == rows_of("run")


def test_without_texts_none_can_be_made(run_msl, small):
    status, _, err = run_msl("train", *small, "texts=bow")
    assert status == 2
    assert "has none" in err


def test_texts_of_test_rows_change_no_bit_of_the_weights(small, tmp_path):
    """The vocabulary and its weights come from the seen training texts alone, and from fewer while selecting."""
    cfg = composed("train", [*small, f"data.path={told(tmp_path)}", "texts=bow", "texts.fewest_texts=1"])
    learnt = []
    for name in ("clean", "poisoned"):
        folder = tmp_path / name
        folder.mkdir()
        run = prepare(cfg, folder, [])
        if name == "poisoned":
            forbidden = np.concatenate(
                [run.split.positions(group, run.data) for group in ("seen_test", "unseen_train", "unseen_test")]
            )
            texts = np.array(run.data.texts, dtype=object)
            texts[forbidden] = "words words that stand nowhere else"
            data = replace(run.data, texts=tuple(texts))
            fitted = with_texts(data, run.settings.texts, run.split, "seen_train")
            run = replace(run, data=data, fitted_data=fitted)
        learnt.append(learn(run, Journal(folder / "log.csv", Board(None), resume=False))[0].state_dict())
    assert all(torch.equal(value, learnt[1][key]) for key, value in learnt[0].items())


def test_other_data_than_the_run_was_trained_on_are_noticed(run_msl, small, tmp_path):
    run_msl("train", *small, "trainer.epochs=1", "hydra.run.dir=run")
    plant(tmp_path / "planted", seed=1)
    status, _, err = run_msl("evaluate", "run=run")
    assert status == 2
    assert "not the one the run" in err


def test_numbers_for_names_are_no_obstacle_to_embeddings_that_read_none(run_msl, small):
    np.save("rows.npy", np.random.default_rng(0).standard_normal((12, 5)).astype(np.float32))
    for chosen in (["embedding=onehot"], ["embedding=none"], ["embedding=attributes", "embedding.path=rows.npy"]):
        folder = f"hydra.run.dir={chosen[0].partition('=')[2]}"  # two runs may start within one second
        status, _, err = run_msl("train", *small, "trainer.epochs=1", folder, *chosen)
        assert (status, err) == (0, "")


def test_two_files_of_one_name_are_two_results_in_the_ledger(run_msl, small):
    for seed in (1, 2):
        Path(f"of{seed}").mkdir()
        np.save(f"of{seed}/rows.npy", np.random.default_rng(seed).standard_normal((12, 5)).astype(np.float32))
        vectors = ["embedding=attributes", f"embedding.path=of{seed}/rows.npy"]
        run_msl("train", *small, "trainer.epochs=1", "ledger=all.jsonl", f"hydra.run.dir=of{seed}/run", *vectors)
        run_msl("train", *small, "trainer.epochs=1", f"split.seed={seed}", f"hydra.run.dir=split{seed}")
        split = ["protocol=files", f"split.path=split{seed}/split.json"]
        run_msl("train", *small, "trainer.epochs=1", "ledger=all.jsonl", *split)
    rows = read_rows(Path("all.jsonl"))
    unseen = [row for row in rows if (row["regime"], row["direction"], row["metric"]) == ("unseen", "mean", "map")]
    assert len(unseen) == 4
    assert all("/" not in row["embedding"] for row in unseen)


def test_a_run_goes_on_with_the_class_vectors_it_began_with_only(run_msl, small):
    np.save("rows.npy", np.ones((12, 5), np.float32))
    run = ["embedding=attributes", "embedding.path=rows.npy", "trainer.epochs=1", "hydra.run.dir=run"]
    run_msl("train", *small, *run)
    Path("run/metrics.json").unlink()  # as if it had been stopped
    np.save("rows.npy", np.full((12, 5), 2, np.float32))
    status, _, err = run_msl("train", "resume=run")
    assert status == 2
    assert "class embeddings are not those" in err


def test_a_split_made_for_other_labels_is_refused_before_training(run_msl, small, tmp_path):
    run_msl("train", *small, "trainer.epochs=1", "hydra.run.dir=first")
    other = plant(tmp_path / "other", label=np.roll(np.repeat(np.arange(12), 10), 30))
    split = ["protocol=files", "split.path=first/split.json"]
    status, _, err = run_msl("train", *small, f"data.path={other}", *split, "hydra.run.dir=second")
    assert status == 2
    assert "have classes it does not fit" in err
    assert not Path("second/card.json").exists()


@pytest.mark.parametrize(
    ("part", "protocol", "said"),
    [
        ("test", "extendable", "leaves no training rows"),
        ("train", "dadn", "leaves the regime 'seen' without"),
        ("train", "standard", "leaves the regime 'standard' without"),
    ],
)
def test_data_without_train_or_test_rows_are_refused_before_training(part, protocol, said, run_msl, small, tmp_path):
    folder = plant(tmp_path / "whole", split=np.full(120, part))
    status, _, err = run_msl("train", *small, f"data.path={folder}", f"protocol={protocol}")
    assert status == 2
    assert said in err
    assert not list(Path().rglob("card.json"))


def test_a_sweep_whose_runs_no_table_may_mix_says_so(run_msl, small):
    shares = ["protocol=shares", "split.seen_share=0.3,0.7", "split.pseudo_unseen_share=0"]
    status, out, err = run_msl("train", "-m", *small, "trainer.epochs=1", *shares)
    assert (status, err) == (0, "")
    assert "no table of all runs: two configurations share the label" in out


def test_the_standard_regime_is_not_asked_for_by_name(run_msl, small):
    status, _, err = run_msl("train", *small, "evaluation.regimes=[standard]")
    assert status == 2
    assert "evaluation.regimes.0=standard" in err

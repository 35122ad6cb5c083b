"""What people get wrong: one line that says what to do, exit status 2, nothing written."""

from pathlib import Path

import numpy as np
import pytest
from conftest import plant

import msl

CLASSES = {"class_vectors": np.zeros((12, 6), np.float32)}
NAN = np.full((120, 16), np.nan, np.float32)

WRONG_OVERRIDES = [
    (["optimiser.lr=-1"], "optimiser.lr=-1", "greater than 0"),
    (["optimiser.lr=nan"], "optimiser.lr=nan", "finite"),
    (["optimiser.lr=fast"], "optimiser.lr=fast", "number"),
    (["optimser.lr=1"], "optimser", "configuration key"),
    (["trainer.epoch=3"], "epoch", "configuration key"),
    (["+trainer.patience=3"], "trainer.patience", "it takes epochs"),
    (["trainer.epochs=0"], "trainer.epochs=0", "greater than or equal to 1"),
    (["trainer.epochs=1.5"], "trainer.epochs=1.5", "integer"),
    (["method=maslm"], "maslm", "method"),
    (["seed=-1"], "seed", "greater than or equal to 0"),
    (["logger.mode=sometimes"], "logger.mode", "'disabled', 'offline' or 'online'"),
    (["evaluation.metrics=[map,recall]"], "recall@10", "cut-off"),
    (["evaluation.gallery=both"], "evaluation.gallery", "'test' or 'train'"),
    (["split.seen_share=0.99"], "split.seen_share", "unseen"),
    (["split.seen_share=2"], "split.seen_share=2", "less than 1"),
    (["method.encoder_a.dropout=1"], "method.encoder_a.dropout=1", "less than 1"),
    (["method.encoder_a.hidden=[16,-4]"], "method.encoder_a.hidden", "greater than or equal to 1"),
    (["method.objective.terms.adversarial=null"], "adversarial", "~method.objective.terms.adversarial"),
    (["optimiser._target_=os.system"], "os.system", "not allowed"),
    (["optimiser._target_=msl.files.os.system"], "msl.files.os.system", "'msl.files' is not a package"),
    (["optimiser._target_=msl.config.import_module"], "not allowed", "torch.optim."),
    (["data.path=nowhere.npz"], "nowhere.npz", "no file"),
    (["lr"], "lr", "configuration"),
]

WRONG_FILES = [
    ({"image": NAN}, "image: row 0", "NaN"),
    ({"text": np.zeros((7, 9), np.float32)}, "text: wanted 120 rows", "7"),
    ({"label": np.arange(120)}, "label: row 12", "relabel"),
    ({"split": np.full(120, "dev")}, "split", "'dev'"),
    ({"ids": np.full(120, "same")}, "ids: 'same'", "twice"),
    ({"label": None}, "no labels were found", "data.labels=FILE"),
    (CLASSES, "'class 0' has no vector", "rename"),
    ({"image": np.array([object()] * 120)}, "without pickled objects", "numpy.savez"),
]


def assert_one_line(status, err, *parts):
    lines = err.strip().splitlines()
    assert status == 2
    assert len(lines) == 1, err
    assert lines[0].startswith("msl: ")
    for part in parts:
        assert part in lines[0]


@pytest.mark.parametrize(("overrides", "names", "says"), WRONG_OVERRIDES, ids=lambda value: str(value)[:40])
def test_a_wrong_override_is_one_line(run_msl, small, overrides, names, says):
    status, _, err = run_msl("train", *small, *overrides)
    assert_one_line(status, err, names, says)
    assert not list(Path().rglob("card.json"))


def test_a_file_of_ones_own_that_cannot_be_imported_says_why(run_msl, small, tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text("from msl.types import Numbers\n")
    monkeypatch.setattr(msl, "__path__", [*msl.__path__, str(tmp_path)])
    status, _, err = run_msl("train", *small, "optimiser._target_=msl.mine.Optimiser")
    assert_one_line(status, err, "msl.mine.Optimiser", "cannot import name 'Numbers' from 'msl.types'", "mend its file")


@pytest.mark.parametrize(("changes", "names", "says"), WRONG_FILES, ids=range(len(WRONG_FILES)))
def test_a_wrong_file_is_one_line_that_names_it(run_msl, small, tmp_path, changes, names, says):
    folder = plant(tmp_path / "wrong", **changes)
    status, _, err = run_msl("train", *small, f"data.path={folder}")
    assert_one_line(status, err, str(folder), names, says)
    checked, _, err = run_msl("data", "check", str(folder))
    assert_one_line(checked, err, str(folder), names, says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["trian"], "did you mean msl train"),
        (["evaluate"], "run=VALUE"),
        (["train", "resume=nowhere"], "card.json"),
        (["evaluate", "run=."], "card.json"),
        (["score"], "queries"),
        (["score", "codes=none.npz"], "none.npz"),
        (["table"], "runs=FOLDER"),
        (["table", "runs=."], "no finished run"),
        (["data"], "msl data list"),
        (["data", "describe", "emojis"], "emoji"),
        (["data", "check", "none"], "no file"),
    ],
    ids=str,
)
def test_a_wrong_command_is_one_line(run_msl, arguments, says):
    status, _, err = run_msl(*arguments)
    assert_one_line(status, err, says)


def test_a_misspelt_key_in_a_sweep_is_one_line(run_msl, small):
    status, _, err = run_msl("train", "-m", *small, "split.sed=0,1")
    assert_one_line(status, err, "sed")


def test_a_folder_that_holds_a_run_is_not_overwritten(run_msl, small):
    run_msl("train", *small, "hydra.run.dir=once")
    before = Path("once/weights.safetensors").read_bytes()
    status, _, err = run_msl("train", *small, "seed=1", "hydra.run.dir=once")
    assert_one_line(status, err, "once", "resume=")
    assert Path("once/weights.safetensors").read_bytes() == before


@pytest.mark.parametrize(
    ("file", "damage", "says"),
    [
        ("weights.safetensors", b"not weights", "weights.safetensors does not fit"),
        ("split.json", b"{}", "split.json"),
        ("card.json", b"{", "card.json is damaged"),
        ("config.yaml", b"[", "config.yaml"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_damaged_run_folder_is_one_line(run_msl, small, file, damage, says):
    run_msl("train", *small, "hydra.run.dir=once")
    Path("once", file).write_bytes(damage)
    status, _, err = run_msl("evaluate", "run=once")
    assert_one_line(status, err, says)


def test_a_split_changed_by_hand_is_noticed(run_msl, small):
    run_msl("train", *small, "hydra.run.dir=once")
    file = Path("once/split.json")
    file.write_text(file.read_text().replace('"seed": 0', '"seed": 1'))
    status, _, err = run_msl("evaluate", "run=once")
    assert_one_line(status, err, "changed by hand")


@pytest.mark.parametrize(
    "override",
    ["optimiser._target_=os.system", "+x={_target_: os.system}", "+x={'_target_': os.system}", "++_target_=os.system"],
)
def test_a_run_folder_cannot_name_a_target(run_msl, small, override):
    run_msl("train", *small, "hydra.run.dir=once")
    card = Path("once/card.json")
    card.write_text(card.read_text().replace('"logger=none"', f'"{override}"'))
    status, _, err = run_msl("evaluate", "run=once")
    assert_one_line(status, err, "_target_")


def test_a_target_in_a_stored_configuration_is_ignored(run_msl, small):
    run_msl("train", *small, "hydra.run.dir=once")
    config = Path("once/config.yaml")
    config.write_text(config.read_text().replace("_target_: torch.optim.AdamW", "_target_: os.system"))
    assert "os.system" in config.read_text()
    assert run_msl("evaluate", "run=once")[0] == 0

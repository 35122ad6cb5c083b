"""Test data never chooses anything: with every unseen row NaN and every unseen label -1, not a bit of the fit changes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from msl.commands.journal import Journal
from msl.commands.learn import learn
from msl.commands.settings import prepare
from msl.config import composed
from msl.data.pairs import Features
from msl.files import embedded
from msl.report.tracking.board import Board


def poisoned(run):
    """The run, its data set poisoned wherever the split says that fitting must not look."""
    data, split = run.data, run.split
    forbidden = np.concatenate([split.positions(group, data) for group in ("seen_test", "unseen_train", "unseen_test")])
    labels, a, b, vectors = (
        array.copy() for array in (data.pairs.labels, data.pairs.a[:], data.pairs.b[:], data.classes.vectors)
    )
    labels[forbidden], a[forbidden], b[forbidden] = -1, np.nan, np.nan
    vectors[[data.classes.names.index(name) for name in split.unseen]] = np.nan
    pairs = replace(data.pairs, labels=labels, a=Features(a), b=Features(b))
    return shown(run, replace(data, pairs=pairs, classes=replace(data.classes, vectors=vectors)))


def shown(run, data):
    assert run.fitted_data is run.data
    return replace(run, data=data, fitted_data=data)


METHODS = sorted(path.stem for path in embedded("conf").glob("method/*.yaml"))
CASES = [
    *((method, protocol) for method in ("masln", "cca") for protocol in ("dadn", "test_to_test", "standard")),
    *((method, "extendable") for method in METHODS),
]


@pytest.mark.parametrize(("method", "protocol"), CASES)
def test_poisoned_test_rows_change_no_bit_of_the_weights(method, protocol, small, tmp_path):
    chosen = small if method == "masln" else [text for text in small if not text.startswith("method.")]
    cfg = composed(
        "train", [*chosen, f"method={method}", f"protocol={protocol}", "trainer.validate_every=2", "texts=given"]
    )
    learnt = []
    for name, treat in (("clean", lambda run: run), ("poisoned", poisoned)):
        folder = tmp_path / name
        folder.mkdir()
        run = treat(prepare(cfg, folder, []))
        learnt.append(learn(run, Journal(folder / "log.csv", Board(None), resume=False)))
    (clean, card), (other, other_card) = learnt
    assert card == other_card
    assert all(torch.equal(value, other.state_dict()[key]) for key, value in clean.state_dict().items())


def test_the_sentinel_can_fail(small, tmp_path):
    """Were the held-out rows poisoned too, the fit would notice: the sentinel is no formality."""
    cfg = composed("train", small)
    run = prepare(cfg, tmp_path, [])
    a = run.data.pairs.a[:].copy()
    a[run.split.positions("train", run.data)[0]] = np.nan
    run = shown(run, replace(run.data, pairs=replace(run.data.pairs, a=Features(a))))
    with pytest.raises(RuntimeError, match="became nan at step"):
        learn(run, Journal(tmp_path / "log.csv", Board(None), resume=False))

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from method_builders import SIZES, batch_of, planted_pairs
from torch.nn.functional import cross_entropy

from msl.commands.searching import build
from msl.commands.settings import sizes
from msl.config import composed, resolved
from msl.data.classes import Classes
from msl.data.pairs import Features, Pairs
from msl.nets.sequence import LSTM, AttentionPooling

BOTH = pytest.mark.parametrize("name", ["lstm", "attention"])


def settings_of(name):
    return resolved(composed("train", [f"method={name}"]))


def method_of(name):
    """The configured method in float64, prepared, and a batch."""
    torch.manual_seed(0)
    method = build(settings_of(name)["method"], SIZES, {})
    pairs, classes = planted_pairs()
    method.prepare(pairs)
    return method.double(), batch_of(pairs, classes, dtype=torch.float64)


@BOTH
def test_total_is_the_cross_entropy_of_both_hidden_layers_under_one_softmax(name):
    method, batch = method_of(name)
    dense, softmax, expected = method.code_layer.linear, method.classifier.layers[0], 0
    for modality, encoder, features in (("a", method.encoder_a, batch.a), ("b", method.encoder_b, batch.b)):
        hidden = torch.relu(encoder(method.inputs[modality](features)) @ dense.weight.T + dense.bias)
        torch.testing.assert_close(method.code(features, modality), hidden, atol=1e-12, rtol=1e-12)
        expected += cross_entropy(hidden @ softmax.weight.T + softmax.bias, batch.label)
    assert hidden.shape == (len(batch.a), 256)
    torch.testing.assert_close(method.loss(batch)["total"], expected, atol=1e-12, rtol=1e-12)


def test_attention_is_lstm_with_one_net_replaced():
    lstm, attention = settings_of("lstm"), settings_of("attention")
    for net, values in ((LSTM, lstm), (AttentionPooling, attention)):
        assert values["method"]["encoder_b"].pop("_target_") == f"msl.nets.sequence.{net.__name__}"
        values["method"].pop("name")
        values.pop("label")
    assert lstm == attention


def told(words, *, items):
    """Pairs whose texts are two of four words, after zeros, and whose class is which and in what order; the image says it."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((4, 120))
    label = np.repeat(np.arange(len(words)), items)
    steps = np.concatenate([np.zeros((len(label), 3, 120)), vectors[np.array(words)[label]]], axis=1)
    images = np.eye(len(words))[label] + 0.1 * rng.standard_normal((len(label), len(words)))
    a, b = (Features(x.reshape(len(label), -1).astype(np.float32)) for x in (images, steps))
    names = tuple(f"class {number}" for number in range(len(words)))
    return Pairs(tuple(map(str, range(len(label)))), a, b, label), Classes(names, np.eye(len(words), dtype=np.float32))


@pytest.mark.parametrize(("name", "share"), [("lstm", 1.0), ("attention", 0.5)])
def test_word_order_tells_classes_apart_for_the_lstm_only(name, share):
    """Of each two classes the texts have the same words: without order, half of the rows is the most one can name."""
    pairs, classes = told([(0, 1), (1, 0), (2, 3), (3, 2)], items=4)
    torch.manual_seed(0)
    method = build(settings_of(name)["method"], sizes(pairs, classes), {})
    method.prepare(pairs)
    optimiser = torch.optim.Adam(method.parameters(), lr=1e-3)
    for _ in range(60):
        optimiser.zero_grad()
        method.loss(batch_of(pairs, classes))["total"].backward()
        optimiser.step()
    right = {}
    for modality, features in (("a", pairs.a), ("b", pairs.b)):
        codes = torch.from_numpy(method.encode(features, modality))
        right[modality] = np.mean(method.classifier(codes).argmax(dim=1).numpy() == pairs.labels)
    assert right == {"a": 1.0, "b": share}


@BOTH
def test_the_command_trains_on_sequences_of_a_folders_texts(name, planted, run_msl):
    words = ["cat", "dog", "train", "music", "bird"]
    lines = [{"id": f"item {n}", "text": f"a {words[n // 10 % 5]} and {n % 3} {words[n % 5]}s"} for n in range(120)]
    (planted / "items.jsonl").write_text("\n".join(map(json.dumps, lines)))
    status, out, err = run_msl(
        "train", f"method={name}", "texts=sequence", "texts.length=4", "data=folder", f"data.path={planted}",
        "data.name=planted", "logger=none", "progress=false", "report.queries=0", "trainer.batch=16", "trainer.epochs=4",
        "method.encoder_b.hidden=16", "method.encoder_a.hidden=[16]", "hydra.run.dir=here",
    )  # fmt: skip
    assert status == 0, err
    assert f"{name} on planted-sequence" in out
    card = json.loads(Path("here/card.json").read_text())
    assert card["sizes"]["b"] == 4 * 120
    assert "sequence (length=4)" in card["encoders"][1]

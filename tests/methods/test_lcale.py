from copy import deepcopy
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
import torch
from method_builders import SIZES, batch_of, planted_pairs
from rivals_builders import built
from torch.nn.functional import normalize

import msl.methods.lcale
from msl.methods.method import Sizes

WEIGHTS = {"self_reconstruction": 1.0, "cross_reconstruction": 2.37, "divergence": 0.25, "wasserstein": 8.13}
WITH_AND_WITHOUT_CLASSES = pytest.mark.parametrize("embedding", [3, 0])


def method_and_batch(sizes=SIZES):
    """The configured method in float64, prepared, and a batch."""
    pairs, classes = planted_pairs(sizes=sizes)
    method = built("lcale", sizes)
    method.prepare(pairs)
    return method.double(), batch_of(pairs, classes, dtype=torch.float64)


def by_hand(method, batch, seed):
    """Every term from the formula, one modality after the other."""
    views = [method.inputs["a"](batch.a), method.inputs["b"](batch.b), normalize(batch.embedding)]
    encoders = [method.encoder_a, method.encoder_b, method.encoder_class]
    layers = [method.code_layer, method.code_layer_b, method.code_class]
    decoders = [method.rebuild_a, method.rebuild_b, method.rebuild_class]
    modalities = range(3 if method.encoder_class else 2)
    hidden = [encoders[i](views[i]) for i in modalities]
    mu = [layers[i].linear(hidden[i]) for i in modalities]
    variance = [layers[i].spread(hidden[i]).exp() for i in modalities]
    torch.manual_seed(seed)
    noise = torch.randn(len(batch.a), len(modalities), mu[0].shape[1], dtype=torch.float64)
    z = [mu[i] + variance[i].sqrt() * noise[:, i] for i in modalities]
    off = {(i, j): (views[j] - decoders[j](z[i])).abs().sum(1).mean() for i in modalities for j in modalities}
    apart = [
        ((mu[i] - mu[j]) ** 2).sum(1) + ((variance[i].sqrt() - variance[j].sqrt()) ** 2).sum(1)
        for i, j in combinations(modalities, 2)
    ]
    return {
        "self_reconstruction": sum(value for (i, j), value in off.items() if i == j),
        "cross_reconstruction": sum(value for (i, j), value in off.items() if i != j),
        "divergence": sum((variance[i] + mu[i] ** 2 - 1 - variance[i].log()).sum(1).mean() / 2 for i in modalities),
        "wasserstein": sum(square.sqrt().mean() for square in apart),
    }


@WITH_AND_WITHOUT_CLASSES
def test_every_term_is_the_formula_and_total_their_sum_at_the_sources_weights(embedding):
    method, batch = method_and_batch(replace(SIZES, embedding=embedding))
    expected = by_hand(method, batch, seed=5)
    torch.manual_seed(5)
    values = method.loss(batch)
    expected["total"] = sum(weight * expected[name] for name, weight in WEIGHTS.items())
    assert values.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(values[name], value, atol=1e-10, rtol=1e-10)


@WITH_AND_WITHOUT_CLASSES
def test_the_code_is_the_mean_and_draws_nothing(embedding):
    method, batch = method_and_batch(replace(SIZES, embedding=embedding))
    before = torch.get_rng_state()
    codes = [method.code(batch.a, "a"), method.code(batch.b, "b")]
    assert torch.equal(torch.get_rng_state(), before)
    means = method.tensors(batch).means
    for m, code in enumerate(codes):
        torch.testing.assert_close(code, means[:, m], atol=1e-12, rtol=1e-12)


def test_two_losses_of_one_batch_differ_by_the_noise_only():
    method, batch = method_and_batch()
    losses = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        losses.append(method.loss(batch))
    assert torch.equal(losses[0]["total"], losses[1]["total"])
    for name in WEIGHTS:
        assert torch.equal(losses[0][name], losses[2][name]) == (name in ("divergence", "wasserstein"))


def test_only_encoders_and_means_make_the_codes():
    pairs, _ = planted_pairs()
    method, _ = method_and_batch()
    method = method.float()
    before = [method.encode(pairs.a, "a"), method.encode(pairs.b, "b")]
    with torch.no_grad():
        for name, parameter in method.named_parameters():
            if "class" in name or "rebuild" in name or "spread" in name:
                parameter.fill_(torch.nan)
    assert np.array_equal(method.encode(pairs.a, "a"), before[0])
    assert np.array_equal(method.encode(pairs.b, "b"), before[1])


def test_the_length_of_class_embeddings_is_nothing():
    method, batch = method_and_batch()
    losses = []
    for factor in (1.0, 7.0):
        torch.manual_seed(0)
        losses.append(method.loss(replace(batch, embedding=factor * batch.embedding))["total"])
    torch.testing.assert_close(*losses, atol=1e-10, rtol=1e-10)


def test_swapping_the_modalities_with_their_networks_changes_no_term(monkeypatch):
    monkeypatch.setattr(msl.methods.lcale, "drawn", lambda mean, log_variance: mean + log_variance)  # no noise to swap
    method, batch = method_and_batch(Sizes(a=6, b=6, classes=4, embedding=3))
    swapped = deepcopy(method)
    for one, other in (("encoder_a", "encoder_b"), ("code_layer", "code_layer_b"), ("rebuild_a", "rebuild_b")):
        setattr(swapped, one, getattr(method, other))
        setattr(swapped, other, getattr(method, one))
    swapped.inputs["a"], swapped.inputs["b"] = method.inputs["b"], method.inputs["a"]
    values, expected = swapped.loss(replace(batch, a=batch.b, b=batch.a)), method.loss(batch)
    for name, value in expected.items():
        torch.testing.assert_close(values[name], value, atol=1e-10, rtol=1e-10)


def test_it_trains_without_class_embeddings(run_msl, small):
    status, said, wrong = run_msl("train", "method=lcale", "embedding=none", *small)
    assert status == 0, wrong
    assert "lcale on planted" in said

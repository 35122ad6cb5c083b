from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from method_builders import SIZES, batch_of, planted_pairs
from rivals_builders import built
from torch.distributions import Normal, kl_divergence
from torch.nn.functional import cross_entropy, one_hot

import msl.methods.mdvae
from msl.methods.method import Sizes

WEIGHTS = {
    "self_reconstruction": 1.0,
    "cross_reconstruction": 1.0,
    "fused_reconstruction": 1.0,
    "specific_divergence": 1.0,
    "fused_divergence": 0.3,
    "fused_class": 1.0,
}


@pytest.fixture
def noiseless(monkeypatch):
    monkeypatch.setattr(msl.methods.mdvae, "drawn", lambda mean, log_variance: mean + log_variance)


def method_and_batch(sizes=SIZES):
    """The configured method in float64, prepared, and a batch."""
    pairs, classes = planted_pairs(sizes=sizes)
    method = built("mdvae", sizes)
    method.prepare(pairs)
    return method.double(), batch_of(pairs, classes, dtype=torch.float64)


def normal(layer, hidden):
    return Normal(layer.linear(hidden), (layer.spread(hidden) / 2).exp())


def by_hand(method, batch, seed):
    """Every term from the formula, one modality after the other."""
    x = [method.inputs["a"](batch.a), method.inputs["b"](batch.b)]
    u = [normal(method.code_layer, method.encoder_a(x[0])), normal(method.code_layer_b, method.encoder_b(x[1]))]
    s = [
        normal(method.specific_layer_a, method.specific_a(x[0])),
        normal(method.specific_layer_b, method.specific_b(x[1])),
    ]
    fused = method.fusion(torch.cat(x, dim=1))
    prior = normal(method.fused_layer, fused)
    torch.manual_seed(seed)
    drawn_u, drawn_s = [], []
    for gaussians, draws in ((u, drawn_u), (s, drawn_s)):
        noise = torch.randn(len(x[0]), 2, 64, dtype=torch.float64)
        draws += [q.mean + q.stddev * noise[:, i] for i, q in enumerate(gaussians)]
    decoders = [method.rebuild_a, method.rebuild_b]

    def off(i, j):
        return (decoders[j](torch.cat([drawn_u[i], drawn_s[j]], dim=1)) - x[j]).square().sum(1).mean()

    return {
        "self_reconstruction": off(0, 0) + off(1, 1),
        "cross_reconstruction": off(0, 1) + off(1, 0),
        "fused_reconstruction": (method.rebuild_fused(prior.mean) - torch.cat(x, dim=1)).square().sum(1).mean(),
        "specific_divergence": sum(kl_divergence(q, Normal(0.0, 1.0)).sum(1).mean() for q in s),
        "fused_divergence": sum(kl_divergence(q, prior).sum(1).mean() for q in u),
        "fused_class": cross_entropy(method.fused_classifier(fused), batch.label),
    }


def test_every_term_is_the_formula_and_total_their_sum_at_the_configured_weights():
    method, batch = method_and_batch()
    expected = by_hand(method, batch, seed=5)
    torch.manual_seed(5)
    values = method.loss(batch)
    expected["total"] = sum(weight * expected[name] for name, weight in WEIGHTS.items())
    assert values.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(values[name], value, atol=1e-10, rtol=1e-10)


def test_the_code_is_the_invariant_mean_and_draws_nothing():
    method, batch = method_and_batch()
    before = torch.get_rng_state()
    codes = [method.code(batch.a, "a"), method.code(batch.b, "b")]
    assert torch.equal(torch.get_rng_state(), before)
    for m, code in enumerate(codes):
        torch.testing.assert_close(code, method.tensors(batch).means[:, m], atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize(
    ("changed", "touched"),
    [
        ("code_layer", [[True, True], [False, False]]),
        ("code_layer_b", [[False, False], [True, True]]),
        ("specific_layer_a", [[True, False], [True, False]]),
        ("specific_layer_b", [[False, True], [False, True]]),
    ],
)
def test_pairs_exchange_invariant_latents_and_keep_specific_ones(changed, touched, noiseless):
    method, batch = method_and_batch()
    before = method.tensors(batch).errors
    with torch.no_grad():
        getattr(method, changed).linear.bias += 1
    assert (method.tensors(batch).errors != before).all(dim=0).tolist() == touched


def test_class_embeddings_are_not_used():
    method, batch = method_and_batch()
    missing = replace(batch, embedding=torch.full_like(batch.embedding, torch.nan), class_embeddings=None)
    losses = []
    for each in (batch, missing):
        torch.manual_seed(0)
        losses.append(method.loss(each)["total"])
    assert torch.equal(*losses)


def test_a_label_and_its_one_hot_distribution_cost_the_same():
    method, batch = method_and_batch()
    losses = []
    for label in (batch.label, one_hot(batch.label, SIZES.classes).double()):
        torch.manual_seed(0)
        losses.append(method.loss(replace(batch, label=label))["total"])
    torch.testing.assert_close(*losses)


def test_only_encoders_and_invariant_means_make_the_codes():
    pairs, _ = planted_pairs()
    method, _ = method_and_batch()
    method = method.float()
    before = [method.encode(pairs.a, "a"), method.encode(pairs.b, "b")]
    with torch.no_grad():
        for name, parameter in method.named_parameters():
            if any(part in name for part in ("specific", "fus", "rebuild", "spread")):
                parameter.fill_(torch.nan)
    assert np.array_equal(method.encode(pairs.a, "a"), before[0])
    assert np.array_equal(method.encode(pairs.b, "b"), before[1])


def test_swapping_the_modalities_with_their_networks_changes_no_term(noiseless):
    method, batch = method_and_batch(Sizes(a=6, b=6, classes=4, embedding=3))
    swapped = deepcopy(method)
    for one, other in (
        ("encoder_a", "encoder_b"), ("code_layer", "code_layer_b"), ("rebuild_a", "rebuild_b"),
        ("specific_a", "specific_b"), ("specific_layer_a", "specific_layer_b"),
    ):  # fmt: skip
        setattr(swapped, one, getattr(method, other))
        setattr(swapped, other, getattr(method, one))
    swapped.inputs["a"], swapped.inputs["b"] = method.inputs["b"], method.inputs["a"]
    halves = torch.arange(12).roll(6)  # the fused parts see a before b
    with torch.no_grad():
        swapped.fusion.layers[0].weight.copy_(method.fusion.layers[0].weight[:, halves])
        for name in ("weight", "bias"):
            getattr(swapped.rebuild_fused.layers[-1], name).copy_(
                getattr(method.rebuild_fused.layers[-1], name)[halves]
            )
    values, expected = swapped.loss(replace(batch, a=batch.b, b=batch.a)), method.loss(batch)
    for name, value in expected.items():
        torch.testing.assert_close(values[name], value, atol=1e-10, rtol=1e-10)

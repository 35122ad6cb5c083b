from dataclasses import replace

import numpy as np
import pytest
import torch
from method_builders import batch_of, planted_pairs

from msl.commands.searching import build
from msl.config import composed, resolved
from msl.data.pairs import Features
from msl.methods.branches import Branches
from msl.methods.cca import CCA
from msl.methods.method import Sizes

SIZES = Sizes(a=6, b=5, classes=4, embedding=4)
PAIRS, KNOWN = planted_pairs(items=30, sizes=SIZES)


def dcca(*overrides, size=4, seed=0):
    given = [f"method.{code}.size={size}" for code in ("code", "code_b", "final")]
    torch.manual_seed(seed)
    method = build(resolved(composed("train", ["method=dcca", *given, *overrides]))["method"], SIZES, {})
    method.prepare(PAIRS)
    return method


def learn(method, *, steps, pairs=PAIRS):
    optimiser = torch.optim.Adam(method.parameters(), lr=3e-3)
    for step in range(steps):
        optimiser.zero_grad(set_to_none=True)
        loss = method.loss(batch_of(pairs, KNOWN, step=step))["total"]
        loss.backward()
        optimiser.step()
    return loss.item()


def outputs(method):
    """What the networks give, before the final CCA."""
    method.eval()
    with torch.no_grad():
        return [Branches.code(method, torch.from_numpy(getattr(PAIRS, side)[:]), side).numpy() for side in ("a", "b")]


def linear(ridge, *, size):
    """Networks without a hidden layer."""
    hidden = [f"method.encoder_{side}.hidden=[]" for side in ("a", "b")]
    return dcca(*hidden, f"method.objective.terms.canonical_correlation.loss.ridge={ridge}", size=size)


def test_loss_of_linear_networks_is_minus_the_correlations_that_cca_finds_between_what_they_give():
    method = linear(1e-12, size=4)
    a, b = outputs(method)
    plain = CCA(replace(SIZES, a=4, b=4), size=4, ridge=0.0, power=0.0)
    plain.fit(replace(PAIRS, a=Features(a), b=Features(b)), KNOWN)
    loss = method.loss(batch_of(PAIRS, KNOWN))["total"].item()
    assert loss == pytest.approx(-plain.get_buffer("correlations").sum().item(), abs=1e-5)


def test_linear_networks_learn_the_correlations_that_cca_solves_for():
    noisy = replace(PAIRS, a=Features(PAIRS.a[:] + np.random.default_rng(0).standard_normal(PAIRS.a.shape) * 2))
    method, plain = linear(1e-6, size=2), CCA(SIZES, size=2, ridge=0.0, power=0.0)
    method.prepare(noisy)
    plain.fit(noisy, KNOWN)
    best = -plain.get_buffer("correlations").sum().item()
    before = method.loss(batch_of(noisy, KNOWN))["total"].item()
    after = learn(method, steps=300, pairs=noisy)
    assert before > best + 0.3
    assert after == pytest.approx(best, abs=0.02)
    assert after >= best - 1e-4  # nothing linear correlates more


def test_hidden_layers_find_a_relation_that_nothing_linear_has():
    """One modality is the squares of the other's numbers: uncorrelated with them, and a function of them."""
    a = np.random.default_rng(0).standard_normal((120, 6)).astype(np.float32)
    squares = replace(PAIRS, a=Features(a), b=Features(a[:, :5] ** 2))
    plain = CCA(SIZES, size=4, ridge=0.0, power=0.0)
    plain.fit(squares, KNOWN)
    assert plain.get_buffer("correlations").mean() < 0.4
    method = dcca()
    method.prepare(squares)
    assert learn(method, steps=60, pairs=squares) < -0.9 * 4


def test_settled_codes_are_the_canonical_variates_of_the_networks_outputs():
    method = dcca("method.final.ridge=0.0")
    learn(method, steps=20)
    method.settle(PAIRS, KNOWN)
    a, b = (method.encode(getattr(PAIRS, side), side).astype(np.float64) for side in ("a", "b"))
    correlations = np.diag(method.final.get_buffer("correlations").numpy())
    for codes, other, expected in ((a, a, np.eye(4)), (b, b, np.eye(4)), (a, b, correlations)):
        np.testing.assert_allclose(codes.T @ other / len(PAIRS), expected, atol=1e-4)
    assert -np.trace(correlations) == pytest.approx(method.loss(batch_of(PAIRS, KNOWN))["total"].item(), abs=0.02)


@pytest.mark.parametrize("training", [True, False])
def test_settling_leaves_weights_mode_and_random_numbers_alone_and_can_be_repeated(training):
    method = dcca("method.encoder_a.dropout=0.5").train(training)
    weights = {name: value.clone() for name, value in method.named_parameters()}
    random = torch.get_rng_state()
    method.settle(PAIRS, KNOWN)
    once = {name: value.clone() for name, value in method.state_dict().items()}
    method.settle(PAIRS, KNOWN)
    assert method.training is training
    assert torch.equal(torch.get_rng_state(), random)
    assert all(torch.equal(value, weights[name]) for name, value in method.named_parameters())
    assert all(torch.equal(value, once[name]) for name, value in method.state_dict().items())
    assert method.loss(batch_of(PAIRS, KNOWN))["total"].requires_grad


def test_a_batch_of_one_pair_teaches_nothing_and_breaks_nothing():
    method, one = dcca(), PAIRS.take(np.array([3]))
    before = {name: value.clone() for name, value in method.named_parameters()}
    assert learn(method, steps=1, pairs=one) == 0
    assert all(torch.equal(value, before[name]) for name, value in method.named_parameters())


def test_labels_and_class_vectors_change_nothing():
    plain, other = dcca(), dcca()
    shuffled = replace(PAIRS, labels=np.random.default_rng(0).permutation(PAIRS.labels))
    for method, pairs in ((plain, PAIRS), (other, shuffled)):
        learn(method, steps=3, pairs=pairs)
        method.settle(pairs, KNOWN)
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in plain.state_dict().items())

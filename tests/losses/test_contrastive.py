import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_builders import cosine, doubles

from msl.losses.contrastive import contrastive, sigmoid_contrastive


def naive_contrastive(a, b, scale):
    def log_softmax(logits, i):
        return logits[i] - math.log(sum(map(math.exp, logits)))

    pairs = range(len(a))
    to_b = [log_softmax([scale * cosine(a[i], b[j]) for j in pairs], i) for i in pairs]
    to_a = [log_softmax([scale * cosine(a[j], b[i]) for j in pairs], i) for i in pairs]
    return [-(one + other) / 2 for one, other in zip(to_b, to_a, strict=True)]


def naive_sigmoid(a, b, scale, bias):
    def log_sigmoid(x):
        return -math.log1p(math.exp(-x))

    pairs = range(len(a))
    return [
        -sum(log_sigmoid((1 if i == j else -1) * (scale * cosine(a[i], b[j]) + bias)) for j in pairs) for i in pairs
    ]


@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 100), bias=st.floats(-10, 10))
@settings(deadline=None, max_examples=20)
def test_losses_are_their_formulas_written_as_loops(seed, scale, bias):
    a, b = doubles(5, 3, seed=seed), doubles(5, 3, seed=seed + 1)
    t, shift = torch.tensor(scale, dtype=torch.float64), torch.tensor(bias, dtype=torch.float64)
    assert contrastive(a, b, t).tolist() == pytest.approx(naive_contrastive(a, b, scale), abs=1e-12, rel=1e-12)
    assert sigmoid_contrastive(a, b, t, shift).tolist() == pytest.approx(
        naive_sigmoid(a, b, scale, bias), abs=1e-12, rel=1e-12
    )


@pytest.mark.parametrize("pairs", [1, 2, 10])
def test_codes_that_are_all_alike_cost_log_of_the_batch(pairs):
    same = torch.ones(pairs, 3, dtype=torch.float64)
    values = contrastive(same, same, torch.tensor(14.0, dtype=torch.float64))
    assert values.tolist() == pytest.approx([math.log(pairs)] * pairs, abs=1e-12)


@pytest.mark.parametrize("pairs", [1, 2, 10])
def test_a_scale_and_bias_of_zero_cost_log_two_for_every_two_codes(pairs):
    zero = torch.tensor(0.0, dtype=torch.float64)
    values = sigmoid_contrastive(doubles(pairs, 3), doubles(pairs, 3, seed=1), zero, zero)
    assert values.tolist() == pytest.approx([pairs * math.log(2)] * pairs, abs=1e-12)


@pytest.mark.parametrize("more", [(), (torch.tensor(-5.0, dtype=torch.float64),)], ids=["softmax", "sigmoid"])
def test_pairs_told_apart_cost_less_the_larger_the_scale(more):
    codes = torch.eye(4, dtype=torch.float64)
    loss = sigmoid_contrastive if more else contrastive
    costs = [loss(codes, codes, torch.tensor(scale, dtype=torch.float64), *more).mean() for scale in (1, 10, 20)]
    assert costs[0] > costs[1] > costs[2]
    assert contrastive(codes, codes, torch.tensor(1000.0, dtype=torch.float64)).tolist() == [0] * 4


def test_both_losses_are_symmetric_in_the_modalities():
    a, b = doubles(6, 3), doubles(6, 3, seed=1)
    scale, bias = torch.tensor(10.0, dtype=torch.float64), torch.tensor(-4.0, dtype=torch.float64)
    torch.testing.assert_close(contrastive(b, a, scale), contrastive(a, b, scale), atol=1e-12, rtol=0)
    swapped, plain = (sigmoid_contrastive(*codes, scale, bias).sum() for codes in ((b, a), (a, b)))
    torch.testing.assert_close(swapped, plain, atol=1e-12, rtol=0)


def test_the_softmax_stays_finite_for_huge_scales():
    values = contrastive(doubles(4, 3), doubles(4, 3, seed=1), torch.tensor(1e6, dtype=torch.float64))
    assert values.isfinite().all()

import math

import pytest
import torch

from msl.losses.dual_adversarial import dual_adversarial, embedding_adversarial

LOGITS = torch.randn(6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def test_two_discriminators_cost_the_cross_entropy_of_each_written_as_a_loop():
    expected = [
        -(math.log(sigmoid(true_a)) + math.log(1 - sigmoid(made_a))) / 2
        - (math.log(sigmoid(true_b)) + math.log(1 - sigmoid(made_b))) / 2
        for true_a, made_a, true_b, made_b in LOGITS[:4].T.tolist()
    ]
    assert dual_adversarial(*LOGITS[:4]).tolist() == pytest.approx(expected, abs=1e-12)


def test_discriminators_of_class_embeddings_cost_the_cross_entropy_of_three_verdicts_each():
    expected = [
        -sum(
            math.log(sigmoid(true)) + math.log(1 - sigmoid(own)) + math.log(1 - sigmoid(other))
            for true, own, other in both
        )
        / 2
        for both in ((row[:3], row[3:]) for row in LOGITS.T.tolist())
    ]
    assert embedding_adversarial(*LOGITS).tolist() == pytest.approx(expected, abs=1e-12)


def test_blind_discriminators_cost_half_a_logarithm_of_two_a_verdict():
    blind = torch.zeros(3, dtype=torch.float64)
    assert dual_adversarial(blind, blind, blind, blind).tolist() == pytest.approx([2 * math.log(2)] * 3)
    assert embedding_adversarial(*[blind] * 6).tolist() == pytest.approx([3 * math.log(2)] * 3)


def test_sure_and_right_discriminators_cost_nothing():
    sure = torch.full((2,), 800.0, dtype=torch.float64)
    assert not dual_adversarial(sure, -sure, sure, -sure).any()
    assert not embedding_adversarial(*[sure, -sure, -sure] * 2).any()

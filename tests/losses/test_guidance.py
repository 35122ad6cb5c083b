import math

import pytest
import torch

from msl.losses.guidance import guidance, meaning_guidance

CODES = torch.randn(4, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LABEL = torch.tensor([0, 1, 0, 2, 1])


def by_hand(views, guide):
    values = []
    for i in range(5):
        value = 0.0
        for view in views:
            for j in range(5):
                t = sum(one * other for one, other in zip(view[i], guide[j], strict=True)) / 2
                share = 1 / (1 + math.exp(-t))
                value -= math.log(share if LABEL[i] == LABEL[j] else 1 - share) / 5
        values.append(value)
    return values


def test_loss_is_the_likelihood_written_as_a_loop():
    a, b, semantic, guide = CODES.tolist()
    found = guidance(*CODES, LABEL)
    assert found.tolist() == pytest.approx(by_hand((a, b, semantic), guide), abs=1e-12, rel=1e-12)


def test_likelihood_of_what_is_made_of_two_codes_written_as_a_loop():
    a, b, embedding = CODES[:3].tolist()
    found = meaning_guidance(*CODES[:3], LABEL)
    assert found.tolist() == pytest.approx(by_hand((a, b), embedding), abs=1e-12, rel=1e-12)


def test_codes_of_zeros_cost_three_logarithms_of_two():
    zeros = torch.zeros(5, 4, dtype=torch.float64)
    assert guidance(zeros, zeros, zeros, zeros, LABEL).tolist() == pytest.approx([3 * math.log(2)] * 5)


def test_codes_along_their_class_and_against_the_others_cost_nothing():
    own = 100 * (2 * torch.eye(2, dtype=torch.float64) - 1)
    assert guidance(own, own, own, own, torch.tensor([0, 1])).tolist() == pytest.approx([0, 0], abs=1e-12)


def test_a_class_in_common_is_a_class_shared():
    several = torch.tensor([[0.5, 0.5, 0], [0, 1, 0], [0.5, 0.5, 0], [0, 0, 1], [0, 1, 0]], dtype=torch.float64)
    one = torch.tensor([0, 0, 0, 1, 0])
    torch.testing.assert_close(guidance(*CODES, several), guidance(*CODES, one))

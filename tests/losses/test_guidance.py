import math

import pytest
import torch

from msl.losses.guidance import guidance

CODES = torch.randn(3, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LABEL = torch.tensor([0, 1, 0, 2, 1])


def test_loss_is_the_likelihood_written_as_a_loop():
    a, b, semantic = CODES.tolist()
    expected = []
    for i in range(5):
        value = 0.0
        for code in (a[i], b[i], semantic[i]):
            for j in range(5):
                t = sum(one * other for one, other in zip(code, semantic[j], strict=True)) / 2
                share = 1 / (1 + math.exp(-t))
                value -= math.log(share if LABEL[i] == LABEL[j] else 1 - share) / 5
        expected.append(value)
    assert guidance(*CODES, LABEL).tolist() == pytest.approx(expected, abs=1e-12, rel=1e-12)


def test_codes_of_zeros_cost_three_logarithms_of_two():
    zeros = torch.zeros(5, 4, dtype=torch.float64)
    assert guidance(zeros, zeros, zeros, LABEL).tolist() == pytest.approx([3 * math.log(2)] * 5)


def test_codes_along_their_class_and_against_the_others_cost_nothing():
    own = 100 * (2 * torch.eye(2, dtype=torch.float64) - 1)
    assert guidance(own, own, own, torch.tensor([0, 1])).tolist() == pytest.approx([0, 0], abs=1e-12)


def test_a_class_in_common_is_a_class_shared():
    several = torch.tensor([[0.5, 0.5, 0], [0, 1, 0], [0.5, 0.5, 0], [0, 0, 1], [0, 1, 0]], dtype=torch.float64)
    one = torch.tensor([0, 0, 0, 1, 0])
    torch.testing.assert_close(guidance(*CODES, several), guidance(*CODES, one))

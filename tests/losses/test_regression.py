import pytest
import torch

from msl.losses.regression import regression, semantic_regression

CODES = torch.randn(4, 5, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def half(x, y):
    return sum((one - other) ** 2 for one, other in zip(x, y, strict=True)) / 2


def test_regression_is_half_the_squared_distance_of_either_code_written_as_a_loop():
    a, b, w = CODES[:3].tolist()
    expected = [half(a[i], w[i]) + half(b[i], w[i]) for i in range(5)]
    assert regression(*CODES[:3]).tolist() == pytest.approx(expected, abs=1e-12)


def test_semantic_regression_is_the_mean_square_written_as_a_loop():
    made, w = CODES[:2].tolist()
    expected = [sum((x - y) ** 2 for x, y in zip(made[i], w[i], strict=True)) / 3 for i in range(5)]
    assert semantic_regression(*CODES[:2]).tolist() == pytest.approx(expected, abs=1e-12)


def test_a_code_three_and_four_from_its_class_embedding_costs_twelve_and_a_half():
    w = torch.tensor([[1.0, 1.0]])
    assert regression(torch.tensor([[4.0, 5.0]]), w, w).tolist() == [12.5]

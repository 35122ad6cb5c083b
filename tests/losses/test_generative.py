import math

import pytest
import torch
from torch.nn.functional import one_hot

from msl.losses.generative import cross_reconstruction, fused_class, fused_reconstruction, self_reconstruction

ERRORS = torch.tensor([[[1.0, 20.0, 300.0], [4000.0, 2.0, 50.0], [600.0, 7000.0, 3.0]]], dtype=torch.float64)


def test_own_latents_stand_on_the_diagonal_and_others_off_it():
    assert self_reconstruction(ERRORS).tolist() == [6]
    assert cross_reconstruction(ERRORS).tolist() == [11970]


def test_two_modalities_have_two_crossings():
    assert self_reconstruction(ERRORS[:, :2, :2]).tolist() == [3]
    assert cross_reconstruction(ERRORS[:, :2, :2]).tolist() == [4020]


def test_fused_reconstruction_sums_the_squares_of_both_modalities():
    a, b = torch.tensor([[1.0, 2.0]]), torch.tensor([[5.0]])
    assert fused_reconstruction(a, b, a, b).tolist() == [0]
    assert fused_reconstruction(a, b, a + 3, b - 1).tolist() == [19]
    assert fused_reconstruction(b, a, b - 1, a + 3).tolist() == [19]


@pytest.mark.parametrize("classes", [2, 10])
def test_a_uniform_classifier_costs_the_logarithm_of_the_classes(classes):
    logits = torch.full((classes, classes), 0.4, dtype=torch.float64)
    assert fused_class(logits, torch.arange(classes)).tolist() == pytest.approx([math.log(classes)] * classes)


def test_a_label_and_its_one_hot_distribution_cost_the_same():
    logits, label = (
        torch.randn(6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)),
        torch.arange(6) % 4,
    )
    torch.testing.assert_close(fused_class(logits, one_hot(label, 4).double()), fused_class(logits, label))

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_builders import classes_of, cosine, doubles, labels

from msl.losses.triplet import triplet


def naive(a, b, label, margin):
    values = []
    for i in range(len(a)):
        negatives = [j for j in range(len(a)) if not classes_of(label, i) & classes_of(label, j)]
        own = cosine(a[i], b[i])
        one = max((margin + cosine(a[i], b[j]) - own for j in negatives), default=0)
        other = max((margin + cosine(a[j], b[i]) - own for j in negatives), default=0)
        values.append(max(0, one) + max(0, other))
    return values


@pytest.mark.parametrize("several", [False, True], ids=["one class", "several classes"])
@given(seed=st.integers(0, 10_000), margin=st.floats(0, 2))
@settings(deadline=None, max_examples=20)
def test_loss_is_the_formula_written_as_a_loop(several, seed, margin):
    a, b, label = doubles(7, 3, seed=seed), doubles(7, 3, seed=seed + 1), labels(7, 4, several=several, seed=seed)
    assert triplet(a, b, label, margin=margin).tolist() == pytest.approx(naive(a, b, label, margin), abs=1e-12)


def test_a_batch_of_one_class_costs_nothing_and_moves_nothing():
    a, b = doubles(4, 3).requires_grad_(), doubles(4, 3, seed=1).requires_grad_()
    values = triplet(a, b, torch.zeros(4, dtype=torch.long), margin=0.2)
    assert not values.any()
    for gradient in torch.autograd.grad(values.sum(), (a, b)):
        assert not gradient.any()


def test_only_the_hardest_negative_moves():
    a = torch.tensor([[1.0, 0.0]], dtype=torch.float64).repeat(3, 1)
    angles = torch.tensor([0.5, 0.7, 1.2], dtype=torch.float64)
    b = torch.stack([angles.cos(), angles.sin()], dim=1).requires_grad_()
    triplet(a, b, torch.tensor([0, 1, 2]), margin=0.4)[0].backward()
    assert b.grad[1].any()
    assert not b.grad[2].any()


def test_codes_apart_by_the_margin_cost_nothing():
    codes = torch.eye(3, dtype=torch.float64)
    assert not triplet(codes, codes, torch.arange(3), margin=1.0).any()
    assert triplet(codes, codes, torch.arange(3), margin=1.5).tolist() == [1, 1, 1]


def test_swapping_the_modalities_changes_nothing_and_lengths_do_not_count():
    a, b, label = doubles(6, 3), doubles(6, 3, seed=1), labels(6, 3, several=False)
    plain = triplet(a, b, label, margin=0.2)
    torch.testing.assert_close(triplet(b, a, label, margin=0.2), plain, atol=1e-12, rtol=0)
    torch.testing.assert_close(triplet(3 * a, 0.1 * b, label, margin=0.2), plain, atol=1e-12, rtol=0)

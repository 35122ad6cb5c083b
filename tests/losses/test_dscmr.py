import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_builders import classes_of, cosine, dot, doubles, labels

from msl.losses.dscmr import code_distance, label_distance, pairwise_likelihood

SEVERAL = pytest.mark.parametrize("several", [False, True], ids=["one class", "several classes"])


def distance(x, y):
    return math.sqrt(dot(x - y, x - y))


@SEVERAL
@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_label_distance_is_the_formula_written_as_a_loop(several, seed):
    a, b, label = doubles(6, 4, seed=seed), doubles(6, 4, seed=seed + 1), labels(6, 4, several=several, seed=seed)
    truth = [torch.tensor([float(k in classes_of(label, i)) for k in range(4)]) for i in range(6)]
    expected = [distance(a[i], truth[i]) + distance(b[i], truth[i]) for i in range(6)]
    assert label_distance(a, b, label).tolist() == pytest.approx(expected, abs=1e-12)


@SEVERAL
@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_pairwise_likelihood_is_the_formula_written_as_a_loop(several, seed):
    a, b, label = doubles(6, 3, seed=seed), doubles(6, 3, seed=seed + 1), labels(6, 4, several=several, seed=seed)

    def of_two(x, y, i, j):
        half = cosine(x[i], y[j]) / 2
        return math.log(1 + math.exp(half)) - bool(classes_of(label, i) & classes_of(label, j)) * half

    expected = [sum(of_two(x, y, i, j) for j in range(6) for x, y in ((a, b), (a, a), (b, b))) / 6 for i in range(6)]
    assert pairwise_likelihood(a, b, label).tolist() == pytest.approx(expected, abs=1e-12)


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=20)
def test_code_distance_is_the_formula_written_as_a_loop(seed):
    a, b = doubles(6, 3, seed=seed), doubles(6, 3, seed=seed + 1)
    assert code_distance(a, b).tolist() == pytest.approx([distance(a[i], b[i]) for i in range(6)], abs=1e-12)


def test_at_a_distance_of_zero_the_gradient_is_zero():
    code, label = doubles(3, 4).requires_grad_(), torch.arange(3)
    (gradient,) = torch.autograd.grad(code_distance(code, code.detach()).sum(), code)
    assert not gradient.any()
    right = torch.eye(3, dtype=torch.float64).requires_grad_()
    (gradient,) = torch.autograd.grad(label_distance(right, right, label).sum(), right)
    assert not gradient.any()


def test_pairwise_likelihood_is_least_for_classes_that_point_opposite_ways():
    label = torch.tensor([0, 0, 1, 1])
    apart = torch.tensor([[1.0, 0.0]] * 2 + [[-1.0, 0.0]] * 2, dtype=torch.float64)
    least = 3 * (math.log(1 + math.exp(0.5)) - 0.5 + math.log(1 + math.exp(-0.5))) / 2
    assert pairwise_likelihood(apart, apart, label).tolist() == pytest.approx([least] * 4, abs=1e-12)
    for seed in range(5):
        assert (pairwise_likelihood(doubles(4, 2, seed=seed), doubles(4, 2, seed=9), label) > least).any()

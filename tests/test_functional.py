import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from msl.functional import ramp, reverse_gradient, squared_distance


def doubles(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.equation(4)
@pytest.mark.parametrize("shape", [(), (3,), (4, 2), (2, 3, 4)])
def test_reversal_is_the_identity_forwards(shape):
    x = doubles(*shape)
    assert torch.equal(reverse_gradient(x, 0.7), x)


@pytest.mark.equation(4)
@pytest.mark.parametrize("scale", [0.0, 0.3, 1.0, 2.5])
def test_reversal_gives_minus_scale_times_the_gradient_of_the_identity(scale):
    x, upstream = doubles(5, 3).requires_grad_(), doubles(5, 3, seed=1)
    (plain,) = torch.autograd.grad(x.clone(), x, upstream)
    (reversed_,) = torch.autograd.grad(reverse_gradient(x, scale), x, upstream)
    assert torch.equal(reversed_, -scale * plain)


@pytest.mark.equation(4)
def test_one_descent_step_behind_the_reversal_descends_behind_it_and_ascends_before_it():
    before, behind = torch.tensor(0.5, requires_grad=True), torch.tensor(2.0, requires_grad=True)
    loss = (reverse_gradient(before * 3, 0.25) * behind).square()  # (3 w v)^2: d/dw = 18 w v^2, d/dv = 18 w^2 v
    loss.backward()
    assert before.grad == pytest.approx(-0.25 * 18 * 0.5 * 4)
    assert behind.grad == pytest.approx(18 * 0.25 * 2)


def test_two_reversals_of_scale_one_cancel():
    x = doubles(4).requires_grad_()
    (gradient,) = torch.autograd.grad(reverse_gradient(reverse_gradient(x, 1.0), 1.0).square().sum(), x)
    assert torch.equal(gradient, 2 * x.detach())


def test_ramp_starts_at_zero_and_ends_close_to_one():
    assert ramp(0, 10) == 0
    assert ramp(1, 10) == pytest.approx(1, abs=1e-4)
    assert ramp(0.5, 10) == pytest.approx(2 / (1 + math.exp(-5)) - 1, abs=1e-15)


@given(progress=st.floats(0, 1), gain=st.floats(0, 100))
@settings(deadline=None)
def test_ramp_is_a_hyperbolic_tangent(progress, gain):
    assert ramp(progress, gain) == pytest.approx(math.tanh(gain * progress / 2), abs=1e-14)


@given(one=st.floats(0, 1), other=st.floats(0, 1))
@settings(deadline=None)
def test_ramp_never_falls_and_stays_between_zero_and_one(one, other):
    low, high = sorted((one, other))
    assert 0 <= ramp(low, 10) <= ramp(high, 10) < 1


def test_squared_distance_is_the_naive_sum_per_row():
    x, y = doubles(5, 3), doubles(5, 3, seed=1)
    naive = [sum((x[i, k].item() - y[i, k].item()) ** 2 for k in range(3)) for i in range(5)]
    assert squared_distance(x, y).tolist() == pytest.approx(naive, abs=1e-12)

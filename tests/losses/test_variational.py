import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from msl.losses.variational import divergence, fused_divergence, specific_divergence, wasserstein

PAIRS, MODALITIES, LATENT = 5, 3, 4
SEEDS = st.integers(0, 10_000)
SOME = settings(deadline=None, max_examples=20)


def gaussians(seed, *shape):
    source = torch.Generator().manual_seed(seed)
    return [torch.randn(*shape, dtype=torch.float64, generator=source) for _ in range(2)]


def normals(means, log_variances):
    return Normal(means, (log_variances / 2).exp())


def close(found, expected):
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)


@given(seed=SEEDS)
@SOME
def test_divergence_is_that_of_torchs_normal_distributions(seed):
    of_all = gaussians(seed, PAIRS, MODALITIES, LATENT)
    standard = Normal(torch.zeros(()), torch.ones(()))
    close(divergence(*of_all), kl_divergence(normals(*of_all), standard).sum(dim=(1, 2)))
    assert torch.equal(specific_divergence(*of_all), divergence(*of_all))


@given(seed=SEEDS)
@SOME
def test_fused_divergence_is_that_of_torchs_normal_distributions(seed):
    of_all, fused = gaussians(seed, PAIRS, MODALITIES, LATENT), gaussians(seed + 1, PAIRS, LATENT)
    expected = sum(
        kl_divergence(normals(*(each[:, m] for each in of_all)), normals(*fused)).sum(dim=1) for m in range(MODALITIES)
    )
    close(fused_divergence(*of_all, *fused), expected)


@given(seed=SEEDS)
@SOME
def test_wasserstein_is_the_formula_written_as_a_loop(seed):
    means, log_variances = gaussians(seed, PAIRS, MODALITIES, LATENT)
    for pair, found in enumerate(wasserstein(means, log_variances).tolist()):
        expected = 0.0
        for i in range(MODALITIES):
            for j in range(i + 1, MODALITIES):
                squares = 0.0
                for k in range(LATENT):
                    sigma_i, sigma_j = (math.exp(log_variances[pair, m, k] / 2) for m in (i, j))
                    squares += float(means[pair, i, k] - means[pair, j, k]) ** 2 + (sigma_i - sigma_j) ** 2
                expected += math.sqrt(squares)
        assert found == pytest.approx(expected, abs=1e-12, rel=1e-12)


def test_squared_wasserstein_distance_is_the_least_mean_squared_distance_of_coupled_draws():
    """In one dimension the optimal coupling sorts: quantiles are compared with quantiles."""
    (mu, nu), (sigma, tau) = (0.3, -1.1), (0.5, 2.0)
    levels = torch.from_numpy((np.arange(200_000) + 0.5) / 200_000)
    apart = Normal(mu, sigma).icdf(levels) - Normal(nu, tau).icdf(levels)
    means = torch.tensor([[[mu], [nu]]], dtype=torch.float64)
    log_variances = torch.tensor([[[sigma], [tau]]], dtype=torch.float64).square().log()
    assert wasserstein(means, log_variances).item() == pytest.approx(apart.square().mean().sqrt().item(), abs=1e-3)


def test_the_standard_normal_is_at_no_distance_from_itself():
    zeros = torch.zeros(PAIRS, MODALITIES, LATENT)
    for values in (divergence(zeros, zeros), fused_divergence(zeros, zeros, zeros[:, 0], zeros[:, 0])):
        assert not values.any()


def test_known_values():
    one_mean = torch.tensor([[[3.0, 4.0], [0.0, 0.0]]])
    assert divergence(one_mean, torch.zeros_like(one_mean)).tolist() == [12.5]
    assert wasserstein(one_mean, torch.zeros_like(one_mean)).tolist() == [5]
    doubled = torch.full((1, 1, 1), math.log(4.0), dtype=torch.float64)  # N(0, 4)
    assert divergence(torch.zeros_like(doubled), doubled).item() == pytest.approx((4 - 1 - math.log(4)) / 2)


@given(seed=SEEDS, order=st.permutations(range(MODALITIES)))
@SOME
def test_no_distance_is_negative_and_the_order_of_the_modalities_is_nothing(seed, order):
    of_all, fused = gaussians(seed, PAIRS, MODALITIES, LATENT), gaussians(seed + 1, PAIRS, LATENT)
    moved = [each[:, list(order)] for each in of_all]
    for loss, further in ((divergence, []), (fused_divergence, fused), (wasserstein, [])):
        values = loss(*of_all, *further)
        assert (values >= 0).all()
        close(loss(*moved, *further), values)


def test_equal_gaussians_have_a_gradient_of_zero():
    means, log_variances = (torch.ones(2, 3, 4, requires_grad=True) for _ in range(2))
    wasserstein(means, log_variances).sum().backward()
    assert not means.grad.any()
    assert not log_variances.grad.any()

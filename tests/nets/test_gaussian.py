import math

import pytest
import torch
from torch.distributions import Normal

from msl.nets.decoder import Decoder
from msl.nets.gaussian import Gaussian, drawn, gaussians


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_mean_is_linear_and_log_variance_is_linear_within_its_bound():
    layer, hidden = Gaussian(7, size=4, bound=1.5).double(), 5 * torch.randn(20, 7, dtype=torch.float64)
    torch.testing.assert_close(layer(hidden), hidden @ layer.linear.weight.T + layer.linear.bias)
    free = hidden @ layer.spread.weight.T + layer.spread.bias
    assert (free > 1.5).any()
    assert (free < -1.5).any()
    torch.testing.assert_close(layer.log_variance(hidden), free.clamp(-1.5, 1.5))


def test_draws_have_the_gaussians_distribution():
    mean, log_variance = torch.tensor([2.0, -1.0]), torch.tensor([0.0, math.log(9.0)])
    draws = drawn(mean.expand(100_000, 2), log_variance.expand(100_000, 2))
    torch.testing.assert_close(draws.mean(dim=0), mean, atol=0.05, rtol=0)
    for value in (-2.0, 0.0, 2.5):
        share = (draws <= value).float().mean(dim=0)
        torch.testing.assert_close(
            share, Normal(mean, (log_variance / 2).exp()).cdf(torch.tensor(value)), atol=0.01, rtol=0
        )


def test_draws_pass_gradients_to_mean_and_variance():
    mean, log_variance = torch.zeros(3, requires_grad=True), torch.full((3,), 0.8, requires_grad=True)
    value = drawn(mean, log_variance)
    value.sum().backward()
    assert mean.grad.tolist() == [1, 1, 1]
    torch.testing.assert_close(log_variance.grad, value.detach() / 2)  # of exp(log_variance / 2) * noise


def test_gaussians_are_stacked_in_the_order_of_their_layers():
    layers = [Gaussian(inputs, size=3, bound=9.0) for inputs in (5, 2)]
    hidden = [torch.randn(4, 5), torch.randn(4, 2)]
    means, log_variances = gaussians(layers, hidden)
    assert means.shape == log_variances.shape == (4, 2, 3)
    for m in range(2):
        torch.testing.assert_close(means[:, m], layers[m](hidden[m]))
        torch.testing.assert_close(log_variances[:, m], layers[m].log_variance(hidden[m]))


def test_decoder_rebuilds_every_latent_of_an_item_for_itself():
    decoder, latents = Decoder(3, 6, hidden=[8], activation="tanh", dropout=0.0), torch.randn(4, 2, 3)
    assert decoder(latents).shape == (4, 2, 6)
    torch.testing.assert_close(decoder(latents)[:, 1], decoder(latents[:, 1]))

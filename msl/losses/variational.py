"""Losses of variational autoencoders on diagonal Gaussians ``N(mean, exp(log_variance))``, m of them for every pair."""

from itertools import combinations

import torch
from torch import Tensor


def divergence(means: Tensor, log_variances: Tensor) -> Tensor:
    """Kullback-Leibler divergence of every modality's Gaussian from the standard normal.

    ``sum_m KL(N(mu_m, sigma_m^2) || N(0, 1)) = 1/2 sum_m sum_k ( sigma_mk^2 + mu_mk^2 - 1 - log sigma_mk^2 )``

    - mu_m -> `means` (n, m, latent), log sigma_m^2 -> `log_variances` (n, m, latent)

    Returns one value per pair (n,). Reference: Kingma, Welling, "Auto-Encoding Variational Bayes", ICLR 2014, appendix B.
    """
    return (log_variances.exp() + means.square() - 1 - log_variances).sum(dim=(1, 2)) / 2


def specific_divergence(specific_means: Tensor, specific_log_variances: Tensor) -> Tensor:
    """`divergence` of the latents that belong to one modality only: both (n, m, latent), one value per pair (n,)."""
    return divergence(specific_means, specific_log_variances)


def fused_divergence(means: Tensor, log_variances: Tensor, fused_mean: Tensor, fused_log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence of every modality's Gaussian from the one that is made from all modalities together.

    ``sum_m KL(N(mu_m, sigma_m^2) || N(nu, tau^2))``,
    ``KL = 1/2 sum_k ( sigma_mk^2 / tau_k^2 + (mu_mk - nu_k)^2 / tau_k^2 - 1 - log sigma_mk^2 / tau_k^2 )``

    - mu_m -> `means` (n, m, latent), log sigma_m^2 -> `log_variances` (n, m, latent)
    - nu -> `fused_mean` (n, latent), log tau^2 -> `fused_log_variance` (n, latent)

    Returns one value per pair (n,). Dividing by tau makes the fused Gaussian the standard normal of `divergence`.
    """
    nu, log_tau_squared = fused_mean[:, None], fused_log_variance[:, None]
    return divergence((means - nu) / (log_tau_squared / 2).exp(), log_variances - log_tau_squared)


def wasserstein(means: Tensor, log_variances: Tensor) -> Tensor:
    """2-Wasserstein distance between the Gaussians of every two modalities.

    ``sum_{i<j} ( ||mu_i - mu_j||_2^2 + ||sigma_i - sigma_j||_2^2 )^(1/2)``

    - mu_i -> `means` (n, m, latent), log sigma_i^2 -> `log_variances` (n, m, latent)

    Returns one value per pair (n,); where two Gaussians are equal the gradient is taken as 0.
    Reference: Schönfeld et al., CVPR 2019 (CADA-VAE).
    """
    points = torch.cat([means, (log_variances / 2).exp()], dim=2)  # (n, m, 2 latent)
    pairs = combinations(points.unbind(dim=1), 2)
    return torch.stack([torch.linalg.vector_norm(one - other, dim=1) for one, other in pairs]).sum(dim=0)

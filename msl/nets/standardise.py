"""Inputs centred and scaled by the training rows' statistics, kept as buffers so that a query is treated the same way."""

from typing import Literal

import torch
from torch import Tensor, nn

from msl.types import Positive


class Standardise(nn.Module):
    """``(x - mean) / deviation``; the identity until `fit` has seen the training rows.

    With `per` feature every feature gets a deviation of its own (z-scores); with `per` modality one deviation serves
    all, which keeps the features' proportions, as word vectors want. `squared_norm` then scales the rows so that this
    is their mean squared norm: losses that sum over features weigh both modalities alike whatever their widths; None
    leaves z-scores as they are. A feature that is constant over the training rows is centred and left unscaled.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: int, *, per: Literal["feature", "modality"], squared_norm: Positive | None) -> None:
        super().__init__()
        self.per, self.squared_norm = per, squared_norm
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def fit(self, features: Tensor) -> None:
        """Take the statistics from training rows (n, size)."""
        wide = features.double()
        mean, variance = wide.mean(dim=0), wide.var(dim=0, correction=0)
        noise = (1e-6 * wide.abs().amax(dim=0)).square()  # what float32 cannot tell from a constant, in any unit
        if self.per == "modality":
            variance, noise = (x.mean().expand_as(x) for x in (variance, noise))
        deviation = torch.where(variance > noise, variance, 1.0).sqrt()
        norm = ((wide - mean) / deviation).square().sum(dim=1).mean()
        if self.squared_norm is not None and (variance > noise).any():
            deviation = deviation * (norm / self.squared_norm).sqrt()
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)

    def forward(self, features: Tensor) -> Tensor:
        """(n, size) -> (n, size)."""
        return (features - self.mean) / self.deviation

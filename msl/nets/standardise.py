"""Inputs centred and scaled by the training rows' statistics, kept as buffers so that a query is treated the same way."""

from collections.abc import Iterable
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

    def fit(self, stretches: Iterable[Tensor]) -> None:
        """Take the statistics from the training rows, given as any number of stretches (rows, size)."""
        mean, own_variance, largest = _moments(stretches)
        noise = (1e-6 * largest).square()  # what float32 cannot tell from a constant, in any unit
        variance = own_variance
        if self.per == "modality":
            variance, noise = (x.mean().expand_as(x) for x in (variance, noise))
        deviation = torch.where(variance > noise, variance, 1.0).sqrt()
        norm = (own_variance / deviation.square()).sum()  # the mean over rows of the squared norm
        if self.squared_norm is not None and (variance > noise).any():
            deviation = deviation * (norm / self.squared_norm).sqrt()
        self.mean.copy_(mean)
        self.deviation.copy_(deviation)

    def forward(self, features: Tensor) -> Tensor:
        """(n, size) -> (n, size)."""
        return (features - self.mean) / self.deviation


def _moments(stretches: Iterable[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Mean, variance and largest magnitude of every feature, float64, in one pass (Chan, Golub & LeVeque, 1983)."""
    count, mean, squares, largest = 0, torch.zeros(()), torch.zeros(()), torch.zeros(())
    for stretch in stretches:
        wide = stretch.double()
        own, rows = wide.mean(dim=0), len(wide)
        apart = own - mean
        squares = squares + (wide - own).square().sum(dim=0) + apart.square() * (count * rows / (count + rows))
        mean = mean + apart * (rows / (count + rows))
        largest = torch.maximum(largest, wide.abs().amax(dim=0))
        count += rows
    return mean, squares / count, largest

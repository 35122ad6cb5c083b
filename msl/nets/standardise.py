"""Z-scores with the statistics of the training rows, kept as buffers so that a query is treated the same way."""

import torch
from torch import Tensor, nn


class Standardise(nn.Module):
    """``(x - mean) / deviation`` per feature; the identity until `fit` has seen the training rows.

    A feature that is constant over the training rows is centred and left unscaled.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    def fit(self, features: Tensor) -> None:
        """Take mean and standard deviation from training rows (n, size)."""
        wide = features.double()
        deviation = wide.std(dim=0, correction=0)
        self.mean.copy_(wide.mean(dim=0))
        self.deviation.copy_(torch.where(deviation > 1e-6, deviation, 1.0))

    def forward(self, features: Tensor) -> Tensor:
        """(n, size) -> (n, size)."""
        return (features - self.mean) / self.deviation

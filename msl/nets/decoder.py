"""The decoder of one modality: rebuilds its features from a latent code."""

from collections.abc import Sequence

from torch import Tensor, nn

from msl.nets.mlp import Activation, mlp
from msl.types import Count, Fraction


class Decoder(nn.Module):
    """Latents (..., latent) -> features (..., size)."""

    def __init__(
        self, latent: int, size: int, *, hidden: Sequence[Count], activation: Activation, dropout: Fraction
    ) -> None:
        super().__init__()
        self.layers = mlp(latent, hidden, size, activation=activation, dropout=dropout)

    def forward(self, latents: Tensor) -> Tensor:
        """(..., latent) -> (..., size)."""
        features: Tensor = self.layers(latents)
        return features

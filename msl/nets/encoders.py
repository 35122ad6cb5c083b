"""The paired encoders: one per modality, of equal shape above their first layer, so that the code layer is shared."""

from collections.abc import Sequence

from torch import Tensor, nn

from msl.nets.mlp import Activation, mlp
from msl.types import Count, Fraction


class Encoder(nn.Module):
    """One sub-network of the pair, below the code layer: features (n, inputs) -> hidden (n, `size`)."""

    def __init__(self, inputs: int, *, hidden: Sequence[Count], activation: Activation, dropout: Fraction) -> None:
        super().__init__()
        self.size = hidden[-1] if hidden else inputs
        self.layers = mlp(inputs, hidden, None, activation=activation, dropout=dropout)

    def forward(self, features: Tensor) -> Tensor:
        """(n, inputs) -> (n, size)."""
        hidden: Tensor = self.layers(features)
        return hidden

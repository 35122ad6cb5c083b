"""The modality discriminator: fully connected layers only, one logit for "this code came from modality a"."""

from collections.abc import Sequence

from torch import Tensor, nn

from msl.nets.mlp import Activation, mlp
from msl.types import Count, Fraction


class Discriminator(nn.Module):
    """Codes (n, code) -> logits (n,); positive means modality a, negative modality b."""

    def __init__(self, code: int, *, hidden: Sequence[Count], activation: Activation, dropout: Fraction) -> None:
        super().__init__()
        self.layers = mlp(code, hidden, 1, activation=activation, dropout=dropout)

    def forward(self, codes: Tensor) -> Tensor:
        """(n, code) -> (n,)."""
        logits: Tensor = self.layers(codes)
        return logits.squeeze(1)

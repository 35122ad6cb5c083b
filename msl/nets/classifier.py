"""The shared classifier: fully connected layers whose softmax over the seen classes serves both modalities."""

from collections.abc import Sequence

from torch import Tensor, nn

from msl.nets.mlp import Activation, mlp
from msl.types import Count, Fraction


class Classifier(nn.Module):
    """Codes (n, code) -> logits (n, classes)."""

    def __init__(
        self, code: int, classes: int, *, hidden: Sequence[Count], activation: Activation, dropout: Fraction
    ) -> None:
        super().__init__()
        self.layers = mlp(code, hidden, classes, activation=activation, dropout=dropout)

    def forward(self, codes: Tensor) -> Tensor:
        """(n, code) -> (n, classes)."""
        logits: Tensor = self.layers(codes)
        return logits

"""The shared code layer: the same weights for both modalities, its output is the code."""

from typing import Literal

from torch import Tensor, nn

from msl.nets.mlp import ACTIVATIONS, Activation
from msl.types import Count


class CodeLayer(nn.Module):
    """Hidden (n, inputs) -> code (n, size); `activation` bounds the code (`tanh`, `relu`) or leaves it (`none`)."""

    def __init__(self, inputs: int, *, size: Count, activation: Activation | Literal["none"]) -> None:
        super().__init__()
        self.size = size
        self.linear = nn.Linear(inputs, size)
        self.activation = None if activation == "none" else ACTIVATIONS[activation]()

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, inputs) -> (n, size)."""
        code: Tensor = self.linear(hidden)
        return code if self.activation is None else self.activation(code)

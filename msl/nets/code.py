"""The shared code layer: the same weights for both modalities, its output is the code."""

from typing import Literal

import torch
from torch import Tensor, nn

from msl.types import Count


class CodeLayer(nn.Module):
    """Hidden (n, inputs) -> code (n, size); `activation` bounds the code (`tanh`) or leaves it (`none`)."""

    def __init__(self, inputs: int, *, size: Count, activation: Literal["none", "tanh"]) -> None:
        super().__init__()
        self.size = size
        self.linear = nn.Linear(inputs, size)
        self.bounded = activation == "tanh"

    def forward(self, hidden: Tensor) -> Tensor:
        """(n, inputs) -> (n, size)."""
        code: Tensor = self.linear(hidden)
        return torch.tanh(code) if self.bounded else code

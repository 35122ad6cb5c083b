"""Fully connected stacks: what the encoders, the decoders and the discriminator are made of."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from torch import nn

Activation: TypeAlias = Literal["relu", "tanh", "gelu"]

ACTIVATIONS: dict[Activation, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU}


def mlp(
    inputs: int, hidden: Sequence[int], outputs: int | None, *, activation: Activation, dropout: float
) -> nn.Sequential:
    """Linear layers with an activation, then dropout, after each hidden one; a last linear layer if `outputs` is given."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), ACTIVATIONS[activation]()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        inputs = width
    if outputs is not None:
        layers.append(nn.Linear(inputs, outputs))
    return nn.Sequential(*layers)

"""Small pieces of mathematics that networks, losses and methods share."""

import math
from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: float) -> Tensor:
        ctx.scale = scale
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return -ctx.scale * gradients[0], None


def reverse_gradient(x: Tensor, scale: float) -> Tensor:
    """Identity forwards, ``-scale`` times the gradient backwards (Ganin & Lempitsky, ICML 2015, eq. 15).

    Minimising a loss behind the reversal lets what lies behind it minimise the loss and what lies before it
    maximise ``scale`` times the loss: the min-max game of one optimiser. Any shape.
    """
    reversed_: Tensor = _Reversal.apply(x, scale)  # type: ignore[no-untyped-call]
    return reversed_


def ramp(progress: float, gain: float) -> float:
    """``2 / (1 + exp(-gain * progress)) - 1``: from 0 to almost 1 as progress goes from 0 to 1.

    The reversal's schedule of Ganin & Lempitsky (2015, section 5.2.2) and of ACMR's code, there with gain 10.
    """
    return 2 / (1 + math.exp(-gain * progress)) - 1


def squared_distance(x: Tensor, y: Tensor) -> Tensor:
    """``||x_i - y_i||_2^2`` for every row: (n, d), (n, d) -> (n,)."""
    return (x - y).square().sum(dim=1)


def sharing(label: Tensor) -> Tensor:
    """Whether two items share a class (n, n): of labels (n,), or of distributions over classes (n, classes)."""
    if label.ndim == 1:
        return label[:, None] == label[None, :]
    return label @ label.T > 0

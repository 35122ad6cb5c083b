"""Encoders of sequences: features that are steps of `width` numbers one after the other, as ``texts=sequence`` makes.

Features whose size is no multiple of `width` are one step of their own size. Steps of padding count as any other: the
tutorials that these encoders come from mask none.
"""

import torch
from torch import Tensor, nn

from msl.types import Count, Fraction


class LSTM(nn.Module):
    """Features (n, inputs) -> the last hidden state of a long short-term memory (n, `size`), with dropout after it.

    Reference: Hochreiter, Schmidhuber, "Long Short-Term Memory", Neural Computation, 1997.
    """

    def __init__(self, inputs: int, *, width: Count, hidden: Count, dropout: Fraction) -> None:
        super().__init__()
        self.size, self.shape = hidden, _shape(inputs, width)
        self.cells = nn.LSTM(self.shape[1], hidden, batch_first=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor) -> Tensor:
        """(n, inputs) -> (n, size)."""
        _, (last, _) = self.cells(features.reshape(features.shape[0], *self.shape))  # last: (1, n, size)
        hidden: Tensor = self.dropout(last[0])
        return hidden


class AttentionPooling(nn.Module):
    """Features (n, inputs) -> a mean of the steps, weighted by attention, through a dense layer with ReLU (n, `size`).

    ``h = ReLU(D sum_t p_t x_t + d)``,  ``p = softmax_t v^T tanh(W x_t + w)``

    The order of the steps is not seen.
    Reference: Bahdanau, Cho, Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate",
    ICLR 2015 (additive attention), with one learnt question, v, for all texts.
    """

    def __init__(self, inputs: int, *, width: Count, hidden: Count, dropout: Fraction) -> None:
        super().__init__()
        self.size, self.shape = hidden, _shape(inputs, width)
        self.score = nn.Sequential(nn.Linear(self.shape[1], hidden), nn.Tanh(), nn.Linear(hidden, 1, bias=False))
        self.layers = nn.Sequential(nn.Linear(self.shape[1], hidden), nn.ReLU(), nn.Dropout(dropout))

    def forward(self, features: Tensor) -> Tensor:
        """(n, inputs) -> (n, size)."""
        steps = features.reshape(features.shape[0], *self.shape)  # (n, steps, width)
        weights = torch.softmax(self.score(steps), dim=1)  # (n, steps, 1)
        hidden: Tensor = self.layers((weights * steps).sum(dim=1))
        return hidden


def _shape(inputs: int, width: int) -> tuple[int, int]:
    """Steps and numbers per step."""
    return (1, inputs) if inputs % width else (inputs // width, width)

"""The learnt scale and bias of cosines, from which contrastive losses take their logits."""

import math

import torch
from torch import Tensor, nn

from msl.types import Positive


class Scale(nn.Module):
    """``logit = scale * cosine + bias``: the scale is learnt on a logarithmic scale from `start` and never above `ceiling`.

    The bias is learnt too; a softmax over logits does not change with it.
    """

    def __init__(self, *, start: Positive, ceiling: Positive, bias: float) -> None:
        super().__init__()
        self.highest = math.log(ceiling)
        self.log_scale = nn.Parameter(torch.tensor(math.log(start)))
        self.bias = nn.Parameter(torch.tensor(bias))

    @property
    def value(self) -> Tensor:
        """The scale, a scalar; above the ceiling it is set back to it, from where gradients can lead it down again."""
        with torch.no_grad():
            self.log_scale.clamp_(max=self.highest)
        return self.log_scale.exp()

    def forward(self, cosines: Tensor) -> Tensor:
        """Cosines of any shape -> logits of the same shape."""
        return self.value * cosines + self.bias

"""Code layers of variational autoencoders: a Gaussian per item, whose mean is the code."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from msl.nets.code import CodeLayer
from msl.types import Count, Positive


class Gaussian(CodeLayer):
    """Hidden (n, inputs) -> mean (n, size), the code; `log_variance` is the other half of a diagonal Gaussian.

    Reference: Kingma, Welling, "Auto-Encoding Variational Bayes", ICLR 2014.
    """

    def __init__(self, inputs: int, *, size: Count, bound: Positive) -> None:
        super().__init__(inputs, size=size, activation="none")
        self.bound = bound
        self.spread = nn.Linear(inputs, size)

    def log_variance(self, hidden: Tensor) -> Tensor:
        """(n, inputs) -> logarithm of the variances (n, size), kept within `-bound` and `bound`."""
        return self.spread(hidden).clamp(-self.bound, self.bound)  # type: ignore[no-any-return]


def drawn(mean: Tensor, log_variance: Tensor) -> Tensor:
    """``mean + exp(log_variance / 2) * noise``, noise from torch's global generator, of any one shape.

    The reparameterisation of Kingma & Welling: gradients reach mean and variance.
    """
    return mean + (log_variance / 2).exp() * torch.randn_like(mean)


def gaussians(layers: Iterable[Gaussian], hidden: Iterable[Tensor]) -> tuple[Tensor, Tensor]:
    """Means and log-variances, both (n, m, size), of m layers, each on its own hidden (n, inputs)."""
    both = [(layer(each), layer.log_variance(each)) for layer, each in zip(layers, hidden, strict=True)]
    means, log_variances = zip(*both, strict=True)
    return torch.stack(means, dim=1), torch.stack(log_variances, dim=1)

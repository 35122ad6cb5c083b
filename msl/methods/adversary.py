"""How the min-max game between encoders and modality discriminator is played."""

from collections.abc import Callable
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from msl.functional import ramp, reverse_gradient
from msl.types import Count, NonNegative


class Adversary(Protocol):
    """Shows the codes to the discriminator, and says whose turn it is."""

    def judge(self, discriminator: nn.Module, codes: Tensor, *, step: int, progress: float) -> Tensor:
        """Logits (n,) of codes (n, code), with the gradients that this step's player is to get."""
        ...

    def turn(self, step: int) -> Literal["both", "discriminator", "encoders"]:
        """Who learns at this step."""
        ...


class Reversal:
    """Gradient reversal: one optimiser, both players at every step.

    The discriminators get the gradients of their loss, the encoders `strength` times the reversed ones: with a `gain` of 0 and
    a `strength` of 1 those of the min-max objective. With a gain the encoders' share is ramped, `strength * ramp(progress, gain)`:
    from 0 at the start of training to (almost) `strength` at its end.
    """

    def __init__(self, *, strength: NonNegative, gain: NonNegative) -> None:
        self.scale: Callable[[float], float] = lambda progress: strength * (ramp(progress, gain) if gain else 1.0)

    def judge(self, discriminator: nn.Module, codes: Tensor, *, step: int, progress: float) -> Tensor:
        """The discriminator descends on the loss behind these logits, the encoders ascend on it."""
        logits: Tensor = discriminator(reverse_gradient(codes, self.scale(progress)))
        return logits

    def turn(self, step: int) -> Literal["both"]:
        """Both, always."""
        return "both"


class Alternating:
    """The players take turns: `discriminator_steps` batches for the discriminator, then one for the encoders."""

    def __init__(self, *, strength: NonNegative, gain: NonNegative, discriminator_steps: Count) -> None:
        self.reversal = Reversal(strength=strength, gain=gain)
        self.round = discriminator_steps + 1

    def judge(self, discriminator: nn.Module, codes: Tensor, *, step: int, progress: float) -> Tensor:
        """Gradients reach only the player whose turn it is."""
        if self.turn(step) == "discriminator":
            logits: Tensor = discriminator(codes.detach())
            return logits
        frozen = {name: parameter.detach() for name, parameter in discriminator.named_parameters()}
        reversed_ = reverse_gradient(codes, self.reversal.scale(progress))
        return torch.func.functional_call(discriminator, frozen, (reversed_,))  # type: ignore[no-any-return]

    def turn(self, step: int) -> Literal["discriminator", "encoders"]:
        """The encoders' turn comes last in every round."""
        return "encoders" if step % self.round == self.round - 1 else "discriminator"

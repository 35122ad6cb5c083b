"""The named tensors of one batch that terms of the objective may ask for."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor, nn

from msl.methods.method import Batch

if TYPE_CHECKING:  # which makes a pass of every batch
    from msl.methods.branches import Branches

MADE_BY: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("a_from_a", "a_from_b", "b_from_a", "b_from_b"), ("decoders",)),
    **dict.fromkeys(("modality_logits_a", "modality_logits_b"), ("discriminator", "adversary")),
    **dict.fromkeys(("class_logits_a", "class_logits_b"), ("classifier",)),
    **dict.fromkeys(("scale", "bias"), ("scale",)),
}
"""The parts of a method without which a tensor cannot be had."""


def one_of(several: str, place: int, about: str) -> property:
    """The tensor at `place` of the tuple that a pass has under the name `several`, by a name that terms can ask for."""
    return property(lambda self: getattr(self, several)[place], doc=about)


class ForwardPass:
    """The named tensors of one batch, each computed when a term first asks for it: a dropped term costs nothing.

    Both branches go through the shared parts in one product: rows of modality a before those of modality b.
    """

    verdicts: ClassVar[Sequence[tuple[str, str]]] = [("modality_logits_a", "modality_logits_b")]
    """Names of the discriminators' logits, in pairs: of what is rightly told by a positive one, by a negative one."""

    def __init__(self, method: "Branches", batch: Batch) -> None:
        self._method, self._batch = method, batch

    @cached_property
    def a(self) -> Tensor:
        """Standardised features of modality a (n, size_a)."""
        standardised: Tensor = self._method.inputs["a"](self._batch.a)
        return standardised

    @cached_property
    def b(self) -> Tensor:
        """Standardised features of modality b (n, size_b)."""
        standardised: Tensor = self._method.inputs["b"](self._batch.b)
        return standardised

    @cached_property
    def codes(self) -> Tensor:
        """Codes of both modalities (2n, code)."""
        method = self._method
        if method.code_layer_b is not None:
            return torch.cat([method.branch(self.a, "a"), method.branch(self.b, "b")])
        codes: Tensor = method.code_layer(torch.cat([method.encoder_a(self.a), method.encoder_b(self.b)]))
        return codes

    @property
    def code_a(self) -> Tensor:
        """Codes of modality a (n, code)."""
        return self.codes.chunk(2)[0]

    @property
    def code_b(self) -> Tensor:
        """Codes of modality b (n, code)."""
        return self.codes.chunk(2)[1]

    @cached_property
    def rebuilt(self) -> tuple[Tensor, Tensor]:
        """Both modalities rebuilt from both codes: (2n, size_a), (2n, size_b)."""
        rebuilt: tuple[Tensor, Tensor] = self._method.part("decoders")(self.codes, self._batch.embedding)
        return rebuilt

    @property
    def a_from_a(self) -> Tensor:
        """Modality a rebuilt from its own code (n, size_a)."""
        return self.rebuilt[0].chunk(2)[0]

    @property
    def a_from_b(self) -> Tensor:
        """Modality a rebuilt from b's code (n, size_a)."""
        return self.rebuilt[0].chunk(2)[1]

    @property
    def b_from_a(self) -> Tensor:
        """Modality b rebuilt from a's code (n, size_b)."""
        return self.rebuilt[1].chunk(2)[0]

    @property
    def b_from_b(self) -> Tensor:
        """Modality b rebuilt from its own code (n, size_b)."""
        return self.rebuilt[1].chunk(2)[1]

    def judged(self, discriminator: nn.Module, *parts: Tensor) -> tuple[Tensor, ...]:
        """The discriminator's logits (n,) of each part (n, size), with the gradients of the configured game."""
        step, progress = self._batch.step, self._batch.progress
        logits = self._method.game().judge(discriminator, torch.cat(parts), step=step, progress=progress)
        return logits.chunk(len(parts))

    @cached_property
    def modality_logits(self) -> tuple[Tensor, ...]:
        """The discriminator's logits for the codes of a and of b (n,) each."""
        return self.judged(self._method.part("discriminator"), self.codes)[0].chunk(2)

    modality_logits_a = one_of("modality_logits", 0, "The discriminator's logits for the codes of a (n,).")
    modality_logits_b = one_of("modality_logits", 1, "The discriminator's logits for the codes of b (n,).")

    @cached_property
    def class_logits(self) -> Tensor:
        """The shared classifier's logits (2n, classes)."""
        logits: Tensor = self._method.part("classifier")(self.codes)
        return logits

    @property
    def class_logits_a(self) -> Tensor:
        """The classifier's logits for the codes of a (n, classes)."""
        return self.class_logits.chunk(2)[0]

    @property
    def class_logits_b(self) -> Tensor:
        """The classifier's logits for the codes of b (n, classes)."""
        return self.class_logits.chunk(2)[1]

    @property
    def label(self) -> Tensor:
        """Class of each pair (n,), an index of the classes trained on; of several classes, a distribution (n, classes)."""
        return self._batch.label

    @property
    def embedding(self) -> Tensor:
        """Class embedding of each pair (n, size)."""
        return self._batch.embedding

    @property
    def class_embeddings(self) -> Tensor:
        """Embeddings of all classes trained on (classes, size)."""
        return self._batch.class_embeddings

    @property
    def scale(self) -> Tensor:
        """The learnt factor of the cosines, a scalar."""
        scale: Tensor = self._method.part("scale").value  # type: ignore[assignment]
        return scale

    @property
    def bias(self) -> Tensor:
        """What is added to the scaled cosines, a scalar."""
        bias: Tensor = self._method.part("scale").bias  # type: ignore[assignment]
        return bias

    def accuracy(self, wanted: Collection[str]) -> Tensor:
        """Share of the verdicts among the `wanted` tensors that are right, a scalar."""
        pairs = [pair for pair in self.verdicts if {*pair} & {*wanted}]
        right = [
            (getattr(self, one) > 0).float().mean() + (getattr(self, other) <= 0).float().mean() for one, other in pairs
        ]
        return torch.stack(right).mean() / 2

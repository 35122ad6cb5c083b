"""Paired encoders taught by an objective: MASLN and every rival that is made of the same parts."""

from collections.abc import Callable
from functools import cached_property
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from msl.losses.objective import Objective
from msl.methods.adversary import Adversary
from msl.methods.method import Batch, Sizes, Trained
from msl.nets.classifier import Classifier
from msl.nets.code import CodeLayer
from msl.nets.decoders import Decoders
from msl.nets.discriminator import Discriminator
from msl.nets.encoders import Encoder
from msl.nets.scale import Scale
from msl.nets.standardise import Standardise
from msl.types import InputError, Modality

Searched: TypeAlias = Literal["code", "posterior"]
"""What a search compares: codes, or the classifier's posteriors over the classes trained on."""


class Branches(Trained):
    """Two encoders whose codes share one space, and what teaches them; terms of the objective ask for tensors by name.

    A part that is not configured is not built, and a term that wants it is refused. Without `code_b` the code layer is shared.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        inputs_a: Callable[[int], Standardise],
        inputs_b: Callable[[int], Standardise],
        encoder_a: Callable[[int], Encoder],
        encoder_b: Callable[[int], Encoder],
        code: Callable[[int], CodeLayer],
        objective: Objective,
        code_b: Callable[[int], CodeLayer] | None = None,
        decoders: Callable[[int, int, int, int], Decoders] | None = None,
        discriminator: Callable[[int], Discriminator] | None = None,
        classifier: Callable[[int, int], Classifier] | None = None,
        scale: Callable[[], Scale] | None = None,
        adversary: Adversary | None = None,
        searched: Searched = "code",
    ) -> None:
        super().__init__(sizes, inputs_a(sizes.a), inputs_b(sizes.b))
        self.encoder_a, self.encoder_b = encoder_a(sizes.a), encoder_b(sizes.b)
        self.code_layer = code(self.encoder_a.size)
        self.code_layer_b = code_b(self.encoder_b.size) if code_b else None
        width = self.code_layer.size
        self.decoders = decoders(width, sizes.embedding, sizes.a, sizes.b) if decoders else None
        self.discriminator = discriminator(width) if discriminator else None
        self.classifier = classifier(width, sizes.classes) if classifier else None
        self.scale = scale() if scale else None
        self.objective, self.adversary, self.searched = objective, adversary, searched
        self._monitors: dict[str, Tensor] = {}

    def part(self, name: str) -> nn.Module:
        """The part of that name; an `InputError` if the method is configured without."""
        part = getattr(self, name)
        if part is None:
            raise InputError(
                f"a term of the objective wants method.{name}, which is not there; configure it, or drop the term"
            )
        return part  # type: ignore[no-any-return]

    def branch(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, code) of standardised features (n, size) of one modality."""
        encoder = self.encoder_a if modality == "a" else self.encoder_b
        last = self.code_layer_b if modality == "b" and self.code_layer_b is not None else self.code_layer
        codes: Tensor = last(encoder(features))
        return codes

    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """What is searched of features (n, size) of one modality: codes (n, code) or posteriors (n, classes)."""
        codes = self.branch(self.inputs[modality](features), modality)
        if self.searched == "code":
            return codes
        posteriors: Tensor = self.part("classifier")(codes).softmax(dim=1)
        return posteriors

    def tensors(self, batch: Batch) -> "ForwardPass":
        """What the objective's terms may ask for; a method with more to offer returns a pass of its own."""
        return ForwardPass(self, batch)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Scalar value of every configured term, and `total`.

        In the discriminator's turn of an alternating game only the terms that ask for its logits are computed.
        """
        tensors = self.tensors(batch)
        adversarial = [name for name, term in self.objective.terms.items() if "modality_logits_a" in term.wants]
        alone = bool(adversarial) and self.game().turn(batch.step) == "discriminator"
        values = self.objective(tensors, only=adversarial if alone else None)
        self._monitors = {"discriminator_accuracy": tensors.discriminator_accuracy()} if adversarial else {}
        return values

    def game(self) -> Adversary:
        """How the game against the discriminator is played; an `InputError` if the method is configured without."""
        if self.adversary is None:
            raise InputError(
                "a term of the objective wants method.adversary, which is not there; configure it, or drop the term"
            )
        return self.adversary

    def monitors(self) -> dict[str, Tensor]:
        """The discriminator's accuracy on the last batch: 0.5 when it cannot tell the modalities apart."""
        return self._monitors


class ForwardPass:
    """The named tensors of one batch, each computed when a term first asks for it: a dropped term costs nothing.

    Both branches go through the shared parts in one product: rows of modality a before those of modality b.
    """

    def __init__(self, method: Branches, batch: Batch) -> None:
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

    @cached_property
    def modality_logits(self) -> Tensor:
        """The discriminator's logits (2n,), with the gradients of the configured game."""
        step, progress = self._batch.step, self._batch.progress
        return self._method.game().judge(self._method.part("discriminator"), self.codes, step=step, progress=progress)

    @property
    def modality_logits_a(self) -> Tensor:
        """The discriminator's logits for the codes of a (n,)."""
        return self.modality_logits.chunk(2)[0]

    @property
    def modality_logits_b(self) -> Tensor:
        """The discriminator's logits for the codes of b (n,)."""
        return self.modality_logits.chunk(2)[1]

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

    def discriminator_accuracy(self) -> Tensor:
        """Share of the 2n codes whose modality the discriminator names rightly, a scalar."""
        first, second = self.modality_logits.detach().chunk(2)
        return ((first > 0).float().mean() + (second <= 0).float().mean()) / 2

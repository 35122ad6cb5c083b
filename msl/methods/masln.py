"""MASLN: the modal-adversarial semantic learning network (Xu et al., ICMR 2018)."""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor

from msl.losses.objective import Objective
from msl.methods.adversary import Adversary
from msl.methods.method import Batch, Sizes, Trained
from msl.nets.classifier import Classifier
from msl.nets.code import CodeLayer
from msl.nets.decoders import Decoders
from msl.nets.discriminator import Discriminator
from msl.nets.encoders import Encoder
from msl.nets.standardise import Standardise
from msl.types import Modality


class MASLN(Trained):
    """Paired encoders and a shared code layer; decoders, discriminator and classifier teach them and are then left aside.

    Only encoders and code layer are used for retrieval: no class embedding of the searched classes is needed.
    Reference: Xu, Song, Lu, Yang, Shen, Huang, "Modal-adversarial Semantic Learning Network for Extendable
    Cross-modal Retrieval", ICMR 2018, doi 10.1145/3206025.3206033, equations (1) to (6).
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
        decoders: Callable[[int, int, int, int], Decoders],
        discriminator: Callable[[int], Discriminator],
        classifier: Callable[[int, int], Classifier],
        objective: Objective,
        adversary: Adversary,
    ) -> None:
        super().__init__(sizes, inputs_a(sizes.a), inputs_b(sizes.b))
        self.encoder_a, self.encoder_b = encoder_a(sizes.a), encoder_b(sizes.b)
        self.code_layer = code(self.encoder_a.size)
        self.decoders = decoders(self.code_layer.size, sizes.embedding, sizes.a, sizes.b)
        self.discriminator = discriminator(self.code_layer.size)
        self.classifier = classifier(self.code_layer.size, sizes.classes)
        self.objective, self.adversary = objective, adversary
        self._monitors: dict[str, Tensor] = {}

    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, code) of features (n, size) of one modality."""
        encoder = self.encoder_a if modality == "a" else self.encoder_b
        codes: Tensor = self.code_layer(encoder(self.inputs[modality](features)))
        return codes

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Scalar value of every configured term, and `total`.

        In the discriminator's turn of an alternating game only the terms that ask for its logits are computed.
        """
        tensors = ForwardPass(self, batch)
        adversarial = [name for name, term in self.objective.terms.items() if "modality_logits_a" in term.wants]
        discriminators_turn = bool(adversarial) and self.adversary.turn(batch.step) == "discriminator"
        values = self.objective(tensors, only=adversarial if discriminators_turn else None)
        self._monitors = {"discriminator_accuracy": tensors.discriminator_accuracy()} if adversarial else {}
        return values

    def monitors(self) -> dict[str, Tensor]:
        """The discriminator's accuracy on the last batch: 0.5 when it cannot tell the modalities apart."""
        return self._monitors


class ForwardPass:
    """The named tensors of one batch, each computed when a term first asks for it: a dropped term costs nothing.

    Both branches go through the shared parts in one product: rows of modality a before those of modality b.
    """

    def __init__(self, method: MASLN, batch: Batch) -> None:
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
        hidden = torch.cat([self._method.encoder_a(self.a), self._method.encoder_b(self.b)])
        codes: Tensor = self._method.code_layer(hidden)
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
        rebuilt: tuple[Tensor, Tensor] = self._method.decoders(self.codes, self._batch.embedding)
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
        return self._method.adversary.judge(self._method.discriminator, self.codes, step=step, progress=progress)

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
        logits: Tensor = self._method.classifier(self.codes)
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
        """Class of each pair (n,), an index of the classes trained on."""
        return self._batch.label

    @property
    def embedding(self) -> Tensor:
        """Class embedding of each pair (n, size)."""
        return self._batch.embedding

    def discriminator_accuracy(self) -> Tensor:
        """Share of the 2n codes whose modality the discriminator names rightly, a scalar."""
        first, second = self.modality_logits.detach().chunk(2)
        return ((first > 0).float().mean() + (second <= 0).float().mean()) / 2

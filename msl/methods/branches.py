"""Paired encoders taught by an objective: MASLN and every rival that is made of the same parts."""

from collections.abc import Callable
from typing import Literal, TypeAlias, TypedDict

import torch
from torch import Tensor, nn

from msl.data.pairs import Features
from msl.losses.objective import Objective
from msl.methods.adversary import Adversary
from msl.methods.forward_pass import MADE_BY, ForwardPass
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


class Pair(TypedDict):
    """What every two branches are built with."""

    inputs_a: Callable[[int], Standardise]
    inputs_b: Callable[[int], Standardise]
    encoder_a: Callable[[int], Encoder]
    encoder_b: Callable[[int], Encoder]
    objective: Objective


class Branches(Trained):
    """Two encoders whose codes share one space, and what teaches them; terms of the objective ask for tensors by name.

    A part that is not configured is not built, and a term that wants it is an `InputError`. Without `code_b` the code layer
    is shared.
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
        self._check_widths()
        self._check_parts()

    def _check_widths(self) -> None:
        """An `InputError` if the codes of both modalities, or what a shared code layer is given, differ in width."""
        if self.code_layer_b is None:
            widths, keys = (self.encoder_a.size, self.encoder_b.size), ("encoder_a", "encoder_b")
            why = "share the code layer; give both the same last hidden layer"
        else:
            widths, keys = (self.code_layer.size, self.code_layer_b.size), ("code", "code_b")
            why = "are searched in one space; give both the same size"
        if widths[0] != widths[1]:
            raise InputError(f"method.{keys[0]}, {widths[0]} wide, and method.{keys[1]}, {widths[1]} wide, {why}")

    def _check_parts(self) -> None:
        """An `InputError` if a term or the search wants a part that is not there."""
        wanted = [
            (f"the objective's term {name!r}", part, f"drop the term (~method.objective.terms.{name})")
            for name, term in self.objective.terms.items()
            for tensor in term.wants
            for part in MADE_BY.get(tensor, ())
        ]
        if self.searched == "posterior":
            wanted.append(("method.searched=posterior", "classifier", "search codes (method.searched=code)"))
        for who, part, otherwise in wanted:
            if getattr(self, part) is None:
                remedy = "adversary@method.adversary=reversal" if part == "adversary" else f"net@method.{part}={part}"
                raise InputError(f"{who} wants method.{part}, which is not there; give it (+{remedy}), or {otherwise}")

    def part(self, name: str) -> nn.Module:
        """The part of that name; construction has refused terms that want one that is not there."""
        part = getattr(self, name)
        assert part is not None
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

    def outputs(self, features: Features, modality: Modality) -> Tensor:
        """Codes (n, code) of all raw features of one modality, without dropout or gradients: what `settle` looks at."""
        was_training = self.training
        self.eval()
        with torch.no_grad():
            inputs = self.inputs[modality]
            codes = [self.branch(inputs(torch.from_numpy(raw)), modality) for raw in features.stretches()]
        self.train(was_training)
        return torch.cat(codes)

    def tensors(self, batch: Batch) -> ForwardPass:
        """What the objective's terms may ask for; a method with more to offer returns a pass of its own."""
        return ForwardPass(self, batch)

    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Scalar value of every configured term, and `total`.

        In the discriminators' turn of an alternating game only the terms that ask for their verdicts are computed.
        """
        tensors = self.tensors(batch)
        verdicts = {name for pair in tensors.verdicts for name in pair}
        asked = {name: verdicts & {*term.wants} for name, term in self.objective.terms.items()}
        adversarial = [name for name, wanted in asked.items() if wanted]
        alone = bool(adversarial) and self.game().turn(batch.step) == "discriminator"
        values = self.objective(tensors, only=adversarial if alone else None)
        judged = set().union(*asked.values())
        self._monitors = {"discriminator_accuracy": tensors.accuracy(judged)} if adversarial else {}
        return values

    def game(self) -> Adversary:
        """How the game against the discriminators is played; construction has refused terms that want one without it."""
        assert self.adversary is not None
        return self.adversary

    def monitors(self) -> dict[str, Tensor]:
        """The discriminators' accuracy on the last batch: 0.5 when they cannot tell the true from the made."""
        return self._monitors

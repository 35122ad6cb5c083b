"""What methods share that learn class meaning: codes as wide as the class embeddings, which have norm 1."""

from collections.abc import Callable
from functools import partial

from torch import Tensor, nn
from torch.nn.functional import normalize

from msl.methods.forward_pass import ForwardPass
from msl.methods.method import Sizes
from msl.nets.code import CodeLayer
from msl.nets.encoders import Encoder
from msl.types import InputError

TRUE_AND_MADE = (("true_logits_a", "made_logits_a"), ("true_logits_b", "made_logits_b"))
"""Verdicts of a discriminator for each modality, on what is true and on what a network made."""


def embedding_size(sizes: Sizes, *, method: str) -> int:
    """The width of the class embeddings; an `InputError` where there are none."""
    if not sizes.embedding:
        raise InputError(
            f"{method} learns from class embeddings and this run has none (embedding=none); give it some, such as embedding=words"
        )
    return sizes.embedding


def class_space(sizes: Sizes, *, method: str) -> Callable[[int], CodeLayer]:
    """A linear last layer whose codes lie in the space of the class embeddings; an `InputError` where there are none."""
    return partial(CodeLayer, size=embedding_size(sizes, method=method), activation="none")


def topped(below: Encoder, size: int) -> nn.Sequential:
    """A network with a linear last layer: (n, inputs) -> (n, size)."""
    return nn.Sequential(below, CodeLayer(below.size, size=size, activation="none"))


class ClassSpacePass(ForwardPass):
    """A forward pass whose class embeddings have norm 1."""

    @property
    def embedding(self) -> Tensor:
        """Class embedding of each pair, of norm 1 (n, size)."""
        return normalize(self._batch.embedding)

    @property
    def class_embeddings(self) -> Tensor:
        """Embeddings of all classes trained on, of norm 1 (classes, size)."""
        return normalize(self._batch.class_embeddings)

"""What methods share that learn class meaning: codes as wide as the class embeddings, which have norm 1."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from msl.methods.branches import ForwardPass
from msl.methods.method import Sizes
from msl.nets.code import CodeLayer
from msl.types import InputError


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


class ClassSpacePass(ForwardPass):
    """A forward pass whose class embeddings have norm 1, and whose discriminators tell the true from the made."""

    @property
    def embedding(self) -> Tensor:
        """Class embedding of each pair, of norm 1 (n, size)."""
        return normalize(self._batch.embedding)

    @property
    def class_embeddings(self) -> Tensor:
        """Embeddings of all classes trained on, of norm 1 (classes, size)."""
        return normalize(self._batch.class_embeddings)

    def judged(self, discriminator: nn.Module, *parts: Tensor) -> tuple[Tensor, ...]:
        """The discriminator's logits (n,) of each part (n, size), with the gradients of the configured game."""
        step, progress = self._batch.step, self._batch.progress
        logits = self._method.game().judge(discriminator, torch.cat(parts), step=step, progress=progress)
        return logits.chunk(len(parts))

"""Batches: a shuffled pass over the training pairs per epoch, no work per item, and a state that resumes to the bit."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from msl.data.classes import Classes
from msl.data.pairs import Pairs
from msl.methods.method import Batch
from msl.types import Ints


class Batches:
    """Iterates over one epoch at a time; batch number `step` is a pure function of the seed and `step`.

    The last, smaller batch of an epoch is kept. `state_dict` holds the next step, so that a run resumed in the middle
    of an epoch sees the very batches it would have seen.
    """

    def __init__(self, pairs: Pairs, classes: Classes, *, size: int, seed: int, epochs: int) -> None:
        self.a, self.b = pairs.a, pairs.b
        self.labels, self.vectors = _targets(pairs.labels), torch.from_numpy(np.ascontiguousarray(classes.vectors))
        self.size, self.seed, self.epochs = size, seed, epochs
        self.step = 0

    def __len__(self) -> int:
        return math.ceil(len(self.labels) / self.size)

    def __iter__(self) -> Iterator[Batch]:
        epoch, position = divmod(self.step, len(self))
        order = torch.from_numpy(np.random.default_rng((self.seed, epoch)).permutation(len(self.labels)))
        for rows in torch.split(order, self.size)[position:]:
            batch = self.batch(rows)
            self.step += 1
            yield batch

    def batch(self, rows: torch.Tensor) -> Batch:
        """The training pairs at `rows` (n,) as the batch of the current step."""
        label, positions = self.labels[rows], rows.numpy()
        return Batch(
            a=torch.from_numpy(self.a[positions]),
            b=torch.from_numpy(self.b[positions]),
            label=label,
            embedding=self.vectors[label] if label.ndim == 1 else label @ self.vectors,
            class_embeddings=self.vectors,
            step=self.step,
            progress=self.step / (self.epochs * len(self)),
        )

    def state_dict(self) -> dict[str, Any]:
        """The next step."""
        return {"step": self.step}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        self.step = state["step"]


def _targets(labels: Ints) -> torch.Tensor:
    """Class indices (n,); of items with several classes, a distribution over them (n, classes), each alike."""
    if labels.ndim == 1:
        return torch.from_numpy(np.ascontiguousarray(labels))
    indicators = torch.from_numpy(labels).float()
    return indicators / indicators.sum(dim=1, keepdim=True)

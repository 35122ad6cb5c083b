"""What closed-form methods sum over the training pairs: in float64, a stretch of rows at a time, whatever their number."""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch import Tensor, nn

from msl.data.classes import Classes
from msl.data.pairs import STRETCH, Features
from msl.types import Ints


def standardised(inputs: nn.Module, features: Features, basis: Tensor) -> Iterator[Tensor]:
    """The features as `inputs` gives them, in the directions of `basis` (size, rank): float64 (rows, rank) each."""
    for raw in features.stretches():
        yield inputs(torch.from_numpy(raw)).double() @ basis


def memberships(labels: Ints, classes: int) -> Iterator[Tensor]:
    """1 where an item has a class, else 0: float64 (rows, classes) each."""
    each = np.eye(classes)
    for start in range(0, len(labels), STRETCH):
        some = labels[start : start + STRETCH]
        yield torch.from_numpy(each[some] if some.ndim == 1 else some.astype(np.float64))


def shares(labels: Ints, classes: int) -> Iterator[Tensor]:
    """How much of an item each class is: float64 rows (rows, classes) of sum 1, alike for all classes of an item."""
    for each in memberships(labels, classes):
        yield each / each.sum(dim=1, keepdim=True)


def products(left: Iterable[Tensor], right: Iterable[Tensor]) -> Tensor:
    """``sum_i l_i r_i'`` over the rows of all stretches: (size of l, size of r)."""
    return torch.as_tensor(sum(a.T @ b for a, b in zip(left, right, strict=True)))


def span(inputs: nn.Module, features: Features) -> Tensor:
    """Orthonormal directions (size, rank) to solve in: of fewer pairs than features, those the pairs span.

    No other direction has any covariance, and a bag of thousands of words is solved for in seconds.
    """
    size = features.shape[1]
    if len(features) >= size:
        return torch.eye(size, dtype=torch.float64)
    rows: Tensor = inputs(torch.from_numpy(features[:])).double()
    basis: Tensor = torch.linalg.qr(rows.T).Q
    return basis


def class_vectors(classes: Classes) -> Tensor:
    """The class embeddings, each of norm 1: float64 (classes, embedding)."""
    return nn.functional.normalize(torch.from_numpy(np.ascontiguousarray(classes.vectors)).double())

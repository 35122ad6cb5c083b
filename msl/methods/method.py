"""What every method is: a module that encodes either modality, and learns from pairs by gradients or in closed form."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from msl.data.classes import Classes
from msl.data.pairs import STRETCH, Features, Pairs
from msl.nets.standardise import Standardise
from msl.types import Floats, Modality


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Widths that the data decide: features of a and b, classes trained on, class embedding."""

    a: int
    b: int
    classes: int
    embedding: int


@dataclass(frozen=True, kw_only=True)
class Batch:
    """n training pairs: features `a` (n, size_a) and `b` (n, size_b), `label` (n,) among the classes trained on,
    their `embedding` (n, size), those of all `class_embeddings` (classes, size), and where training stands: `step`
    counts batches, `progress` runs from 0 to 1.

    Of items with several classes, `label` (n, classes) is a distribution over them and `embedding` its mean.
    """

    a: Tensor
    b: Tensor
    label: Tensor
    embedding: Tensor
    class_embeddings: Tensor
    step: int
    progress: float

    def to(self, device: torch.device, **options: Any) -> "Batch":
        """The same batch on a device."""
        moved = {name: getattr(self, name).to(device, **options) for name in _TENSORS}
        return replace(self, **moved)


_TENSORS = ("a", "b", "label", "embedding", "class_embeddings")


class Method(nn.Module, ABC):
    """Encodes features of either modality to codes of one space; its state is its `state_dict`, nothing else."""

    def __init__(self, sizes: Sizes, inputs_a: Standardise, inputs_b: Standardise) -> None:
        super().__init__()
        self.sizes = sizes
        self.inputs = nn.ModuleDict({"a": inputs_a, "b": inputs_b})

    def prepare(self, pairs: Pairs) -> None:
        """Take the input statistics from the training pairs."""
        for name, features in (("a", pairs.a), ("b", pairs.b)):
            self.inputs[name].fit(map(torch.from_numpy, features.stretches()))  # type: ignore[operator]

    @abstractmethod
    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, code) of features (n, size) of one modality."""

    def encode(self, features: Features | Floats, modality: Modality) -> Floats:
        """Codes (n, code), float32, of raw features (n, size): no class, no label, no other row is looked at."""
        was_training = self.training
        self.eval()
        codes: Floats = np.empty((0, 0), np.float32)
        with torch.inference_mode():
            for start in range(0, max(len(features), 1), STRETCH):
                # torch warns of arrays mapped read-only
                raw = np.require(features[start : start + STRETCH], np.float32, ["C", "W"])
                some = self.code(torch.from_numpy(raw), modality).numpy()
                if not start:  # the first stretch tells how wide codes are
                    codes = np.empty((len(features), some.shape[1]), np.float32)
                codes[start : start + len(some)] = some
        self.train(was_training)
        return codes


class Trained(Method):
    """A method that learns by gradients."""

    @abstractmethod
    def loss(self, batch: Batch) -> dict[str, Tensor]:
        """Scalar value of every term, and `total`, which training minimises."""

    def settle(self, pairs: Pairs, classes: Classes) -> None:
        """Take what codes need besides the weights from the training pairs; called before codes are asked for."""

    def monitors(self) -> dict[str, Tensor]:
        """Scalars of the last batch worth watching that nothing minimises."""
        return {}


class ClosedForm(Method):
    """A method that is solved for."""

    @abstractmethod
    def fit(self, pairs: Pairs, classes: Classes) -> None:
        """Solve for the training pairs; `pairs.labels` index `classes`."""

"""The LightningModule around a trained method: one optimiser, automatic optimisation, a guard against NaN."""

from collections.abc import Callable, Iterable
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from msl.methods.method import Batch, Trained
from msl.training.loaders import Batches
from msl.types import TrainingError


class MethodModule(pl.LightningModule):
    """Minimises `method.loss(batch)["total"]`; keeps the sums of every term and monitor over the epoch in `history`.

    Every step seeds torch's generator from (seed, step): dropout then depends on nothing that came before, which is
    what makes a resumed run equal to an uninterrupted one.
    """

    def __init__(
        self,
        method: Trained,
        batches: Batches,
        *,
        optimiser: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer],
        seed: int,
    ) -> None:
        super().__init__()
        self.method, self.batches, self.optimiser, self.seed = method, batches, optimiser, seed
        self.sums: dict[str, tuple[float, int]] = {}

    def train_dataloader(self) -> Batches:
        """The training batches."""
        return self.batches

    def on_train_start(self) -> None:
        """Go on with the batch after the last one trained on: Lightning restores a loader in mid-epoch only."""
        self.batches.step = self.global_step

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """The configured optimiser over all parameters."""
        return self.optimiser(self.method.parameters())

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Total loss of a batch; a `TrainingError` naming step and term as soon as one is not finite."""
        torch.default_generator.manual_seed(
            self.seed * 1_000_003 + batch.step
        )  # torch.manual_seed walks every backend, a millisecond a step
        values = self.method.loss(batch)
        for name, value in (values | self.method.monitors()).items():
            self._account(name, value.item(), batch.step)
        return values["total"]

    def _account(self, name: str, value: float, step: int) -> None:
        if not abs(value) < float("inf"):  # NaN fails every comparison
            raise TrainingError(
                f"the term {name!r} became {value} at step {step}; lower optimiser.lr or the term's weight, and look at the inputs' scale"
            )
        total, count = self.sums.get(name, (0.0, 0))
        self.sums[name] = (total + value, count + 1)

    def means(self) -> dict[str, float]:
        """Mean of every term and monitor since the last call."""
        means = {name: total / count for name, (total, count) in self.sums.items()}
        self.sums = {}
        return means

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep the running sums, so that the epoch's means survive an interruption in its middle."""
        checkpoint["sums"] = self.sums

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take the running sums back."""
        self.sums = checkpoint["sums"]

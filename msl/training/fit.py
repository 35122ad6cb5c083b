"""From a method and training pairs to a trained method."""

import logging
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import RichProgressBar
from torch import nn

from msl.data.classes import Classes
from msl.data.pairs import Pairs
from msl.methods.method import Method, Trained
from msl.training.callbacks import Log, Save, Validate
from msl.training.loaders import Batches
from msl.training.module import MethodModule
from msl.types import Count, InputError, NonNegative, Sink


@dataclass(frozen=True, kw_only=True)
class Training:
    """How long and how to train."""

    epochs: Count
    batch: Count
    optimiser: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
    validate_every: Count
    save_seconds: NonNegative
    clip: NonNegative
    """Largest norm of the gradient; 0 leaves it alone."""


def train(
    method: Trained,
    pairs: Pairs,
    classes: Classes,
    training: Training,
    *,
    seed: int,
    stop: int,
    score: Callable[[Method], float] | None,
    sinks: list[Sink],
    checkpoint: Path,
    resume: bool,
    progress: bool,
) -> tuple[float, int] | None:
    """Train in place for `stop` of the configured epochs; `pairs.labels` index `classes`.

    Schedules run over the configured epochs wherever training stops. `resume` goes on from `checkpoint` if it exists.
    Returns the best validation score and its epoch, None without `score`.
    """
    _quiet()
    method.prepare(pairs)
    batches = Batches(pairs, classes, size=training.batch, seed=seed, epochs=training.epochs)
    module = MethodModule(method, batches, optimiser=training.optimiser, seed=seed)
    validation = Validate(_settled(score, pairs, classes), every=training.validate_every) if score else None
    bar = [RichProgressBar(refresh_rate=10)] if progress else []
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=stop,
        callbacks=[
            *([validation] if validation else []),
            Log(validation, sinks),
            *bar,
            Save(checkpoint, seconds=training.save_seconds),
        ],
        gradient_clip_val=training.clip or None,
        logger=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=progress,
        use_distributed_sampler=False,
        default_root_dir=checkpoint.parent,
    )
    trainer.fit(module, ckpt_path=_checkpoint(checkpoint) if resume else None, weights_only=True)
    method.settle(pairs, classes)
    return validation.best if validation else None


def _settled(score: Callable[[Method], float], pairs: Pairs, classes: Classes) -> Callable[[Method], float]:
    def settled(method: Method) -> float:
        assert isinstance(method, Trained)
        method.settle(pairs, classes)
        return score(method)

    return settled


def _checkpoint(file: Path) -> Path | None:
    if not file.is_file():
        return None  # stopped before the first checkpoint: start over, which gives the same weights
    try:
        torch.load(file, weights_only=True)
    except Exception as error:
        raise InputError(
            f"{file} is not a readable checkpoint ({type(error).__name__}); delete it to train from the start"
        ) from None
    return file


def _quiet() -> None:
    """Silence what Lightning prints of hardware and tips, and warnings of its own making that nobody here can act on."""
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    for message in (".*does not have many workers.*", ".*isinstance.treespec, LeafSpec.. is deprecated.*"):
        warnings.filterwarnings("ignore", message=message)

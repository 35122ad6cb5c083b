"""Texts -> features with a sentence-transformers model; needs the extra `text`."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from msl.encode.encoders.loading import SAFE, WEIGHTS, local_first
from msl.types import Count, Floats, InputError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_BATCH = 32  # class names are few and short


def encode(texts: Sequence[str], *, model: str) -> Floats:
    """Texts -> float32 (n, size), in the model's own units.

    `model` is a folder, or a name on the Hugging Face hub, which is downloaded when first used. No code that comes
    with a model is run, and only its safetensors weights are read.

    Raises:
        InputError: sentence-transformers is not installed, or there is no such model.
    """
    return rows(load(model), texts, batch=_BATCH)


def load(model: str) -> "SentenceTransformer":
    """The model, on the CPU; `InputError` as of `encode`."""
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise InputError("sentence embeddings need sentence-transformers: pip install 'msl[text]'") from None
    import torch

    make = partial(SentenceTransformer, model, device="cpu", model_kwargs=WEIGHTS, **SAFE)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # a head that the file lacks, and nothing reads, is drawn the same each time
        return local_first(make, model, what="sentence-transformers model")


def rows(model: "SentenceTransformer", texts: Sequence[str], *, batch: Count) -> Floats:
    """Texts -> float32 (n, size), `batch` of about the same length at a time; no row depends on another."""
    found = model.encode(list(texts), batch_size=batch, show_progress_bar=False, convert_to_numpy=True)
    return np.asarray(found, np.float32)

"""Texts -> features with a sentence-transformers model; needs the extra `text`."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from msl.types import Floats, InputError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_WEIGHTS = {"use_safetensors": True}  # the older format is a pickle, which can run code


def encode(texts: Sequence[str], *, model: str) -> Floats:
    """Texts -> float32 (n, size), in the model's own units.

    `model` is a folder, or a name on the Hugging Face hub, which is downloaded when first used. No code that comes
    with a model is run, and only its safetensors weights are read.

    Raises:
        InputError: sentence-transformers is not installed, or there is no such model.
    """
    encoder = _load(model)
    return np.asarray(encoder.encode(list(texts), show_progress_bar=False, convert_to_numpy=True), np.float32)


def _load(model: str) -> "SentenceTransformer":
    try:
        from sentence_transformers import SentenceTransformer
        from transformers import utils
    except ImportError:
        raise InputError("sentence embeddings need sentence-transformers: pip install 'msl[text]'") from None
    quiet: Any = utils.logging  # untyped
    quiet.disable_progress_bar()
    load = partial(SentenceTransformer, model, device="cpu", trust_remote_code=False)
    try:
        try:
            return load(local_files_only=True, model_kwargs=_WEIGHTS)  # without asking the hub for what is here
        except Exception:
            return load(model_kwargs=_WEIGHTS)
    except Exception as error:  # the hub, the tokeniser and the weights each raise their own
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise InputError(
            f"there is no sentence-transformers model {model!r} to load ({reason}); give a folder or a hub's name"
        ) from None

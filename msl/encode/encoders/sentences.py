"""Texts through a sentence-transformers model; needs the extra `text` (`msl.encode.sentences`)."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from PIL.Image import Image

from msl.encode.encoders.encoder import Encoder, Kind
from msl.encode.encoders.readers import tokenizer_digest
from msl.encode.encoders.running import Device, Precision, batched, chosen, digest, weights_digest
from msl.encode.sentences import load, rows
from msl.types import Count, Floats

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

_AT_ONCE = 32
"""Batches given to the model together, so that it can put texts of about the same length into each."""


class Sentences(Encoder):
    """What a sentence-transformers model makes of a text, with the model's own pooling and units.

    `model` is a folder, or a name on the Hugging Face hub, which is downloaded when first used.
    """

    kinds = ("text",)

    def __init__(self, kind: Kind, *, model: str, batch: Count, device: Device, precision: Precision) -> None:
        import torch

        super().__init__(kind)
        self._batch = batch
        place = chosen(device)
        self._model = load(model).to(getattr(torch, precision))
        self._identity = {"encoder": "sentences", "precision": precision, **_identity(self._model)}
        self._model.to(place)
        self._size: int = rows(self._model, ["a"], batch=1).shape[1]

    @property
    def size(self) -> int:
        """Numbers in an embedding."""
        return self._size

    @property
    def identity(self) -> dict[str, Any]:
        """Weights, tokeniser, modules after the network, prompts, length and precision."""
        return self._identity

    def encode(self, items: Sequence[Image] | Sequence[str]) -> Floats:
        """Texts -> float32 (n, size).

        Raises:
            InputError: the precision does not reach as far as the features.
        """
        return batched(
            cast(Sequence[str], items),
            lambda texts: rows(self._model, texts, batch=self._batch),
            batch=self._batch * _AT_ONCE,
            size=self._size,
        )


def _identity(model: "SentenceTransformer") -> dict[str, Any]:
    modules: list[Any] = [module for _, module in model.named_children()]
    settings = [[type(module).__name__, module.get_config_dict()] for module in modules]
    prompts = [model.prompts, model.default_prompt_name, model.truncate_dim]
    return {
        "weights": weights_digest(model.state_dict()),
        "tokenizer": tokenizer_digest(model.tokenizer),
        "length": model.max_seq_length,
        "modules": digest([json.dumps([settings, prompts], sort_keys=True, default=str).encode()]),
    }

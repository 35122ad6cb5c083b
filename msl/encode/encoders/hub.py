"""Pictures or texts through any published model of `transformers`: CLIP, SigLIP, DINOv2, ViT, ResNet, BERT and others."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from msl.encode.encoders.encoder import Encoder, Kind
from msl.encode.encoders.loading import SAFE, gist, local_first, quiet
from msl.encode.encoders.readers import Pictures, Reader, Texts
from msl.encode.encoders.running import Device, Precision, batched, chosen
from msl.encode.encoders.tower import Pooling, load
from msl.types import Count, Floats, InputError


class Hub(Encoder):
    """What a model makes of a picture or a text, as `pooling` says; needs the extra `encode`.

    Args:
        kind: what is read; a model of both, such as CLIP, is loaded once for each.
        model: a folder, or a name on the Hugging Face hub, which is downloaded when first used.
        revision: branch, tag or commit on the hub.
        pooling: how a model's output becomes one row; `auto` is the best the model has (`Tower.settled`).
        batch: items computed together.
        device: where.
        precision: what the model computes in.

    Raises:
        InputError: transformers is not installed, there is no such model, or it does not read such items.
    """

    kinds = ("image", "text")

    def __init__(
        self,
        kind: Kind,
        *,
        model: str,
        revision: str,
        pooling: Pooling,
        batch: Count,
        device: Device,
        precision: Precision,
    ) -> None:
        super().__init__(kind)
        _required()
        self._batch, self._device = batch, chosen(device)
        self._tower = load(model, kind, revision=revision, precision=precision)
        self._read = _reader(model, kind, revision=revision, module=self._tower.module)
        weights = self._tower.weights()
        self._tower.module.to(self._device)
        self._pooling, self._size = self._settled(pooling, model)
        self._identity = {"encoder": "transformers", "architecture": type(self._tower.module).__name__}
        self._identity |= {"weights": weights, "pooling": self._pooling, "precision": precision, **self._read.identity}

    @property
    def size(self) -> int:
        """Numbers in a pooled output."""
        return self._size

    @property
    def identity(self) -> dict[str, Any]:
        """Architecture, weights, pooling, precision, and the image processor or the tokeniser."""
        return {**self._identity, "kind": self.kind}

    def encode(self, items: Sequence[Image.Image] | Sequence[str]) -> Floats:
        """Pictures, or texts -> float32 (n, size).

        Raises:
            InputError: a picture is too narrow, or the precision does not reach as far as the features.
        """
        return batched(items, self._encode, batch=self._batch, size=self._size)

    def _encode(self, items: Sequence[Any]) -> Floats:
        import torch

        with torch.inference_mode():
            found = self._tower(self._inputs(items), self._pooling)
        return np.asarray(found.float().cpu().numpy())

    def _inputs(self, items: Sequence[Any]) -> dict[str, Any]:
        module = self._tower.module
        placed = {key: value.to(self._device) for key, value in self._read(items).items()}
        return {key: value.to(module.dtype) if value.is_floating_point() else value for key, value in placed.items()}

    def _settled(self, pooling: Pooling, model: str) -> tuple[Pooling, int]:
        """How the model's output is pooled, and how many numbers that gives, found by reading one item."""
        import torch

        item = Image.new("RGB", (64, 64)) if self.kind == "image" else "a"
        try:
            with quiet(), torch.inference_mode():
                inputs = self._inputs([item])
                settled = self._tower.settled(pooling, inputs)
                return settled, self._tower(inputs, settled).shape[1]
        except InputError:
            raise
        except Exception as error:  # models differ in what they take and give, and each fails in its own way
            raise InputError(
                f"the model {model!r} does not turn a {self.kind} into features ({gist(error)}); choose another"
            ) from None


def _required() -> None:
    try:
        import transformers  # noqa: F401
    except ImportError:
        raise InputError("encoder=transformers needs transformers: pip install 'msl[encode]'") from None


def _reader(model: str, kind: Kind, *, revision: str, module: Any) -> Reader:
    """The model's image processor, of Pillow's making wherever it runs, or its tokeniser."""
    from transformers import AutoImageProcessor, AutoTokenizer

    if kind == "image":
        read: Any = partial(AutoImageProcessor.from_pretrained, model, revision=revision, backend="pil", **SAFE)
        return Pictures(local_first(read, model, what="image processor of the model", revision=revision))
    read = partial(AutoTokenizer.from_pretrained, model, revision=revision, **SAFE)
    tokenizer = local_first(read, model, what="tokeniser of the model", revision=revision)
    return Texts(tokenizer, places=_places(module), full=module.config.model_type.startswith("siglip"))


def _places(module: Any) -> int | None:
    """How many tokens the model has positions for; RoBERTa and its kin count them from after the padding's."""
    places = getattr(module.config.get_text_config(), "max_position_embeddings", None)
    embeddings = (part for name, part in module.named_modules() if name.endswith("position_embeddings"))
    padding = next((found for part in embeddings if (found := getattr(part, "padding_idx", None)) is not None), -1)
    return None if places is None else places - (padding + 1)

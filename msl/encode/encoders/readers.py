"""Raw items -> what a model of `transformers` takes, and everything that decides it."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from PIL.Image import Image

from msl.encode.encoders.running import digest
from msl.encode.pictures import on_white, proportioned

if TYPE_CHECKING:
    from torch import Tensor

_ENDLESS = 10**6
"""A tokeniser that knows no greatest length says 10^30."""


class Reader(Protocol):
    """Items -> a model's arguments by name, each with n rows."""

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides them, as JSON."""

    def __call__(self, items: Sequence[Any]) -> "dict[str, Tensor]":
        """Read n items."""


class Pictures:
    """Pictures, laid on white, through a model's own image processor."""

    def __init__(self, processor: Any) -> None:
        self._processor = processor

    @property
    def identity(self) -> dict[str, Any]:
        """The processor's steps: sizes, resampling, mean and standard deviation."""
        steps = {key: value for key, value in self._processor.to_dict().items() if value is not None}
        return {"processor": json.loads(json.dumps(steps, sort_keys=True))}

    def __call__(self, items: Sequence[Image]) -> "dict[str, Tensor]":
        """N pictures -> `pixel_values` and whatever else the processor gives."""
        pictures = [proportioned(on_white(item)) for item in items]
        return dict(self._processor(images=pictures, return_tensors="pt"))


class Texts:
    """Texts through a model's own tokeniser, cut at the model's `places`.

    Args:
        tokenizer: of transformers.
        places: positions the model has, or None if it has no such limit.
        full: whether every text is padded to all places and no padding is masked; SigLIP was trained that way, and
            reads a text off the last place (Zhai et al., ICCV 2023). Else padding is masked, and changes no feature.
    """

    def __init__(self, tokenizer: Any, *, places: int | None, full: bool) -> None:
        lengths = [length for length in (tokenizer.model_max_length, places) if length and length < _ENDLESS]
        self._tokenizer, self._full, self._length = tokenizer, full, min(lengths, default=None)
        self._digest = tokenizer_digest(tokenizer)

    @property
    def identity(self) -> dict[str, Any]:
        """The tokeniser's hash, the most tokens of a text, and how shorter ones are padded."""
        padding = "full" if self._full else "masked"
        return {"tokenizer": self._digest, "length": self._length, "padding": padding}

    def __call__(self, items: Sequence[str]) -> "dict[str, Tensor]":
        """N texts -> `input_ids` (n, tokens) and the mask of padding, unless padding is `full`."""
        found = self._tokenizer(
            list(items),
            padding="max_length" if self._full else True,
            padding_side="right",
            truncation=self._length is not None,
            max_length=self._length,
            return_tensors="pt",
        )
        return {key: value for key, value in found.items() if not (self._full and key == "attention_mask")}


def tokenizer_digest(tokenizer: Any) -> str:
    """Hash of a tokeniser's rules and vocabulary, without the padding and cutting of its latest call."""
    fast = getattr(tokenizer, "backend_tokenizer", None)
    rules = json.loads(fast.to_str()) if fast is not None else {"vocabulary": tokenizer.get_vocab()}
    special = {key: str(value) for key, value in tokenizer.special_tokens_map.items()}
    kept = {key: value for key, value in rules.items() if key not in ("padding", "truncation")} | {"special": special}
    return digest([type(tokenizer).__name__.encode(), json.dumps(kept, sort_keys=True).encode()])

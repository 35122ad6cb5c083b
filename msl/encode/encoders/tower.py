"""The part of a model of `transformers` that reads one kind of item, and how its output becomes one row per item."""

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msl.encode.encoders.encoder import Kind
from msl.encode.encoders.loading import SAFE, WEIGHTS, local_first
from msl.encode.encoders.running import Precision, weights_digest
from msl.types import InputError

if TYPE_CHECKING:
    from torch import Tensor

Pooling: TypeAlias = Literal["auto", "projection", "pooler", "cls", "mean"]
"""One row per item: projected into the space shared with the other kind (CLIP, SigLIP); the model's pooled output; the
first token; the mean of all tokens but padding."""

_PARTS = {"image": "vision_model", "text": "text_model"}
_INPUTS = {"image": "pixel_values", "text": "input_ids"}


class Tower:
    """A loaded model, seen by one kind of item.

    Args:
        module: the model.
        kind: what is to be read.
        untrained: names of weights that its files lack.
        name: what errors call it.

    Raises:
        InputError: it does not read that kind, or is incomplete.
    """

    def __init__(self, module: Any, kind: Kind, *, untrained: frozenset[str], name: str) -> None:
        part = getattr(module, _PARTS[kind], None)
        self.module, self.part = module, module if part is None else part
        self._project = getattr(module, f"get_{kind}_features", None)
        self._kind, self._name, self._untrained = kind, name, untrained
        if self._project is None and getattr(self.part, "main_input_name", None) != _INPUTS[kind]:
            raise self._wrong(f"a {type(module).__name__}, reads no {kind}s", f"choose a model of {kind}s")
        lacking = sorted(key for key in untrained if "pooler" not in key)
        if lacking:
            raise self._wrong(f"lacks {len(lacking)} weights, {lacking[0]} the first", "choose a complete model")

    def weights(self) -> str:
        """Hash of the weights the files hold, in the precision they were loaded with."""
        held = {key: value for key, value in self.module.state_dict().items() if key not in self._untrained}
        return weights_digest(held)

    def __call__(self, inputs: "dict[str, Tensor]", pooling: Pooling) -> "Tensor":
        """Arguments of n items -> (n, size).

        Raises:
            InputError: the model has nothing to pool that way.
        """
        if pooling == "projection":
            if self._project is None:
                raise self._wrong("projects nothing", "choose pooling=auto")
            return self._rows(self._project(**inputs).pooler_output)
        output = self.part(**inputs)
        if pooling == "pooler":
            if not self._is_pooled(output):
                raise self._wrong("has no trained pooler", "choose pooling=auto")
            return self._rows(output.pooler_output.flatten(1))
        return self._of_tokens(output.last_hidden_state, inputs.get("attention_mask"), pooling)

    def settled(self, pooling: Pooling, inputs: "dict[str, Tensor]") -> Pooling:
        """What `auto` stands for: the projection; else the pooled output; else the mean.

        The pooler of BERT and its like was trained to tell the next sentence and serves similarity worse than the mean
        (Reimers and Gurevych, "Sentence-BERT", EMNLP 2019): of texts, it is left aside.
        """
        if pooling != "auto":
            return pooling
        if self._project is not None:
            return "projection"
        next_sentence = self._kind == "text" and getattr(self.part, "pooler", None) is not None
        return "pooler" if not next_sentence and self._is_pooled(self.part(**inputs)) else "mean"

    def _is_pooled(self, output: Any) -> bool:
        return getattr(output, "pooler_output", None) is not None and not self._untrained

    def _of_tokens(self, tokens: "Tensor", mask: "Tensor | None", pooling: Pooling) -> "Tensor":
        if tokens.ndim == 4 and pooling == "cls":
            raise self._wrong("is convolutional and has no first token", "choose pooling=auto")
        if tokens.ndim == 4:
            tokens = tokens.flatten(2).mT  # (n, size, height, width): every place is a token
        if pooling == "cls":
            return tokens[:, 0]
        weights = tokens.new_ones(tokens.shape[:2]) if mask is None else mask.to(tokens.dtype)
        return (tokens * weights[..., None]).sum(1) / weights.sum(1, keepdim=True)

    def _rows(self, found: Any) -> "Tensor":
        if getattr(found, "ndim", None) != 2:
            raise self._wrong(f"gives no single row for each of its {self._kind}s", "choose pooling=mean")
        return found  # type: ignore[no-any-return]

    def _wrong(self, what: str, remedy: str) -> InputError:
        return InputError(f"the model {self._name!r} {what}; {remedy}")


def load(model: str, kind: Kind, *, revision: str, precision: Precision) -> Tower:
    """A model on the CPU: a folder, or a name on the hub. No code of its own is run, and only safetensors are read.

    Raises:
        InputError: there is no such model, it does not read that kind, or is incomplete.
    """
    import torch
    from transformers import AutoModel

    def read(**where: Any) -> Any:
        dtype = getattr(torch, precision)
        return AutoModel.from_pretrained(
            model, revision=revision, dtype=dtype, output_loading_info=True, **SAFE, **WEIGHTS, **where
        )

    module, told = local_first(read, model, what="model", revision=revision)
    return Tower(module.eval(), kind, untrained=frozenset(told["missing_keys"]), name=model)

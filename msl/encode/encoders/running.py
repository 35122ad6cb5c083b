"""What encoders share: where and how a model runs, batch after batch, and a name for what decides its features."""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, TypeVar

import numpy as np

from msl.encode.encoders.loading import gist
from msl.types import Count, Floats, InputError

if TYPE_CHECKING:
    import torch

Device: TypeAlias = Literal["auto", "cpu", "cuda"]
"""Where a model runs; `auto` is CUDA if there is any."""
Precision: TypeAlias = Literal["float32", "float16", "bfloat16"]
"""What a model computes in; features are float32."""

Item = TypeVar("Item")


def chosen(device: Device) -> str:
    """The device meant.

    Raises:
        InputError: CUDA is asked for, and there is none.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device=cuda, but torch finds no CUDA device; choose device=auto or cpu")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"


def batched(items: Sequence[Item], encode: Callable[[Sequence[Item]], Floats], *, batch: Count, size: int) -> Floats:
    """Rows of n items, `batch` of them at a time -> float32 (n, size).

    Raises:
        InputError: the model fails on an item, or a number is not finite: what it computes in does not reach that far.
    """
    rows = np.empty((len(items), size), np.float32)
    for start in range(0, len(items), batch):
        try:
            rows[start : start + batch] = encode(items[start : start + batch])
        except (RuntimeError, IndexError) as error:
            if _is_of_the_device(error):
                raise  # no item's fault: the items after it are not to be taken for bad ones
            raise InputError(f"the model fails ({gist(error)}); leave the item out, or choose another model") from None
    if not np.isfinite(rows).all():
        raise InputError("the model's features are not finite; compute them with precision=float32")
    return rows


def _is_of_the_device(error: Exception) -> bool:
    import torch

    return isinstance(error, (torch.OutOfMemoryError, torch.AcceleratorError))


def digest(parts: Iterable[bytes | memoryview]) -> str:
    """First 12 hexadecimal digits of the sha256 of parts, each told from the next."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little"))
        found.update(part)
    return found.hexdigest()[:12]


def weights_digest(tensors: Mapping[str, "torch.Tensor"]) -> str:
    """`digest` of named tensors, wherever they lie and in whatever order they come."""
    return digest(part for name in sorted(tensors) for part in _parts(name, tensors[name]))


def _parts(name: str, tensor: "torch.Tensor") -> tuple[bytes, memoryview]:
    import torch

    content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
    return f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), content.data

"""VGG-19's weights in torchvision's layout: the convolutions and the first two fully connected layers, checked by shape."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msl.encode.encoders.loading import gist
from msl.types import InputError

if TYPE_CHECKING:
    from torch import Tensor

BLOCKS = tuple(
    tuple(f"features.{index}" for index in indices)
    for indices in ((0, 2), (5, 7), (10, 12, 14, 16), (19, 21, 23, 25), (28, 30, 32, 34))
)
"""Convolutions by block; each block ends with pooling."""
_PLACES = 7 * 7  # of a 224 x 224 picture after five poolings


def read_weights(path: Path) -> "dict[str, Tensor]":
    """The tensors up to fc7, float32; a .pth is read without running any code in it. Widths are the file's own.

    Raises:
        InputError: the file is missing, damaged, or a tensor is missing or of another shape; the message names both.
    """
    found, width = _read(path), 3
    checked: dict[str, Tensor] = {}
    for layer, shape in _layers():
        weight = _tensor(path, found, f"{layer}.weight", (None, width * shape[0], *shape[1:]))
        bias = _tensor(path, found, f"{layer}.bias", (len(weight),))
        checked |= {f"{layer}.weight": weight, f"{layer}.bias": bias}
        width = len(weight)
    return checked


def _layers() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each layer, inputs per width of the layer before it, and the size of its kernel."""
    yield from ((layer, (1, 3, 3)) for block in BLOCKS for layer in block)
    yield "classifier.0", (_PLACES,)
    yield "classifier.3", (1,)


def _read(path: Path) -> dict[str, Any]:
    import torch
    from safetensors.torch import load_file

    try:
        read = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # zipfile, pickle, torch and safetensors each have their own
        raise _wrong(path, f"cannot be read ({gist(error)})") from None
    if not isinstance(read, dict):
        raise _wrong(path, f"holds a {type(read).__name__}, not tensors by name")
    return read


def _tensor(path: Path, found: dict[str, Any], key: str, wanted: tuple[int | None, ...]) -> "Tensor":
    import torch

    tensor = found.get(key)
    if not isinstance(tensor, torch.Tensor):
        raise _wrong(path, f"has no tensor {key}")
    shape = tuple(tensor.shape)
    fits = len(shape) == len(wanted) and all(size in (None, got) for size, got in zip(wanted, shape, strict=True))
    if not fits or not tensor.is_floating_point() or not tensor.numel():
        sizes = ", ".join("any" if size is None else str(size) for size in wanted)
        raise _wrong(path, f"{key} is {tensor.dtype} {shape}, wanted floats of ({sizes})")
    return tensor.detach().to(torch.float32).contiguous()


def _wrong(path: Path, what: str) -> InputError:
    return InputError(f"{path}: {what}; give VGG-19's weights as torchvision publishes them (vgg19-dcbb9e9d.pth)")

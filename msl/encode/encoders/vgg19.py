"""Pictures by VGG-19's second fully connected layer, the features most of this field's papers use, from a weights file.

Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from PIL import Image

from msl.encode.encoders.encoder import Encoder, Kind
from msl.encode.encoders.running import Device, batched, chosen, weights_digest
from msl.encode.encoders.vgg19_weights import BLOCKS, read_weights
from msl.encode.pictures import on_white, proportioned
from msl.types import Count, Floats

if TYPE_CHECKING:
    from torch import Tensor

_SHORTER, _CROP = 256, 224
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_STEPS = {"shorter side": _SHORTER, "resample": "bilinear", "crop": _CROP, "mean": list(_MEAN), "std": list(_STD)}


class VGG19(Encoder):
    """The output of fc7 after its ReLU, 4096 numbers; the weights' own widths are used.

    Args:
        kind: "image".
        path: weights in torchvision's layout, .pth or .safetensors (`msl.encode.encoders.vgg19_weights`).
        batch: pictures computed together.
        device: where.

    Raises:
        InputError: the file is unreadable, or lacks a tensor; the message names it.
    """

    kinds = ("image",)

    def __init__(self, kind: Kind, *, path: str, batch: Count, device: Device) -> None:
        super().__init__(kind)
        self._batch, self._device = batch, chosen(device)
        weights = read_weights(Path(path))
        self._weights_digest = weights_digest(weights)
        self._weights = {key: tensor.to(self._device) for key, tensor in weights.items()}

    @property
    def size(self) -> int:
        """Numbers fc7 gives."""
        return len(self._weights["classifier.3.bias"])

    @property
    def identity(self) -> dict[str, Any]:
        """The weights up to fc7, and the steps before them."""
        return {"encoder": "vgg19", "layer": "fc7 after ReLU", "weights": self._weights_digest, "steps": _STEPS}

    def encode(self, items: Sequence[Image.Image] | Sequence[str]) -> Floats:
        """Pictures -> float32 (n, size).

        Raises:
            InputError: a picture is too narrow.
        """
        return batched(cast(Sequence[Image.Image], items), self._encode, batch=self._batch, size=self.size)

    def _encode(self, pictures: Sequence[Image.Image]) -> Floats:
        import torch

        with torch.inference_mode():
            pixels = torch.from_numpy(np.stack([_pixels(picture) for picture in pictures]))
            return np.asarray(_fc7(pixels.to(self._device), self._weights).cpu().numpy())


def _pixels(picture: Image.Image) -> Floats:
    """A picture -> float32 (3, 224, 224), as torchvision prepares it: shorter side 256, centre, mean 0, deviation 1."""
    plain = proportioned(on_white(picture))
    short = min(plain.size)
    width, height = (_SHORTER if length == short else _SHORTER * length // short for length in plain.size)
    left, top = (round((length - _CROP) / 2) for length in (width, height))
    resized = plain.resize((width, height), Image.Resampling.BILINEAR)  # Pillow's is antialiased
    centre = np.asarray(resized.crop((left, top, left + _CROP, top + _CROP)), np.float32) / 255
    return np.asarray(((centre - np.array(_MEAN, np.float32)) / np.array(_STD, np.float32)).transpose(2, 0, 1))


def _fc7(pixels: "Tensor", weights: "Mapping[str, Tensor]") -> "Tensor":
    """Pixels (n, 3, 224, 224) -> (n, size)."""
    from torch.nn.functional import conv2d, linear, max_pool2d, relu

    found = pixels
    for block in BLOCKS:
        for layer in block:
            found = relu(conv2d(found, weights[f"{layer}.weight"], weights[f"{layer}.bias"], padding=1))
        found = max_pool2d(found, 2)
    found = found.flatten(1)
    for layer in ("classifier.0", "classifier.3"):  # dropout between them does nothing after training
        found = relu(linear(found, weights[f"{layer}.weight"], weights[f"{layer}.bias"]))
    return found

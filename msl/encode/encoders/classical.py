"""Pictures by gradients and colours: no weights, no download (`msl.encode.classical`)."""

from collections.abc import Sequence
from typing import Any, cast

from PIL.Image import Image

from msl.encode.classical import DIMENSIONS, PARAMETERS, describe
from msl.encode.encoders.encoder import Encoder
from msl.types import Floats


class Classical(Encoder):
    """Histograms of oriented gradients and a layout of CIELAB colours, 768 numbers."""

    kinds = ("image",)

    @property
    def size(self) -> int:
        """768."""
        return DIMENSIONS

    @property
    def identity(self) -> dict[str, Any]:
        """The parameters of the description, and its version."""
        return {"encoder": "classical", **PARAMETERS}

    def encode(self, items: Sequence[Image] | Sequence[str]) -> Floats:
        """Pictures -> float32 (n, 768)."""
        return describe(cast(Sequence[Image], items))

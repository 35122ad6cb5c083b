"""What every encoder of raw items is: a function that says of itself everything its features depend on."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias

from PIL.Image import Image

from msl.types import Floats, InputError

Kind: TypeAlias = Literal["image", "text"]
"""What raw items are."""


class Encoder(ABC):
    """Raw items of one kind -> features; an item's row does not depend on the items beside it."""

    kinds: ClassVar[tuple[Kind, ...]]
    """What this encoder can read."""

    def __init__(self, kind: Kind) -> None:
        if kind not in self.kinds:
            raise InputError(
                f"encoder={type(self).__name__.lower()} reads {' and '.join(self.kinds)}s, not {kind}s; "
                f"choose another for the {kind}s"
            )
        self.kind = kind

    @property
    @abstractmethod
    def size(self) -> int:
        """Numbers in a row of features."""

    @property
    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """All that decides a feature, as JSON: what was computed, preprocessing, the weights' hash. No path, no device.

        Features are comparable if, and only if, their encoders' identities are equal.
        """

    @abstractmethod
    def encode(self, items: Sequence[Image] | Sequence[str]) -> Floats:
        """n pictures, or texts -> float32 (n, size).

        Raises:
            InputError: an item cannot be described (a text without a known word, say).
        """

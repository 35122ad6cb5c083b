"""A data set: pairs and classes, a card that says what they are, and what a gallery shows of each pair."""

from dataclasses import dataclass
from pathlib import Path

from msl.data.classes import Classes
from msl.data.pairs import Pairs
from msl.types import Ints


@dataclass(frozen=True, kw_only=True)
class Card:
    """What a reader must know before he trusts a number measured on a data set."""

    name: str
    title: str
    modalities: tuple[str, str]
    """Names of modality a and b: ``("image", "text")``; their initials name the directions, ``i2t`` and ``t2i``."""
    features: tuple[str, str]
    embedding: str
    source: str
    licence: str
    obtain: str

    @property
    def directions(self) -> tuple[str, str]:
        """Names of a -> b and b -> a, such as ``("i2t", "t2i")``."""
        first, second = (modality[0] for modality in self.modalities)
        if first == second:
            first, second = "a", "b"
        return f"{first}2{second}", f"{second}2{first}"


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Everything known of a data set; `part` (n,) is 0 for rows of the train part and 1 for rows of the test part."""

    card: Card
    pairs: Pairs
    classes: Classes
    part: Ints
    texts: tuple[str, ...] | None = None
    pictures: tuple[Path, ...] | None = None

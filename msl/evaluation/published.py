"""The files of published numbers, `conf/claims/*.yaml`: their form, and what is wrong with one."""

from pathlib import Path
from typing import Annotated, TypeAlias

from annotated_types import Ge, Le, Len
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from msl.types import Count, InputError, Regime

ROUNDING = 0.001
"""How far a published mean may lie from that of its directions, each of the three rounded to three decimals."""

Share: TypeAlias = Annotated[float, Ge(0), Le(1)]


class Closed(BaseModel):
    """Part of a file in which every key is known and of its type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Comparable(Closed):
    """What the fields of a ledger's row have to be if it is to stand beside the claim; null where the source is silent."""

    features: Annotated[list[str | None], Len(2, 2)]
    """How the row's `features` begin, first and second modality."""
    split_rule: list[str] | None
    """Any of these, the one to be preferred first."""
    gallery_side: str | None
    standardise: str | None
    similarity: str | None


class Line(Closed):
    """One line of a published table, on one data set; a direction that the source leaves out is null."""

    data: str
    method: str
    i2t: Share | None = None
    t2i: Share | None = None
    mean: Share | None = None
    repeats: str | None = None
    """The source (name of its file) whose number this one quotes."""

    @model_validator(mode="after")
    def _mean_of_directions(self) -> "Line":
        if self.i2t is None and self.t2i is None and self.mean is None:
            raise ValueError("has none of i2t, t2i, mean")
        if self.i2t is not None and self.t2i is not None and self.mean is not None:
            half = (self.i2t + self.t2i) / 2
            if abs(self.mean - half) > ROUNDING + 1e-9:
                raise ValueError(f"mean {self.mean} is not that of i2t {self.i2t} and t2i {self.t2i}, {half:.4f}")
        return self


class Features(Closed):
    """What the source says its features are."""

    images: str
    texts: str


class Table(Closed):
    """Rows that share a regime and a protocol."""

    table: str
    regime: Regime
    metric: str
    draws: Count | None
    """How many class splits stand behind a number; null if unstated."""
    protocol: str
    features: Features
    comparable: Comparable
    rows: list[Line]


class Source(Closed):
    """One file: a paper, or a re-run of one."""

    citation: str
    doi: str | None
    unstated: list[str]
    labels: dict[str, str] = {}
    """Our label of a method whose name there, in lower case and without hyphens, is not it."""
    tables: list[Table]


def read_source(file: Path) -> Source:
    """Read one file; an `InputError` names it and the row of an unknown or lacking key or an impossible number."""
    import yaml  # type: ignore[import-untyped]  # comes with omegaconf

    try:
        return Source.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = " ".join(str(key + 1 if isinstance(key, int) else key) for key in first["loc"])  # tables 1 rows 3 i2t
        raise InputError(f"{file}: {where}: {first['msg']}, got {str(first['input'])[:80]}; correct it") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{file} is no YAML ({' '.join(str(error).split())}); correct it") from None

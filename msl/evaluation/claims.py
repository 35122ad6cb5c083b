"""Published numbers (`conf/claims/*.yaml`) beside ours: reproduced, near, different, or not comparable, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from msl.evaluation.interval import Interval, prediction_interval, t_interval
from msl.evaluation.ledger import by_split, summarise
from msl.evaluation.published import Line, Source, Table, read_source
from msl.files import embedded
from msl.types import InputError

FEWEST = 3
"""Splits or runs from which an interval says something: that of two reproduces almost any number."""

HALF_UNIT = 0.0005
"""Published numbers are rounded to three decimals."""

Kind: TypeAlias = Literal["reproduced", "near", "differs", "not comparable"]
Direction: TypeAlias = Literal["i2t", "t2i", "mean"]
DIRECTIONS: tuple[Direction, ...] = ("i2t", "t2i", "mean")
_SEARCH = ("gallery_side", "standardise", "similarity")
_Row: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Claim:
    """One published line: what was claimed (`line`), under which protocol (`table`), by whom (`source`)."""

    name: str
    """Of the source's file."""
    source: Source
    table: Table
    line: Line

    @property
    def key(self) -> tuple[str, str, str]:
        """Data set, regime, method."""
        return self.line.data, self.table.regime, self.line.method

    @property
    def numbers(self) -> tuple[float | None, ...]:
        """In the order of `DIRECTIONS`."""
        return self.line.i2t, self.line.t2i, self.line.mean

    @property
    def label(self) -> str:
        """The label that our runs of the claim's method have."""
        plain = self.line.method.lower().replace("-", "")
        return self.source.labels.get(self.line.method, plain)

    def value(self, direction: Direction) -> float | None:
        """The number, from 0 to 1; None if the source has none for the direction."""
        return dict(zip(DIRECTIONS, self.numbers, strict=True))[direction]

    def printed(self, direction: Direction) -> str:
        """The number to three decimals, or that there is none."""
        value = self.value(direction)
        return "no number" if value is None else f"{value:.3f}"


@dataclass(frozen=True)
class Verdict:
    """What our runs say of a claim."""

    kind: Kind
    reason: str
    """One sentence with the numbers, or what makes the two not comparable."""
    ours: Interval | None
    """Over class splits; over runs where there is a single class split."""
    prediction: Interval | None
    """Where the claim would lie, with 95 %, if it was measured as ours was; None for a single run."""
    claim: Claim
    direction: Direction


def read_claims(folder: Path | None = None) -> list[Claim]:
    """Every claim of `conf/claims`, or of another folder, by name of its file.

    An `InputError` names the file and the row of an unknown or lacking key, a number outside [0, 1], a mean that is not
    that of its directions, a line that is there twice, and a quotation that its source does not have.
    """
    files = sorted((folder or embedded("conf") / "claims").glob("*.yaml"))
    claims = [claim for file in files for claim in _claims(file)]
    _check_quotations(claims)
    return claims


def _claims(file: Path) -> list[Claim]:
    source = read_source(file)
    claims = [Claim(file.stem, source, table, line) for table in source.tables for line in table.rows]
    keys = [claim.key for claim in claims]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise InputError(f"{file}: there are two rows of {' '.join(twice)}; leave one out")
    return claims


def _check_quotations(claims: Sequence[Claim]) -> None:
    """An `InputError` unless every row that repeats another source's has its numbers."""
    known = {(claim.name, *claim.key): claim.numbers for claim in claims}
    for claim in claims:
        quoted = claim.line.repeats
        if quoted and known.get((quoted, *claim.key)) != claim.numbers:
            raise InputError(
                f"{claim.name}.yaml: {' '.join(claim.key)} is said to repeat {quoted}.yaml, and has {claim.numbers} where that "
                f"has {known.get((quoted, *claim.key), 'no such row')}; correct one"
            )


def verdict(claim: Claim, rows: Sequence[_Row], *, direction: Direction, near: float) -> Verdict:
    """Judge a claim by the rows of a ledger: those of its method, data, features and protocol are found in them.

    The claim is a draw of class splits like ours, so it is `reproduced` if it lies in the prediction interval that our
    splits give for as many splits as it has (one, if it does not say). Outside, it is `near` if no more than `near` from
    our mean and `differs` otherwise. With a single class split the interval is over its runs (seeds); with a single run
    there is none, and only `near` and `differs` are left. What a source leaves unstated is taken to be as ours, and said.
    """
    reason, found = _found(claim, rows, direction)
    if reason:
        return Verdict("not comparable", reason, None, None, claim, direction)
    judged = _judged(claim, direction, found, near)
    return replace(judged, reason=judged.reason + _assumed(claim, found[0]))


def _found(claim: Claim, rows: Sequence[_Row], direction: Direction) -> tuple[str, list[_Row]]:
    """Why there are no comparable rows, or "" and those there are."""
    found = [row for row in rows if "features" in row]
    for key, accepted in _wanted(claim, direction).items():
        before = found
        found = next(filter(None, ([row for row in before if _fits(key, row, one)] for one in accepted)), [])
        if not found:
            return _differing(key, accepted, before), []
    if claim.value(direction) is None:
        return f"{claim.name} states no number for {direction}", []
    several = summarise(found, metric=claim.table.metric, direction=direction, reference=None)
    if len(several) > 1:
        ours = "; ".join(f"{each.data} ({each.protocol})" for each in several)
        return f"{claim.name} leaves open which of our protocols is its own: {ours}", []
    return "", found


def _wanted(claim: Claim, direction: Direction) -> dict[str, list[Any]]:
    """What the fields of a row have to be, any of the values, the preferred one first; unstated fields are left out."""
    asked = claim.table.comparable
    wanted: dict[str, list[Any] | None] = {
        "method": [claim.label],
        "data": [claim.line.data],
        "regime": [claim.table.regime],
        "features": [asked.features],
        "metric": [claim.table.metric],
        "split_rule": asked.split_rule,
        "direction": [direction],
    }
    wanted |= {key: [value] for key in _SEARCH if (value := getattr(asked, key)) is not None}
    return {key: accepted for key, accepted in wanted.items() if accepted is not None}


def _fits(key: str, row: _Row, accepted: Any) -> bool:
    if key == "data":  # wikipedia-sift-lda is wikipedia; its features are asked for by themselves
        return bool(row["data"].partition("-")[0] == accepted)
    if key == "features":
        return all(begin is None or own.startswith(begin) for own, begin in zip(row[key], accepted, strict=True))
    return bool(row[key] == accepted)


def _differing(key: str, accepted: list[Any], rows: Sequence[_Row]) -> str:
    if key in ("method", "data"):
        return f"no run of {accepted[0]}" if key == "method" else f"no run on {accepted[0]}"
    if key == "features":
        pairs = {pair for row in rows for pair in zip(accepted[0], row[key], strict=True)}
        apart = sorted((begin, own) for begin, own in pairs if begin is not None and not own.startswith(begin))
        theirs, ours = (", ".join(dict.fromkeys(names)) for names in zip(*apart, strict=True))
        return f"features: {theirs} there, ours {ours}"
    return f"{key}: {' or '.join(accepted)} there, ours {' and '.join(sorted({row[key] for row in rows}))}"


def _assumed(claim: Claim, row: _Row) -> str:
    """The fields that the source leaves open, and what they are in our runs."""
    asked = claim.table.comparable
    fields = [f"{key} {row[key]}" for key in ("split_rule", *_SEARCH) if getattr(asked, key) is None]
    fields += [f"features {own}" for own, begin in zip(row["features"], asked.features, strict=True) if begin is None]
    return f"; unstated there, so taken to be ours: {', '.join(fields)}" if fields else ""


def _judged(claim: Claim, direction: Direction, rows: Sequence[_Row], near: float) -> Verdict:
    claimed = claim.value(direction)
    assert claimed is not None
    units, among, others = list(by_split(rows, "value").values()), "class splits", claim.table.draws or 1
    if len(units) == 1:  # what is left to vary is the seed
        units, among, others = [row["value"] for row in rows], "runs of one class split", 1
    ours = t_interval(units)
    kind, how = _by_margin(claimed, ours.mean, near)
    if ours.n < FEWEST:
        return Verdict(kind, f"{how}; {ours.n} of our {among}, too few for an interval", ours, None, claim, direction)
    prediction = prediction_interval(units, others=others)
    inside = prediction.low - HALF_UNIT <= claimed <= prediction.high + HALF_UNIT
    place = (
        f"{claimed:.3f} lies {'in' if inside else 'outside'} [{prediction.low:.3f}, {prediction.high:.3f}], where our "
        f"{ours.n} {among} (mean {ours.mean:.3f}) put {'another' if others == 1 else f'the mean of {others} others'} with 95 %"
    )
    if inside:
        return Verdict("reproduced", place, ours, prediction, claim, direction)
    return Verdict(kind, f"{place}; {how}", ours, prediction, claim, direction)


def _by_margin(claimed: float, mean: float, near: float) -> tuple[Kind, str]:
    distance = abs(claimed - mean)
    kind: Kind = "near" if distance <= near else "differs"
    return (
        kind,
        f"{claimed:.3f} is {distance:.3f} from our mean {mean:.3f}, {'within' if kind == 'near' else 'beyond'} {near:g}",
    )

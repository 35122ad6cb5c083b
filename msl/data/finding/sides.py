"""Which arrays are the features of which modality: grouped by name, and the two that are wanted."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from msl.data.dataset import TRAIN
from msl.data.finding.discover import Discovery, Found
from msl.data.finding.naming import DATABASE, MODALITIES
from msl.types import InputError


@dataclass(frozen=True)
class Side:
    """One modality: its name, and its arrays by role; each list is one array in rows of several parts."""

    name: str
    features: list[Found]
    labels: list[Found] = field(default_factory=list)
    split: list[Found] = field(default_factory=list)
    ids: list[Found] = field(default_factory=list)

    def arrays(self) -> list[Found]:
        """All of them."""
        return [*self.features, *self.labels, *self.split, *self.ids]


def check_parts(sides: tuple[Side, Side], discovery: Discovery) -> None:
    """Both modalities must come in the same parts."""
    parts = [{found.meaning.part for found in side.features} for side in sides]
    for side, other, lacking in (*zip(sides, sides[::-1], (parts[1] - parts[0], parts[0] - parts[1]), strict=True),):
        if lacking and None not in parts[0] | parts[1]:
            there = next(found for found in other.features if found.meaning.part in lacking)
            raise InputError(
                f"{discovery.root}: {other.name} has {there.place}, but nothing like it holds {side.name}; there is only "
                f"{places(side.features)}: add the missing file, or name one with data.a=... data.b=..."
            )


def two_sides(
    rest: list[Found], explicit: dict[str, list[Found]], modalities: tuple[str, str] | None, discovery: Discovery
) -> tuple[Side, Side]:
    """The two modalities, in the order of `modalities`, else images first and texts last."""
    groups = _groups(rest)
    fixed = [_side(explicit[key]) for key in ("a", "b") if explicit[key]]
    open_ = _preferred(groups, modalities, fixed)
    if len(fixed) + len(open_) != 2:
        raise InputError(_not_two(discovery, fixed, groups, modalities))
    if explicit["b"] and not explicit["a"]:
        fixed, open_ = open_, fixed
    first, second = [*fixed, *(open_ if fixed else sorted(open_, key=_rank))]
    if modalities and not fixed:
        first, second = sorted((first, second), key=lambda side: not _is(side, modalities[0]))
    names = modalities or _names(first, second)
    return replace(first, name=names[0]), replace(second, name=names[1])


def _groups(rest: Iterable[Found]) -> list[Side]:
    """Features by what is left of their names: arrays of several parts of one modality come together."""
    found: dict[tuple[str, ...], list[Found]] = {}
    for each in rest:
        if each.meaning.kind == "text" and any("idx" in word.split() for word in each.meaning.hint):
            raise InputError(
                f"{each.file}: {each.place} holds indices of words, not features; average the word vectors of each text "
                "and write those, or name other features with data.b=..."
            )
        matrix = each.array.ndim == 2 and each.array.dtype.kind in "fiub"
        if matrix and (each.meaning.role == "features" or (each.meaning.role is None and len(each.array) > 1)):
            found.setdefault(each.meaning.hint, []).append(each)
    return [_side(without_database(arrays)) for arrays in found.values()]


def without_database(arrays: list[Found]) -> list[Found]:
    """Rows that are only searched stand in for training rows where there are none, and are left aside otherwise."""
    parts = {found.meaning.part for found in arrays}
    if DATABASE not in parts:
        return arrays
    if TRAIN in parts:
        return [found for found in arrays if found.meaning.part != DATABASE]
    return [
        replace(found, meaning=replace(found.meaning, part=TRAIN)) if found.meaning.part == DATABASE else found
        for found in arrays
    ]


def _side(features: list[Found]) -> Side:
    return Side(_label(features[0]), features)


def _preferred(groups: list[Side], modalities: tuple[str, str] | None, fixed: list[Side]) -> list[Side]:
    """The groups that go with the `fixed` modalities: those asked for; else those of kinds still open; else all."""
    missing = 2 - len(fixed)
    if modalities and not fixed:
        chosen = [[group for group in groups if _is(group, name)] for name in modalities]
        return [matches[0] for matches in chosen if len(matches) == 1]
    if len(groups) <= missing or not missing:
        return groups[:missing]
    taken = {side.features[0].meaning.kind for side in fixed}
    known = [group for group in groups if group.features[0].meaning.kind not in {None, *taken}]
    kinds = {group.features[0].meaning.kind for group in known}
    return known if len(known) == len(kinds) == missing else groups


def _is(side: Side, name: str) -> bool:
    return any(found.called(name) for found in side.features)


def _rank(side: Side) -> tuple[float, str]:
    kinds, kind = list(MODALITIES), side.features[0].meaning.kind
    return (kinds.index(kind) if kind else len(kinds) - 1.5), side.name


def _label(found: Found) -> str:
    return found.meaning.kind or (found.meaning.hint[0] if found.meaning.hint else found.file.stem)


def _names(first: Side, second: Side) -> tuple[str, str]:
    """Their kinds; where those are equal or unknown, the nearest words that tell them apart."""
    if first.name != second.name:
        return first.name, second.name
    for one, other in zip(first.features[0].meaning.hint, second.features[0].meaning.hint, strict=False):
        if one != other:
            return one, other
    return f"{first.name} a", f"{second.name} b"


def _not_two(discovery: Discovery, fixed: list[Side], groups: list[Side], modalities: tuple[str, str] | None) -> str:
    where = discovery.root
    said = _groups_said([*fixed, *groups]) or "no matrix of features"
    if modalities and groups:
        return f"{where}: data.modalities={list(modalities)} does not name one matrix each of what was found ({said}); correct it"
    if len(fixed) + len(groups) < 2:
        odd = [found for found in discovery.found if _no_matrix(found)] if groups else list(discovery.found)
        besides = f" besides {places(odd)}" if odd else ""
        if groups and odd:
            besides += ", which is no real matrix with one row per item"
        return (
            f"{where}: wanted features of two modalities, found {said}{besides}; name them with data.a=FILE data.b=FILE"
        )
    return (
        f"{where}: wanted features of two modalities, found {len(fixed) + len(groups)} ({said}); "
        "choose with data.a=... data.b=... or data.modalities=[...]"
        + ("; features are one matrix per modality, or one vector per item" if len(groups) > _AT_MOST else "")
    )


def _groups_said(groups: list[Side]) -> str:
    said = [f"{group.name}: {places(group.features)}" for group in groups]
    return "; ".join(said[:_AT_MOST]) + (f" and {len(said) - _AT_MOST} more" if len(said) > _AT_MOST else "")


def _no_matrix(found: Found) -> bool:
    """Whether an array that may have been meant as features cannot be."""
    array = found.array
    return found.meaning.role in (None, "features") and (array.ndim > 2 or array.dtype.kind not in "fiubU")


def places(found: Iterable[Found]) -> str:
    """Arrays by place and shape, for messages; of many the first ones."""
    said = [f"{each.place} {each.array.shape}" for each in found]
    return (
        ", ".join(said[:_AT_MOST]) + (f" and {len(said) - _AT_MOST} more" if len(said) > _AT_MOST else "") or "nothing"
    )


_AT_MOST = 12

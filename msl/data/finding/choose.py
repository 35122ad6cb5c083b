"""Which of the arrays found plays which part: the two modalities, their labels, ids and parts, the classes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from msl.data.finding.discover import Discovery, Found, read_found
from msl.data.finding.naming import Role
from msl.data.finding.sides import Side, check_parts, places, two_sides, without_database
from msl.types import InputError

Spec: TypeAlias = str | list[str]
"""A file, an array's key, or `file:key`; several where the rows of one array come in several."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a person says of his files; None is found by itself."""

    modalities: tuple[str, str] | None = None
    a: Spec | None = None
    b: Spec | None = None
    labels: Spec | None = None
    split: Spec | None = None
    ids: Spec | None = None
    class_names: str | None = None
    class_vectors: str | None = None


@dataclass(frozen=True)
class Chosen:
    """Both modalities; what is said of all rows is in `shared`; arrays of the classes; what nothing is made of."""

    a: Side
    b: Side
    shared: Side
    class_names: Found | None
    class_vectors: Found | None
    unused: tuple[Found, ...]


def choose(discovery: Discovery, wanted: Wanted) -> Chosen:
    """Give every array its role.

    Raises:
        InputError: a role has no array or two; the message names what was found and the key that settles it.
    """
    explicit = {role: _named(discovery, wanted, role) for role in ("a", "b", "labels", "split", "ids")}
    taken = {found.place for arrays in explicit.values() for found in arrays}
    rest = _with_y([found for found in discovery.found if found.place not in taken], labelled=bool(explicit["labels"]))
    sides = two_sides(rest, explicit, wanted.modalities, discovery)
    check_parts(sides, discovery)
    held = {found.place for side in sides for found in side.features}
    rest = [found for found in rest if found.place not in held]
    shared = Side("all", [])
    for role, key in (("label", "labels"), ("split", "split"), ("ids", "ids")):
        arrays = explicit[key] or [found for found in rest if found.meaning.role == role]
        for found in without_database(arrays):
            getattr(_owner(found, sides, shared), key).append(found)
    if all(side.labels for side in sides):  # then what is of another modality is of none of these
        shared.labels[:] = [found for found in shared.labels if found.meaning.kind is None]
    names = _single(discovery, rest, "class_names", wanted.class_names)
    vectors = _single(discovery, rest, "class_vectors", wanted.class_vectors)
    used = {each.place for side in (*sides, shared) for each in side.arrays()} | {
        each.place for each in (names, vectors) if each
    }
    unused = tuple(found for found in discovery.found if found.place not in used)
    return Chosen(*sides, shared, names, vectors, unused)


def _with_y(rest: list[Found], *, labelled: bool) -> list[Found]:
    """An array called y is the labels where nothing else is; beside labels, x and y are two modalities."""
    if labelled or any(found.meaning.role == "label" for found in rest):
        return rest
    return [
        replace(found, meaning=replace(found.meaning, role="label", hint=found.meaning.hint[1:]))
        if found.meaning.role is None and found.meaning.hint[:1] == ("y",)
        else found
        for found in rest
    ]


def _named(discovery: Discovery, wanted: Wanted, key: str) -> list[Found]:
    spec = getattr(wanted, key)
    specs = [] if spec is None else [spec] if isinstance(spec, str) else list(spec)
    return [found for each in specs for found in lookup(discovery, each, key)]


def lookup(discovery: Discovery, spec: str, key: str) -> list[Found]:
    """The arrays a person names: among those found, or in a file of his."""
    exact = [found for found in discovery.found if found.place == spec or f"{found.file.name}:{found.key}" == spec]
    called = exact or [found for found in discovery.found if found.called(spec)]
    if not called:
        name, _, inner = spec.partition(":")
        file = next((each for each in (discovery.root / name, Path(name)) if each.is_file()), None)
        called = read_found(file, discovery.root, role="class_names" if key == "class_names" else None) if file else []
        called = [found for found in called if not inner or found.key == inner]
    if not called:
        raise InputError(f"data.{key}={spec} names nothing in {discovery.root}; there are {places(discovery.found)}")
    role: Role = {"a": "features", "b": "features", "labels": "label"}.get(key, key)  # type: ignore[assignment]
    fitting = [found for found in called if found.meaning.role == role] or called
    return [replace(found, meaning=replace(found.meaning, role=role)) for found in fitting]


def _owner(found: Found, sides: tuple[Side, Side], shared: Side) -> Side:
    """The modality that labels, ids or parts belong to by their names, or all rows."""
    hint, kind = found.meaning.hint, found.meaning.kind
    if not hint:
        return shared
    ends = [side for side in sides if any(each.meaning.hint[-len(hint) :] == hint for each in side.features)]
    same = [side for side in sides if kind and any(each.meaning.kind == kind for each in side.features)]
    owners = ends or same
    return owners[0] if len(owners) == 1 else shared


def _single(discovery: Discovery, rest: Sequence[Found], role: Role, spec: str | None) -> Found | None:
    found = lookup(discovery, spec, role) if spec else [each for each in rest if each.meaning.role == role]
    if len(found) > 1:
        raise InputError(f"{discovery.root} holds {places(found)} for {role}; choose one with data.{role}=...")
    return found[0] if found else None

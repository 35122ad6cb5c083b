"""`msl search`: the items of an indexed run that fit a text, a picture, an item or a class."""

import json
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from msl.commands.finds import print_hits, print_labels
from msl.commands.literal import literal
from msl.commands.retrieval import last_indexed, load_retriever
from msl.config import composed, resolved, validated
from msl.encode.pictures import on_white, read_picture
from msl.serve.names import Label, as_text
from msl.serve.retriever import Hit, Only, Part, Query, Retriever
from msl.types import Count, InputError, Modality

NAMES = "names"
_AS_TYPED = ("run", "text", "image", "id", "side", "class", "sheet")


class Filter(BaseModel):
    """The `only` group."""

    model_config = ConfigDict(extra="forbid")
    classes: list[str] | None
    seen: bool | None
    part: Part | None


class Searching(BaseModel):
    """The keys of `conf/search.yaml`."""

    model_config = ConfigDict(extra="forbid")
    run: str | None
    text: str | None
    image: str | None
    id: str | None
    side: str | None
    class_name: str | None = Field(alias="class")
    find: str | None
    k: Count
    only: Filter
    pixels: Count
    json_: bool = Field(alias="json")
    sheet: str | None
    pictures: bool | None


def search(arguments: list[str]) -> None:
    """Search, and print what was found: for people, or as JSON."""
    keyed, text = told_apart(arguments)
    values = resolved(composed("search", literal(keyed, *_AS_TYPED)))
    if text and values["text"] is not None:
        raise InputError(f"search with one text, not with {text!r} and text={values['text']}; drop one")
    wanted = validated(Searching, values | ({"text": text} if text else {}))
    retriever = load_retriever(Path(wanted.run) if wanted.run else last_indexed())
    query, only = asked(wanted, retriever), Only(**wanted.only.model_dump())
    if wanted.find == NAMES:
        if only != Only():
            raise InputError("only.* says which items may be found, and find=names finds none; leave it out")
        _show_labels(retriever.annotate(query, k=wanted.k), wanted)
        return
    find = retriever.target(wanted.find, query)
    _show(retriever.search(query, find=find, k=wanted.k, only=only), wanted, retriever, find)


def told_apart(arguments: list[str]) -> tuple[list[str], str]:
    """What sets a key of `conf/search.yaml`, and all other words joined to a text, which Hydra is not shown."""
    keys = {field.alias or name for name, field in Searching.model_fields.items()}
    keyed = [each for each in arguments if "=" in each and _key(each) in keys]
    words = [each for each in arguments if each not in keyed]
    return keyed, " ".join(words)


def _key(argument: str) -> str:
    return re.split(r"[=.@/]", argument.lstrip("~+"))[0]


def asked(wanted: Searching, retriever: Retriever) -> Query:
    """The query; an `InputError` unless exactly one is given."""
    given = [key for key in ("text", "image", "id", "class_name") if getattr(wanted, key) is not None]
    if len(given) != 1:
        what = ", ".join(key.removesuffix("_name") for key in given) or "nothing"
        raise InputError(
            f'search with one of a text, image=FILE, id=ID and class=NAME, not {what}: msl search "a red bird"'
        )
    if wanted.image is not None:
        picture = on_white(read_picture(Path(wanted.image), pixels=wanted.pixels))
        return Query(modality=retriever.modality("image"), raw=picture)
    if wanted.id is not None:
        return Query(modality=retriever.modality(wanted.side or retriever.modalities[0]), item=wanted.id)
    text = wanted.text if wanted.class_name is None else as_text(wanted.class_name)
    return Query(modality=retriever.modality("text"), raw=text)


def as_json(hit: Hit) -> dict[str, Any]:
    """A find for programs."""
    item = hit.item
    return {
        "id": item.id, "text": item.text, "image": None if item.picture is None else str(item.picture), "classes": list(item.classes),
        "part": item.part, "seen": hit.seen, "cosine": hit.cosine, "score": hit.score,
    }  # fmt: skip


def _show(hits: list[Hit], wanted: Searching, retriever: Retriever, find: Modality) -> None:
    if wanted.json_:
        print(json.dumps({"find": retriever.name(find), "hits": [as_json(hit) for hit in hits]}))
    elif hits:
        print_hits(hits, pictures=wanted.pictures)
    else:
        print(f"no {retriever.name(find)} of the index is what only.classes, only.seen and only.part ask for")
    if wanted.sheet and hits:
        print(f"sheet: {_sheet(hits, wanted, retriever, find)}", file=sys.stderr)


def _sheet(hits: list[Hit], wanted: Searching, retriever: Retriever, find: Modality) -> Path:
    from msl.commands.sheet import query_cell, write_finds  # matplotlib takes half a second

    item = retriever.items.find([wanted.id]).get(wanted.id) if wanted.id else None
    picture = Path(wanted.image) if wanted.image else item.picture if item else None
    text = wanted.text or wanted.class_name or (item.text if item else "") or ""
    title = f"{retriever.name(find)}s found for {text or picture}"
    assert wanted.sheet is not None
    cell = query_cell(text=text, picture=picture)
    return write_finds(hits, query=cell, pictures=retriever.name(find) == "image", title=title, file=Path(wanted.sheet))


def _show_labels(labels: dict[Any, list[Label]], wanted: Searching) -> None:
    if wanted.json_:
        found = {sort: [vars(label) for label in each] for sort, each in labels.items()}
        print(json.dumps(found))
    else:
        print_labels(labels)

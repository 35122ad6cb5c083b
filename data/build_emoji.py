"""The emoji data set: the font's pictures, CLDR's texts, the classes of Unicode's chart, features by msl.encode."""

import json
from pathlib import Path

import numpy as np
from emoji_list import Emoji, groups, read, split
from noto import Noto, png_bytes
from stable import arrays_bytes

from msl.commands.encoding.asked import described
from msl.config import composed, resolved
from msl.encode import classical, words
from msl.encode.encoders.classical import Classical
from msl.encode.encoders.words import Words
from msl.files import write_bytes, write_json, write_text


def picture_path(one: Emoji) -> str:
    """Where its picture lies, from the data set's folder."""
    return f"images/{one.id}.png"


def told(emoji: list[Emoji], vectors: words.WordVectors) -> list[Emoji]:
    """Those whose text has a known word; newer than the annotations, one has but a foreign name, "khanda"."""
    return [one for one in emoji if any(vectors.find(word) for word in words.tokens(one.text))]


def write_pictures(emoji: list[Emoji], pictures: list[bytes], folder: Path) -> None:
    """Write every picture, and remove those of a former build that are wanted no more."""
    wanted = {folder / picture_path(one) for one in emoji}
    for old in set((folder / "images").glob("*.png")) - wanted:
        old.unlink()
    for one, content in zip(emoji, pictures, strict=True):
        write_bytes(folder / picture_path(one), content)


def items(emoji: list[Emoji]) -> str:
    """One JSON object a line: id, label, text, image."""
    fields = [{"id": one.id, "label": one.label, "text": one.text, "image": picture_path(one)} for one in emoji]
    return "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in fields)


def features(emoji: list[Emoji], pictures: list[bytes], folder: Path, vectors: words.WordVectors) -> dict:
    """The arrays of features.npz; class names in alphabetical order."""
    names = sorted({one.label for one in emoji})
    group = groups(emoji, pictures)
    return {
        "image": classical.describe(folder / picture_path(one) for one in emoji).astype(np.float16),
        "text": vectors.encode([one.text for one in emoji]).astype(np.float16),
        "label": np.array([names.index(one.label) for one in emoji], np.int64),
        "split": np.array(split(emoji, group)),
        "class_names": np.array(names),
        "class_vectors": vectors.encode(names).astype(np.float16),
        "ids": np.array([one.id for one in emoji]),
        "group": np.array(group, np.int64),
    }


def encoders() -> dict:
    """What made the features, as `msl encode` would say it: its defaults are these encoders."""
    nodes = resolved(composed("encode", ["path=.", "out=."]))
    return described(nodes, {"image": Classical("image"), "text": Words("text", path=None)})


def build(font: Path, chart: Path, annotations: list[Path], folder: Path) -> None:
    """Write images/, items.jsonl, features.npz and encoders.json."""
    vectors = words.WordVectors.load(folder.parent / "words")
    emoji = told(read(chart, annotations), vectors)
    noto = Noto(font)
    pictures = [png_bytes(noto.picture(one.points)) for one in emoji]
    write_pictures(emoji, pictures, folder)
    write_text(folder / "items.jsonl", items(emoji))
    write_bytes(folder / "features.npz", arrays_bytes(features(emoji, pictures, folder, vectors)))
    write_json(folder / "encoders.json", encoders())

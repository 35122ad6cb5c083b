"""Karpathy's ``dataset_coco.json``, ``dataset_flickr8k.json``, ``dataset_flickr30k.json``: pictures, sentences, splits.

As distributed with Karpathy and Fei-Fei, "Deep visual-semantic alignments for generating image descriptions", CVPR 2015.
"""

import json
from pathlib import Path
from typing import Any

from msl.data.collection.item import Item, part_of, readable
from msl.data.collection.place import Places
from msl.data.collection.rows import table_text
from msl.types import InputError

_OPENING = 1 << 16


def is_karpathy(file: Path) -> bool:
    """Whether a .json file begins as Karpathy's do."""
    with file.open("rb") as stream:
        opening = stream.read(_OPENING)
    return opening.lstrip().startswith(b"{") and b'"sentences"' in opening and b'"filename"' in opening


def read_karpathy(root: Path, file: Path, *, folder: Path) -> list[Item]:
    """The items of Karpathy's JSON, ids left to be given where it has none; `restval` pictures are training ones.

    The pictures lie in `folder`, or in one folder in it.

    Raises:
        InputError: the file is no such JSON, or a picture in it is odd; its number, counted from 0, is named.
    """
    try:
        images = json.loads(table_text(root, file))["images"]
        places = Places(root, folder, map(_name, images))
        return [_item(image, f"{file}, image {number}", places) for number, image in enumerate(images)]
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"{file} is not Karpathy's JSON, with images of filename, sentences and split ({type(error).__name__}: {error}); "
            "fetch it again, or write a .jsonl with image and text"
        ) from None


def _item(image: dict[str, Any], said: str, places: Places) -> Item:
    texts = (readable(sentence["raw"].strip()) for sentence in image["sentences"])
    own = next((str(image[key]) for key in ("cocoid", "imgid") if key in image), "")
    part = part_of(image["split"], said) if "split" in image else None
    return Item(own, places.path(_name(image)), tuple(filter(None, texts)), (), part, said)


def _name(image: dict[str, Any]) -> str:
    return "/".join(filter(None, (image.get("filepath"), image["filename"])))

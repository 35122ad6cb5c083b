"""A person's own collection, painted on the spot: a sub-folder per colour, and a caption beside each picture."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {
    "red": (200, 30, 30), "green": (30, 150, 40), "blue": (30, 50, 200), "yellow": (230, 220, 40), "black": (15, 15, 15),
    "white": (245, 245, 245), "orange": (240, 140, 20), "purple": (130, 30, 150), "pink": (250, 150, 190), "brown": (110, 70, 30),
}  # fmt: skip
THINGS = ("apple", "door", "car", "shirt", "boat", "flower", "stone", "lamp")


def paint(
    folder: Path, *, colours: dict[str, tuple[int, int, int]] = COLOURS, things: tuple[str, ...] = THINGS
) -> Path:
    """Write CLASS/THING.png with CLASS/THING.txt: noise about the colour, "a red apple"."""
    rng = np.random.default_rng(0)
    for colour, value in colours.items():
        (folder / colour).mkdir(parents=True)
        for thing in things:
            pixels = np.clip(np.array(value) + 25 * rng.standard_normal((24, 24, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / colour / f"{thing}.png")
            (folder / colour / f"{thing}.txt").write_text(f"a {colour} {thing}")
    return folder


def found(run_msl, *arguments):
    """What `msl search` finds, as a program reads it."""
    status, out, err = run_msl("search", *arguments, "json=true")
    assert status == 0, err
    return json.loads(out)

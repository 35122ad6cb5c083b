"""Folders of pictures and captions as people have them, and what `msl encode` made of them."""

import json

import numpy as np
from PIL import Image

from msl.data.folder import load

RNG = np.random.default_rng(0)
WORDS = ("bird", "fish", "horse", "tree", "house", "boat", "apple", "chair", "river", "mountain", "dog", "shoe")


def noise(width=24, height=18):
    return Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8))


def collection(root, *, items=6, classes=4, size=(24, 18)):
    """A folder for each class, a caption beside each picture."""
    for word in WORDS[:classes]:
        (root / word).mkdir(parents=True)
        for number in range(items):
            noise(*size).save(root / word / f"{number}.png")
            (root / word / f"{number}.txt").write_text(f"a {word}\nthe {word} number {number} and a {WORDS[number]}")
    return root


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def written(out):
    """Every file of a folder but the empty lock, with its bytes."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }


def folder_data(out):
    return load(path=str(out), name=None, test_share=0.5, seed=9)


def encoding(run_msl, tmp_path):
    """The command, from a folder or table to `out` in `tmp_path`."""

    def run(path, *overrides, out="out"):
        return run_msl("encode", f"path={path}", f"out={tmp_path / out}", *overrides)

    return run

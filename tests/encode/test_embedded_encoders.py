"""The embedded emoji were encoded by what their encoders.json says."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from msl.commands.encoders import rebuilt
from msl.data.emoji import load
from msl.encode.pictures import read_picture
from msl.files import embedded

HALF = {"rtol": 2**-10, "atol": 1e-3}  # stored as float16, of eleven bits
ROWS = slice(0, None, 10)
WITHOUT_AVX512 = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512F"}
"""The stored rows were made so. With AVX-512 numpy rounds arctan2 otherwise, and a gradient of 60 degrees, where two bins of
orientations meet, may count in the other one: in 22 of the 1,456 pictures, by up to 0.026."""


@pytest.fixture(scope="module")
def emoji():
    return load()


@pytest.fixture(scope="module")
def encoders(emoji):
    """Both encoders built from what the file says; `rebuilt` refuses one whose identity is another now."""
    file = embedded("emoji") / "encoders.json"
    assert emoji.encoders == json.loads(file.read_text(encoding="utf-8"))
    return {kind: rebuilt(emoji.encoders[kind], kind, where=file) for kind in ("image", "text")}


def test_texts_and_class_names_give_the_stored_features(emoji, encoders):
    np.testing.assert_allclose(encoders["text"].encode(emoji.texts), emoji.pairs.b[:], **HALF)
    np.testing.assert_allclose(encoders["text"].encode(emoji.classes.names), emoji.classes.vectors, **HALF)


def test_pictures_give_the_stored_features_where_arctan2_rounds_as_it_did(emoji, tmp_path):
    code = (
        "import sys, numpy\n"
        "from pathlib import Path\n"
        "from msl.encode.encoders.classical import Classical\n"
        "from msl.encode.pictures import read_picture\n"
        "pictures = [read_picture(Path(line), pixels=10_000) for line in sys.stdin.read().split()]\n"
        "numpy.save(sys.argv[1], Classical('image').encode(pictures))\n"
    )
    names = "\n".join(map(str, emoji.pictures[ROWS]))
    file = tmp_path / "rows.npy"
    subprocess.run(
        [sys.executable, "-c", code, str(file)], input=names, text=True, check=True, env=os.environ | WITHOUT_AVX512
    )
    np.testing.assert_allclose(np.load(file), emoji.pairs.a[ROWS], **HALF)


def test_pictures_find_their_stored_features_on_any_processor(emoji, encoders):
    found = encoders["image"].encode([read_picture(path, pixels=10_000) for path in emoji.pictures[ROWS]])
    stored = emoji.pairs.a[:]
    cosines = (found @ stored.T) / np.outer(np.linalg.norm(found, axis=1), np.linalg.norm(stored, axis=1))
    own = cosines[np.arange(len(found)), np.arange(len(stored))[ROWS]]
    assert own.min() > 0.9999
    np.testing.assert_allclose(own, cosines.max(axis=1), atol=1e-6)

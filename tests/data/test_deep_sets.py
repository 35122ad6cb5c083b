"""The fashion and exercises sets, read from the real files where they are."""

import hashlib
from collections import defaultdict
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from msl.data.dataset import TEST, TRAIN
from msl.types import InputError

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SIZES = {"fashion": (4893, 30, 3915, 978), "exercises": (852, 15, 681, 171)}
EVERY = pytest.mark.parametrize("name", SIZES)


def loaded(name):
    if not (REAL / name).is_dir():
        pytest.skip(f"the files of {name} are not on this machine")
    return import_module(f"msl.data.{name}").load(path=str(REAL / name))


def parts_by(keys, part):
    """The parts each key occurs in."""
    found = defaultdict(set)
    for key, where in zip(keys, part, strict=True):
        found[key].add(int(where))
    return found


@EVERY
def test_sizes_are_those_published(name):
    data = loaded(name)
    rows, classes, train, test = SIZES[name]
    assert data.card.name == name
    assert data.pairs.a.shape == (rows, 512)
    assert data.pairs.b.shape == (rows, 384)
    assert data.classes.vectors.shape == (classes, 384)
    assert ((data.part == TRAIN).sum(), (data.part == TEST).sum()) == (train, test)


@EVERY
def test_every_class_can_be_trained_on_and_searched(name):
    data = loaded(name)
    for part in (TRAIN, TEST):
        assert set(data.pairs.labels[data.part == part]) == set(range(len(data.classes)))


@EVERY
def test_no_text_lies_in_both_parts(name):
    data = loaded(name)
    found = parts_by([" ".join(text.casefold().split()) for text in data.texts], data.part)
    assert max(map(len, found.values())) == 1
    assert len(found) == {"fashion": 3840, "exercises": 852}[name]  # fashion has doubles, so that this could fail


@EVERY
def test_no_picture_lies_in_both_parts(name):
    data = loaded(name)
    found = parts_by([row.tobytes() for row in data.pairs.a[:]], data.part)
    assert max(map(len, found.values())) == 1
    assert len(found) == {"fashion": 4889, "exercises": 838}[name]


def test_no_picture_file_of_exercises_lies_in_both_parts():
    data = loaded("exercises")
    found = parts_by([hashlib.sha256(file.read_bytes()).digest() for file in data.pictures], data.part)
    assert max(map(len, found.values())) == 1


def test_pictures_of_exercises_are_pictures():
    data = loaded("exercises")
    assert len(data.pictures) == len(data.pairs)
    for file in data.pictures[::100]:
        with Image.open(file) as picture:
            assert min(picture.size) > 100


def test_fashion_has_texts_and_no_pictures():
    data = loaded("fashion")
    assert len(data.texts) == len(data.pairs)
    assert data.pictures is None


@EVERY
def test_the_texts_features_tell_of_the_class_names(name):
    """Both are MiniLM's: a product's name, or an exercise's instructions, is nearer to its own class's name than to others."""
    data = loaded(name)
    cosines = data.pairs.b[:] @ data.classes.vectors.T
    own = cosines[np.arange(len(cosines)), data.pairs.labels]
    assert own.mean() > cosines.mean() + 0.05
    assert np.mean(cosines.argmax(axis=1) == data.pairs.labels) > 3 / len(data.classes)


@EVERY
def test_a_folder_without_the_files_is_refused_in_one_line(name, tmp_path):
    with pytest.raises(InputError, match=r"features\.npz") as caught:
        import_module(f"msl.data.{name}").load(path=str(tmp_path))
    assert "\n" not in str(caught.value)

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from PIL import Image

from msl.encode import classical
from msl.encode.words import WordVectors, tokens
from msl.files import sha256

DATA = Path(__file__).resolve().parents[2] / "data"
HALF = {"rtol": 2**-10, "atol": 1e-3}  # float16 keeps eleven bits


@pytest.fixture(scope="module")
def features():
    with np.load(DATA / "emoji" / "features.npz", allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def items():
    return [json.loads(line) for line in (DATA / "emoji" / "items.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def word_vectors():
    return WordVectors.load(DATA / "words")


@pytest.fixture
def build(monkeypatch):
    """Import a module of the build script; skip where the Debian packages it reads are not installed."""
    monkeypatch.syspath_prepend(DATA)

    def load(name, *packages):
        absent = __import__("sources").missing(packages)
        if absent:
            pytest.skip(f"not installed: {' '.join(absent)}")
        return __import__(name)

    return load


def built_files():
    return {
        path for folder in ("emoji", "words", "licences") for path in (DATA / folder).rglob("[!.]*") if path.is_file()
    }


def test_manifest_names_every_file_and_its_digest():
    lines = (DATA / "SHA256SUMS").read_text().splitlines()
    listed = {DATA / name: digest for digest, name in (line.split("  ") for line in lines)}
    assert set(listed) == built_files() | {DATA / "versions.json"}
    assert [path for path, digest in listed.items() if sha256(path) != digest] == []


@pytest.mark.parametrize(("folder", "limit"), [("emoji", 6_000_000), ("words", 8_500_000)])
def test_sizes_stay_small(folder, limit):
    assert sum(path.stat().st_size for path in (DATA / folder).rglob("*") if path.is_file()) <= limit


def test_layout_of_the_features(features, items):
    n, classes = len(items), len(features["class_names"])
    shapes = {name: (array.shape, array.dtype.kind) for name, array in features.items()}
    assert shapes == {
        "image": ((n, classical.DIMENSIONS), "f"),
        "text": ((n, 120), "f"),
        "label": ((n,), "i"),
        "split": ((n,), "U"),
        "class_names": ((classes,), "U"),
        "class_vectors": ((classes, 120), "f"),
        "ids": ((n,), "U"),
        "group": ((n,), "i"),
    }
    for name in ("image", "text", "class_vectors"):
        assert features[name].dtype == np.float16
        assert np.isfinite(features[name]).all()
        assert np.abs(features[name]).sum(axis=1, dtype=float).min() > 0


def test_rows_of_items_and_features_are_the_same_things(features, items):
    assert [item["id"] for item in items] == features["ids"].tolist()
    assert [item["label"] for item in items] == features["class_names"][features["label"]].tolist()
    assert len({item["id"] for item in items}) == len({item["text"] for item in items}) == len(items)
    assert {item["image"] for item in items} == {
        path.relative_to(DATA / "emoji").as_posix() for path in (DATA / "emoji" / "images").iterdir()
    }


def test_every_class_has_items_on_both_sides(features):
    train, test = (Counter(features["label"][features["split"] == side].tolist()) for side in ("train", "test"))
    assert set(features["split"]) == {"train", "test"}
    for label in range(len(features["class_names"])):
        assert train[label] >= 4
        assert test[label] >= 2
        assert train[label] + test[label] >= 8
    assert 0.18 < test.total() / len(features["label"]) < 0.22


def test_no_group_straddles_the_split(features):
    sides = {group: set(features["split"][features["group"] == group]) for group in set(features["group"])}
    assert {len(side) for side in sides.values()} == {1}


def test_equal_texts_and_equal_pictures_share_a_group(features, items):
    for keys in ([item["text"] for item in items], [(DATA / "emoji" / item["image"]).read_bytes() for item in items]):
        groups = {}
        for key, group in zip(keys, features["group"], strict=True):
            assert groups.setdefault(key, group) == group


@pytest.mark.parametrize(
    "variants",
    [("1f9d1-200d-1f373", "1f468-200d-1f373", "1f469-200d-1f373"), ("1f468-200d-1f9b0", "1f469-200d-1f9b3"),
     ("1f68c", "1f68d"), ("1f9dc-200d-2640-fe0f", "1f9dc"), ("2b05-fe0f", "27a1-fe0f")],
    ids=["cooks", "hair", "buses", "merpeople", "arrows"],
)  # fmt: skip
def test_variants_of_one_thing_share_a_group(features, variants):
    groups = dict(zip(features["ids"].tolist(), features["group"].tolist(), strict=True))
    assert len({groups[one] for one in variants}) == 1


def test_pictures_are_palette_pngs_with_something_on_white(items):
    for item in items[::20]:
        with Image.open(DATA / "emoji" / item["image"]) as picture:
            assert (picture.format, picture.mode) == ("PNG", "P")
            assert min(picture.size) >= 64
            pixels = np.asarray(picture.convert("RGB"))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 2
        assert (pixels[[0, 0, -1, -1], [0, -1, 0, -1]] > 200).all()


def test_image_features_come_from_the_stored_pictures(features, items):
    sample = slice(0, None, 40)
    rows = classical.describe(DATA / "emoji" / item["image"] for item in items[sample])
    np.testing.assert_allclose(features["image"][sample].astype(np.float32), rows, **HALF)


def test_text_features_and_class_vectors_come_from_the_stored_words(features, items, word_vectors):
    rows = word_vectors.encode([item["text"] for item in items])
    np.testing.assert_allclose(features["text"].astype(np.float32), rows, **HALF)
    names = word_vectors.encode(features["class_names"].tolist())
    np.testing.assert_allclose(features["class_vectors"].astype(np.float32), names, **HALF)


def test_words_cover_the_texts(items, word_vectors):
    seen = [word for item in items for word in tokens(item["text"])]
    assert len(word_vectors.unknown([" ".join(seen)])) < 0.05 * len(set(seen))


def test_word_files_are_plain_and_their_rows_unit(word_vectors):
    assert len(set(word_vectors.words)) == len(word_vectors.words) == len(word_vectors.vectors)
    assert not set(word_vectors.aliases) & set(word_vectors.words)
    assert set(word_vectors.aliases.values()) <= set(word_vectors.words)
    lengths = np.linalg.norm(word_vectors.vectors.astype(float), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=2e-3)
    assert (word_vectors.idf > 0).all()


def test_rebuilt_emoji_are_the_stored_ones(build, features, items):
    sources = build("sources")
    chart = build("emoji_list", "unicode-data", "unicode-cldr-core")
    noto = build("noto", "fonts-noto-color-emoji")
    stored = json.loads((DATA / "versions.json").read_text())
    if sources.versions() != stored:
        pytest.skip("other versions of the sources or libraries than versions.json names")
    listed = {one.id: one for one in chart.read(sources.CHART, sources.ANNOTATIONS)}
    font = noto.Noto(sources.FONT)
    for item in items[::60]:
        one = listed[item["id"]]
        assert (one.label, one.text) == (item["label"], item["text"])
        assert noto.png_bytes(font.picture(one.points)) == (DATA / "emoji" / item["image"]).read_bytes()
    emoji = [listed[item["id"]] for item in items]
    group = chart.groups(emoji, [(DATA / "emoji" / item["image"]).read_bytes() for item in items])
    assert group == features["group"].tolist()
    assert chart.split(emoji, group) == features["split"].tolist()


def test_rebuilt_archive_has_the_stored_bytes(build, features):
    assert build("stable").arrays_bytes(features) == (DATA / "emoji" / "features.npz").read_bytes()


def test_positive_pmi_against_a_loop(build):
    company = np.array([[0.0, 3, 1, 0], [3, 0, 2, 1], [1, 2, 0, 0.5], [0, 1, 0.5, 0]])
    totals = company.sum(axis=1)
    smooth = totals**0.75 / (totals**0.75).sum()
    expected = np.zeros((4, 4))
    for i, j in zip(*np.nonzero(company), strict=True):
        expected[i, j] = max(0.0, np.log(company[i, j] / totals[i] / smooth[j]))
    found = build("build_words").positive_pmi(sp.csr_array(company))
    np.testing.assert_allclose(found.toarray(), expected, atol=1e-12)


def test_reduction_is_the_truncated_svd_with_pinned_signs(build, monkeypatch):
    words = build("build_words")
    monkeypatch.setattr(words, "DIMENSIONS", 5)
    matrix = np.random.default_rng(0).random((40, 40))
    found = words.reduce(sp.csr_array(matrix))
    left, strengths, _ = np.linalg.svd(matrix)
    expected = left[:, :5] * np.sqrt(strengths[:5])
    expected *= np.sign(left[np.abs(left[:, :5]).argmax(axis=0), range(5)])
    np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-9)


def test_rare_word_is_stood_in_for_by_a_synonym_else_the_nearest_above(build):
    wordnet, words = build("wordnet"), build("build_words")

    def synset(offset, lemmas, above=()):
        links = tuple(("@", ("n", key)) for key in above)
        return wordnet.Synset(("n", offset), lemmas, (1,) * len(lemmas), links, "", "")

    rows = {"garment": 0, "doughnut": 1}
    chain = [synset("1", ("kimono",), "2"), synset("2", ("robe",), "3"), synset("3", ("garment",)),
             synset("4", ("donut", "doughnut")), synset("5", ("waif",))]  # fmt: skip
    stand_ins = words.rare(wordnet.Wordnet(chain, {}), rows)
    assert stand_ins == {"kimono": "garment", "robe": "garment", "donut": "doughnut"}


def test_build_names_the_package_of_a_missing_source(tmp_path):
    code = "import sys, pathlib; sys.argv = ['build.py', 'words']; import sources; "
    code += "sources.PACKAGES['wordnet-base'] = [pathlib.Path('absent')]; import build; build.main()"
    done = subprocess.run([sys.executable, "-c", code], cwd=DATA, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().endswith("apt-get install wordnet-base")
    assert len(done.stderr.strip().splitlines()) == 1

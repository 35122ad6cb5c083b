"""The Wikipedia data set: the real files where they are, and the layouts other people hold made up in their shapes."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from msl.config import composed, instantiate, resolved
from msl.data.dataset import TEST, TRAIN, VALIDATION
from msl.data.splits import even_odd, from_file
from msl.data.wikipedia import load
from msl.data.wikipedia_files import CHECKSUMS, CLASSES
from msl.files import sha256
from msl.types import InputError

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "wikipedia"
NAMES = ("art", "biology", "geography", "history", "literature", "media", "music", "royalty", "sport", "warfare")
LISTS = ("trainset_txt_img_cat.list", "testset_txt_img_cat.list")
HDF5 = "wiki_deep_doc2vec_data_corr_ae.h5py"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the files of Wikipedia are not on this machine")


def read(path, **options):
    return load(
        **{"path": str(path), "images": "auto", "texts": "doc2vec", "verify": False, "name": "wikipedia"} | options
    )


def refused(path, *words, **options):
    """The message that refuses it: one line with the `words` and, after a semicolon, the remedy."""
    with pytest.raises(InputError) as caught:
        read(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert "; " in message
    for word in words:
        assert word in message, message
    return message


# The real files.


@pytest.fixture(scope="module")
def whole():
    if not REAL.is_dir():
        pytest.skip("the files of Wikipedia are not on this machine")
    return read(REAL, verify=True)


@pytest.fixture
def altered(tmp_path):
    """A folder of the real files, to alter: links but for the small ones."""
    if not REAL.is_dir():
        pytest.skip("the files of Wikipedia are not on this machine")
    for file in REAL.iterdir():
        if file.is_file() and file.stat().st_size < 1 << 18:
            shutil.copy(file, tmp_path / file.name)
            (tmp_path / file.name).chmod(0o644)
        else:
            (tmp_path / file.name).symlink_to(file)
    return tmp_path


def categories(folder=REAL):
    """Text id -> category, 1 to 10, as the lists say, in order."""
    lines = [line.split("\t") for name in LISTS for line in (folder / name).read_text().splitlines()]
    return {text: int(category) for text, _, category in lines}


def test_rows_classes_and_parts_are_those_published(whole):
    assert whole.card.name == "wikipedia-sift-doc2vec"
    assert whole.card.directions == ("i2t", "t2i")
    assert whole.pairs.a.shape == (2866, 128)
    assert whole.pairs.b.shape == (2866, 300)
    assert whole.classes.names == NAMES
    assert whole.classes.vectors.shape == (10, 300)
    assert whole.part.tolist() == [TRAIN] * 2173 + [TEST] * 693


def test_ids_are_the_texts_in_the_order_of_the_lists(whole):
    assert whole.pairs.ids == tuple(categories())
    assert len(set(whole.pairs.ids)) == 2866


def test_labels_are_those_of_the_lists_and_of_the_label_file(whole):
    assert (whole.pairs.labels + 1).tolist() == list(categories().values())
    assert np.array_equal(whole.pairs.labels, loadmat(REAL / "labels.wiki.mat")["labels"][0])
    assert dict(zip(NAMES, np.bincount(whole.pairs.labels).tolist(), strict=True)) == CLASSES


def test_categories_of_the_texts_map_one_to_one_to_the_labels(whole):
    written = [re.search(r' cat="(\d+)"', (REAL / "texts" / f"{i}.xml").read_text())[1] for i in whole.pairs.ids]
    both = set(zip(written, whole.pairs.labels.tolist(), strict=True))
    assert len(both) == len({cat for cat, _ in both}) == len({label for _, label in both}) == 10


def test_sift_rows_are_those_of_the_file_and_sum_to_one(whole):
    raw = loadmat(REAL / "raw_features.mat")
    assert np.array_equal(whole.pairs.a, np.concatenate([raw["I_tr"], raw["I_te"]]).astype(np.float32))
    assert np.abs(whole.pairs.a[:].sum(axis=1) - 1).max() < 1e-4


def test_text_features_are_those_asked_for(whole):
    raw, topics = loadmat(REAL / "raw_features.mat"), read(REAL, texts="lda", verify=True)
    assert np.array_equal(whole.pairs.b, loadmat(REAL / "texts.wiki.doc2vec.300.mat")["texts"].astype(np.float32))
    assert np.array_equal(topics.pairs.b, np.concatenate([raw["T_tr"], raw["T_te"]]).astype(np.float32))
    assert topics.card.name == "wikipedia-sift-lda"
    assert "unseen" in topics.card.features[1]


def test_class_vectors_are_those_of_the_file(whole):
    assert np.array_equal(whole.classes.vectors, loadmat(REAL / "class_emb.wikipedia.Gnews-300d.mat")["class_emb"])


def test_texts_are_plain_and_their_own(whole):
    assert len(whole.texts) == 2866
    assert min(map(len, whole.texts)) > 100
    assert len(set(whole.texts)) > 2800
    assert not any(
        mark in text for text in whole.texts for mark in ("''", "&ndash;", "&amp;", "<text>", "<imageset", "\n")
    )
    row = whole.pairs.ids.index("004606b82f7609592a76c2108e56e0fb-3.1")
    assert whole.texts[row].startswith("When, in September 1943, Goebbels was informed that the German army")
    assert whole.texts[row].endswith("is available at the Russian Wikisource.")


@real
def test_raw_texts_alone_are_features_of_size_nothing():
    data = read(REAL, texts="raw", verify=True)
    assert data.card.name == "wikipedia-sift"
    assert data.pairs.b.shape == (2866, 0)
    assert len(data.texts) == 2866


def test_the_configuration_loads_them(monkeypatch):
    if not REAL.is_dir():
        pytest.skip("the files of Wikipedia are not on this machine")
    monkeypatch.setenv("MSL_DATA", str(REAL.parent))
    data = instantiate(resolved(composed("train", ["data=wikipedia"]))["data"])
    assert data.card.name == "wikipedia-sift-doc2vec"


def test_dadn_counts_are_those_of_the_literature(whole):
    split = even_odd(whole, seed=0, pseudo_unseen_share=0.4)
    assert split.seen == ("biology", "history", "media", "royalty", "warfare")
    assert {group: len(split.rows[group]) for group in ("seen_train", "seen_test", "unseen_train", "unseen_test")} == {
        "seen_train": 1189, "seen_test": 376, "unseen_train": 984, "unseen_test": 317,
    }  # fmt: skip
    assert (
        split.rows
        == from_file(
            whole, path=str(REAL / "splits" / "split.wikipedia.DADN.mat"), seed=0, pseudo_unseen_share=0.4
        ).rows
    )


@pytest.mark.parametrize("number", range(7))
def test_every_split_file_has_the_rows_of_its_classes(number, whole):
    split = from_file(whole, path=str(REAL / "splits"), seed=number, pseudo_unseen_share=0.4)
    file = loadmat(sorted((REAL / "splits").iterdir())[number])
    for kind, letter in (("seen", "s"), ("unseen", "u")):
        of_kind = np.isin(whole.pairs.labels, file[f"{kind}_class"])
        for part, where in (("train", TRAIN), ("test", TEST)):
            rows = np.flatnonzero(of_kind & (whole.part == where))
            assert np.array_equal(rows, np.sort(file[f"idx_{part}_{letter}"][0]))
            assert split.rows[f"{kind}_{part}"] == tuple(whole.pairs.ids[row] for row in rows)


@pytest.mark.parametrize("key", ["idx_train_s", "idx_ret_u", "idx_test_u"])
def test_a_tampered_split_file_is_refused(key, whole, tmp_path):
    arrays = {
        name: value for name, value in loadmat(REAL / "splits" / "split.wikipedia.DADN.mat").items() if name[0] != "_"
    }
    arrays[key][0, 5] += 1
    savemat(tmp_path / "split.mat", arrays)
    with pytest.raises(InputError, match=key) as caught:
        from_file(whole, path=str(tmp_path / "split.mat"), seed=0, pseudo_unseen_share=0.4)
    assert "\n" not in str(caught.value)


def test_a_split_file_of_rows_in_another_order_is_refused(whole):
    order = np.random.default_rng(0).permutation(2866)
    shuffled = replace(whole, pairs=whole.pairs.take(order), part=whole.part[order])
    with pytest.raises(InputError, match="published order"):
        from_file(shuffled, path=str(REAL / "splits"), seed=6, pseudo_unseen_share=0.4)


@real
@pytest.mark.parametrize("name", CHECKSUMS)
def test_checksums_are_those_of_the_files(name):
    assert sha256(REAL / name) == CHECKSUMS[name]


def test_an_altered_file_is_refused_with_both_checksums(altered):
    file = altered / LISTS[0]
    file.write_text(file.read_text().replace("\t6\n", "\t7\n", 1))
    refused(altered, str(file), sha256(file), CHECKSUMS[LISTS[0]], "data.verify=false", verify=True)


def test_a_file_other_than_byte_for_byte_passes_unverified(altered):
    file = altered / LISTS[0]
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert read(altered).pairs.ids == tuple(categories())


def test_unverified_labels_that_disagree_are_refused(altered):
    labels = loadmat(altered / "labels.wiki.mat")["labels"]
    first, second = np.flatnonzero(labels[0] == 0)[0], np.flatnonzero(labels[0] == 1)[0]
    labels[0, [first, second]] = 1, 0
    savemat(altered / "labels.wiki.mat", {"labels": labels})
    refused(altered, "labels.wiki.mat", LISTS[0], "2 rows", f"row {min(first, second)}")


def test_a_text_that_is_missing_or_cut_is_named(altered):
    (altered / "texts").unlink()
    (altered / "texts").mkdir()
    first, second, *others = categories()
    for name in (second, *others):
        (altered / "texts" / f"{name}.xml").symlink_to(REAL / "texts" / f"{name}.xml")
    refused(altered, f"{first}.xml", "No such file")
    (altered / "texts" / f"{first}.xml").write_text("<document>\n<text>\nHere it ends")
    refused(altered, f"{first}.xml", "</text>")
    (altered / "texts" / f"{first}.xml").write_bytes(b"<text>caf\xe9</text>")
    refused(altered, f"{first}.xml", "UTF-8")
    (altered / "texts" / f"{first}.xml").write_text(
        "<!DOCTYPE d [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><text>\n&a; A &amp;lt; ''B'' &ndash; 3 < 4</text>"
    )
    assert read(altered).texts[0] == "&a; A &lt; B – 3 < 4"


# Other people's layouts.


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(1).permutation(np.repeat(np.arange(10), list(CLASSES.values())))


def matrix(size, seed):
    return np.random.default_rng(seed).standard_normal((2866, size)).astype(np.float32)


IMAGE, TEXT = matrix(5, seed=2), matrix(3, seed=3)


def write_lists(folder, labels):
    lines = [f"text{row}\timage{row}\t{label + 1}\n" for row, label in enumerate(labels)]
    (folder / LISTS[0]).write_text("".join(lines[:2173]))
    (folder / LISTS[1]).write_text("".join(lines[2173:]))


def write_raw_features(folder):
    """The file of the original archive; images narrower than the VGG ones."""
    arrays = {"I_tr": IMAGE[:2173, :2], "I_te": IMAGE[2173:, :2], "T_tr": TEXT[:2173], "T_te": TEXT[2173:]}
    savemat(folder / "raw_features.mat", arrays)


def write_mats(folder, labels):
    """The layout of one .mat for each of images, texts and labels."""
    savemat(folder / "images.vgg19.mat", {"images": IMAGE})
    savemat(folder / "texts.wiki.doc2vec.300.mat", {"texts": TEXT})
    savemat(folder / "labels.wiki.mat", {"labels": labels[None]})


def write_acmr(folder, labels):
    """What the converter makes of ACMR's pickles."""
    for part, rows in (("train", slice(2173)), ("test", slice(2173, None))):
        np.save(folder / f"{part}_img_feats.npy", IMAGE[rows])
        np.save(folder / f"{part}_txt_vecs.npy", TEXT[rows])
        np.save(folder / f"{part}_labels.npy", labels[rows] + 1)


def write_hdf5(folder, labels, *, cuts=(2173, 2404), text="text"):
    names = ("train", "valid", "test") if len(cuts) > 1 else ("train", "test")
    with h5py.File(folder / HDF5, "w") as file:
        for part, image, words, label in zip(names, *(np.split(a, cuts) for a in (IMAGE, TEXT, labels)), strict=True):
            file[f"{part}_imgs_deep"], file[f"{part}_{text}"] = image, words
            file[f"{part}_imgs_labels"] = file[f"{part}_texts_labels"] = label + 1


def test_vgg_doc2vec_and_labels_suffice(tmp_path, labels):
    write_mats(tmp_path, labels)
    data = read(tmp_path)
    assert data.card.name == "wikipedia-vgg19-doc2vec"
    assert np.array_equal(data.pairs.a, IMAGE)
    assert np.array_equal(data.pairs.b, TEXT)
    assert np.array_equal(data.pairs.labels, labels)
    assert data.part.tolist() == [TRAIN] * 2173 + [TEST] * 693
    assert data.pairs.ids[:2] == ("row 0", "row 1")
    assert data.classes.names == NAMES
    assert data.classes.vectors.shape == (10, 0)
    assert data.texts is None


def test_lists_beside_them_give_the_ids(tmp_path, labels):
    write_mats(tmp_path, labels)
    write_lists(tmp_path, labels)
    assert read(tmp_path).pairs.ids[-1] == "text2865"


def test_vgg_in_two_files_is_preferred_to_sift(tmp_path, labels):
    write_mats(tmp_path, labels)
    (tmp_path / "images.vgg19.mat").unlink()
    write_raw_features(tmp_path)
    assert read(tmp_path).card.name == "wikipedia-sift-doc2vec"
    savemat(tmp_path / "wiki_train_img_vgg19.mat", {"train_img": IMAGE[:2173]})
    savemat(tmp_path / "wiki_test_img_vgg19.mat", {"test_img": IMAGE[2173:]})
    assert np.array_equal(read(tmp_path).pairs.a, IMAGE)
    assert read(tmp_path).card.name == "wikipedia-vgg19-doc2vec"
    assert read(tmp_path, images="sift").pairs.a.shape == (2866, 2)


@pytest.mark.parametrize(
    "written",
    [{}, {"text": "texts"}, {"cuts": (2173,)}],
    ids=["three parts", "texts in the plural", "no validation part"],
)
def test_the_hdf5_has_a_validation_part(written, tmp_path, labels):
    write_hdf5(tmp_path, labels, **written)
    data = read(tmp_path)
    assert data.card.name == "wikipedia-vgg19-doc2vec"
    assert "231" in data.card.features[0]
    assert data.part.tolist() == [TRAIN] * 2173 + [VALIDATION] * 231 + [TEST] * 462
    assert np.array_equal(data.pairs.a, IMAGE)
    assert np.array_equal(data.pairs.b, TEXT)
    assert np.array_equal(data.pairs.labels, labels)
    assert data.pairs.ids[0] == "row of corr_ae 0"


def test_the_hdf5_is_never_mixed_with_rows_in_the_published_order(tmp_path, labels):
    write_hdf5(tmp_path, labels)
    write_lists(tmp_path, labels[::-1])
    write_raw_features(tmp_path)
    assert read(tmp_path).pairs.a.shape == (2866, 5)
    topics = read(tmp_path, texts="lda")
    assert topics.card.name == "wikipedia-sift-lda"
    assert np.array_equal(topics.pairs.labels, labels[::-1])
    refused(tmp_path, HDF5, "raw_features.mat", "different orders", images="vgg19", texts="lda")


@pytest.mark.parametrize("shape", ["numbers", "column", "indicators"])
def test_acmr_arrays_are_read(shape, tmp_path, labels):
    write_acmr(tmp_path, labels)
    for part in ("train", "test"):
        numbers = np.load(tmp_path / f"{part}_labels.npy")
        shaped = {"numbers": numbers, "column": numbers[:, None], "indicators": np.eye(10)[numbers - 1]}[shape]
        np.save(tmp_path / f"{part}_labels.npy", shaped)
    data = read(tmp_path, texts="acmr")
    assert data.card.name == "wikipedia-acmr-acmr"
    assert np.array_equal(data.pairs.a, IMAGE)
    assert np.array_equal(data.pairs.b, TEXT)
    assert np.array_equal(data.pairs.labels, labels)


def test_the_original_archive_is_read_where_it_unpacks(tmp_path, labels):
    place = tmp_path / "wikipedia_dataset"
    place.mkdir()
    write_lists(place, labels)
    write_raw_features(place)
    (place / "categories.list").write_text("\n".join(NAMES) + "\n\n")
    files = [place / "images" / NAMES[label] / f"image{row}.jpg" for row, label in enumerate(labels)]
    for name in NAMES:
        (place / "images" / name).mkdir(parents=True)
    for file in files[1:]:
        file.touch()
    data = read(tmp_path, texts="lda")
    assert data.card.name == "wikipedia-sift-lda"
    assert data.texts is None
    assert data.pictures is None
    (place / "texts").mkdir()
    for row in range(2866):
        (place / "texts" / f"text{row}.xml").write_text(f"<text>section {row}</text>")
    files[0].touch()
    data = read(tmp_path, texts="raw")
    assert data.texts == tuple(f"section {row}" for row in range(2866))
    assert data.pictures == tuple(files)


# What is wrong is said.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"images": "vgg19"},
            ["data.images=vgg19", "images.vgg19.mat", "wiki_train_img_vgg19.mat", HDF5, "choose data.images=sift"],
        ),
        ({"images": "acmr"}, ["train_img_feats.npy", "msl data convert"]),
        ({}, ["data.texts=doc2vec", "texts.wiki.doc2vec.300.mat", "choose data.texts=lda"]),
        ({"texts": "raw"}, ["data.texts=raw", "texts"]),
    ],
    ids=["no VGG", "no ACMR", "no doc2vec", "no raw texts"],
)
def test_what_is_missing_is_named(options, words, tmp_path, labels):
    write_lists(tmp_path, labels)
    write_raw_features(tmp_path)
    refused(tmp_path, *words, str(tmp_path), **options)


def test_an_empty_folder_and_no_folder_are_refused(tmp_path):
    refused(tmp_path, "raw_features.mat", "images.vgg19.mat")
    refused(tmp_path / "nowhere", "msl data get wikipedia", "data.path=FOLDER")


def test_features_without_any_labels_are_refused(tmp_path, labels):
    write_mats(tmp_path, labels)
    (tmp_path / "labels.wiki.mat").unlink()
    refused(tmp_path, "no labels", "labels.wiki.mat", LISTS[0])


def test_raw_texts_without_the_lists_are_refused(tmp_path, labels):
    write_mats(tmp_path, labels)
    (tmp_path / "texts").mkdir()
    refused(tmp_path, *LISTS, texts="raw")


@pytest.mark.parametrize(
    ("name", "arrays", "words"),
    [
        ("images.vgg19.mat", {"images": IMAGE[:-1]}, ["wanted 2866 rows", "2865"]),
        ("images.vgg19.mat", {"features": IMAGE}, ["no array 'images'", "features"]),
        ("images.vgg19.mat", {"images": np.where(np.arange(2866)[:, None] == 7, np.nan, IMAGE)}, ["row 7", "NaN"]),
        ("texts.wiki.doc2vec.300.mat", {"texts": TEXT.T}, ["wanted 2866 rows"]),
        ("labels.wiki.mat", {"labels": np.zeros((1, 2866))}, ["the classes have", "[2866, 0,"]),
        ("labels.wiki.mat", {"labels": np.zeros((1, 2173))}, ["wanted 2866 class numbers", "(1, 2173)"]),
        ("labels.wiki.mat", {"labels": np.full((1, 2866), np.inf)}, ["wanted 2866 class numbers"]),
        ("labels.wiki.mat", {"labels": np.ones((2866, 10))}, ["wanted 2866 class numbers"]),
        ("labels.wiki.mat", {"labels": np.full((1, 2866), 0.5)}, ["wanted 2866 class numbers"]),
        ("class_emb.wikipedia.Gnews-300d.mat", {"class_emb": np.ones((9, 300))}, ["wanted 10 rows"]),
        ("class_emb.wikipedia.Gnews-300d.mat", {"class_emb": np.eye(10)[[0, *range(9)]] * 0}, ["'art' has no vector"]),
    ],
    ids=[
        "a row too few", "another name", "a NaN", "transposed", "one class", "train labels only", "infinite labels",
        "labels of all classes", "half labels", "nine class vectors", "a zero class vector",
    ],
)  # fmt: skip
def test_a_file_of_something_else_is_refused(name, arrays, words, tmp_path, labels):
    write_mats(tmp_path, labels)
    savemat(tmp_path / name, arrays)
    refused(tmp_path, *words)


def test_labels_numbered_in_another_order_are_refused(tmp_path, labels):
    write_mats(tmp_path, (labels + 1) % 10)
    refused(tmp_path, "labels.wiki.mat", "wanted [172, 360,", "alphabetical")


def test_parts_of_different_widths_are_refused(tmp_path, labels):
    write_mats(tmp_path, labels)
    savemat(tmp_path / "wiki_train_img_vgg19.mat", {"train_img": IMAGE[:2173]})
    savemat(tmp_path / "wiki_test_img_vgg19.mat", {"test_img": IMAGE[2173:, :4]})
    (tmp_path / "images.vgg19.mat").unlink()
    refused(tmp_path, "5, 4 columns", "wiki_test_img_vgg19.mat")


def test_image_and_text_labels_of_the_hdf5_must_agree(tmp_path, labels):
    write_hdf5(tmp_path, labels)
    with h5py.File(tmp_path / HDF5, "r+") as file:
        file["train_texts_labels"][...] = np.flip(file["train_texts_labels"][()])
    refused(tmp_path, "labels of the images", "labels of the texts", HDF5)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text.replace("text1\t", "text0\t"), ["'text0' stands twice"]),
        (lambda text: text.replace("\t", " "), ["tabs"]),
        (lambda text: text.split("\n", 1)[1], ["wanted 2173 class numbers"]),
        (lambda text: text.replace("\t3\n", "\tgeography\n"), ["tabs"]),
        (lambda text: "", ["empty"]),
    ],
    ids=["a text twice", "blanks", "a line too few", "names for numbers", "nothing"],
)
def test_a_list_of_something_else_is_refused(change, words, tmp_path, labels):
    write_mats(tmp_path, labels)
    write_lists(tmp_path, labels)
    file = tmp_path / LISTS[0]
    file.write_text(change(file.read_text()))
    refused(tmp_path, LISTS[0], *words)


def test_other_category_names_are_refused(tmp_path, labels):
    write_mats(tmp_path, labels)
    (tmp_path / "categories.list").write_text("\n".join(reversed(NAMES)))
    refused(tmp_path, "categories.list", "warfare, sport", "wanted art, biology")


def test_a_folder_in_place_of_a_file_is_refused(tmp_path, labels):
    write_mats(tmp_path, labels)
    (tmp_path / "images.vgg19.mat").unlink()
    (tmp_path / "images.vgg19.mat").mkdir()
    refused(tmp_path, "images.vgg19.mat", "folder")

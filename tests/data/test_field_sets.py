"""The field's published sets: synthetic files in their layouts, and the real ones where they are."""

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io

from msl.data import nuswide, pascal, xmedia, xmedianet
from msl.data.arrays import read_arrays
from msl.data.dataset import TEST, TRAIN
from msl.encode.matching import match
from msl.encode.words import WordVectors
from msl.types import InputError

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"
RNG = np.random.default_rng(0)
SIZES = {"train": 800, "test": 100}


def matrix(rows, size):
    return RNG.standard_normal((rows, size)).astype(np.float32)


def dscmr(folder):
    """The six files, labels as DSCMR's: blocks of one class, 40 in training and 5 in test."""
    folder.mkdir()
    for part, rows in SIZES.items():
        for name, array in (
            ("img", matrix(rows, 6)), ("txt", matrix(rows, 5)), ("img_lab", np.repeat(np.arange(20), rows // 20)[:, None]),
        ):  # fmt: skip
            scipy.io.savemat(folder / f"{part}_{name}.mat", {f"{part}_{name}": array})
    return folder


def one_line(loader, *words, **arguments):
    with pytest.raises(InputError) as caught:
        loader(**arguments)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message, message


def test_pascal_in_dscmrs_files(tmp_path):
    data = pascal.load(path=str(dscmr(tmp_path / "pascal")), class_names=None)
    assert ((data.part == TRAIN).sum(), (data.part == TEST).sum()) == (800, 100)
    assert np.bincount(data.pairs.labels).tolist() == [45] * 20
    assert data.classes.names[0] == "bicycle"
    assert data.classes.names[19] == "aeroplane"
    assert set(data.classes.names) == set(pascal.VOC)
    assert data.texts is None
    assert data.card.modalities == ("image", "text")
    sizes = (800, 0, 100)
    assert sizes in pascal.PUBLISHED


@pytest.mark.parametrize("name", pascal.FILES)
def test_each_missing_file_of_pascal_is_named(name, tmp_path):
    (dscmr(tmp_path / "pascal") / name).unlink()
    one_line(pascal.load, f"lacks {name}", "DSCMR", path=str(tmp_path / "pascal"), class_names=None)


def test_pascals_real_files_and_what_they_lack(tmp_path):
    if not (REAL / "pascal_sentence").is_dir():
        pytest.skip("the files of Pascal Sentence are not on this machine")
    one_line(pascal.load, "lacks train_img.mat", path=str(REAL / "pascal_sentence"), class_names=None)
    place = tmp_path / "completed"
    shutil.copytree(REAL / "pascal_sentence", place)
    place.chmod(0o755)
    scipy.io.savemat(place / "train_img.mat", {"train_img": matrix(800, 4096)})
    data = pascal.load(path=str(place), class_names=None)
    assert data.pairs.a.shape == (900, 4096)
    assert data.pairs.b.shape == (900, 300)
    text = next(iter(read_arrays(place / "train_txt.mat").values()))
    assert np.array_equal(data.pairs.b[:800], text)
    assert data.classes.names[data.pairs.labels[0]] == "sheep"


def test_the_order_of_pascals_labels_fits_the_captions_better_than_the_alphabet():
    """The evidence for `DSCMR_NAMES`: classes alike in the features are alike in the captions."""
    place = REAL / "pascal_sentence"
    if not place.is_dir():
        pytest.skip("the files of Pascal Sentence are not on this machine")
    import json

    from scipy.stats import spearmanr
    from sklearn.feature_extraction.text import TfidfVectorizer

    entries = json.loads((place / "pascal_sentences.json").read_text()).values()
    counted = TfidfVectorizer(stop_words="english", min_df=3, sublinear_tf=True)
    words = counted.fit_transform([" ".join(entry["captions"]) for entry in entries]).toarray()
    read = {name: next(iter(read_arrays(place / f"{name}.mat").values())) for name in ("train_txt", "train_img_lab")}
    category = np.array([pascal.DSCMR_NAMES.index(entry["category"]) for entry in entries])

    def likeness(features, labels, order):
        means = np.stack([features[labels == label].mean(axis=0) for label in order])
        return np.corrcoef(means - means.mean(axis=0))[np.triu_indices(20, 1)]

    captions = likeness(words, category, range(20))
    found, shuffled = (
        spearmanr(likeness(read["train_txt"], read["train_img_lab"].ravel(), order), captions)[0]
        for order in (range(20), np.roll(np.arange(20), 1))
    )
    assert found > 0.8
    assert shuffled < 0.2


def test_every_class_of_pascal_has_word_vectors():
    vectors = WordVectors.load()
    assert [name for name in pascal.VOC if not match(name, vectors).rows] == []


def hu_file(path, *, first=0, valid=True):
    """Peng Hu's HDF5 layout: a label array of each modality, an optional validation part."""
    with h5py.File(path, "w") as file:
        for part, rows in {"train": 40, "valid": 10, "test": 20}.items():
            if part == "valid" and not valid:
                continue
            labels = np.arange(rows) % 10 + first
            for name, array in (
                ("imgs_deep", matrix(rows, 6)), ("texts", matrix(rows, 5)), ("imgs_labels", labels), ("texts_labels", labels),
            ):  # fmt: skip
                file[f"{part}_{name}"] = array
    return path


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("valid", [True, False])
@pytest.mark.parametrize(("loader", "more"), [(nuswide.load, {"concepts": 10}), (xmedianet.load, {"modalities": ("image", "text")})],
                         ids=["nuswide", "xmedianet"])  # fmt: skip
def test_single_labels_in_hdf5(loader, more, first, valid, tmp_path):
    data = loader(
        path=str(hu_file(tmp_path / "nus_wide_deep_doc2vec_data_42941.h5py", first=first, valid=valid)),
        class_names=None,
        **more,
    )
    assert data.pairs.paired
    assert np.bincount(data.part).tolist() == ([40, 20, 10] if valid else [40, 20])
    assert data.pairs.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_multi_labels_in_a_hashing_file_without_empty_rows(tmp_path):
    arrays = {}
    for part, rows in (("tr", 30), ("te", 12), ("db", 50)):
        flags = (RNG.random((rows, 21)) < 0.2).astype(np.uint8)
        flags[:, 0] = 1
        flags[3] = 0
        arrays |= {f"I_{part}": matrix(rows, 6), f"T_{part}": matrix(rows, 5), f"L_{part}": flags}
    scipy.io.savemat(tmp_path / "nus_cnn_twt.mat", arrays)
    data = nuswide.load(path=str(tmp_path), concepts=21, class_names=None)
    assert data.pairs.labels.shape == (40, 21)
    assert np.bincount(data.part).tolist() == [29, 11]
    assert "2 items without any class are left out" in data.card.source
    assert "left aside" in data.card.source


def test_a_set_that_says_no_test_rows_is_refused(tmp_path):
    np.savez(tmp_path / "nus-wide-tc21.npz", XAll=matrix(30, 6), YAll=matrix(30, 5), LAll=np.arange(30) % 10)
    one_line(nuswide.load, "does not say which rows are test rows", path=str(tmp_path), concepts=21, class_names=None)


CONCEPTS = ("airport", "beach", "cat", "lake")


def nus_wide_original(folder):
    """The makers' text files: 4 concepts, few rows; a blank at each line's end, as in the real ones."""
    for place in ("Groundtruth/TrainTestLabels", "Low_Level_Features", "NUS_WID_Tags", "ConceptsList"):
        (folder / place).mkdir(parents=True)
    (folder / "ConceptsList" / "Concepts81.txt").write_text("\n".join(CONCEPTS) + "\n")
    flags = {part: np.array([[1, 0, 1, 0], [0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]) for part in ("Train", "Test")}
    for part, table in flags.items():
        for column, name in enumerate(CONCEPTS):
            values = "\n".join(map(str, table[:, column]))
            (folder / "Groundtruth" / "TrainTestLabels" / f"Labels_{name}_{part}.txt").write_text(values + "\n")
        for kind, size in (("CH", 3), ("CM55", 2), ("CORR", 2), ("EDH", 1), ("WT", 2)):
            lines = [" ".join(f"{row}.5" for _ in range(size)) + " " for row in range(4)]
            (folder / "Low_Level_Features" / f"{part}_Normalized_{kind}.dat").write_text("\n".join(lines) + "\n")
        lines = ["\t".join("1" if column == row else "0" for column in range(6)) + "\t" for row in range(4)]
        (folder / "NUS_WID_Tags" / f"{part}_Tags1k.dat").write_text("\n".join(lines) + "\n")
    return folder


def test_the_original_files_with_the_most_frequent_concepts(tmp_path):
    data = nuswide.load(path=str(nus_wide_original(tmp_path / "nus")), concepts=3, class_names=None)
    assert data.classes.names == ("airport", "beach", "cat")
    assert data.pairs.labels.tolist() == [[1, 0, 1], [0, 1, 1]] * 2
    assert data.pairs.ids == ("train 0", "train 2", "test 0", "test 2")
    assert data.pairs.a[:].tolist() == [[0.5] * 10, [2.5] * 10] * 2
    assert data.pairs.b[1].tolist() == [0, 0, 1, 0, 0, 0]
    assert data.part.tolist() == [0, 0, 1, 1]
    assert "4 of 8 items have none of the 3 concepts" in data.card.source


def test_a_label_that_is_neither_0_nor_1_is_named_with_its_line(tmp_path):
    folder = nus_wide_original(tmp_path / "nus")
    file = folder / "Groundtruth" / "TrainTestLabels" / "Labels_lake_Train.txt"
    file.write_text("0\n0\n-1130179\n1\n")
    one_line(nuswide.load, str(file), "line 3", "-1130179", "AllLabels", path=str(folder), concepts=3, class_names=None)
    file.write_text("0\n0\nx\n1\n")
    one_line(nuswide.load, str(file), "no table of numbers", path=str(folder), concepts=3, class_names=None)
    (folder / "NUS_WID_Tags" / "Test_Tags1k.dat").unlink()
    file.write_text("0\n0\n0\n1\n")
    one_line(nuswide.load, "Test_Tags1k.dat", "unpack", path=str(folder), concepts=3, class_names=None)


FIVE = {"I_{}_CNN": 30, "T_{}_BOW": 30, "V_{}_CNN": 18, "A_{}": 24, "d3_{}": 12}
CATS = dict(zip(("Img", "Txt", "Vid", "Aud", "3d"), FIVE.values(), strict=True))


@pytest.fixture
def five_modalities(tmp_path):
    arrays = {}
    for part, share in (("tr", 1), ("te", 2)):
        arrays |= {
            name.format(part): matrix(rows // share, 4 + place) for place, (name, rows) in enumerate(FIVE.items())
        }
        arrays |= {f"{part}{name}Cat": np.arange(rows // share) % 6 + 1 for name, rows in CATS.items()}
    scipy.io.savemat(tmp_path / "XMediaFeatures.mat", arrays)
    return tmp_path / "XMediaFeatures.mat"


@pytest.mark.parametrize(
    ("modalities", "rows", "sizes"),
    [(("image", "text"), 45, (4, 5)), (("audio", "3d"), 36 + 18, (7, 8)), (("video", "image"), 27 + 45, (6, 4))],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_two_of_xmedias_five_modalities(five_modalities, modalities, rows, sizes):
    data = xmedia.load(path=str(five_modalities), modalities=modalities, class_names=None)
    assert data.card.modalities == modalities
    assert (len(data.pairs), data.pairs.a.shape[1], data.pairs.b.shape[1]) == (rows, *sizes)
    assert data.pairs.paired == (modalities == ("image", "text"))
    assert len(data.classes) == 6


def test_a_modality_xmedia_does_not_have_is_refused(five_modalities):
    one_line(xmedia.load, "smell", "audio", path=str(five_modalities), modalities=("smell", "text"), class_names=None)


@pytest.mark.parametrize(
    "loader", [pascal.load, nuswide.load, xmedia.load, xmedianet.load], ids=lambda loader: loader.__module__
)
def test_a_set_that_is_not_here_says_how_to_obtain_it(loader, tmp_path):
    more = {nuswide.load: {"concepts": 10}, pascal.load: {}}.get(loader, {"modalities": ("image", "text")})
    module = {"pascal": pascal, "nuswide": nuswide, "xmedia": xmedia, "xmedianet": xmedianet}[
        loader.__module__.rpartition(".")[2]
    ]
    one_line(loader, module.CARD.obtain, path=str(tmp_path / "nowhere"), class_names=None, **more)

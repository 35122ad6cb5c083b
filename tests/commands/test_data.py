"""`msl data ...` as typed: what it says of somebody's files, and that the command it ends with trains on them."""

import functools
import http.server
import shlex
import threading
import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import plant

from msl.data import emoji
from msl.data.fetching.download import Remote

NAMES = ["dog", "cat", "horse", "bird", "car", "bus", "train", "boat", "sheep", "bottle", "chair", "sofa"]
ROWS = 96
LABEL = np.arange(ROWS) % 12


def features():
    rng = np.random.default_rng(0)
    hidden = rng.standard_normal((12, 6))[LABEL] + 0.3 * rng.standard_normal((ROWS, 6))
    return [(hidden @ rng.standard_normal((6, size))).astype(np.float32) for size in (7, 5)]


A, B = features()


def one_file_per_item(folder):
    for name, matrix in (("audio", A), ("image", B)):
        for row, vector in enumerate(matrix):
            place = folder / name / NAMES[LABEL[row]]
            place.mkdir(parents=True, exist_ok=True)
            np.save(place / f"{row}.npy", vector)
    return folder


def two_folders_of_matrices(folder):
    for name, array in (("audio", A), ("image", B)):
        (folder / name).mkdir(parents=True)
        np.save(folder / name / "train.npy", array[:72])
        np.save(folder / name / "test.npy", array[72:])
    np.save(folder / "labels.npy", LABEL)
    (folder / "classes.txt").write_text("\n".join(NAMES))
    return folder


def unpaired(folder):
    folder.mkdir()
    np.savez(folder / "set.npz", image=A, text=B[:84], image_labels=LABEL, text_labels=LABEL[:84])
    return folder


def multi_label(folder):
    folder.mkdir()
    flags = np.eye(12, dtype=int)[LABEL]
    flags[np.arange(ROWS), (LABEL + 1) % 12] = 1
    np.savez(folder / "set.npz", image=A, text=B, labels=flags)
    return folder / "set.npz"


def matlab_7_3(folder):
    folder.mkdir()
    with h5py.File(folder / "set.mat", "w", userblock_size=512) as file:
        for name, array in (
            ("I_tr", A[:72]),
            ("I_te", A[72:]),
            ("T_tr", B[:72]),
            ("T_te", B[72:]),
            ("L_tr", LABEL[:72, None] + 1),
            ("L_te", LABEL[72:, None] + 1),
        ):
            file.create_dataset(name, data=np.asarray(array, float).T).attrs["MATLAB_class"] = np.bytes_("double")
    return folder / "set.mat"


def csv(folder):
    folder.mkdir()
    for name, matrix in (("image", A), ("text", B)):
        lines = [",".join([f"n{row}", NAMES[LABEL[row]], *map(str, vector)]) for row, vector in enumerate(matrix)]
        header = ",".join(["id", "label", *(f"f{column}" for column in range(matrix.shape[1]))])
        (folder / f"{name}.csv").write_text("\n".join([header, *lines]))
    return folder


def parquet(folder):
    folder.mkdir()
    columns = {"image": A.tolist(), "text": B.tolist(), "label": [NAMES[label] for label in LABEL]}
    pq.write_table(pa.table(columns), folder / "set.parquet")
    return folder / "set.parquet"


LAYOUTS = [one_file_per_item, two_folders_of_matrices, unpaired, multi_label, matlab_7_3, csv, parquet]
FAST = ["logger=none", "trainer.epochs=2", "progress=false", "report.queries=0"]


def next_command(said):
    return shlex.split(said.splitlines()[-1].removeprefix("next: msl "))


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_check_and_the_command_it_prints_train_and_evaluate(layout, run_msl, tmp_path):
    path = layout(tmp_path / "someone's data, [v2]=new")
    status, said, err = run_msl("data", "check", path)
    assert (status, err) == (0, "")
    status, said, err = run_msl(*next_command(said), *FAST)
    assert status == 0, err
    assert "mAP" in said
    assert len(list(Path().rglob("metrics.json"))) == 1


def test_check_says_what_became_of_each_file(run_msl, tmp_path):
    _, said, _ = run_msl("data", "check", two_folders_of_matrices(tmp_path / "mine"))
    for words in (
        "found: audio/train.npy (72, 7) float32: features of audio", "found: labels.npy (96,) int64: labels", "classes.txt (12,)",
        "72 train, 24 test", "paired, row by row", "all 12 class names have word vectors", "read into memory", "data.name=mine",
    ):  # fmt: skip
        assert words in said


def test_check_takes_keys_with_and_without_their_group_and_hands_them_on(run_msl, tmp_path):
    place = tmp_path / "mine"
    place.mkdir()
    for name, array in (("img_vgg", A), ("img_sift", A[:, :3]), ("txt", B), ("label", LABEL)):
        np.save(place / f"{name}.npy", array)
    status, _, err = run_msl("data", "check", place)
    assert status == 2
    assert "data.a=" in err
    for key in ("a", "data.a"):
        status, said, _ = run_msl("data", "check", place, f"{key}=img_vgg")
        assert status == 0
        assert "data.a=img_vgg" in next_command(said)
    status, _, err = run_msl("data", "check", place, "vgg")
    assert status == 2
    assert "KEY=VALUE" in err


def test_check_says_what_is_worth_knowing(run_msl, tmp_path):
    image = A.copy()
    image[:, 2] = 1
    image[:, 4] *= 1e6
    image[90] = image[3]
    label = LABEL.copy()
    label[label == 11] = 10
    label[95] = 11
    part = np.where(np.arange(ROWS) < 72, "train", "test")
    np.savez(tmp_path / "set.npz", image=image, text=B, label=label, split=part)
    _, said, _ = run_msl("data", "check", tmp_path / "set.npz")
    for words in (
        "image: 1 of 7 features are constant, feature 2 the first", "image: feature 4 varies", "image: 1 test rows stand in the training rows",
        "1 class has fewer than 5 items: class 11 (1)", "1 class of the test rows has no training row: class 11",
        "data.class_names=FILE, or train with embedding=onehot or embedding=none",
    ):  # fmt: skip
        assert words in said
    assert "embedding=onehot" in next_command(said)


def test_classes_of_which_no_word_is_known_are_named(run_msl, tmp_path):
    names = np.array(["qwxzv", *NAMES[1:]])
    np.savez(tmp_path / "set.npz", image=A, text=B, label=names[LABEL])
    _, said, _ = run_msl("data", "check", tmp_path / "set.npz")
    assert "1 of 12 class names have no word vectors (qwxzv)" in said
    assert "embedding=onehot" in next_command(said)


def test_classes_that_differ_in_capitals_are_named(run_msl, tmp_path):
    names = np.array([*NAMES[:11], "Dog "])
    np.savez(tmp_path / "set.npz", image=A, text=B, label=names[LABEL])
    _, said, _ = run_msl("data", "check", tmp_path / "set.npz")
    assert "note: 'Dog ' and 'dog' are two classes, as they are written (1 such names)" in said


def test_few_classes_are_trained_on_together(run_msl, tmp_path):
    np.savez(tmp_path / "set.npz", image=A, text=B, label=np.array(NAMES)[LABEL % 3])
    _, said, _ = run_msl("data", "check", tmp_path / "set.npz")
    assert "protocol=standard" in next_command(said)
    assert run_msl(*next_command(said), *FAST)[0] == 0


def test_list_loads_no_data_and_says_what_is_here(run_msl, tmp_path, monkeypatch):
    monkeypatch.setenv("MSL_DATA", str(tmp_path))
    monkeypatch.setattr("msl.data.emoji.read_dataset", lambda *_: pytest.fail("the data were read"))
    plant(tmp_path / "fashion")
    status, said, _ = run_msl("data", "list")
    assert status == 0
    lines = {line.split()[0]: line for line in said.splitlines()}
    assert lines["emoji"].endswith("(ships with msl)")
    assert lines["fashion"].endswith("(here)")
    assert lines["pascal"].endswith("(not here)")


def test_describe_shows_the_card_of_what_is_not_here(run_msl, tmp_path, monkeypatch):
    monkeypatch.setenv("MSL_DATA", str(tmp_path))
    status, said, _ = run_msl("data", "describe", "nuswide")
    assert status == 0
    assert "CIVR 2009" in said
    assert f"not in {tmp_path / 'nuswide'}" in said
    assert "ships with msl" in run_msl("data", "describe", "emoji")[1]
    assert "msl data check PATH" in run_msl("data", "describe", "folder")[2]


def test_describe_warns_of_sizes_that_are_not_the_published_ones(run_msl, tmp_path, monkeypatch):
    monkeypatch.setenv("MSL_DATA", str(tmp_path))
    (tmp_path / "xmedianet").mkdir()
    arrays = {
        "train_img": A[:72],
        "test_img": A[72:],
        "train_txt": B[:72],
        "test_txt": B[72:],
        "train_lab": LABEL[:72],
        "test_lab": LABEL[72:],
    }
    np.savez(tmp_path / "xmedianet" / "set.npz", **arrays)
    status, said, _ = run_msl("data", "describe", "xmedianet")
    assert status == 0
    assert "its sizes are 72/0/24 (train/validation/test), published are 32,000/4,000/4,000" in said


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def server(tmp_path):
    """A web server of the folder ``served``; gives its address."""
    place = tmp_path / "served"
    place.mkdir()
    handler = functools.partial(Quiet, directory=str(place))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_get_fetches_unpacks_and_says_what_next(run_msl, tmp_path, monkeypatch, server):
    monkeypatch.setenv("MSL_DATA", str(tmp_path / "home"))
    (tmp_path / "served" / "notes.txt").write_text("hello")
    with zipfile.ZipFile(tmp_path / "served" / "files.zip", "w") as archive:
        archive.writestr("inner/a.csv", "1,2\n")
    remotes = tuple(
        Remote(url=f"{server}/{name}", file=name, sha256=None, size=None) for name in ("notes.txt", "files.zip")
    )
    monkeypatch.setattr("msl.data.emoji.CARD", replace(emoji.CARD, remotes=remotes))
    status, said, err = run_msl("data", "get", "emoji")
    assert (status, err) == (0, "")
    assert (tmp_path / "home" / "emoji" / "notes.txt").read_text() == "hello"
    assert (tmp_path / "home" / "emoji" / "inner" / "a.csv").is_file()
    assert "sha256" in said
    assert said.splitlines()[-1] == "next: msl data describe emoji"
    assert run_msl("data", "get", "emoji")[0] == 0  # again changes nothing


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["get", "pascal"], "ask its authors for train_img.mat"),
        (["get", "nothing"], "there is no data set 'nothing'"),
        (["get", "folder"], "your own"),
        (["convert", "x.pkl"], "convert FILE out=FOLDER"),
        (["convert", "none.pkl", "out=here"], "none.pkl"),
        (["check"], "msl data check PATH"),
        (["check", "nowhere"], "no file or folder nowhere"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_one_line(run_msl, arguments, says):
    status, _, err = run_msl("data", *arguments)
    assert status == 2
    assert len(err.splitlines()) == 1
    assert says in err


def test_convert_takes_the_arrays_out_of_a_pickle(run_msl, tmp_path):
    import pickle

    (tmp_path / "set.pkl").write_bytes(pickle.dumps({"image": A, "text": B, "label": LABEL}))
    status, said, _ = run_msl("data", "convert", tmp_path / "set.pkl", f"out={tmp_path / 'out'}")
    assert status == 0
    assert said.splitlines()[-1] == f"next: msl data check {tmp_path / 'out'}"
    assert run_msl("data", "check", tmp_path / "out")[0] == 0

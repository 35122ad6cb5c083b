"""What goes wrong with folders of people's own, and what `msl encode` says of it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from own_pictures import WORDS, collection, encoding, folder_data, lines, noise, written
from PIL import Image

from msl.commands.encoding.asked import LONGEST_SIDE, MOST_PIXELS
from msl.commands.encoding.classes import write_classes
from msl.data.encoded import read_encoded
from msl.types import InputError


@pytest.fixture
def encode(run_msl, tmp_path):
    return encoding(run_msl, tmp_path)


@pytest.fixture
def pictures(tmp_path):
    return collection(tmp_path / "pictures")


def one_line(result, match):
    status, _, wrong = result
    assert (status, len(wrong.splitlines())) == (2, 1), wrong
    assert match in wrong


def classed(root, *, classes=2, items=5, text=None, names="{}"):
    """A folder for each class; `text` beside each picture."""
    for word in WORDS[:classes]:
        (root / word).mkdir(parents=True)
        for number in range(items):
            noise().save(root / word / f"{names.format(number)}.png")
            if text:
                (root / word / f"{names.format(number)}.txt").write_text(text.format(word))
    return root


@pytest.mark.parametrize(
    "names", [["image.npy"], ["label.npy"], ["images/holiday.png"], ["text.npy", "ids.npy"], [".partial/thesis"], ["skipped.jsonl"]],
    ids=["image", "label", "images", "text-ids", "partial", "skipped"],
)  # fmt: skip
def test_files_of_others_are_never_overwritten(encode, pictures, tmp_path, names):
    for name in names:
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text("precious")
    for more in ([], ["restart=true"]):
        one_line(encode(pictures, "layout=classes", *more, out="mine"), "which msl encode did not write")
    assert {(tmp_path / "mine" / name).read_text() for name in names} == {"precious"}


def test_restart_removes_what_it_wrote_alone(encode, pictures, tmp_path):
    assert encode(pictures, "layout=classes")[0] == 0
    noise().save(tmp_path / "out" / "images" / "holiday.png")
    old = (tmp_path / "out" / "images" / "holiday.png").read_bytes()
    first = pictures / "bird" / "0.png"
    before = {each.name for each in (tmp_path / "out" / "images").iterdir()}
    noise().save(first)
    assert encode(pictures, "layout=classes", "restart=true")[0] == 0
    assert (tmp_path / "out" / "images" / "holiday.png").read_bytes() == old
    after = {each.name for each in (tmp_path / "out" / "images").iterdir()}
    assert len(before - after) == len(after - before) == 1


def test_a_restart_that_cannot_begin_leaves_what_is_there(encode, pictures, tmp_path):
    assert encode(pictures, "layout=classes")[0] == 0
    before = written(tmp_path / "out")
    one_line(encode(pictures, "layout=classes", "restart=true", "text.path=nowhere.txt"), "nowhere.txt")
    assert written(tmp_path / "out") == before


def test_a_restart_stopped_while_it_removes_is_still_its_own(encode, pictures, tmp_path, monkeypatch):
    assert encode(pictures, "layout=classes")[0] == 0
    before = written(tmp_path / "out")

    def stop(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("msl.commands.encoding.place._drop_previews", stop)
        assert encode(pictures, "layout=classes", "restart=true")[0] == 130
    assert encode(pictures, "layout=classes")[0] == 0
    assert written(tmp_path / "out") == before


def test_captions_that_repeat_leave_test_items_and_it_is_said_how_many(encode, tmp_path):
    root = classed(tmp_path / "p", text="a photo of a {}", items=10)
    status, said, _ = encode(root, "layout=classes")
    assert status == 0
    assert "20 pairs of 2 classes in" in said
    assert "4 of them to test with" in said
    assert "2 of these straddle training and test: too many items of a class share them" in said
    assert np.load(tmp_path / "out" / "split.npy").tolist().count("test") == 4


def test_without_a_test_item_it_is_said_and_data_check_refuses(encode, run_msl, tmp_path):
    root = classed(tmp_path / "p", text="a {} flies", items=2)
    status, said, _ = encode(root, "layout=classes")
    assert status == 0
    assert "0 of them to test with\nnote: nothing can be measured without a test item; give a test_share" in said
    one_line(run_msl("data", "check", tmp_path / "out"), "no row is a test row, so nothing can be measured")
    assert "note: nothing can be" not in encode(root, "layout=classes", "test_share=0", out="other")[1]


def test_names_without_words_are_no_texts_and_classes_may_be(encode, tmp_path):
    root = classed(tmp_path / "p", names="IMG_000{}")
    one_line(encode(root), "give captions=class")
    assert not (tmp_path / "out").exists()
    assert encode(root, "captions=class")[0] == 0
    assert set(folder_data(tmp_path / "out").texts) == set(WORDS[:2])
    flat = tmp_path / "flat"
    flat.mkdir()
    noise().save(flat / "1.png")
    one_line(encode(flat, "layout=classes", "captions=class", out="o"), "says no class of any picture")


def test_tables_that_are_passed_over_are_said(encode, tmp_path):
    root = classed(tmp_path / "p", text="a {}")
    (root / "list.csv").write_text("image;text\n")
    status, said, _ = encode(root, "layout=classes")
    assert status == 0
    assert "note: list.csv was passed over: its first line, 'image;text'," in said


def test_out_is_apart_from_images_too(encode, tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "photos").mkdir()
    noise().save(tmp_path / "photos" / "a.png")
    (tmp_path / "lists" / "t.csv").write_text("image,text\na.png,a bird\n")
    chosen = [tmp_path / "lists" / "t.csv", f"images={tmp_path / 'photos'}", "test_share=0"]
    one_line(encode(*chosen, out="photos/out"), "lie in one another")
    one_line(encode(chosen[0], out="o"), "if they lie elsewhere, give images=FOLDER")
    assert encode(*chosen)[0] == 0
    assert lines(tmp_path / "out" / "items.jsonl")[0]["source"] == "a.png"


def test_the_command_that_is_printed_next_can_be_typed(encode, tmp_path):
    from msl.commands.index import Indexing
    from msl.config import composed, resolved, validated

    (tmp_path / "p").mkdir()
    noise().save(tmp_path / "p" / "bird.png")
    (tmp_path / "p" / "bird.txt").write_text("a bird")
    word = encode(tmp_path / "p", "test_share=0")[1].split()[-1]
    assert validated(Indexing, resolved(composed("index", [word]))).add == [str(tmp_path / "out")]


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on a file's size")
def test_no_room_is_one_line_and_the_command_goes_on(encode, pictures, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "msl", "encode", f"path={pictures}", f"out={out}", "layout=classes", "batch=4"]
    limited = ["bash", "-c", 'ulimit -f 40; exec "$@"', "bash", *command]
    found = subprocess.run(limited, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert found.returncode == 1
    assert len(found.stderr.splitlines()) == 1
    assert "make room" in found.stderr
    status, said, _ = encode(pictures, "layout=classes", "batch=4")
    assert (status, "goes on after " in said) == (0, True)
    assert encode(pictures, "layout=classes", "batch=4", out="whole")[0] == 0
    assert written(out) == written(tmp_path / "whole")


def test_limits_are_those_of_pillow_and_jpeg(encode, pictures):
    assert MOST_PIXELS == 2 * Image.MAX_IMAGE_PIXELS
    one_line(encode(pictures, f"pixels={MOST_PIXELS + 1}"), f"pixels={MOST_PIXELS + 1}")
    one_line(encode(pictures, f"preview={LONGEST_SIDE + 1}"), f"preview={LONGEST_SIDE + 1}")


def test_the_longest_preview_can_be_written(encode, tmp_path):
    root = tmp_path / "p"
    root.mkdir()
    Image.new("L", (LONGEST_SIDE + 500, 2)).save(root / "bird.png")
    (root / "bird.txt").write_text("a bird")
    assert encode(root, f"preview={LONGEST_SIDE}", "test_share=0")[0] == 0
    (shown,) = (tmp_path / "out" / "images").iterdir()
    with Image.open(shown) as small:
        assert small.size == (LONGEST_SIDE, 2)


def test_a_picture_that_was_replaced_is_noticed(encode, pictures, tmp_path):
    assert encode(pictures, "layout=classes")[0] == 0
    file = pictures / "bird" / "0.png"
    was = file.stat()
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns + 1))
    one_line(encode(pictures, "layout=classes"), "a picture was written again since")
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert "holds all of it already" in encode(pictures, "layout=classes")[1]
    file.write_bytes(file.read_bytes() + b"\0")
    one_line(encode(pictures, "layout=classes"), "bytes of all pictures was ")


def test_a_model_or_file_that_is_here_is_kept_by_its_whole_path(encode, pictures, tmp_path):
    Path("vectors.txt").write_text("".join(f"{word} {n} {n * n} 1\n" for n, word in enumerate(WORDS, start=1)))
    assert encode(pictures, "layout=classes", "text.path=vectors.txt")[0] == 0
    settings = read_encoded(tmp_path / "out").encoders["text"]["settings"]
    assert settings == {"name": "words", "path": str(Path("vectors.txt").absolute())}
    os.chdir(tmp_path)
    again = encode(pictures, "layout=classes", f"text.path={settings['path']}")
    assert "holds all of it already" in again[1]


class Picky:
    """An encoder of texts that does not know one class."""

    def encode(self, items):
        if "wooden house" in items:
            raise InputError("no such word")
        return np.ones((len(items), 3), np.float32)


def test_class_vectors_of_another_space_are_said_and_recorded(encode, pictures, tmp_path):
    (tmp_path / ".partial").mkdir()
    maker, note = write_classes(tmp_path, ["boat", "wooden_house"], Picky())
    assert maker == "word vectors"
    assert note == (
        "note: the text encoder refuses the class 'wooden house' (no such word); class vectors are word vectors"
    )
    assert write_classes(tmp_path, ["boat"], Picky()) == ("the text encoder", "")
    assert write_classes(tmp_path, ["class 1"], Picky())[0] is None
    assert encode(pictures, "layout=classes")[0] == 0
    assert json.loads((tmp_path / "out" / "encode.json").read_text())["class_vectors"] == "the text encoder"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    from msl.cli import main

    folder = tmp_path_factory.mktemp("finished")
    root = collection(folder / "pictures", items=2, classes=2)
    assert main(["encode", f"path={root}", f"out={folder / 'out'}", "layout=classes", "progress=false"]) == 0
    return folder / "out"


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("items.jsonl", lambda file: file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))),
        ("items.jsonl", lambda file: file.write_bytes(file.read_bytes()[:-20])),
        ("items.jsonl", lambda file: file.write_bytes(file.read_bytes() * 2)),
        ("items.jsonl", lambda file: file.write_text("[]\n" * 4)),
        ("items.jsonl", lambda file: file.write_text('{"id": "bird/0"}\n' * 4)),
        ("items.jsonl", Path.unlink),
        ("image.npy", lambda file: file.write_bytes(b"")),
        ("image.npy", lambda file: np.save(file, np.zeros(4, np.float32))),
        ("image.npy", lambda file: np.save(file, np.zeros((3, 2), np.float32))),
        ("text.npy", lambda file: file.write_bytes(file.read_bytes()[:200])),
        ("ids.npy", lambda file: np.save(file, np.array("x"))),
        ("ids.npy", lambda file: np.save(file, np.arange(4))),
        ("split.npy", Path.unlink),
        ("encoders.json", Path.unlink),
        ("encoders.json", lambda file: file.write_text("{}")),
    ],
    ids=["cut-line", "half-line", "twice", "lists", "keys", "no-items", "no-bytes", "one-axis", "rows", "cut", "no-axis", "numbers",
         "no-split", "no-encoders", "empty-encoders"],
)  # fmt: skip
def test_a_damaged_folder_is_one_line(finished, name, damage):
    file = finished / name
    before = file.read_bytes()
    assert len(list(read_encoded(finished).items())) == 4
    damage(file)
    try:
        with pytest.raises(
            InputError, match=rf"damaged \(.*{name.partition('.')[0]}|different numbers of items"
        ) as caught:
            list(read_encoded(finished).items())
    finally:
        file.write_bytes(before)
    assert "\n" not in str(caught.value)
    assert "restart=true" in str(caught.value)

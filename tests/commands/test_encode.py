import json
import os
import re
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from own_pictures import RNG, WORDS, collection, encoding, folder_data, lines, noise, written
from PIL import Image

from msl.data.dataset import TEST, TRAIN
from msl.encode.classical import describe
from msl.encode.words import WordVectors
from msl.files import embedded, locked


@pytest.fixture
def encode(run_msl, tmp_path):
    return encoding(run_msl, tmp_path)


@pytest.fixture
def pictures(tmp_path):
    return collection(tmp_path / "pictures")


def test_features_are_the_encoders_and_the_folder_reads_them_as_they_were_meant(encode, pictures, tmp_path):
    status, said, wrong = encode(pictures, "layout=classes")
    assert (status, wrong) == (0, "")
    data, out = folder_data(tmp_path / "out"), tmp_path / "out"
    names = [f"{word}/{number}" for word in sorted(WORDS[:4]) for number in range(6)]
    assert list(data.pairs.ids) == names
    files = [pictures / f"{name}.png" for name in names]
    np.testing.assert_array_equal(data.pairs.a[:], describe(files))
    texts = [" ".join((pictures / f"{name}.txt").read_text().split("\n")) for name in names]
    assert list(data.texts) == texts
    np.testing.assert_array_equal(data.pairs.b[:], WordVectors.load().encode(texts))
    assert data.classes.names == tuple(sorted(WORDS[:4]))
    assert [data.classes.names[label] for label in data.pairs.labels] == [name.partition("/")[0] for name in names]
    np.testing.assert_array_equal(data.classes.vectors, WordVectors.load().encode(data.classes.names))
    assert np.bincount(data.pairs.labels[data.part == TEST]).tolist() == [1, 1, 1, 1]  # a fifth of six
    assert data.encoders == json.loads((out / "encoders.json").read_text())
    assert data.encoders["image"]["settings"] == {"name": "classical"}
    assert [item["source"] for item in lines(out / "items.jsonl")] == [f"{name}.png" for name in names]
    assert "24 items encoded, 0 skipped\n" in said
    assert said.splitlines()[-1] == f"next: msl train data=folder data.path={out} data.name=out"
    assert not (out / ".partial").exists()


def test_galleries_show_small_copies_that_lie_inside(encode, tmp_path):
    root = collection(tmp_path / "large", items=1, classes=2, size=(900, 300))
    assert encode(root, "layout=classes", "preview=90")[0] == 0
    for picture in folder_data(tmp_path / "out").pictures:
        with Image.open(picture) as small:
            assert small.size == (90, 30)
    assert encode(root, "layout=classes", "preview=null", out="bare")[0] == 0
    assert folder_data(tmp_path / "bare").pictures is None
    assert not (tmp_path / "bare" / "images").exists()


def test_what_was_encoded_trains(encode, run_msl, tmp_path, small):
    assert encode(collection(tmp_path / "pictures", items=10, classes=12), "layout=classes", "preview=null")[0] == 0
    chosen = [each for each in small if not each.startswith(("data.path", "data.name"))]
    status, said, wrong = run_msl("train", *chosen, f"data.path={tmp_path / 'out'}", "data.name=own")
    assert (status, wrong) == (0, "")
    assert "unseen" in said


def png_header(width, height):
    """A PNG that says it has so many pixels, and has none."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + b"\0\0\0\0IDAT"


def broken(root, outside):
    """Pictures good and bad; by name the reason that must be given, None for a good one."""
    root.mkdir()
    noise().save(root / "plain.jpg")
    noise().convert("CMYK").save(root / "cmyk.jpg")
    Image.fromarray(RNG.integers(0, 65536, (18, 24), dtype=np.uint16)).save(root / "deep.png")
    noise().save(root / "animated.gif", save_all=True, append_images=[noise(), noise()])
    noise().save(root / "animated.webp", save_all=True, append_images=[noise()])
    noise().convert("P").save(root / "palette.png", transparency=3)
    noise().convert("LA").save(root / "grey.png")
    noise().convert("1").save(root / "bits.tiff")
    noise().save(root / "鳥 🐦.png")
    noise().save(root / f"{'n' * 246}.png")
    noise().save(root / "UPPER.BMP")
    noise().save(root / "wrong_ending.gif", format="PNG")
    noise().save(outside / "secret.png")
    (root / "inner.png").symlink_to(root / "plain.jpg")
    good = dict.fromkeys(os.listdir(root))
    (root / "truncated.jpg").write_bytes((root / "plain.jpg").read_bytes()[:400])
    (root / "empty.jpg").touch()
    (root / "text.jpg").write_text("this is no picture")
    (root / "bomb.png").write_bytes(png_header(20_000, 20_000))
    (root / "cut_header.png").write_bytes(png_header(20, 20))
    (root / "outer.png").symlink_to(outside / "secret.png")
    (root / "round.png").symlink_to(root / "round.png")
    (root / "gone.png").symlink_to(root / "nothing.png")
    os.mkfifo(root / "pipe.jpg")
    (root / "folder.jpg").mkdir()
    (root / "camera.heic").write_bytes(b"\0\0\0\x18ftypheic")
    reasons = {
        "truncated.jpg": "truncated", "empty.jpg": "empty", "text.jpg": "no picture", "bomb.png": "more than the 100,000,000 pixels",
        "cut_header.png": "damaged|truncated", "outer.png": "lies outside", "round.png": "lies outside", "gone.png": "No such file",
        "pipe.jpg": "no regular file", "folder.jpg": "no regular file", "camera.heic": "no picture",
    }  # fmt: skip
    return good | reasons


def test_every_good_picture_is_encoded_and_every_bad_one_named(encode, tmp_path):
    (tmp_path / "outside").mkdir()
    expected = broken(tmp_path / "odd", tmp_path / "outside")
    (tmp_path / "odd" / "metadata.jsonl").write_text(
        "".join(json.dumps({"image": name, "text": "a bird"}) + "\n" for name in expected)
    )
    assert len(expected) == 24
    status, said, wrong = encode(tmp_path / "odd", "test_share=0")
    assert (status, wrong) == (0, "")
    assert "13 items encoded, 11 skipped (skipped.jsonl)" in said
    out = tmp_path / "out"
    assert {item["source"] for item in lines(out / "items.jsonl")} == {
        name for name, why in expected.items() if not why
    }
    skipped = {line["image"]: line["reason"] for line in lines(out / "skipped.jsonl")}
    assert skipped.keys() == {name for name, why in expected.items() if why}
    for name, reason in skipped.items():
        assert re.search(expected[name], reason), reason
        assert name in reason
    assert np.isfinite(np.load(out / "image.npy")).all()
    assert said.splitlines()[-1] == f"next: msl index run=RUN add={out}"  # nothing says any class


def test_pictures_without_a_table_are_named_as_well(encode, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "root").mkdir()
    expected = broken(tmp_path / "root" / "bird", tmp_path / "outside")
    assert encode(tmp_path / "root", "layout=classes")[0] == 0
    assert {line["image"] for line in lines(tmp_path / "out" / "skipped.jsonl")} >= {
        f"bird/{name}" for name, why in expected.items() if why
    }
    assert "bird/plain.jpg" in {item["source"] for item in lines(tmp_path / "out" / "items.jsonl")}


def test_nothing_that_can_be_encoded_is_an_error_and_the_next_call_looks_again(encode, tmp_path):
    (tmp_path / "odd" / "bird").mkdir(parents=True)
    (tmp_path / "odd" / "bird" / "red.png").touch()
    status, _, wrong = encode(tmp_path / "odd", "layout=classes")
    assert status == 2
    assert "none of the 1 items" in wrong
    assert "it is empty" in wrong
    assert len(wrong.splitlines()) == 1
    assert len(lines(tmp_path / "out" / "skipped.jsonl")) == 1
    noise().save(tmp_path / "odd" / "bird" / "red.png")
    assert encode(tmp_path / "odd", "layout=classes")[0] == 0
    assert lines(tmp_path / "out" / "skipped.jsonl") == []


def table(root, *rows):
    """A picture and a line for each row; `same` names an earlier picture that it equals."""
    root.mkdir()
    for number, row in enumerate(rows):
        row["image"] = f"{number}.{row.pop('ending', 'png')}"
        same = row.pop("same", None)
        with noise() if same is None else Image.open(root / rows[same]["image"]) as picture:
            picture.save(root / row["image"])
    (root / "items.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return root


def test_a_text_that_its_encoder_refuses_costs_that_text_alone(encode, tmp_path):
    root = table(
        tmp_path / "t", {"text": "a bird"}, {"text": "qxzzv"}, {"text": ["a fish", "vvqxz", "a boat"]}, {"text": " "}
    )
    status, said, _ = encode(root, "captions=each")
    assert status == 0
    assert "2 items encoded, 2 skipped, and 1 captions (skipped.jsonl)" in said
    items = lines(tmp_path / "out" / "items.jsonl")
    assert [(item["id"], item["text"]) for item in items] == [("0", "a bird"), ("2#1", "a fish"), ("2#3", "a boat")]
    image, text = (np.load(tmp_path / "out" / f"{kind}.npy") for kind in ("image", "text"))
    np.testing.assert_array_equal(image, describe([root / "0.png", root / "2.png", root / "2.png"]))
    np.testing.assert_array_equal(text, WordVectors.load().encode(["a bird", "a fish", "a boat"]))
    assert [line["image"] for line in lines(tmp_path / "out" / "skipped.jsonl")] == ["1.png", "2.png", "3.png"]


@pytest.mark.parametrize(
    ("mode", "texts"), [("first", ["a bird"]), ("joined", ["a bird a fish"]), ("each", ["a bird", "a fish"])]
)
def test_ways_with_several_captions(encode, tmp_path, mode, texts):
    several = {"text": ["a bird", "a fish"], "class": "x", "split": "test"}
    root = table(tmp_path / "t", several, {"text": "a boat", "class": "y", "split": "train"})
    assert encode(root, f"captions={mode}")[0] == 0
    data = folder_data(tmp_path / "out")
    assert list(data.texts) == [*texts, "a boat"]
    assert data.part.tolist() == [TEST] * len(texts) + [TRAIN]
    assert data.pairs.labels.tolist() == [0] * len(texts) + [1]


def test_several_classes_and_none(encode, tmp_path):
    root = table(tmp_path / "t", {"text": "a bird", "class": "x;y"}, {"text": "a fish", "class": "z"}, {"text": "a boat", "class": ""},
                 {"text": "a dog", "class": ["y", "z"]})  # fmt: skip
    assert encode(root)[0] == 0
    assert np.load(tmp_path / "out" / "label.npy").tolist() == [[1, 1, 0], [0, 0, 1], [0, 0, 0], [0, 1, 1]]
    data = folder_data(tmp_path / "out")
    assert data.pairs.ids == ("0", "1", "3")
    assert data.classes.names == ("x", "y", "z")


def test_numbered_classes_keep_the_order_of_their_numbers(encode, tmp_path):
    root = table(tmp_path / "t", *({"text": "a bird", "label": label} for label in (10, 2, 10, 0)))
    status, said, _ = encode(root)
    assert status == 0
    assert folder_data(tmp_path / "out").classes.names == ("class 0", "class 2", "class 10")
    assert said.splitlines()[-1].endswith("embedding=onehot")


def test_equal_pictures_and_texts_never_straddle_a_drawn_split(encode, tmp_path):
    rows = [{"text": f"a {WORDS[number % 12]} with {number}", "class": WORDS[number % 3]} for number in range(60)]
    for number in range(30, 60):
        rows[number] |= {"same": number - 30, "ending": "bmp"}  # the same pixels in another file
    rows[7]["text"] = rows[29]["text"] = "a  boat "  # joins two groups
    root = table(tmp_path / "t", *rows)
    status, said, _ = encode(root, "test_share=0.3")
    assert status == 0
    assert "30 pictures and 1 texts belong to several items (duplicates.jsonl)\n" in said
    part = folder_data(tmp_path / "out").part
    np.testing.assert_array_equal(part[:30], part[30:])
    assert part[7] == part[29] == part[59]
    assert 12 <= (part == TEST).sum() <= 18
    found = lines(tmp_path / "out" / "duplicates.jsonl")
    assert {"same": "text", "text": "a boat", "ids": ["7", "29"]} in found
    assert sum(each["same"] == "picture" for each in found) == 30
    assert encode(root, "test_share=0.3", "seed=1", out="other")[0] == 0
    assert (folder_data(tmp_path / "other").part != part).any()


def test_given_parts_stay_and_what_straddles_them_is_said(encode, tmp_path):
    root = table(tmp_path / "t", {"text": "a bird", "split": "train"}, {"text": "a fish", "split": "test", "same": 0},
                 {"text": "a boat", "split": "val"})  # fmt: skip
    _, said, _ = encode(root)
    assert (
        "1 pictures and 0 texts belong to several items (duplicates.jsonl); 1 of these straddle the parts that the data give"
        in said
    )
    assert np.load(tmp_path / "out" / "split.npy").tolist() == ["train", "test", "validation"]


def test_killed_twice_and_called_again_it_ends_in_the_same_bytes(encode, tmp_path):
    root = collection(tmp_path / "pictures", items=12, classes=8, size=(240, 200))
    (root / "bird" / "3.png").write_bytes(b"damaged")
    chosen = ["layout=classes", "batch=5", "captions=each"]
    assert encode(root, *chosen, out="whole")[0] == 0
    out = tmp_path / "killed"
    journal = out / ".partial" / "done.jsonl"
    command = [sys.executable, "-m", "msl", "encode", f"path={root}", f"out={out}", *chosen]
    for wanted in (10, 40):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while process.poll() is None and (not journal.is_file() or journal.read_bytes().count(b"\n") < wanted):
            assert time.monotonic() < until
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        with journal.open("ab") as stream:
            stream.write(b'{"picture": "half a line')
        with (out / ".partial" / "image.f32").open("ab") as stream:
            stream.write(b"rows that no journal counts")
        (out / "images" / ".0123.jpg.k2j4").write_bytes(b"a write that was cut short")
    status, said, _ = encode(root, *chosen, out="killed")
    assert status == 0
    assert "goes on after " in said
    assert "95 items encoded, 1 skipped" in said
    assert written(out) == written(tmp_path / "whole")


@pytest.mark.parametrize("step", ["write_skipped", "write_classes", "finish"])
def test_stopped_while_files_are_put_together_it_ends_in_the_same_bytes(encode, pictures, tmp_path, monkeypatch, step):
    assert encode(pictures, "layout=classes", out="whole")[0] == 0

    def stop(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"msl.commands.encode.{step}", stop)
        assert encode(pictures, "layout=classes")[0] == 130
    status, said, _ = encode(pictures, "layout=classes")
    assert status == 0
    assert "goes on after 24 items" in said
    assert written(tmp_path / "out") == written(tmp_path / "whole")


def test_a_complete_folder_is_left_as_it_is_and_restart_encodes_anew(encode, pictures, tmp_path):
    encode(pictures, "layout=classes")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("[!.]*")}
    status, said, _ = encode(pictures, "layout=classes")
    assert status == 0
    assert "holds all of it already" in said
    assert said.splitlines()[-1].startswith("next: msl train")
    assert {path: path.stat().st_mtime_ns for path in before} == before
    status, _, wrong = encode(pictures, "layout=classes", "captions=first")
    assert (status, len(wrong.splitlines())) == (2, 1)
    assert "captions was 'joined' and is 'first'; give another out, or restart=true" in wrong
    assert encode(pictures, "layout=classes", "captions=first", "restart=true")[0] == 0
    assert folder_data(tmp_path / "out").texts[0] == "a bird"


def test_a_changed_folder_is_noticed(encode, pictures):
    encode(pictures, "layout=classes")
    (pictures / "bird" / "0.txt").write_text("another caption")
    status, _, wrong = encode(pictures, "layout=classes")
    assert status == 2
    assert "the pictures or captions listed have changed since" in wrong


def test_out_is_a_folder_of_its_own(encode, pictures, tmp_path):
    for out in ("pictures", "pictures/features", "."):
        status, _, wrong = encode(pictures, "layout=classes", out=out)
        assert (status, "lie in one another" in wrong) == (2, True)
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "thesis.txt").touch()
    for more in ([], ["restart=true"]):
        status, _, wrong = encode(pictures, "layout=classes", *more, out="used")
        assert status == 2
        assert "'thesis.txt', which msl encode did not write" in wrong
    assert os.listdir(tmp_path / "used") == ["thesis.txt"]


def test_two_at_once_do_not_write_one_folder(encode, pictures, tmp_path):
    with locked(tmp_path / "out" / "encode.json"):
        status, _, wrong = encode(pictures, "layout=classes")
    assert status == 2
    assert "another msl encode is writing" in wrong


def test_a_damaged_record_or_stream_is_one_line(encode, pictures, tmp_path, monkeypatch):
    def stop(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("msl.commands.encode.finish", stop)
        encode(pictures, "layout=classes")
    (tmp_path / "out" / ".partial" / "text.f32").write_bytes(b"")
    status, _, wrong = encode(pictures, "layout=classes")
    assert (status, len(wrong.splitlines())) == (2, 1)
    assert "text.f32 is damaged" in wrong
    (tmp_path / "out" / ".partial" / "encode.json").write_text("{")
    assert "begin anew with restart=true" in encode(pictures, "layout=classes")[2]
    assert encode(pictures, "layout=classes", "restart=true")[0] == 0


@pytest.mark.parametrize(
    ("override", "match"),
    [("encoder@image=words", "reads texts, not images"), ("batch=0", "batch=0"), ("columns.txt=a", "there is no configuration key"),
     ("captions=all", "captions=all"), ("test_share=1", "test_share=1"), ("image._target_=os.getcwd", "is not allowed")],
)  # fmt: skip
def test_wrong_settings_are_one_line(encode, pictures, tmp_path, override, match):
    status, _, wrong = encode(pictures, "layout=classes", override)
    assert (status, len(wrong.splitlines())) == (2, 1)
    assert match in wrong
    assert not (tmp_path / "out" / ".partial").exists()


def test_columns_and_names_of_classes_are_given_on_the_command_line(encode, tmp_path):
    root = table(tmp_path / "t", *({"head": "a bird", "words": "it flies", "of": number} for number in (1, 0)))
    (tmp_path / "names.txt").write_text("fish\nbird\n")
    chosen = ["columns.text=[head,words]", "columns.classes=of", f"class_names={tmp_path / 'names.txt'}"]
    assert encode(root, *chosen)[0] == 0
    data = folder_data(tmp_path / "out")
    assert data.texts == ("a bird it flies",) * 2
    assert [data.classes.names[label] for label in data.pairs.labels] == ["bird", "fish"]


def test_damaged_encoders_json_is_one_line(encode, pictures, run_msl, tmp_path):
    encode(pictures, "layout=classes")
    for content in ("{", "[]", '{"image": 1}', '{"image": {"settings": {}, "identity": {}}}'):
        (tmp_path / "out" / "encoders.json").write_text(content)
        status, _, wrong = run_msl("data", "check", tmp_path / "out")
        assert (status, len(wrong.splitlines())) == (2, 1)
        assert "does not say which encoders made the features" in wrong


def test_exercises_as_they_lie(encode, tmp_path):
    root = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "exercises"
    if not (root / "texts.jsonl").is_file():
        pytest.skip("exercises are not beside the checkout")
    rows = lines(root / "texts.jsonl")[::40]
    (tmp_path / "some" / "images").mkdir(parents=True)
    for row in rows:
        (tmp_path / "some" / row["image"]).write_bytes((root / row["image"]).read_bytes())
    (tmp_path / "some" / "texts.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, said, _ = encode(tmp_path / "some")
    assert status == 0
    assert f"{len(rows)} items encoded, 0 skipped" in said
    assert folder_data(tmp_path / "out").pairs.ids == tuple(row["id"] for row in rows)


def test_the_embedded_emoji_say_what_encoded_them(encode, tmp_path):
    from msl.data.emoji import load as emoji

    said = emoji().encoders
    pairs = [json.loads(line) for line in (embedded("emoji") / "items.jsonl").read_text().splitlines()[::60]]
    root = tmp_path / "some"
    (root / "images").mkdir(parents=True)
    for pair in pairs:
        (root / pair["image"]).write_bytes((embedded("emoji") / pair["image"]).read_bytes())
    (root / "items.jsonl").write_text("".join(json.dumps(pair) + "\n" for pair in pairs))
    assert encode(root)[0] == 0
    assert folder_data(tmp_path / "out").encoders == said

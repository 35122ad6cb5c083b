"""What `msl encode` promises of memory and of a stop at any byte."""

import threading

import numpy as np
import pytest
from PIL import Image

from msl.commands.encoding.decode import Decoded, Decoder, ahead
from msl.commands.encoding.duplicates import drawn, duplicates, grouped, groups, straddling
from msl.commands.encoding.partial import Done, Partial
from msl.commands.encoding.stream import _seen
from msl.data.collection.item import Item
from msl.data.dataset import TEST
from msl.types import InputError

ITEMS = [Item(str(number), f"{number}.png") for number in range(50)]


def test_pictures_come_in_order_and_few_are_ahead():
    begun, lock = [], threading.Lock()

    def work(item):
        with lock:
            begun.append(item.id)
        return Decoded(None, item.id)

    for taken, decoded in enumerate(ahead(work, ITEMS, threads=3, size=lambda item: 1, at_once=100)):
        assert decoded.digest == str(taken)
        assert len(begun) <= taken + 6
    assert sorted(begun, key=int) == [item.id for item in ITEMS]


def test_few_pixels_are_ahead():
    begun = []

    def work(item):
        begun.append(item.id)
        return Decoded(None, item.id)

    sizes = [30, 30, 30, 200, 10, 10, 100]
    coming = ahead(work, ITEMS[:7], threads=3, size=lambda item: sizes[int(item.id)], at_once=100)
    seen = []
    for decoded in coming:
        seen.append(decoded.digest)
        flying = [sizes[int(each)] for each in sorted(set(begun) - set(seen[:-1]), key=int)]
        assert sum(flying) <= 100 or len(flying) == 1
    assert seen == [item.id for item in ITEMS[:7]]


def test_a_header_says_how_many_pixels_come(tmp_path):
    Image.new("1", (300, 200)).save(tmp_path / "a.png")
    Image.new("1", (3000, 2000)).save(tmp_path / "large.png")
    (tmp_path / "bad.png").write_bytes(b"x")
    decoder = Decoder(root=tmp_path, pixels=100_000, previews=tmp_path, side=None)
    names = {"a.png": 60_000, "large.png": 0, "bad.png": 0, "absent.png": 0, "../a.png": 0}
    assert {name: decoder.size(Item(name, name)) for name in names} == names


def test_texts_shared_by_more_than_may_be_tested_join_nothing_and_pictures_always_do():
    classes = ["cat"] * 10 + ["dog"] * 10
    texts = [["a photo of a cat"]] * 10 + [[f"dog {number // 2}"] for number in range(10)]
    pictures = [str(number - number % 2 if number < 4 else number) for number in range(20)]  # 0 = 1 and 2 = 3
    same = duplicates(pictures, texts)
    group = grouped(same, classes, share=0.2)
    expected = [0, 0, 1, 1, *range(2, 8), *(8 + number // 2 for number in range(10))]
    assert (group[:, None] == group).tolist() == (np.array(expected)[:, None] == np.array(expected)).tolist()
    part = drawn(group, classes, share=0.2, seed=0)
    assert [(part[rows] == TEST).sum() for rows in (slice(10), slice(10, 20))] == [2, 2]


class Scale:
    """An encoder whose row is the width; it refuses widths in `bad` and counts the pixels it is given at once."""

    size = 1

    def __init__(self, *bad):
        self.bad, self.given = bad, []

    def encode(self, pictures):
        self.given.append(sum(picture.width * picture.height for picture in pictures))
        refused = [picture.width for picture in pictures if picture.width in self.bad]
        if refused:
            raise InputError(f"width {refused[0]}")
        widths = np.array([[picture.width] for picture in pictures], np.float32)
        return np.where(widths == 99, np.nan, widths)


def test_an_encoder_is_given_few_pixels_at_once_and_every_picture_once():
    widths = [30, 10, 50, 200, 10, 10, 60, 40]
    encoder = Scale()
    pictures = [Decoded(Image.new("RGB", (width, 1)), str(number)) for number, width in enumerate(widths)]
    found = list(_seen(pictures, encoder, 100))
    assert [digest for digest, _ in found] == list("01234567")
    assert [float(row[0]) for _, row in found] == widths
    assert encoder.given == [90, 200, 80, 40]


def test_what_is_refused_costs_itself_alone():
    pictures = [Decoded(Image.new("RGB", (width, 1)), "x") for width in (3, 4, 99, 5)] + [Decoded(None, reason="gone")]
    found = [row if isinstance(row, str) else float(row[0]) for _, row in _seen(pictures, Scale(4), 100_000)]
    assert found == [3, "width 4", "its features are no finite numbers", 5, "gone"]


def done(number):
    return Done("", (), ("bad",)) if number % 5 == 4 else Done(f"{number:x}", tuple(range(1 + number % 2)), ())


def appended(partial, numbers):
    kept = [number for number in numbers if done(number).captions]
    texts = [(number, caption) for number in kept for caption in done(number).captions]
    image = np.array([[number] * 3 for number in kept], np.float32).reshape(-1, 3)
    text = np.array(texts, np.float32).reshape(-1, 2)
    partial.append({"image": image, "text": text}, [done(number) for number in numbers])


def opened(folder):
    return Partial(folder, sizes={"image": 3, "text": 2}, batch=4, total=14)


def filled(folder, upto):
    folder.mkdir()
    partial = opened(folder)
    for start in range(0, upto, 4):
        appended(partial, range(start, min(start + 4, upto)))
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_a_journal_cut_anywhere_goes_on_at_a_whole_batch_to_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda file: None)  # hundreds of files, and no power will fail
    whole = filled(tmp_path / "whole", 14)
    for cut in range(len(whole["done.jsonl"]) + 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        for name, content in whole.items():
            (folder / name).write_bytes(content[:cut] if name == "done.jsonl" else content)
        partial = opened(folder)
        count = len(partial.done)
        assert partial.done == [done(number) for number in range(count)]
        assert count in (0, 4, 8, 12, 14)
        for start in range(count, 14, 4):
            appended(partial, range(start, min(start + 4, 14)))
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == whole
        np.testing.assert_array_equal(partial.matrix("image")[:, 0], [n for n in range(14) if n % 5 != 4])


@pytest.mark.parametrize("name", ["image.f32", "text.f32"])
def test_rows_that_the_journal_counts_and_that_are_gone_are_said(tmp_path, name):
    content = filled(tmp_path / "some", 8)[name]
    (tmp_path / "some" / name).write_bytes(content[:-4])
    with pytest.raises(InputError, match=rf"{name} is damaged.*restart=true"):
        opened(tmp_path / "some")


def test_groups_are_what_is_joined_by_pictures_or_texts_through_others_too():
    same = duplicates(["p", "q", "p", "r", "s", "t"], [["a"], ["b "], ["x"], ["b", "b"], [" c  d"], ["c d", "a"]])
    assert {(each.kind, each.what, each.items) for each in same} == {
        ("picture", "p", (0, 2)), ("text", "b", (1, 3)), ("text", "c d", (4, 5)), ("text", "a", (0, 5))
    }  # fmt: skip
    group = groups(6, same)
    assert [set(np.flatnonzero(group == number)) for number in dict.fromkeys(group.tolist())] == [{0, 2, 4, 5}, {1, 3}]
    assert straddling(same, np.array([0, 1, 0, 1, 0, 1])) == 2
    assert groups(3, []).tolist() == [0, 1, 2]


def test_a_draw_takes_the_share_of_every_class_and_never_parts_a_group():
    rng = np.random.default_rng(0)
    group = np.unique(rng.integers(0, 300, 1000), return_inverse=True)[1]
    classes = [f"class {number % 7}" for number in group]
    part = drawn(group, classes, share=0.25, seed=3)
    assert all(len(set(part[group == number])) == 1 for number in set(group))
    for name in set(classes):
        own = part[[each == name for each in classes]]
        assert 0.22 < (own == TEST).mean() <= 0.26
    np.testing.assert_array_equal(part, drawn(group, classes, share=0.25, seed=3))
    assert not drawn(group, classes, share=0, seed=3).any()

import threading

import pytest

from msl.serve.items import Item, Items
from msl.types import InputError


def item(name, *, image=None, folder=None, classes=("bird",), text="a text", part="test"):
    return Item(name, text, image, folder, classes, part)


@pytest.fixture
def items(tmp_path):
    return Items(tmp_path / "items.sqlite")


def test_items_come_back_as_they_were_given(items, tmp_path):
    given = [
        item("a", image="x.png", folder=tmp_path),
        item("ü 'quoted\"; drop table items", classes=("two", "classes, one with a comma")),
        item("bare", text=None, classes=(), part=None),
    ]
    items.add(given)
    assert items.find(["bare", "a", "no such", given[1].id]) == {each.id: each for each in given}
    assert sorted(items, key=lambda each: each.id) == sorted(given, key=lambda each: each.id)


def test_a_later_item_takes_an_id_and_deleted_ones_are_gone(items):
    items.add([item("a"), item("b")])
    items.add([item("a", text="another")])
    items.delete(["b", "never there"])
    assert [(each.id, each.text) for each in items] == [("a", "another")]


def test_more_ids_than_one_question_takes(items):
    items.add(item(str(number)) for number in range(1_200))
    assert len(items.find([str(number) for number in range(1_200)])) == 1_200


def test_a_failed_addition_leaves_nothing(items):
    items.add([item("a")])

    def broken():
        yield item("b")
        raise RuntimeError("the source ends here")

    with pytest.raises(RuntimeError):
        items.add(broken())
    assert [each.id for each in items] == ["a"]


def test_a_picture_lies_inside_its_folder(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "in.png").write_bytes(b"")
    (tmp_path / "out.png").write_bytes(b"")
    (folder / "link.png").symlink_to(tmp_path / "out.png")
    assert item("a", image="in.png", folder=folder).picture == folder / "in.png"
    for outside in ("../out.png", "link.png", str(tmp_path / "out.png"), "gone.png", "nul\0.png", "."):
        assert item("a", image=outside, folder=folder).picture is None


def test_readers_see_whole_states_while_another_writes(items):
    items.add([item(str(number), text="0") for number in range(50)])
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            seen.add(frozenset(each.text for each in items))

    reader = threading.Thread(target=read)
    reader.start()
    for turn in range(1, 6):
        items.add([item(str(number), text=str(turn)) for number in range(50)])
    done.set()
    reader.join()
    assert seen
    assert all(len(state) == 1 for state in seen)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "items.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(InputError, match=r"items.sqlite cannot be used.*msl index"):
        Items(tmp_path / "items.sqlite").find(["a"])

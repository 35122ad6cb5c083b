import csv
import json
import os
import random
from pathlib import Path

import pytest

from msl.data.collection.item import identified
from msl.data.collection.manifest import Columns
from msl.data.collection.read import read_collection
from msl.data.dataset import TEST, TRAIN, VALIDATION
from msl.types import InputError


def read(path, *, layout=None, class_names=None, images=None, **columns):
    return read_collection(
        Path(path), layout=layout, columns=Columns(**columns), class_names=class_names, images=images
    )


def found(collection):
    """What is known of each item by its picture: texts, classes, part."""
    return {item.image: (item.texts, item.classes, item.part) for item in collection.items}


def pictures(root, *names):
    """Files called like pictures; to list them, nobody looks into one."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"not looked into")


def table(file, *rows):
    """Rows, the first being the header, as .csv or .tsv."""
    with file.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, delimiter="\t" if file.suffix == ".tsv" else ",").writerows(rows)


def jsonl(file, *rows):
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def refused(match, path, **given):
    with pytest.raises(InputError, match=match) as caught:
        read(path, **given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("suffix", [".csv", ".tsv"])
def test_table_with_a_header(tmp_path, suffix):
    pictures(tmp_path, "a.jpg", "sub/b.png")
    table(tmp_path / f"list{suffix}", ["File_Name", "Caption", "category", "split"],
          ["a.jpg", 'a "bird", seen\nfrom below', "bird;animal", "train"], ["sub/b.png", "a cat", "cat | animal", "val"])  # fmt: skip
    collection = read(tmp_path)
    assert collection.layout == "manifest"
    assert found(collection) == {
        "a.jpg": (('a "bird", seen\nfrom below',), ("bird", "animal"), TRAIN),
        "sub/b.png": (("a cat",), ("cat", "animal"), VALIDATION),
    }
    assert [item.id for item in collection.items] == ["a", "sub/b"]


def test_table_may_have_its_mark_and_windows_line_ends(tmp_path):
    (tmp_path / "metadata.csv").write_bytes("\ufefffile_name,text\r\nä.jpg,Ärger\r\n\r\n".encode())
    assert found(read(tmp_path)) == {"ä.jpg": (("Ärger",), (), None)}


def test_jsonl_with_lists_optional_keys_and_line_separators(tmp_path):
    rows = [{"file_name": "a.jpg", "text": ["one\u2028two", "", "three"], "label": ["x", "y"]},
            {"file_name": "b.jpg", "text": None}, {"file_name": "c.jpg", "text": "four", "label": 7}]  # fmt: skip
    jsonl(tmp_path / "metadata.jsonl", *rows)
    assert found(read(tmp_path)) == {
        "a.jpg": (("one\u2028two", "three"), ("x", "y"), None),
        "b.jpg": ((), (), None),
        "c.jpg": (("four",), ("class 7",), None),
    }


def test_captions_as_a_json_list_in_a_cell_and_a_cell_that_only_looks_like_one(tmp_path):
    table(tmp_path / "t.csv", ["image", "captions"], ["a.jpg", '["one", "two"]'], ["b.jpg", "[sic] a bird"])
    assert [item.texts for item in read(tmp_path).items] == [("one", "two"), ("[sic] a bird",)]


def test_a_row_for_each_caption_becomes_one_item(tmp_path):
    table(
        tmp_path / "captions.csv",
        ["image", "caption"],
        ["a.jpg", "one"],
        ["b.jpg", "x"],
        ["a.jpg", "two"],
        ["a.jpg", "one"],
    )
    assert [item.texts for item in read(tmp_path).items] == [("one", "two"), ("x",)]


def test_exercises_items_have_id_number_text_and_image(tmp_path):
    jsonl(tmp_path / "texts.jsonl", {"id": "sit-up", "label": 1, "text": "Lie down.", "image": "images/s.jpg"})
    (item,) = read(tmp_path, class_names=("chest", "belly")).items
    assert (item.id, item.classes, item.texts, item.image) == ("sit-up", ("belly",), ("Lie down.",), "images/s.jpg")
    refused(r"texts\.jsonl, row 1 is of class 1, but class_names has 1,", tmp_path, class_names=("chest",))


def test_tables_of_parts_are_one_collection_whether_named_so_or_in_folders_of_the_name(tmp_path):
    for part in ("train", "test"):
        pictures(tmp_path / "beside", f"{part}.jpg")
        table(tmp_path / "beside" / f"{part}.csv", ["image", "text"], [f"{part}.jpg", part])
        pictures(tmp_path / "in" / part, "a.jpg")
        table(tmp_path / "in" / part / "metadata.csv", ["file_name", "text"], ["a.jpg", part])
    assert found(read(tmp_path / "beside")) == {
        "train.jpg": (("train",), (), TRAIN), "test.jpg": (("test",), (), TEST)
    }  # fmt: skip
    collection = read(tmp_path / "in")
    assert found(collection) == {"train/a.jpg": (("train",), (), TRAIN), "test/a.jpg": (("test",), (), TEST)}
    assert sorted(item.id for item in collection.items) == ["test/a", "train/a"]
    assert found(read(tmp_path / "beside" / "train.csv")) == {"train.jpg": (("train",), (), None)}


def test_pictures_of_a_table_may_lie_in_the_one_folder_that_has_them(tmp_path):
    pictures(tmp_path, "Images/a.jpg", "Images/b.jpg", "other/c.jpg")
    table(tmp_path / "captions.csv", ["image", "caption"], ["a.jpg", "one"], ["b.jpg", "two"])
    assert [item.image for item in read(tmp_path).items] == ["Images/a.jpg", "Images/b.jpg"]


def test_columns_are_named_where_they_could_be_two(tmp_path):
    table(tmp_path / "t.csv", ["image", "title", "description"], ["a.jpg", "Bird", "It flies."])
    refused(r"title and description could each be the text; choose with columns\.text=NAME", tmp_path)
    assert read(tmp_path, text=["title", "description"]).items[0].texts == ("Bird", "It flies.")
    refused(r"no column 'words', as columns\.text asks", tmp_path, text="words")
    table(tmp_path / "t.csv", ["image", "words"], ["a.jpg", "Bird"])
    refused(r"no column of captions \(image, words\); give columns\.text=NAME", tmp_path)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"image,text\na.jpg,ok\nb.jpg,\xe9t\xe9\n", r"t\.csv: row 3 is not UTF-8"),
        ("image,text\na.jpg,ok\n".encode("utf-16"), r"t\.csv is not read: it is not UTF-8"),
        (b"image,text\na.jpg,one,two\n", r"t\.csv: row 2 has 3 cells, the header 2"),
        (b"image,text,split\na.jpg,one,often\n", r"t\.csv, row 2: 'often' names no part"),
        (b"image,text,split\na.jpg,one,train\nb.jpg,two,\n", r"t\.csv, row 3: this item has no part, others have"),
        (b"image,text,split\na.jpg,one,train\na.jpg,two,test\n", r"row 3: the picture is in another part than in .*row 2"),
        (b"id,image,text\n1,a.jpg,one\n1,b.jpg,two\n", r"row 3: the id '1' stands twice \(also in .*row 2\)"),
        (b"image,text\n", "lists no picture"),
    ],
    ids=["latin-1", "utf-16", "ragged", "part", "some-parts", "two-parts", "ids", "empty"],
)  # fmt: skip
def test_a_wrong_table_names_file_and_row(tmp_path, content, match):
    (tmp_path / "t.csv").write_bytes(content)
    refused(match, tmp_path)


@pytest.mark.parametrize("line", ["[1]", "{", '{"image": "a.jpg", "text": {"en": "bird"}}', "[" * 100_000])
def test_a_wrong_line_of_json_is_named(tmp_path, line):
    (tmp_path / "t.jsonl").write_text('{"image": "a.jpg", "text": "bird"}\n' + line)
    refused(r"t\.jsonl.* row 2", tmp_path)


def test_two_tables_and_a_path_that_names_one(tmp_path):
    for name in ("old.csv", "new.csv"):
        table(tmp_path / name, ["image", "text"], ["a.jpg", name])
    refused(r"new\.csv, old\.csv each list pictures; choose one with path=FILE", tmp_path)
    assert read(tmp_path / "new.csv").items[0].texts == ("new.csv",)


def test_karpathy(tmp_path):
    pictures(tmp_path, "val2014/1.jpg", "val2014/2.jpg")
    images = [
        {"filepath": "val2014", "filename": f"{number}.jpg", "cocoid": 100 + number, "split": split,
         "sentences": [{"raw": f"caption {number}", "tokens": []}, {"raw": " another "}]}
        for number, split in ((1, "restval"), (2, "test"))
    ]  # fmt: skip
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": images, "dataset": "coco"}))
    collection = read(tmp_path)
    assert collection.layout == "karpathy"
    assert [item.id for item in collection.items] == ["101", "102"]
    assert found(collection)["val2014/1.jpg"] == (("caption 1", "another"), (), TRAIN)
    assert found(collection)["val2014/2.jpg"][2] == TEST
    del images[1]["sentences"]
    (tmp_path / "dataset_coco.json").write_text(json.dumps({"images": images}))
    refused(r"dataset_coco\.json is not Karpathy's JSON", tmp_path)


def test_a_text_beside_each_picture(tmp_path):
    pictures(tmp_path, "00000/a.jpg", "00000/b.jpg", "00001/a.JPG")
    for name, text in (("00000/a", "one\n\n two \n"), ("00001/a", "\ufeffthree")):
        (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    collection = read(tmp_path)
    assert collection.layout == "captions"
    assert found(collection) == {
        "00000/a.jpg": (("one", "two"), (), None), "00000/b.jpg": ((), (), None), "00001/a.JPG": (("three",), (), None)
    }  # fmt: skip
    lacking = next(item for item in collection.items if item.image == "00000/b.jpg")
    assert lacking.refused == "there is no 00000/b.txt beside it"


def test_texts_beside_pictures_in_named_folders_want_to_know_whether_these_are_classes(tmp_path):
    pictures(tmp_path, "dog/a.jpg", "cat/a.jpg")
    for name in ("dog/a", "cat/a"):
        (tmp_path / f"{name}.txt").write_text(f"a {name}")
    refused("layout=classes if the folders are classes, layout=captions", tmp_path)
    assert found(read(tmp_path, layout="classes"))["dog/a.jpg"] == (("a dog/a",), ("dog",), None)
    assert found(read(tmp_path, layout="captions"))["dog/a.jpg"] == (("a dog/a",), (), None)


def test_a_folder_for_each_class_with_and_without_parts(tmp_path):
    pictures(tmp_path / "plain", "golden retriever/big_dog-01.jpg", "cat/tom.png", "train/steam.png")
    assert found(read(tmp_path / "plain")) == {
        "golden retriever/big_dog-01.jpg": (("big dog 01",), ("golden retriever",), None),
        "cat/tom.png": (("tom",), ("cat",), None),
        "train/steam.png": (("steam",), ("train",), None),
    }
    pictures(tmp_path / "parts", "train/cat/a.jpg", "Test/cat/a.jpg", "val/cat/a.jpg")
    collection = read(tmp_path / "parts")
    assert {image: part for image, (_, _, part) in found(collection).items()} == {
        "train/cat/a.jpg": TRAIN, "Test/cat/a.jpg": TEST, "val/cat/a.jpg": VALIDATION
    }  # fmt: skip
    assert {item.classes for item in collection.items} == {("cat",)}
    pictures(tmp_path / "one", "train/cat/a.jpg", "train/dog/b.jpg")
    assert [(item.classes, item.part) for item in read(tmp_path / "one").items] == [(("cat",), None), (("dog",), None)]


def test_pictures_without_captions_or_classes_are_refused(tmp_path):
    pictures(tmp_path, "a.jpg")
    refused("no table of captions, no .txt beside any picture and no folder for each class", tmp_path)
    assert read(tmp_path, layout="classes").items[0].texts == ()  # a letter is no text
    refused("there is no file or folder", tmp_path / "absent")
    refused(r"there is no \.csv, \.tsv or \.jsonl", tmp_path, layout="manifest")
    refused(r"a\.jpg is no table of pictures", tmp_path / "a.jpg")


def test_ids_are_paths_without_endings_unless_two_would_clash(tmp_path):
    pictures(tmp_path, "x/a.b.jpg", "x/c.jpg", "x/c.png")
    assert [item.id for item in read(tmp_path, layout="classes").items] == ["x/a.b", "x/c.jpg", "x/c.png"]


def test_odd_names(tmp_path):
    undecodable = os.fsdecode(b"\xff.jpg")
    names = ["鳥 🐦.jpg", "two\nlines.jpg", f"{'n' * 246}.png", undecodable, "'quoted';$(x).gif"]
    pictures(tmp_path, *(f"bird/{name}" for name in names))
    items = read(tmp_path, layout="classes").items
    assert {item.image for item in items} == {f"bird/{name}" for name in names}
    assert len({item.id for item in items}) == len(names)
    for item in items:
        json.dumps([item.id, item.texts, item.classes], ensure_ascii=False).encode("utf-8")
    assert "bird/\\udcff" in {item.id for item in items}


def test_nothing_outside_is_listed_or_read(tmp_path):
    outside = tmp_path / "outside"
    pictures(outside, "secret.jpg")
    (outside / "secret.txt").write_text("secret words")
    root = tmp_path / "root"
    pictures(root, "a.jpg", "b.jpg")
    (root / "a.txt").symlink_to(outside / "secret.txt")
    (root / "b.txt").write_text("a bird")
    (root / "door").symlink_to(outside)
    (root / "round").symlink_to(root)
    os.mkfifo(root / "c.txt")
    pictures(root, "c.jpg")
    items = {item.image: item for item in read(root).items}
    assert items.keys() == {"a.jpg", "b.jpg", "c.jpg", "door", "round"}
    assert items["b.jpg"].texts == ("a bird",)
    assert "'a.txt' lies outside" in items["a.jpg"].refused
    assert "c.txt is no regular file" in items["c.jpg"].refused
    assert "door is a link to a folder" in items["door"].refused
    assert not any("secret" in text for item in items.values() for text in item.texts)


def test_a_table_keeps_paths_out_of_the_folder_for_the_reader_to_refuse(tmp_path):
    root = tmp_path / "root"
    pictures(root, "a.jpg")
    names = ["a.jpg", "./sub/../a.jpg", str(root / "a.jpg"), "../x.jpg", "/etc/x.jpg", "a\0.jpg", ""]
    jsonl(root / "m.jsonl", *({"id": f"i{n}", "image": name, "text": "t"} for n, name in enumerate(names)))
    items = read(root).items
    assert [item.image for item in items[:3]] == ["a.jpg"] * 3
    assert all(not (root / item.image).resolve().is_relative_to(root) for item in items[3:5])
    assert items[6].refused.endswith("row 7 names no picture")


def test_table_that_is_a_link_out_of_the_folder_is_not_read(tmp_path):
    table(tmp_path / "secret.csv", ["image", "text"], ["a.jpg", "secret"])
    root = tmp_path / "root"
    pictures(root, "bird/a.jpg")
    (root / "metadata.csv").symlink_to(tmp_path / "secret.csv")
    refused(r"metadata\.csv is not read: 'metadata\.csv' lies outside .*layout=classes", root)
    assert read(root, layout="classes").items[0].texts == ()
    refused("lies outside", root / "metadata.csv")


def test_order_does_not_depend_on_the_order_of_creation(tmp_path):
    names = [f"{folder}/{number}.jpg" for folder in "abc" for number in range(5)]
    for place, seed in (("one", 1), ("two", 2)):
        pictures(tmp_path / place, *random.Random(seed).sample(names, len(names)))
    one, two = (read(tmp_path / place).items for place in ("one", "two"))
    assert one == two == identified(one)
    assert [item.image for item in one] == names


def test_one_wrapping_folder_is_no_class(tmp_path):
    pictures(tmp_path / "wrap", "images/cat/tom.png", "images/dog/rex.png")
    (tmp_path / "wrap" / "README").touch()
    for layout in (None, "classes"):
        collection = read(tmp_path / "wrap", layout=layout)
        assert found(collection)["cat/tom.png"] == (("tom",), ("cat",), None)
        assert collection.root == tmp_path / "wrap" / "images"
    pictures(tmp_path / "captioned", "pics/tom.png")
    (tmp_path / "captioned" / "pics" / "tom.txt").write_text("a cat")
    assert found(read(tmp_path / "captioned")) == {"tom.png": (("a cat",), (), None)}
    pictures(tmp_path / "alone", "cat/tom.png")
    refused("no folder for each class", tmp_path / "alone")
    assert read(tmp_path / "alone", layout="classes").items[0].classes == ("cat",)


def test_pictures_of_a_table_lie_where_images_says(tmp_path):
    root = tmp_path / "coco"
    pictures(root, "images/a.png", "images/b.png", "thumbs/a.png")
    (root / "annotations").mkdir()
    file = root / "annotations" / "captions.csv"
    table(file, ["image", "caption"], ["a.png", "one"], ["b.png", "two"])
    refused(r"annotations/captions\.csv lists pictures: give images=FOLDER.*layout=classes", root)
    collection = read(root, images=root / "images")
    assert (collection.root, [item.image for item in collection.items]) == (root, ["images/a.png", "images/b.png"])
    collection = read(file, images=root / "images")
    assert (collection.root, [item.image for item in collection.items]) == (root / "images", ["a.png", "b.png"])
    table(file, ["image", "caption"], ["../images/a.png", "one"])
    assert read(file, images=root / "images").items[0].image == "a.png"
    images = [{"filename": "a.png", "sentences": [{"raw": "one"}]}]
    (root / "annotations" / "k.json").write_text(json.dumps({"images": images}))
    assert read(root / "annotations" / "k.json", images=root / "images").items[0].image == "a.png"
    refused("lies outside", root / "annotations", images=root / "images")
    refused("is no folder", file, images=root / "nowhere")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("metadata.jsonl", b'{"text": "none"}\n{"image": "tom.png", "text": "a cat"}\n', r"its first line, 'text', names no column of pictures"),
        ("m.jsonl", b"[1, 2]\n", "no JSON object"), ("m.jsonl", b"7\n", "no JSON object"), ("m.csv", b"", "names no column"),
        ("m.csv", b"image;text\ntom.png;a cat\n", "separate cells by commas"), ("m.csv", "image,text\n".encode("utf-16"), "not UTF-8"),
    ],
    ids=["no-image", "array", "number", "empty", "semicolons", "utf-16"],
)  # fmt: skip
def test_a_table_that_is_not_read_is_named(tmp_path, name, content, match):
    pictures(tmp_path, "cat/tom.png", "dog/rex.png")
    (tmp_path / name).write_bytes(content)
    refused(rf"{name} is not read: .*{match}.*layout=classes", tmp_path)
    (note,) = read(tmp_path, layout="classes").notes
    assert note.startswith(f"{name} was passed over: ")


def test_a_table_passed_over_beside_one_that_is_read(tmp_path):
    table(tmp_path / "t.csv", ["image", "text"], ["a.png", "a cat"])
    table(tmp_path / "sizes.csv", ["width", "height"], ["1", "2"])
    (note,) = read(tmp_path).notes
    assert note.startswith("sizes.csv was passed over: its first line, 'width, height',")


def test_a_header_after_empty_lines_and_a_table_that_is_a_link_within(tmp_path):
    pictures(tmp_path, "cat/tom.png")
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "t.list").write_bytes("\ufeff\n\r\nimage,text\n\ncat/tom.png,a cat\n".encode())
    (tmp_path / "t.csv").symlink_to(tmp_path / "lists" / "t.list")
    assert found(read(tmp_path)) == {"cat/tom.png": (("a cat",), (), None)}


def test_a_text_file_may_be_called_txt_in_capitals(tmp_path):
    pictures(tmp_path, "a.png", "b.png")
    for name, text in (("a.TXT", "one"), ("b.txt", "two"), ("b.TXT", "three")):
        (tmp_path / name).write_text(text)
    assert [item.texts for item in read(tmp_path).items] == [("one",), ("two",)]


def test_the_first_picture_that_is_found_says_where_all_lie(tmp_path):
    pictures(tmp_path, "images/b.png")
    table(tmp_path / "t.csv", ["image", "text"], ["gone.png", "one"], ["b.png", "two"])
    assert [item.image for item in read(tmp_path).items] == ["images/gone.png", "images/b.png"]
    pictures(tmp_path, "small/b.png")
    refused(r"images and small each hold 'b\.png'; give images=FOLDER", tmp_path)
    assert read(tmp_path, images=tmp_path / "small").items[1].image == "small/b.png"


def test_names_of_numbered_classes_are_for_folders_and_floats_too(tmp_path):
    pictures(tmp_path / "f", "0/tom.png", "10/rex.png", "2/tim.png")
    names = tuple(f"n{number}" for number in range(11))
    assert [item.classes[0] for item in read(tmp_path / "f", class_names=names).items] == ["n0", "n10", "n2"]
    assert [item.classes[0] for item in read(tmp_path / "f").items] == ["class 0", "class 10", "class 2"]
    refused("is of class 10, but class_names has 1", tmp_path / "f", class_names=("one",))
    (tmp_path / "t").mkdir()
    table(tmp_path / "t" / "t.csv", ["image", "text", "label"], ["a.png", "one", "1.0"], ["b.png", "two", "0.0"])
    assert [item.classes[0] for item in read(tmp_path / "t", class_names=names).items] == ["n1", "n0"]
    table(tmp_path / "t" / "t.csv", ["image", "text"], ["a.png", "one"])
    refused("class_names is given, but", tmp_path / "t", class_names=names)


def test_columns_without_a_table_are_refused(tmp_path):
    pictures(tmp_path, "cat/tom.png", "dog/rex.png")
    refused(r"columns\.text is given, but no table", tmp_path, text="caption")


def test_names_of_cameras_are_no_texts(tmp_path):
    names = {
        "IMG_0001.png": (),
        "10.png": (),
        "DSC01234.png": (),
        "a.png": (),
        "big_dog-01.png": ("big dog 01",),
        "鳥.png": ("鳥",),
    }
    pictures(tmp_path, *(f"cat/{name}" for name in names))
    assert {item.image: item.texts for item in read(tmp_path, layout="classes").items} == {
        f"cat/{name}": texts for name, texts in names.items()
    }

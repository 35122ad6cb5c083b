import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import plant

from msl.data.dataset import Card
from msl.data.folder import load
from msl.data.formats import KEYS, read_dataset
from msl.types import InputError

CARD = Card(
    name="toy", title="toy", modalities=("image", "text"), features=("x", "y"), embedding="z",
    source="made up", licence="none", obtain="here",
)  # fmt: skip
CLASSES, ITEMS = 4, 5
ROWS = CLASSES * ITEMS
REAL = Path(__file__).parents[2].parent / "shared" / "data"


def planted_with(folder, **changes):
    return plant(folder, classes=CLASSES, items=ITEMS, **changes)


@pytest.fixture
def arrays(tmp_path):
    with np.load(planted_with(tmp_path / "source") / "features.npz") as archive:
        return dict(archive)


def refused(path, *words):
    """The message that refuses it: one line that names the file, the `words` and, after a semicolon, the remedy."""
    with pytest.raises(InputError) as caught:
        read_dataset(path, CARD)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    assert "; " in message
    for word in words:
        assert word in message, message
    return message


def with_bad_value(array, place, value):
    array = array.copy()
    array[place] = value
    return array


def test_a_good_file_is_read_whole_and_in_order(tmp_path, arrays):
    data = read_dataset(planted_with(tmp_path / "good"), CARD)
    assert data.card is CARD
    assert data.pairs.ids == tuple(arrays["ids"])
    assert np.array_equal(data.pairs.a, arrays["image"])
    assert np.array_equal(data.pairs.b, arrays["text"])
    assert np.array_equal(data.pairs.labels, arrays["label"])
    assert data.classes.names == tuple(arrays["class_names"])
    assert np.array_equal(data.classes.vectors, arrays["class_vectors"])
    assert data.part.tolist() == [int(word == "test") for word in arrays["split"]]
    assert data.texts is None
    assert data.pictures is None


def test_the_file_is_found_by_its_own_path_or_by_its_folder(tmp_path):
    folder = planted_with(tmp_path / "good")
    by_folder, by_file = read_dataset(folder, CARD), read_dataset(folder / "features.npz", CARD)
    assert by_folder.pairs.ids == by_file.pairs.ids


@pytest.mark.parametrize("kind", [np.float16, np.float64, np.int32, np.uint8])
def test_features_of_any_real_kind_become_single_precision(kind, tmp_path, arrays):
    image = (10 * np.abs(arrays["image"])).astype(kind)
    data = read_dataset(planted_with(tmp_path / "other", image=image), CARD)
    assert data.pairs.a[:].dtype == np.float32
    assert np.array_equal(data.pairs.a, image.astype(np.float32))


@pytest.mark.parametrize("kind", [np.uint8, np.int16, np.uint64])
def test_labels_of_any_whole_kind_become_indices(kind, tmp_path, arrays):
    data = read_dataset(planted_with(tmp_path / "other", label=arrays["label"].astype(kind)), CARD)
    assert data.pairs.labels.dtype == np.int64
    assert np.array_equal(data.pairs.labels, arrays["label"])


def test_a_missing_file_is_named(tmp_path):
    refused(tmp_path / "features.npz", "there is no file", "give the path")
    with pytest.raises(InputError, match=r"there is no file .*nowhere"):
        read_dataset(tmp_path / "nowhere", CARD)


def test_a_folder_without_the_file_is_named(tmp_path):
    refused(tmp_path, "there is no file", "features.npz")


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"PK\x03\x04 and no more", b"\x93NUMPY", b"\x80\x04K\x01.", bytes(100)],
    ids=["empty", "text", "start of a zip", "start of an array", "pickle", "zeros"],
)
def test_what_is_no_npz_is_refused(content, tmp_path):
    file = tmp_path / "features.npz"
    file.write_bytes(content)
    refused(file, "not a readable .npz", "numpy.savez")


def test_a_single_array_is_refused(tmp_path):
    with (tmp_path / "features.npz").open("wb") as stream:
        np.save(stream, np.eye(3))
    refused(tmp_path, "single array", *KEYS)


@pytest.mark.parametrize("key", ["ids", "image", "class_names"])
def test_pickled_objects_are_refused_unread(key, tmp_path, arrays):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was opened",))

    objects = np.array([Trap()] * len(arrays[key]), dtype=object)
    refused(planted_with(tmp_path / "wrong", **{key: objects}), "not a readable .npz without pickled objects")


@pytest.mark.parametrize("key", KEYS)
def test_a_missing_key_is_named(key, tmp_path):
    refused(planted_with(tmp_path / "wrong", **{key: None}), f"no array {key!r}", *KEYS)


@pytest.mark.parametrize("key", ["image", "text"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_is_named(key, value, tmp_path, arrays):
    wrong = with_bad_value(with_bad_value(arrays[key], (13, 2), value), (7, 0), value)
    refused(planted_with(tmp_path / "wrong", **{key: wrong}), f"{key}: row 7", "2 such rows", "drop or recompute")


def test_a_value_too_large_for_single_precision_is_refused_with_its_row(tmp_path, arrays):
    wrong = with_bad_value(arrays["image"].astype(np.float64), (3, 1), 1e300)
    refused(planted_with(tmp_path / "wrong", image=wrong), "image: row 3")


def test_a_class_vector_that_is_not_finite_is_named(tmp_path, arrays):
    wrong = with_bad_value(arrays["class_vectors"], (2, 1), np.nan)
    refused(planted_with(tmp_path / "wrong", class_vectors=wrong), "class_vectors: row 2")


@pytest.mark.parametrize("key", ["image", "text", "ids", "split"])
def test_rows_that_do_not_match_the_labels_are_counted(key, tmp_path, arrays):
    message = refused(planted_with(tmp_path / "wrong", **{key: arrays[key][:-2]}), key, f"{ROWS}")
    assert f"{ROWS - 2}" in message


@pytest.mark.parametrize("label", [-1, CLASSES, 10**12])
def test_a_label_out_of_range_is_named_with_its_row(label, tmp_path, arrays):
    wrong = with_bad_value(arrays["label"], 6, label)
    refused(planted_with(tmp_path / "wrong", label=wrong), "label: row 6", f"label {label}", f"0..{CLASSES - 1}")


@pytest.mark.parametrize(
    "label", [np.zeros(ROWS), np.zeros((ROWS, 1), int), np.array(3), np.full(ROWS, "0"), np.zeros(ROWS, bool)]
)
def test_labels_that_are_no_indices_are_refused(label, tmp_path):
    refused(planted_with(tmp_path / "wrong", label=label), "label: wanted one class index per row", str(label.dtype))


def test_a_word_that_is_neither_train_nor_test_is_named_with_its_row(tmp_path, arrays):
    wrong = with_bad_value(arrays["split"].astype("U10"), 4, "validation")
    refused(planted_with(tmp_path / "wrong", split=wrong), "split:", "row 4 is 'validation'")


@pytest.mark.parametrize(
    "split", [np.zeros(ROWS, int), np.array("train"), np.full(ROWS, b"test"), np.full((2, ROWS // 2), "val"),
              np.full((ROWS, 1), "test"), np.zeros(ROWS, "i4,i4")],
)  # fmt: skip
def test_a_split_of_another_kind_or_shape_is_refused(split, tmp_path):
    refused(planted_with(tmp_path / "wrong", split=split), "split: wanted 'train' or 'test'")


def test_an_id_that_stands_twice_is_named(tmp_path, arrays):
    wrong = with_bad_value(arrays["ids"], 9, arrays["ids"][2])
    refused(planted_with(tmp_path / "wrong", ids=wrong), "ids: 'item 2' stands twice")


def test_a_class_without_vector_is_named(tmp_path, arrays):
    refused(planted_with(tmp_path / "wrong", class_vectors=with_bad_value(arrays["class_vectors"], 1, 0)), "'class 1'", "no vector")  # fmt: skip
    refused(
        planted_with(tmp_path / "fewer", class_vectors=arrays["class_vectors"][:-1]), f"{CLASSES} class names but {CLASSES - 1}"
    )  # fmt: skip


def test_a_class_name_that_stands_twice_is_named(tmp_path, arrays):
    names = with_bad_value(arrays["class_names"], 3, "class 1")
    refused(planted_with(tmp_path / "wrong", class_names=names), "'class 1' stands twice")


@pytest.mark.parametrize("key", ["image", "text", "class_vectors"])
@pytest.mark.parametrize("wrong", [np.zeros(ROWS), np.zeros((ROWS, 2, 2)), np.zeros((ROWS, 2), complex),
                                   np.full((ROWS, 2), "x"), np.array(1.0), np.zeros(ROWS, "i4,i4"),
                                   np.ones((ROWS, 2), "m8[s]")])  # fmt: skip
def test_features_that_are_no_real_matrix_are_refused(key, wrong, tmp_path):
    refused(planted_with(tmp_path / "wrong", **{key: wrong}), f"{key}: wanted a real matrix", str(wrong.dtype))


@pytest.mark.parametrize("key", ["ids", "class_names"])
def test_names_that_are_no_list_are_refused(key, tmp_path):
    refused(planted_with(tmp_path / "wrong", **{key: np.array("one")}), f"{key}: wanted")


def test_an_empty_data_set_is_refused(tmp_path, arrays):
    changes = {key: arrays[key][:0] for key in ("image", "text", "label", "split", "ids")}
    refused(planted_with(tmp_path / "wrong", **changes), "label")


@pytest.mark.parametrize("key", ["image", "text", "class_vectors"])
def test_features_without_columns_are_refused(key, tmp_path, arrays):
    refused(planted_with(tmp_path / "wrong", **{key: arrays[key][:, :0]}), key)


def items(folder, lines, name="items.jsonl"):
    (folder / name).write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return folder


def item(number, **more):
    return json.dumps({"id": f"item {number}", "text": f"text {number}", "image": f"{number}.png"} | more, ensure_ascii=False)  # fmt: skip


@pytest.mark.parametrize("name", ["items.jsonl", "texts.jsonl"])
def test_items_are_matched_by_id_not_by_order(name, tmp_path):
    lines = [item(number) for number in reversed(range(ROWS + 3))]
    data = read_dataset(items(planted_with(tmp_path / "good"), lines, name), CARD)
    assert data.texts == tuple(f"text {number}" for number in range(ROWS))
    assert data.pictures == tuple(tmp_path / "good" / f"{number}.png" for number in range(ROWS))


def test_an_item_without_text_shows_its_id_and_without_image_there_are_no_pictures(tmp_path):
    lines = [json.dumps({"id": f"item {number}"}) for number in range(ROWS)]
    data = read_dataset(items(planted_with(tmp_path / "good"), lines), CARD)
    assert data.texts == data.pairs.ids
    assert data.pictures is None


def test_an_id_that_the_items_lack_is_named(tmp_path):
    folder = items(planted_with(tmp_path / "wrong"), [item(number) for number in range(ROWS) if number != 5])
    with pytest.raises(InputError, match=r"items\.jsonl has no line for id 'item 5'.*; "):
        read_dataset(folder, CARD)


@pytest.mark.parametrize("line", ["{", "[1]", '"item 3"', "3", "null", '{"text": "no id"}', "", b'{"id": "\xff"}'])
def test_a_line_that_is_no_item_is_named_by_its_number(line, tmp_path):
    lines = [item(number) for number in range(ROWS)]
    folder = items(planted_with(tmp_path / "wrong"), [*lines[:3], line, *lines[3:]])
    with pytest.raises(InputError, match=r"items\.jsonl: line 4 .*; ") as caught:
        read_dataset(folder, CARD)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("image", [None, 3, ["x.png"]])
def test_an_image_that_is_no_path_is_refused(image, tmp_path):
    lines = [item(number, image=image if number == 2 else "x.png") for number in range(ROWS)]
    with pytest.raises(InputError, match=r"items\.jsonl.*; ") as caught:
        read_dataset(items(planted_with(tmp_path / "wrong"), lines), CARD)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("character", ["\u2028", "\u0085", "\u2029", "é", "\U0001f600"])
def test_a_text_may_hold_any_character_json_may_write_bare(character, tmp_path):
    text = f"one{character}two"
    lines = [item(number, text=text) for number in range(ROWS)]
    assert read_dataset(items(planted_with(tmp_path / "good"), lines), CARD).texts == (text,) * ROWS


def test_items_with_windows_line_ends_are_read(tmp_path):
    folder = items(planted_with(tmp_path / "good"), [item(number) + "\r" for number in range(ROWS)])
    assert read_dataset(folder, CARD).texts[3] == "text 3"


def read_or_refused(folder):
    """Either an `InputError` of one line or a sound data set; anything else is a defect. Tells which."""
    try:
        data = read_dataset(folder, CARD)
    except InputError as error:
        message = str(error)
    else:
        assert_sound(data)
        return True
    assert "\n" not in message
    assert str(folder) in message
    return False


def assert_sound(data):
    rows = len(data.pairs)
    for array in (data.pairs.a[:], data.pairs.b[:], data.classes.vectors):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert len(data.pairs.a) == len(data.pairs.b) == len(data.pairs.labels) == len(data.part) == rows
    assert len(set(data.pairs.ids)) == rows
    assert len(data.classes.names) == len(data.classes.vectors)
    assert set(data.pairs.labels.tolist()) <= set(range(len(data.classes)))
    assert set(data.part.tolist()) <= {0, 1}


def mutated(content, rng):
    """Some bytes changed, or a stretch cut out, or the end cut off."""
    changed = bytearray(content)
    kind = rng.integers(8)
    if kind == 0:
        return bytes(changed[: rng.integers(len(changed))])
    if kind == 1:
        start = rng.integers(len(changed))
        del changed[start : start + rng.integers(1, 20)]
        return bytes(changed)
    for place in rng.integers(len(changed), size=rng.integers(1, 4)):
        changed[place] = rng.integers(256)
    return bytes(changed)


def npz_bytes(arrays, *, compressed):
    stream = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(stream, **arrays)
    return stream.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
def test_a_damaged_zip_gives_an_input_error_or_sound_data(compressed, tmp_path, arrays):
    whole, rng = npz_bytes(arrays, compressed=compressed), np.random.default_rng(0)
    file = tmp_path / "features.npz"
    for _ in range(300):
        file.write_bytes(mutated(whole, rng))
        read_or_refused(tmp_path)


def test_a_damaged_field_of_the_zips_directory_gives_an_input_error_or_sound_data(tmp_path, arrays):
    """Every byte of the headers of one member: flags (encryption), method of compression, sizes, names."""
    whole, rng = npz_bytes(arrays, compressed=True), np.random.default_rng(1)
    file = tmp_path / "features.npz"
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        member = archive.infolist()[2]
    local, central = member.header_offset, whole.rindex(b"PK\x01\x02", 0, whole.rindex(b"PK\x01\x02"))
    for start, length in ((local, 40), (central, 60), (len(whole) - 22, 22)):
        for place in range(start, min(start + length, len(whole))):
            for value in (whole[place] ^ 1, whole[place] ^ 8, int(rng.integers(256))):
                file.write_bytes(whole[:place] + bytes([value]) + whole[place + 1 :])
                read_or_refused(tmp_path)


def test_damaged_arrays_in_a_sound_zip_give_an_input_error_or_sound_data(tmp_path, arrays):
    """The checksums fit, so that the damage reaches numpy's header (shape, dtype, order) and the values themselves."""
    with zipfile.ZipFile(io.BytesIO(npz_bytes(arrays, compressed=False))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    rng, file, names = np.random.default_rng(2), tmp_path / "features.npz", sorted(members)
    outcomes = set()
    for _ in range(400):
        name = names[rng.integers(len(names))]
        broken = bytearray(members[name])
        stretch = 80 if rng.random() < 0.7 else len(broken)  # numpy's header is about 80 bytes of text
        for place in rng.integers(min(stretch, len(broken)), size=rng.integers(1, 3)):
            broken[place] = rng.integers(256)
        with zipfile.ZipFile(file, "w") as archive:
            for other, content in members.items():
                archive.writestr(other, bytes(broken) if other == name else content)
        outcomes.add(read_or_refused(tmp_path))
    assert outcomes == {False, True}


@pytest.mark.parametrize(
    ("name", "pairs", "classes", "train", "test", "pictures"),
    [("fashion", 4893, 30, 3915, 978, False), ("exercises", 852, 15, 681, 171, True)],
)
def test_real_data_load_with_the_counts_of_their_readme(name, pairs, classes, train, test, pictures):
    if not (REAL / name / "features.npz").is_file():
        pytest.skip(f"{REAL / name} is not here: the real data are not part of the repository")
    data = load(path=str(REAL / name), name=name, test_share=0.2, seed=0)
    assert (len(data.pairs), len(data.classes)) == (pairs, classes)
    assert ((data.part == 0).sum(), (data.part == 1).sum()) == (train, test)
    assert (data.pairs.a.shape[1], data.pairs.b.shape[1], data.classes.vectors.shape[1]) == (512, 384, 384)
    assert set(data.pairs.labels.tolist()) == set(range(classes))
    assert data.card.name == name
    assert len(data.texts) == pairs
    assert (data.pictures is not None) == pictures
    if pictures:
        assert all(path.is_file() for path in data.pictures)


@pytest.mark.parametrize("image", ["../2.png", "/etc/passwd", "a/../../2.png", "nul\0.png"])
def test_a_picture_outside_the_folder_is_refused(image, tmp_path):
    lines = [item(number, image=image if number == 2 else "x.png") for number in range(ROWS)]
    with pytest.raises(InputError, match=r"items\.jsonl: the picture .* does not lie inside .*; ") as caught:
        read_dataset(items(planted_with(tmp_path / "wrong"), lines), CARD)
    assert "\n" not in str(caught.value)


def test_a_link_that_leads_outside_the_folder_is_refused_and_one_inside_is_not(tmp_path):
    folder = items(planted_with(tmp_path / "linked"), [item(number) for number in range(ROWS)])
    (folder / "other.png").write_bytes(b"")
    (folder / "2.png").symlink_to(folder / "other.png")
    assert read_dataset(folder, CARD).pictures[2] == folder / "2.png"
    (tmp_path / "secret.png").write_bytes(b"")
    (folder / "3.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(InputError, match=r"'3\.png' does not lie inside"):
        read_dataset(folder, CARD)

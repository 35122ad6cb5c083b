"""`data=folder`: every layout people keep features in, and what is refused with one line."""

import json

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
from folder_builders import NAMES, halves, items, planted

from msl.data.dataset import TEST, TRAIN, VALIDATION
from msl.data.finding.choose import Wanted
from msl.data.finding.classlists import refuse_numbers
from msl.data.folder import card_of, load, read
from msl.types import InputError

A, B, LABEL = planted()
ROWS = len(LABEL)


def reading(path, **wanted):
    return read(path, card_of(path, None), Wanted(**wanted), test_share=0.25, seed=0)


def found(path, **wanted):
    return reading(path, **wanted).data


def refused(path, *words, **wanted):
    """The message that refuses it: one line that names the path, the `words` and a remedy."""
    with pytest.raises(InputError) as caught:
        found(path, **wanted)
    message = str(caught.value)
    assert "\n" not in message
    for word in (str(path), *words):
        assert word in message, message
    assert ";" in message or ":" in message
    return message


def saved(folder, **arrays):
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(folder / f"{name}.npy", array)
    return folder


def assert_planted(data, a=A, b=B, label=LABEL):
    """The rows in the order given, a's then b's features."""
    assert np.array_equal(data.pairs.a, a.astype(np.float32))
    assert np.array_equal(data.pairs.b, b.astype(np.float32))
    assert np.array_equal(data.pairs.labels, label)


SYNONYMS = [
    ("image", "text", "label"), ("imgs", "txt", "labels"), ("I", "T", "L"), ("vgg19", "doc2vec", "y"), ("XAll", "YAll", "LAll"),
    ("img_feat", "tags", "cat"), ("imageFeatures", "text_features", "category"), ("train_imgs_deep", "train_texts", "train_imgs_labels"),
]  # fmt: skip


@pytest.mark.parametrize("names", SYNONYMS, ids=lambda names: names[0])
def test_one_file_of_arrays_by_their_usual_names(names, tmp_path):
    np.savez(tmp_path / "set.npz", **dict(zip(names, (A, B, LABEL), strict=True)))
    data = found(tmp_path / "set.npz")
    assert_planted(data)
    assert data.pairs.paired
    assert data.classes.names == tuple(f"class {number}" for number in range(12))
    assert data.classes.vectors.shape == (12, 0)


@pytest.mark.parametrize("pattern", ["{part}_{what}", "{what}_{part}", "{part}/{what}", "{what}/{part}"])
def test_halves_by_prefix_suffix_or_folder_are_joined_train_first(pattern, tmp_path):
    for what, (train, test) in zip(("img", "txt", "lab"), halves(), strict=True):
        saved(
            tmp_path, **{pattern.format(part="test", what=what): test, pattern.format(part="train", what=what): train}
        )
    data = found(tmp_path)
    assert_planted(data)
    assert data.part.tolist() == [TRAIN] * 72 + [TEST] * 24
    assert data.card.modalities == ("image", "text")
    assert data.card.name == tmp_path.name


def test_the_arrays_name_in_a_file_of_one_does_not_matter(tmp_path):
    for what, array in (("image", A), ("text", B), ("label", LABEL)):
        scipy.io.savemat(tmp_path / f"{what}.mat", {"x": array})
    assert_planted(found(tmp_path))


def test_validation_and_query_and_database(tmp_path):
    arrays = {}
    for letter, array in (("I", A), ("T", B), ("L", np.eye(12)[LABEL])):
        arrays |= {f"{letter}_db": array[:60], f"{letter}_val": array[60:72], f"{letter}_te": array[72:]}
    np.savez(tmp_path / "hashing.npz", **arrays)
    data = found(tmp_path)
    assert_planted(data)
    assert np.bincount(data.part).tolist() == [60, 24, 12]
    assert data.part[60] == VALIDATION


def test_a_database_beside_training_rows_is_left_aside_and_said(tmp_path):
    arrays = {}
    for letter, array in (("I", A), ("T", B), ("L", LABEL)):
        arrays |= {f"{letter}_tr": array[:72], f"{letter}_db": array[:80], f"{letter}_te": array[80:]}
    np.savez(tmp_path / "hashing.npz", **arrays)
    made = reading(tmp_path)
    assert np.bincount(made.data.part).tolist() == [72, 16]
    assert any("left aside" in note and "I_db" in note for note in made.notes)


def test_a_folder_per_modality_with_one_vector_per_item(tmp_path):
    data = found(items(tmp_path))
    assert data.card.modalities == ("image", "audio")
    assert data.classes.names == tuple(sorted(NAMES))
    row = data.pairs.ids.index("train/item006")  # a class called train is no part
    assert data.classes.names[data.pairs.labels[row]] == "train"
    assert np.array_equal(data.pairs.b[row], A[6])
    assert np.array_equal(data.pairs.a[row], B[6])
    assert (data.part == TEST).sum() == 12 * 2


def test_items_with_labels_beside_them_by_id(tmp_path):
    items(tmp_path, labelled=False)
    lines = [f"item{row:03},{NAMES[LABEL[row]]},{'test' if row % 4 == 0 else 'train'}" for row in reversed(range(ROWS))]
    (tmp_path / "labels.csv").write_text("\n".join(["id,label,split", *lines]))
    data = found(tmp_path)
    assert [data.classes.names[label] for label in data.pairs.labels] == [
        NAMES[int(name[4:]) % 12] for name in data.pairs.ids
    ]
    assert data.part.tolist() == [int(int(name[4:]) % 4 == 0) for name in data.pairs.ids]


@pytest.mark.parametrize("label", [str, NAMES.__getitem__], ids=["numbers", "words"])
def test_items_with_labels_in_a_plain_list_without_header(label, tmp_path):
    items(tmp_path, labelled=False)
    (tmp_path / "labels.txt").write_text("\n".join(f"item{row:03} {label(LABEL[row])}" for row in range(ROWS)))
    assert np.bincount(found(tmp_path).pairs.labels).tolist() == [8] * 12
    (tmp_path / "labels.txt").write_text("\n".join(f"item{row:03} {label(LABEL[row])}" for row in range(1, ROWS)))
    refused(tmp_path, "none for item 'item000'")


def test_items_of_which_some_have_one_modality(tmp_path):
    items(tmp_path)
    (tmp_path / "audio" / "dog" / "item000.npy").unlink()
    made = reading(tmp_path)
    assert not made.data.pairs.paired
    assert made.data.pairs.b.present.sum() == ROWS - 1
    assert any("1 items have only image" in note for note in made.notes)


def test_labels_without_ids_follow_the_rows_of_the_modality_that_has_every_item(tmp_path):
    items(tmp_path, labelled=False)
    np.save(tmp_path / "labels.npy", np.array(NAMES)[LABEL])
    (tmp_path / "audio" / "item003.npy").unlink()
    seen = reading(tmp_path)
    classes, pairs = seen.data.classes.names, seen.data.pairs
    assert [classes[label] for label in pairs.labels] == [NAMES[LABEL[int(name[4:])]] for name in pairs.ids]
    assert any("labels without ids are taken in the order of image: item000, item001" in note for note in seen.notes)
    (tmp_path / "image" / "item005.npy").unlink()
    refused(tmp_path, "labels have no ids, and neither modality has all items")


def test_items_of_several_vectors_are_refused_without_listing_them_all(tmp_path):
    items(tmp_path, labelled=False)
    for file in tmp_path.glob("*/*.npy"):
        np.save(file, np.tile(np.load(file), (2, 1)))
    message = refused(tmp_path, "found 192", "one vector per item", "and 180 more")
    assert len(message) < 2000


def test_items_in_train_and_test_folders(tmp_path):
    for part, rows in (("train", range(72)), ("test", range(72, ROWS))):
        for name, matrix in (("sketch", A), ("photo", B)):
            for row in rows:
                saved(tmp_path / name / part / NAMES[LABEL[row]], **{f"{row}": matrix[row]})
    data = found(tmp_path)
    assert data.card.modalities == ("image", "sketch")
    assert np.bincount(data.part).tolist() == [72, 24]


def test_items_of_unequal_length_are_named(tmp_path):
    items(tmp_path)
    np.save(tmp_path / "audio" / "dog" / "item000.npy", np.ones(3))
    refused(tmp_path, "item000.npy", "3 numbers")


def test_two_modalities_of_one_kind_and_of_unknown_kinds(tmp_path):
    np.savez(tmp_path / "sketches.npz", sketch1=A, sketch2=B, label=LABEL)
    assert found(tmp_path / "sketches.npz").card.modalities == ("sketch1", "sketch2")
    np.savez(tmp_path / "odd.npz", touch=A, smell=B, label=LABEL)
    data = found(tmp_path / "odd.npz", modalities=("touch", "smell"))
    assert data.card.modalities == ("touch", "smell")
    assert_planted(data)


def test_unpaired_items_have_one_modality_each(tmp_path):
    saved(tmp_path, train_img=A[:60], test_img=A[60:], train_txt=B[:48], test_txt=B[48:84])
    saved(
        tmp_path, train_img_lab=LABEL[:60], test_img_lab=LABEL[60:], train_txt_lab=LABEL[:48], test_txt_lab=LABEL[48:84]
    )
    data = found(tmp_path)
    assert not data.pairs.paired
    assert len(data.pairs) == ROWS + 84
    assert data.pairs.a.present.tolist() == [True] * ROWS + [False] * 84
    assert np.array_equal(data.pairs.b[np.arange(ROWS, ROWS + 84)], B[:84])
    assert data.pairs.labels.tolist() == [*LABEL, *LABEL[:84]]
    assert data.pairs.ids[0] == "image 0"
    assert data.pairs.ids[ROWS] == "text 0"
    assert data.part.tolist() == [0] * 60 + [1] * 36 + [0] * 48 + [1] * 36


def test_equally_many_rows_with_labels_that_differ_are_not_pairs(tmp_path):
    np.savez(tmp_path / "set.npz", image=A, text=B, image_labels=LABEL, text_labels=LABEL[::-1])
    assert not found(tmp_path).pairs.paired
    np.savez(tmp_path / "set.npz", image=A, text=B, image_labels=LABEL, text_labels=LABEL)
    assert found(tmp_path).pairs.paired


def test_multi_label_rows_stay_and_empty_ones_go(tmp_path):
    flags = np.eye(12, dtype=int)[LABEL]
    flags[:, 0] = 1
    flags[5] = 0
    np.savez(tmp_path / "set.npz", image=A, text=B, labels=flags)
    made = reading(tmp_path)
    assert np.array_equal(made.data.pairs.labels, np.delete(flags, 5, axis=0))
    assert np.array_equal(made.data.pairs.a, np.delete(A, 5, axis=0))
    assert "1 items without any class are left out" in made.notes


@pytest.mark.parametrize("form", [lambda n: n, lambda n: n[:, None], lambda n: n[None], lambda n: n.astype(float), lambda n: np.eye(12)[n],
                                  lambda n: n + 1, lambda n: np.array(NAMES)[n]],
                         ids=["flat", "column", "row", "float", "one-hot", "from one", "text"])  # fmt: skip
def test_labels_of_every_form_mean_the_same(form, tmp_path):
    np.savez(tmp_path / "set.npz", image=A, text=B, label=form(LABEL), class_names=np.array(NAMES))
    data = found(tmp_path)
    assert np.array_equal(data.pairs.labels, LABEL)
    assert data.classes.names == tuple(NAMES)


def test_text_with_several_classes_per_item(tmp_path):
    several = [f"{NAMES[label]}; {NAMES[(label + 1) % 12]}" if label % 2 else NAMES[label] for label in LABEL]
    saved(tmp_path, image=A, text=B, label=np.array(several))
    seen = reading(tmp_path)
    assert seen.data.classes.names == tuple(sorted(NAMES))
    tags = [{seen.data.classes.names[place] for place in np.flatnonzero(row)} for row in seen.data.pairs.labels]
    assert tags == [set(each.split("; ")) for each in several]
    assert any("an item may have several classes" in note for note in seen.notes)


def test_labels_from_one_are_said_and_doubtful_ones_refused(tmp_path):
    np.savez(tmp_path / "one.npz", image=A, text=B, label=LABEL + 1)
    assert "labels count from 1" in reading(tmp_path / "one.npz").notes
    np.savez(
        tmp_path / "doubt.npz", image=A, text=B, label=np.maximum(LABEL, 1), class_names=np.array([*NAMES, "more"])
    )
    with pytest.raises(InputError, match="could count from 0 or from 1"):
        found(tmp_path / "doubt.npz")


@pytest.mark.parametrize("suffix", ["txt", "json", "csv", "npy"])
def test_class_names_in_a_file(suffix, tmp_path):
    names = [f"big {name}" for name in NAMES]
    saved(tmp_path, image=A, text=B, label=LABEL)
    file = tmp_path / f"classes.{suffix}"
    if suffix == "npy":
        np.save(file, np.array(names))
    else:
        file.write_text(json.dumps(names) if suffix == "json" else "\n".join(names))
    assert found(tmp_path).classes.names == tuple(names)
    file = file.rename(tmp_path / f"other.{suffix}")
    if suffix != "txt":
        assert found(tmp_path, class_names=str(file)).classes.names == tuple(names)


def test_ids_split_and_vectors_are_taken(tmp_path):
    vectors = np.random.default_rng(0).standard_normal((12, 4))
    np.savez(tmp_path / "set.npz", image=A, text=B, label=LABEL, ids=np.array([f"n{row}" for row in range(ROWS)]),
             split=LABEL % 3, class_emb=vectors)  # fmt: skip
    data = found(tmp_path)
    assert data.pairs.ids[3] == "n3"
    assert np.array_equal(data.part, LABEL % 3)
    assert np.allclose(data.classes.vectors, vectors)


def test_csv_pairs_by_id_in_any_order(tmp_path):
    for name, matrix, order in (("image", A, range(ROWS)), ("text", B, range(ROWS - 1, -1, -1))):
        lines = [",".join([f"n{row}", NAMES[LABEL[row]], *map(str, matrix[row])]) for row in order]
        header = ",".join(["id", "label", *(f"f{column}" for column in range(matrix.shape[1]))])
        (tmp_path / f"{name}.csv").write_text("\n".join([header, *lines]))
    data = found(tmp_path)
    assert data.pairs.ids == tuple(f"n{row}" for row in range(ROWS))
    assert np.allclose(data.pairs.b, B)


def test_parquet_with_both_modalities(tmp_path):
    columns = {
        "image": A.tolist(),
        "text": B.tolist(),
        "label": [NAMES[label] for label in LABEL],
        "split": ["train", "test"] * (ROWS // 2),
    }
    pq.write_table(pa.table(columns), tmp_path / "set.parquet")
    data = found(tmp_path / "set.parquet")
    assert np.array_equal(data.pairs.a, A)
    assert np.bincount(data.part).tolist() == [48, 48]


def test_matlab_7_3(tmp_path):
    with h5py.File(tmp_path / "set.mat", "w", userblock_size=512) as file:
        for name, array in (
            ("I_tr", A[:72]),
            ("I_te", A[72:]),
            ("T_tr", B[:72]),
            ("T_te", B[72:]),
            ("L_tr", LABEL[:72, None]),
            ("L_te", LABEL[72:, None]),
        ):
            stored = file.create_dataset(name, data=np.asarray(array, float).T)
            stored.attrs["MATLAB_class"] = np.bytes_("double")
    assert_planted(found(tmp_path / "set.mat"))


def test_explicit_names_settle_what_is_open(tmp_path):
    saved(tmp_path, img_vgg=A, img_sift=A[:, :3], txt=B, label=LABEL, other_label=LABEL[::-1])
    refused(tmp_path, "img_vgg.npy (96, 7)", "img_sift.npy (96, 3)", "data.a=")
    refused(tmp_path, "claim the same rows", "data.labels=", a="img_sift", b="txt")
    data = found(tmp_path, a="img_sift.npy", b="txt", labels="label.npy")
    assert_planted(data, a=A[:, :3])
    data = found(tmp_path, a="txt", b="img_vgg", labels="label", modalities=("words", "pictures"))
    assert data.card.modalities == ("words", "pictures")
    refused(tmp_path, "data.a=nothing", "img_vgg.npy", a="nothing")


def test_a_key_of_a_file_is_named_with_a_colon(tmp_path):
    np.savez(tmp_path / "one.npz", x=A, label=LABEL)
    np.savez(tmp_path / "two.npz", x=B, z=B)
    data = found(tmp_path, a="one.npz:x", b="two.npz:z", modalities=("x", "z"))
    assert_planted(data)


def test_labels_for_one_of_two_unequal_modalities_are_not_enough(tmp_path):
    saved(tmp_path, image=A, text=B[:80], image_labels=LABEL)
    refused(tmp_path, "96 rows", "80", "text has no labels")


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"image": A, "label": LABEL}, "wanted features of two modalities, found image"),
        ({"image": A, "text": B}, "no labels were found"),
        ({"image": A, "text": B, "label": LABEL[:-3]}, "wanted 96, one per item, but got 93"),
        ({"image": A, "text": B, "label": LABEL + 0.5}, "row 0 is 0.5 (96 such rows); wanted class numbers"),
        ({"image": A, "text": B, "label": LABEL - 1}, "row 0 is -1 (8 such rows); wanted class numbers"),
        ({"image": A, "text": B, "label": np.where(LABEL == 3, np.nan, LABEL)}, "row 3 is nan (8 such rows)"),
        ({"image": A, "text": B, "label": np.where(LABEL == 3, 1e300, LABEL)}, "row 3 is 1e+300"),
        ({"image": A, "text": B, "label": LABEL.astype(np.uint64) - np.uint64(1)}, "row 0 is 18446744073709551615"),
        ({"image": A, "text": B, "label": LABEL[:, None, None]}, "wanted a class number or a class name"),
        ({"image": A, "text": B, "label": np.full(ROWS, "dog")}, "every item is of one class, 'dog'"),
        ({"image": A, "text": B, "label": np.full(ROWS, ";|")}, "row 0 is ';|', which names no class"),
        ({"image": A.T, "text": B.T, "label": LABEL}, "both have 96 columns: if those are the items, transpose them"),
        ({"image": A.T, "text": B, "label": LABEL}, "image has 96 columns: if those are the items, transpose it"),
        ({"image": A[:, None], "text": B, "label": LABEL}, "image (96, 1, 7), which is no real matrix"),
        ({"image": A.astype(complex), "text": B, "label": LABEL}, "image (96, 7), which is no real matrix"),
        ({"image": A, "text": B, "audio": B, "label": LABEL}, "found 3"),
        ({"train_image": A, "test_image": A[:, :3], "train_text": B, "test_text": B, "label": LABEL}, "columns"),
        ({"test_image": A, "train_text": B, "test_text": B, "label": LABEL}, "train_text"),
        ({"image": np.where(A > 2, np.nan, A), "text": B, "label": LABEL}, "NaN"),
        ({"image": A, "text": B, "label": LABEL, "split": np.full(ROWS, 7)}, "split: row 0 is"),
        ({"image": A, "text": B, "label": LABEL, "class_names": np.array(NAMES[:4])}, "outside the 4 classes"),
        ({"image": A, "text": B, "label": LABEL, "ids": np.array(["same"] * ROWS)}, "stands twice"),
        ({"image": A, "train_texts_idx": LABEL[:, None], "label": LABEL}, "indices of words"),
    ],
    ids=lambda value: value[:28] if isinstance(value, str) else "",
)
def test_what_is_missing_or_wrong_is_one_line(arrays, says, tmp_path):
    np.savez(tmp_path / "set.npz", **arrays)
    refused(tmp_path, says)


def test_nothing_there_and_a_pickle(tmp_path):
    refused(tmp_path / "nowhere", "no file")
    refused(tmp_path, "found no matrix of features")
    (tmp_path / "features.pkl").write_bytes(b"x")
    refused(tmp_path / "features.pkl", "msl data convert")


def test_a_large_matrix_stays_where_it_lies(tmp_path, monkeypatch):
    monkeypatch.setattr("msl.data.pairs._KEPT_ON_DISK", 1)
    monkeypatch.setattr("msl.data.finding.join._ON_DISK", 1)
    saved(tmp_path / "whole", image=A, text=B, label=LABEL)
    whole = found(tmp_path / "whole")
    assert isinstance(whole.pairs.a.matrix, np.memmap)
    saved(tmp_path / "parts", train_image=A[:72], test_image=A[72:], train_text=B[:72], test_text=B[72:], label=LABEL)
    parts = found(tmp_path / "parts")
    assert type(parts.pairs.a.matrix).__name__ == "Stacked"
    assert_planted(parts)
    for rows in (slice(70, 75), np.array([95, 0, 72, 71]), LABEL == 3, 5, -1):
        assert np.array_equal(parts.pairs.a[rows], A[rows])


def test_the_draw_of_test_rows_is_by_class_and_repeatable(tmp_path):
    saved(tmp_path, image=A, text=B, label=LABEL)
    arguments = {"path": str(tmp_path), "name": "x", "test_share": 0.25}
    data = load(**arguments, seed=0)
    assert np.bincount(data.pairs.labels[data.part == TEST]).tolist() == [2] * 12
    assert np.array_equal(load(**arguments, seed=0).part, data.part)
    assert not np.array_equal(load(**arguments, seed=1).part, data.part)
    assert data.card.name == "x"


def test_texts_and_pictures_beside_the_features_and_only_those(tmp_path):
    saved(tmp_path, image=A, text=B, label=LABEL, ids=np.array([f"n{row}" for row in range(ROWS)]))
    lines = [json.dumps({"id": f"n{row}", "text": f"text {row}", "image": f"{row}.png"}) for row in range(ROWS)]
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    data = found(tmp_path)
    assert data.texts[3] == "text 3"
    assert data.pictures[3] == tmp_path / "3.png"
    (tmp_path / "3.png").symlink_to("/etc/passwd")
    refused(tmp_path, "items.jsonl", "'3.png'", "does not lie inside")
    (tmp_path / "3.png").unlink()
    lines[7] = json.dumps({"id": "n7", "image": "../secret.png"})
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    refused(tmp_path, "'../secret.png'", "does not lie inside")


def test_numbers_for_names_are_refused_where_names_are_needed():
    refuse_numbers(("class 0", "second class"))
    with pytest.raises(
        InputError, match=r"'class 0', 'class 11': numbers have no word vectors; give data\.class_names=FILE"
    ):
        refuse_numbers(tuple(f"class {number}" for number in range(12)))


def test_a_damaged_features_npz_is_refused_with_one_line(tmp_path):
    np.savez(tmp_path / "features.npz", image=A, text=B, label=LABEL)
    whole = (tmp_path / "features.npz").read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 5):
        (tmp_path / "features.npz").write_bytes(whole[:length])
        refused(tmp_path, "features.npz")


def test_a_folder_of_pictures_is_told_from_one_of_features(tmp_path):
    (tmp_path / "red").mkdir()
    for name in ("a.png", "a.txt", "b.JPG"):
        (tmp_path / "red" / name).write_text("a red apple")
    with pytest.raises(InputError, match=r"holds pictures and no features; .* msl encode path="):
        reading(tmp_path)

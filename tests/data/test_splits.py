import json
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from msl.data.classes import Classes
from msl.data.dataset import Card, DataSet
from msl.data.pairs import Features, Pairs
from msl.data.splits import even_odd, extendable, from_file, read_split, standard
from msl.types import InputError

CARD = Card(
    name="toy", title="toy", modalities=("image", "text"), features=("x", "y"), embedding="z",
    source="made up", licence="none", obtain="here",
)  # fmt: skip
FITTED = ("train", "validation", "seen_train")
SEARCHED = ("seen_test", "unseen_train", "unseen_test")


def dataset(classes=12, items=6, seed=0):
    """Rows of every class in a random order, each class with test rows and train rows."""
    rng = np.random.default_rng(seed)
    number = rng.permutation(classes * items)
    labels, part = number % classes, (number // classes % 3 == 2).astype(np.int64)
    features = rng.standard_normal((len(labels), 2)).astype(np.float32)
    ids = tuple(f"pair {n}" for n in number)
    names = tuple(f"class {n}" for n in range(classes))
    return DataSet(
        card=CARD,
        pairs=Pairs(ids, Features(features), Features(features), labels),
        classes=Classes(names, np.eye(classes, dtype=np.float32)),
        part=part,
    )


def permuted(data, order):
    return replace(data, pairs=data.pairs.take(order), part=data.part[order])


def drawn(data, **options):
    return extendable(
        data, **{"seed": 0, "seen_share": 0.5, "pseudo_unseen_share": 0.34, "unseen_rows": "all"} | options
    )


def labels_of(split, data, *groups):
    return {data.classes.names[data.pairs.labels[row]] for group in groups for row in split.positions(group, data)}


def parts_of(split, data, group):
    return set(data.part[split.positions(group, data)].tolist())


def rows_of(split, *groups):
    return [set(split.rows[group]) for group in groups]


SPLITS = given(
    classes=st.integers(8, 15),
    seed=st.integers(0, 1000),
    seen_share=st.floats(0.4, 0.7),
    pseudo_unseen_share=st.sampled_from([0.0, 0.5]),
    unseen_rows=st.sampled_from(["all", "test"]),
)
FEW = settings(deadline=None, max_examples=40)


def valid_split(classes, **options):
    data = dataset(classes)
    try:
        return data, drawn(data, **options)
    except InputError:  # fewer than two classes somewhere
        assume(False)


@SPLITS
@FEW
def test_seen_and_unseen_classes_are_disjoint_and_together_all(classes, **options):
    data, split = valid_split(classes, **options)
    assert not set(split.seen) & set(split.unseen)
    assert set(split.seen) | set(split.unseen) == set(data.classes.names)
    assert set(split.pseudo_unseen) <= set(split.seen)
    assert len(split.seen) == round(options["seen_share"] * classes)
    assert len(split.pseudo_unseen) == round(options["pseudo_unseen_share"] * len(split.seen))


@SPLITS
@FEW
def test_no_row_of_an_unseen_class_is_fitted_or_chosen_with(classes, **options):
    data, split = valid_split(classes, **options)
    assert labels_of(split, data, *FITTED) == set(split.seen)
    assert labels_of(split, data, "seen_train", "seen_test") == set(split.seen)
    assert labels_of(split, data, "unseen_train", "unseen_test") == set(split.unseen)
    fitted = set().union(*rows_of(split, *FITTED))
    assert not fitted & set().union(*rows_of(split, "unseen_train", "unseen_test"))


@SPLITS
@FEW
def test_no_query_is_fitted_or_chosen_with(classes, **options):
    """Test data never chooses anything: not even the test rows of seen classes that were held out for selection."""
    _, split = valid_split(classes, **options)
    for group in FITTED:
        for queries in ("seen_test", "unseen_test"):
            assert not set(split.rows[group]) & set(split.rows[queries]), (group, queries)


@SPLITS
@FEW
def test_seen_rows_keep_their_part_and_are_all_used(classes, **options):
    data, split = valid_split(classes, **options)
    assert parts_of(split, data, "train") == parts_of(split, data, "seen_train") == {0}
    assert parts_of(split, data, "seen_test") == {1}
    train, test, *unseen = rows_of(split, "seen_train", "seen_test", "unseen_train", "unseen_test")
    assert not train & test
    assert train | test | set().union(*unseen) == set(data.pairs.ids)
    assert not (train | test) & set().union(*unseen)


@SPLITS
@FEW
def test_training_and_held_out_classes_are_disjoint_and_together_the_seen_ones(classes, **options):
    data, split = valid_split(classes, **options)
    fitted, held_out = labels_of(split, data, "train"), labels_of(split, data, "validation")
    assert not fitted & held_out
    assert held_out == set(split.pseudo_unseen)
    assert fitted | held_out == set(split.seen)
    train, whole = rows_of(split, "train", "seen_train")
    assert train <= whole
    selecting, final = (
        [data.classes.names[i] for i in split.classes(data, selecting=selecting)] for selecting in (True, False)
    )
    assert set(selecting) == fitted
    assert set(final) == set(split.seen)
    assert selecting == sorted(selecting, key=data.classes.names.index)


def test_all_rows_of_unseen_classes_are_queries_or_only_those_of_the_test_part():
    data = dataset()
    every, only_test = drawn(data, unseen_rows="all"), drawn(data, unseen_rows="test")
    of_unseen = {data.pairs.ids[i] for i, y in enumerate(data.pairs.labels) if data.classes.names[y] in every.unseen}
    assert set(every.rows["unseen_test"]) == of_unseen
    assert parts_of(only_test, data, "unseen_test") == {1}
    assert set(only_test.rows["unseen_test"]) | set(only_test.rows["unseen_train"]) == of_unseen
    assert not set(only_test.rows["unseen_test"]) & set(only_test.rows["unseen_train"])
    assert every.rows["unseen_train"] == only_test.rows["unseen_train"]
    assert every.seen == only_test.seen


def test_without_pseudo_unseen_classes_nothing_is_held_out():
    split = drawn(dataset(), pseudo_unseen_share=0.0)
    assert split.pseudo_unseen == ()
    assert split.rows["validation"] == ()
    assert split.rows["train"] == split.rows["seen_train"]


def test_a_seed_gives_one_split_and_seeds_give_different_ones():
    splits = [drawn(dataset(), seed=seed) for seed in range(8)]
    assert splits == [drawn(dataset(), seed=seed) for seed in range(8)]
    assert len({split.unseen for split in splits}) > 5
    assert len({split.hash for split in splits}) == 8


def test_every_class_is_unseen_under_some_seed():
    unseen = [set(drawn(dataset(), seed=seed).unseen) for seed in range(40)]
    counts = [sum(name in each for each in unseen) for name in dataset().classes.names]
    assert 8 <= min(counts) <= max(counts) <= 32  # 20 expected, deviation 3.2


@given(order_seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=10)
def test_the_order_of_the_rows_does_not_matter(order_seed):
    data = dataset()
    moved = permuted(data, np.random.default_rng(order_seed).permutation(len(data.pairs)))
    one, other = drawn(data), drawn(moved)
    assert (one.seen, one.pseudo_unseen, one.unseen) == (other.seen, other.pseudo_unseen, other.unseen)
    assert {group: set(ids) for group, ids in one.rows.items()} == {
        group: set(ids) for group, ids in other.rows.items()
    }


def test_classes_are_drawn_whatever_the_labels_of_the_rows():
    data = dataset()
    shuffled = replace(data, pairs=replace(data.pairs, labels=np.random.default_rng(1).permutation(data.pairs.labels)))
    assert drawn(data).unseen == drawn(shuffled).unseen
    assert standard(data, seed=0, validation_share=0.2) == standard(shuffled, seed=0, validation_share=0.2)


@pytest.mark.parametrize(
    "options",
    [
        {"classes": 3},
        {"seen_share": 0.05},
        {"seen_share": 0.95},
        {"pseudo_unseen_share": 0.1},
        {"pseudo_unseen_share": 0.9},
    ],
)
def test_too_few_classes_are_refused_with_the_counts_and_the_keys(options):
    classes = options.pop("classes", 12)
    with pytest.raises(InputError, match=r"split\.seen_share or split\.pseudo_unseen_share") as caught:
        drawn(dataset(classes), **options)
    assert f"of {classes} classes" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
def test_standard_split_shares_all_classes_and_validates_on_a_share_of_the_train_part(share):
    data = dataset()
    split = standard(data, seed=0, validation_share=share)
    train, validation, whole, test = rows_of(split, "train", "validation", "seen_train", "seen_test")
    assert (split.kind, split.seen, split.pseudo_unseen, split.unseen) == ("standard", data.classes.names, (), ())
    assert len(validation) == round(share * (data.part == 0).sum())
    assert not train & validation
    assert train | validation == whole
    assert parts_of(split, data, "seen_train") == {0}
    assert parts_of(split, data, "seen_test") == {1}
    assert whole | test == set(data.pairs.ids)
    assert split.rows["unseen_train"] == split.rows["unseen_test"] == ()
    assert split.classes(data, selecting=True).tolist() == list(range(len(data.classes)))


def test_standard_split_is_drawn_by_its_seed():
    data = dataset()
    rows = [standard(data, seed=seed, validation_share=0.2).rows["validation"] for seed in (0, 0, 1, 2)]
    assert rows[0] == rows[1]
    assert len(set(rows)) == 3


@pytest.mark.parametrize("make", [drawn, lambda data: standard(data, seed=3, validation_share=0.2)])
def test_a_manifest_comes_back_as_it_was_written(make, tmp_path):
    split = make(dataset())
    back = read_split(split.write(tmp_path / "split.json"))
    assert back == split
    assert back.hash == split.hash == json.loads((tmp_path / "split.json").read_text())["hash"]


def test_hashes_differ_wherever_the_content_does():
    split = drawn(dataset())
    groups = [
        replace(split, rows=split.rows | {group: split.rows[group][1:]}) for group in split.rows if split.rows[group]
    ]
    others = [replace(split, seed=1), replace(split, data="other"), replace(split, seen=split.seen[::-1]), *groups]
    assert len({split.hash, *(other.hash for other in others)}) == 1 + len(others)


def moved_id(content):
    content["rows"]["seen_train"].append(content["rows"]["unseen_test"].pop())


def moved_class(content):
    content["seen"].append(content["unseen"].pop())


def other_seed(content):
    content["seed"] = 7


@pytest.mark.parametrize("change", [moved_id, moved_class, other_seed])
def test_a_manifest_changed_by_hand_is_refused(change, tmp_path):
    file = drawn(dataset()).write(tmp_path / "split.json")
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"split\.json was changed by hand.*; ") as caught:
        read_split(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [None, "", "{", "[]", "null", "7", '"hash"', "{}", '{"hash": "x"}', '{"hash": "x", "seen": 3}', b"\xff\xfe\x00",
     '{"hash": "x", "seen": [], "pseudo_unseen": [], "unseen": [], "rows": []}',
     '{"hash": "x", "seen": [], "pseudo_unseen": [], "unseen": [], "rows": {}}',
     '{"hash": "x", "seen": [], "pseudo_unseen": [], "unseen": [], "rows": {}, "kind": "standard", "data": "d", "seed": 0, "more": 1}'],
)  # fmt: skip
def test_what_is_no_manifest_is_refused_in_one_line(text, tmp_path):
    file = tmp_path / "split.json"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=r"split\.json is not a readable split manifest.*; ") as caught:
        read_split(file)
    assert "\n" not in str(caught.value)


def test_a_truncated_manifest_is_refused(tmp_path):
    file = drawn(dataset()).write(tmp_path / "split.json")
    whole = file.read_bytes()
    for length in range(0, len(whole) - 2, max(1, len(whole) // 40)):
        file.write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"split\.json"):
            read_split(file)


def test_rows_are_found_by_id_wherever_they_moved():
    data = dataset()
    split = drawn(data)
    moved = permuted(data, np.random.default_rng(0).permutation(len(data.pairs)))
    for group, ids in split.rows.items():
        assert tuple(moved.pairs.ids[row] for row in split.positions(group, moved)) == ids


def test_an_id_that_the_data_lack_is_named():
    data = dataset()
    split = drawn(data)
    lost = split.rows["seen_train"][3]
    rest = permuted(data, np.array([row for row, name in enumerate(data.pairs.ids) if name != lost]))
    with pytest.raises(InputError, match=r"toy.*; use the data it was made from") as caught:
        split.positions("seen_train", rest)
    assert repr(lost) in str(caught.value)
    for other in SEARCHED:
        assert len(split.positions(other, rest)) == len(split.rows[other])


def test_different_groups_of_queries_share_no_row():
    split = drawn(dataset(), unseen_rows="test")
    for one, other in combinations(("seen_train", "seen_test", "unseen_train", "unseen_test"), 2):
        assert not set(split.rows[one]) & set(split.rows[other])


def test_dadns_rule_takes_even_classes_as_unseen_and_odd_ones_as_seen():
    data = dataset(classes=9)
    split = even_odd(data, seed=0, pseudo_unseen_share=0.5)
    assert split.unseen == tuple(f"class {n}" for n in (0, 2, 4, 6, 8))
    assert split.seen == tuple(f"class {n}" for n in (1, 3, 5, 7))
    assert len(split.pseudo_unseen) == 2
    assert set(split.pseudo_unseen) < set(split.seen)
    assert parts_of(split, data, "unseen_test") == {1}
    assert {even_odd(data, seed=seed, pseudo_unseen_share=0.5).pseudo_unseen for seed in range(9)} != {
        split.pseudo_unseen
    }
    with pytest.raises(InputError, match="of 4 classes"):
        even_odd(dataset(classes=4), seed=0, pseudo_unseen_share=0.5)


def dadn_file(path, data, seen, unseen, **changes):
    """The arrays of a published split file."""
    is_seen, test = np.isin(data.pairs.labels, seen), data.part == 1
    groups = {"train_s": is_seen & ~test, "ret_s": is_seen & ~test, "test_s": is_seen & test}
    groups |= {"train_u": ~is_seen & ~test, "ret_u": ~is_seen & ~test, "test_u": ~is_seen & test}
    arrays = {f"idx_{name}": np.flatnonzero(mask)[None] for name, mask in groups.items()}
    savemat(path, arrays | {"seen_class": [seen], "unseen_class": [unseen]} | changes)
    return path


def test_a_published_split_file_is_read_as_it_is(tmp_path):
    data = dataset(classes=8)
    file = dadn_file(tmp_path / "split.mat", data, [6, 1, 3, 2], [0, 4, 5, 7])
    split = from_file(data, path=str(file), seed=0, pseudo_unseen_share=0.5)
    assert split.seen == ("class 1", "class 2", "class 3", "class 6")
    assert labels_of(split, data, "seen_train", "seen_test") == set(split.seen)
    assert labels_of(split, data, "unseen_train", "unseen_test") == {f"class {n}" for n in (0, 4, 5, 7)}
    assert labels_of(split, data, "train").isdisjoint(split.pseudo_unseen)


def test_a_folder_of_split_files_is_counted_in_order_of_name(tmp_path):
    data = dataset(classes=8)
    for name, seen in (("b", [4, 5, 6, 7]), ("a", [0, 1, 2, 3])):
        dadn_file(tmp_path / f"{name}.mat", data, seen, np.setdiff1d(np.arange(8), seen))
    splits = [from_file(data, path=str(tmp_path), seed=seed, pseudo_unseen_share=0.5) for seed in (0, 1)]
    assert [split.seen[0] for split in splits] == ["class 0", "class 4"]
    with pytest.raises(InputError, match=r"holds 2 split files .* number 2"):
        from_file(data, path=str(tmp_path), seed=2, pseudo_unseen_share=0.5)
    with pytest.raises(InputError, match=r"there is no split file or folder .*nowhere; give split\.path=PATH"):
        from_file(data, path=str(tmp_path / "nowhere"), seed=0, pseudo_unseen_share=0.5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"idx_test_u": [[0, 1, 2]]}, "idx_test_u is not the test rows"),
        ({"idx_ret_s": [[0]]}, "idx_ret_s is not the train rows"),
        ({"seen_class": [[0, 1, 2]]}, "idx_train_s is not"),
        ({"unseen_class": np.zeros((1, 0))}, "0 unseen"),
        ({"seen_class": [[1, 2, 3, 99]]}, "class 99"),
    ],
    ids=["queries", "gallery", "classes", "nothing unseen", "no such class"],
)
def test_a_split_file_of_other_rows_is_refused(changes, said, tmp_path):
    data = dataset(classes=8)
    file = dadn_file(tmp_path / "split.mat", data, [6, 1, 3, 2], [0, 4, 5, 7], **changes)
    with pytest.raises(InputError, match=said) as caught:
        from_file(data, path=str(file), seed=0, pseudo_unseen_share=0.0)
    assert "\n" not in str(caught.value)


def test_the_manifest_of_a_run_is_a_split_file_too(tmp_path):
    data = dataset()
    split = drawn(data, seed=5)
    file = split.write(tmp_path / "split.json")
    assert from_file(data, path=str(file), seed=0, pseudo_unseen_share=0.0) == split


def test_an_item_of_several_classes_is_unseen_if_one_of_them_is():
    data = dataset()
    labels = np.eye(12, dtype=np.uint8)[data.pairs.labels] | np.eye(12, dtype=np.uint8)[(data.pairs.labels + 1) % 12]
    data = replace(data, pairs=replace(data.pairs, labels=labels))
    split = drawn(data)
    unseen = split.unseen_classes(data)
    for group in (*FITTED, "seen_test"):
        assert not labels[split.positions(group, data)][:, unseen].any()
    for group in ("unseen_train", "unseen_test"):
        assert labels[split.positions(group, data)][:, unseen].any(axis=1).all()
    held_out = np.flatnonzero(np.isin(data.classes.names, split.pseudo_unseen))
    assert not labels[split.positions("train", data)][:, held_out].any()
    assert labels[split.positions("validation", data)][:, held_out].any(axis=1).all()
    assert sum(len(split.rows[group]) for group in ("seen_train", "seen_test", "unseen_test")) == len(labels)


def test_validation_rows_of_the_data_set_are_those_of_the_standard_split():
    data = dataset()
    part = data.part.copy()
    part[np.flatnonzero(part == 0)[:7]] = 2
    data = replace(data, part=part)
    split = standard(data, seed=0, validation_share=0.5)
    assert split.positions("validation", data).tolist() == np.flatnonzero(part == 2).tolist()
    assert split.positions("train", data).tolist() == np.flatnonzero(part == 0).tolist()
    assert split.rows["seen_train"] == split.rows["train"]
    assert parts_of(split, data, "seen_test") == {1}


def test_the_class_split_is_one_whatever_is_held_out_and_another_for_other_classes():
    data = dataset()
    same = [even_odd(data, seed=seed, pseudo_unseen_share=0.5) for seed in range(3)]
    assert len({split.hash for split in same}) > 1
    assert len({split.classes_hash for split in same}) == 1
    assert len({drawn(data, seed=seed).classes_hash for seed in range(5)}) == 5

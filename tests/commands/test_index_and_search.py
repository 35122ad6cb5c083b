"""From pictures with captions to what is found for a few words, as a user types it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from painted import found
from PIL import Image

from msl.commands.retrieval import load_retriever


def ids(answer):
    return [hit["id"] for hit in answer["hits"]]


def test_words_find_pictures(run_msl, indexed):
    answer = found(run_msl, "a", "red", "apple", f"run={indexed}", "k=3")
    assert answer["find"] == "image"
    assert len(answer["hits"]) == 3
    best = answer["hits"][0]
    assert best["image"].endswith((".png", ".jpg"))
    assert -1 <= best["cosine"] <= 1
    assert 0 <= best["score"] <= 1
    cosines = [hit["cosine"] for hit in answer["hits"]]
    assert cosines == sorted(cosines, reverse=True)


def test_words_in_quotes_and_with_odd_characters(run_msl, indexed):
    plain = found(run_msl, "a red apple", f"run={indexed}")
    assert found(run_msl, "it's a {red}, 'red' [apple]: $x \\ ${y}", f"run={indexed}", "find=image")["hits"]
    assert found(run_msl, "text=a red apple", f"run={indexed}") == plain


def test_a_picture_file_is_encoded_as_those_of_the_index_were(run_msl, indexed, tmp_path):
    retriever = load_retriever(indexed)
    name = "blue/door"
    picture = indexed.parent / "pictures" / "blue" / "door.png"
    answer = found(run_msl, f"image={picture}", "find=image", f"run={indexed}", "k=1")
    assert ids(answer) == [name]
    assert answer["hits"][0]["cosine"] == pytest.approx(1, abs=1e-5)
    store = retriever.indexes["a"].store
    np.testing.assert_allclose(
        retriever.encode([Image.open(picture)], "a")[0], store.codes[store.rows[name]], atol=1e-5
    )


def test_texts_of_a_run_that_made_its_own_features_are_encoded_as_those_were(run_msl, indexed, monkeypatch):
    data = indexed.parent / "features"
    small = ("method=cca", "texts=bow", "texts.fewest_texts=1", "logger=none", "report.queries=0", "progress=false")
    assert run_msl("train", "data=folder", f"data.path={data}", *small)[0] == 0
    (run,) = Path().glob("runs/*/*-cca-features")  # data without a name are called as their folder is
    assert run_msl("index")[0] == 0
    retriever = load_retriever(run)
    store = retriever.indexes["b"].store
    text = retriever.items.find(["blue/door"])["blue/door"].text
    stored = store.codes[store.rows["blue/door"]]
    np.testing.assert_allclose(retriever.encode([text], "b")[0], stored, atol=1e-6)
    monkeypatch.setattr("msl.commands.retrieval.read_data", None)  # whatever is learnt from other texts is learnt once
    np.testing.assert_allclose(retriever.encode([text, "a red apple"], "b")[0], stored, atol=1e-6)


def test_pictures_find_texts_and_items_find_items_but_not_themselves(run_msl, indexed):
    picture = indexed.parent / "pictures" / "green" / "car.png"
    assert found(run_msl, f"image={picture}", f"run={indexed}")["find"] == "text"
    answer = found(run_msl, "id=green/car", "find=images", f"run={indexed}", "k=79")
    assert len(answer["hits"]) == 79
    assert "green/car" not in ids(answer)
    assert ids(found(run_msl, "id=green/car", "side=text", "find=texts", f"run={indexed}", "k=2")) != []


def test_a_class_is_found_by_its_name_alone(run_msl, indexed):
    by_class = found(run_msl, "class=green", f"run={indexed}")
    assert by_class == found(run_msl, "green", f"run={indexed}")


def test_filters_leave_what_fits_in_the_order_it_had(run_msl, indexed):
    whole = found(run_msl, "a red apple", f"run={indexed}", "k=100")["hits"]
    assert len(whole) == 80
    for chosen, fits in (
        ("only.classes=[red,blue]", lambda hit: hit["classes"][0] in ("red", "blue")),
        ("only.seen=false", lambda hit: hit["seen"] is False),
        ("only.part=test", lambda hit: hit["part"] == "test"),
    ):
        some = found(run_msl, "a red apple", f"run={indexed}", "k=100", chosen)["hits"]
        assert [hit["id"] for hit in some] == [hit["id"] for hit in whole if fits(hit)]
        assert 0 < len(some) < 80


def test_seen_says_whether_a_class_was_trained_on(run_msl, indexed):
    trained = set(json.loads((indexed / "card.json").read_text())["classes"])
    hits = found(run_msl, "a red apple", f"run={indexed}", "k=100")["hits"]
    assert {hit["seen"] for hit in hits} == {True, False}
    assert all(hit["seen"] == (hit["classes"][0] in trained) for hit in hits)


def test_a_picture_is_described_by_classes_and_keywords(run_msl, indexed):
    picture = indexed.parent / "pictures" / "white" / "boat.png"
    names = found(run_msl, f"image={picture}", "find=names", f"run={indexed}", "k=4")
    assert [len(names[sort]) for sort in ("class", "keyword")] == [4, 4]
    assert all(0 <= label["score"] <= 1 for sort in names.values() for label in sort)
    assert {label["sort"] for label in names["keyword"]} == {"keyword"}
    assert all(isinstance(label["seen"], bool) for label in names["class"])


def test_people_see_a_table_pictures_and_a_sheet(run_msl, indexed, tmp_path):
    status, out, err = run_msl(
        "search", "a red apple", f"run={indexed}", "k=3", "pictures=true", f"sheet={tmp_path / 'sheet.png'}"
    )
    assert status == 0
    assert "▀" in out
    assert "score: of held-out pairs" in out
    assert "sheet.png" in err
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 400


def test_a_filter_that_nothing_passes_says_so(run_msl, indexed):
    status, out, _ = run_msl("search", "a red apple", f"run={indexed}", "only.classes=[colourless]")
    assert status == 0
    assert "no image of the index is what only.classes" in out
    assert found(run_msl, "a red apple", f"run={indexed}", "only.classes=[colourless]")["hits"] == []


def test_without_a_run_the_one_indexed_last_is_searched(run_msl, indexed, tmp_path):
    status, _, err = run_msl("search", "red")
    assert status == 2
    assert "no indexed run below runs/; give run=FOLDER, or make one: msl index" in err
    shutil.copytree(indexed, tmp_path / "work" / "runs" / "today" / "one")
    assert found(run_msl, "red") == found(run_msl, "red", f"run={tmp_path / 'work' / 'runs' / 'today' / 'one'}")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "search with one of"),
        (["red", "image=x.png"], "not text, image"),
        (["image=none.png"], "none.png"),
        (["id=nobody"], "no image with the id 'nobody'"),
        (["zzxqy"], "no known English word"),
        (["red", "find=sounds"], "images and texts to find, not 'sounds'"),
        (["red", "k=0"], "k=0"),
        (["red", "only.part=tset"], "only.part"),
        (["red", "only.colour=blue"], "only.colour"),
        (["red", "text=fish"], "search with one text"),
        (["red", "find=names", "only.seen=false"], "find=names finds none"),
    ],
)
def test_what_cannot_be_searched_is_one_line(run_msl, indexed, arguments, said):
    status, _, err = run_msl("search", *arguments, f"run={indexed}")
    assert status == 2
    assert said in err
    assert err.count("\n") == 1


def test_other_encoders_than_the_features_had_are_refused(run_msl, indexed_copy):
    stored = json.loads((indexed_copy / "encoders.json").read_text())
    stored["text"]["identity"]["vectors"] = "0" * 12
    (indexed_copy / "encoders.json").write_text(json.dumps(stored))
    status, _, err = run_msl("search", "red", f"run={indexed_copy}")
    assert status == 2
    assert "vectors is" in err
    assert "and was '000000000000'" in err


def test_nothing_in_a_run_chooses_what_is_imported(run_msl, indexed_copy):
    stored = json.loads((indexed_copy / "encoders.json").read_text())
    for settings in (
        {"name": "words", "_target_": "os.system"},
        {"name": "../data/emoji"},
        {"name": "words", "odd": 1},
    ):
        stored["text"]["settings"] = settings
        (indexed_copy / "encoders.json").write_text(json.dumps(stored))
        status, _, err = run_msl("search", "red", f"run={indexed_copy}")
        assert status == 2
        assert "encoder" in err

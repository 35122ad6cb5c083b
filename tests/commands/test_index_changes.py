"""An index that is added to, deleted from, made again, damaged or tampered with."""

import json
import shutil

import numpy as np
import pytest
from painted import found

from msl.commands.retrieval import load_retriever
from msl.config import instantiate
from msl.files import sha256
from msl.index import faiss
from msl.index.store import Store
from msl.serve.items import Item, Items
from msl.serve.retriever import Query
from msl.types import InputError


@pytest.fixture
def run(indexed_copy):
    return indexed_copy


def current(run):
    """The folder of the index's generation that counts."""
    return run / "index" / (run / "index" / "current").read_text().strip()


def everything(run_msl, run):
    return found(run_msl, "a grey road", f"run={run}", "k=100")["hits"]


def test_items_are_added_replaced_and_deleted(run_msl, run, grey):
    before = everything(run_msl, run)
    add = ("index", f"run={run}", f"add=[{grey}]")
    assert run_msl(*add)[0] == 0
    after = everything(run_msl, run)
    assert {hit["id"] for hit in after} - {hit["id"] for hit in before} == {"grey/mouse", "grey/road"}
    assert all(hit["seen"] is False for hit in after if hit["classes"] == ["grey"])
    status, _, err = run_msl(*add)
    assert status == 2
    assert "has an item 'grey/mouse' already" in err
    assert run_msl(*add, "replace=true")[0] == 0
    assert everything(run_msl, run) == after
    assert run_msl("index", f"run={run}", "index=flat")[0] == 0  # keeps what was added
    assert everything(run_msl, run) == after
    assert run_msl("index", f"run={run}", "delete=[grey/mouse,grey/road]")[0] == 0
    assert everything(run_msl, run) == before
    status, _, err = run_msl("index", f"run={run}", "delete=[grey/road]")
    assert status == 2
    assert "no item 'grey/road'" in err


def test_an_addition_that_fails_changes_nothing(run_msl, run, grey):
    before = everything(run_msl, run)
    rows = np.load(grey / "text.npy")
    np.save(grey / "text.npy", np.full_like(rows, np.nan))
    status, _, err = run_msl("index", f"run={run}", f"add={grey}")
    assert status == 2
    assert "NaN" in err
    assert everything(run_msl, run) == before
    np.save(grey / "text.npy", rows)
    status, _, err = run_msl("index", f"run={run}", f"add=[{grey}]", "delete=[nobody]")
    assert status == 2
    assert "no item 'nobody'" in err
    assert everything(run_msl, run) == before
    assert run_msl("index", f"run={run}", f"add={grey}")[0] == 0


def test_a_reader_goes_on_with_the_index_it_opened(run_msl, run, grey):
    retriever = load_retriever(run)
    query = Query(modality="b", raw="a grey road")
    before = [hit.item.id for hit in retriever.search(query, find="a", k=100)]
    assert run_msl("index", f"run={run}", f"add={grey}")[0] == 0
    assert [hit.item.id for hit in retriever.search(query, find="a", k=100)] == before
    assert len(load_retriever(run).search(query, find="a", k=100)) == len(before) + 2


@pytest.mark.parametrize("kind", ["flat", "hnsw", "ivf"])
def test_every_kind_of_index_finds_what_exact_search_finds(run_msl, run, kind, monkeypatch):
    asked = []
    part = faiss._Flat if kind == "flat" else faiss._Built
    call = part.__call__
    monkeypatch.setattr(part, "__call__", lambda *given: asked.append(given[2]) or call(*given))
    exact = found(run_msl, "a red apple", f"run={run}", "k=5")["hits"]
    assert not asked
    status, out, err = run_msl("index", f"run={run}", f"index={kind}", "recall.k=5")
    assert status == 0, err
    assert "recall@5 1.000 of exact search" in out
    asked.clear()
    again = found(run_msl, "a red apple", f"run={run}", "k=5")["hits"]
    assert asked == [5]
    assert [hit["id"] for hit in again] == [hit["id"] for hit in exact]
    assert [hit["score"] for hit in again] == pytest.approx([hit["score"] for hit in exact])
    assert run_msl("index", f"run={run}")[0] == 0  # made again, it stays of its kind
    assert json.loads((current(run) / "index.json").read_text())["search"]["name"] == kind


def test_a_failed_build_leaves_the_index_that_was_there(run_msl, run, monkeypatch):
    before = everything(run_msl, run)

    def fail(*arguments, **keywords):
        raise OSError(28, "No space left on device", "codes.f32")

    with monkeypatch.context() as broken:
        broken.setattr(Store, "add", fail)
        status, _, err = run_msl("index", f"run={run}", "fresh=true")
    assert status == 2
    assert "No space left" in err
    assert [place.name for place in (run / "index").glob("0*")] == ["000001"]
    assert everything(run_msl, run) == before


def test_weights_of_another_training_are_refused(run_msl, run, grey):
    content = (current(run) / "index.json").read_text()
    assert sha256(run / "weights.safetensors") in content
    (current(run) / "index.json").write_text(content.replace(sha256(run / "weights.safetensors"), "0" * 64))
    for arguments in (("search", "red"), ("index",), ("index", f"add={grey}")):
        status, _, err = run_msl(*arguments, f"run={run}")
        assert status == 2
        assert "trained again since its index was made" in err
    assert run_msl("index", f"run={run}", "fresh=true")[0] == 0
    assert run_msl("search", "red", f"run={run}")[0] == 0


@pytest.mark.parametrize(
    "search",
    [
        {"name": "exact", "_target_": "os.system"},
        {"name": "exact", "threads": {"_target_": "pathlib.Path.write_text", "_args_": ["ran"]}},
        {"name": "exact", "odd": 1},
        {"name": "../method/masln"},
        {"_target_": "msl.index.search.Exact", "threads": None},
    ],
)
def test_nothing_in_an_index_chooses_what_is_imported(run_msl, run, search):
    file = current(run) / "index.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"search": search}))
    status, _, err = run_msl("search", "red", f"run={run}")
    assert status == 2
    assert "use the version that wrote the file" in err


def test_no_node_inside_a_node_is_instantiated_unless_its_target_is_allowed(tmp_path):
    node = {"_target_": "msl.index.search.Exact", "threads": {"_target_": "pathlib.Path", "_args_": [str(tmp_path)]}}
    with pytest.raises(InputError, match=r"_target_=pathlib.Path is not allowed"):
        instantiate(node)


def test_ids_are_taken_as_they_are_typed(run_msl, run):
    names = ["100", "1e5", "a (1),b", "it's", "null", "${y}", "[x]"]
    Items(current(run) / "items.sqlite").add(Item(name, name, None, None, (), None) for name in names)
    store = Store.open(current(run) / "a")
    store.add(names, store.codes[: len(names)])
    for name, twin in zip(names, store.ids, strict=False):
        typed = f"'{name}'" if name in ("null", "[x]") else name
        hits = found(run_msl, f"id={typed}", "find=image", f"run={run}", "k=1")["hits"]
        assert hits[0]["cosine"] == pytest.approx(1, abs=1e-5), (name, twin)
    assert run_msl("index", f"run={run}", "delete=[100,1e5]")[0] == 0
    status, _, err = run_msl("search", "id=100", f"run={run}")
    assert status == 2
    assert "no image with the id '100'" in err


@pytest.mark.parametrize("content", [b"", b"../../elsewhere/index/000001", b"\xff\xfe", b"1"])
def test_a_damaged_pointer_names_the_remedy_that_works(run_msl, run, content):
    (run / "index" / "current").write_bytes(content)
    for arguments in (("search", "red"), ("index",)):
        status, _, err = run_msl(*arguments, f"run={run}")
        assert status == 2
        assert "fresh=true" in err
    if not content:
        assert run_msl("index", f"run={run}", "fresh=true")[0] == 0
        assert everything(run_msl, run)


def test_settings_of_another_index_are_refused(run_msl, run):
    status, _, err = run_msl("index", f"run={run}", "made.keywords=3")
    assert status == 2
    assert "made.keywords=3: the index was made with 2000; give fresh=true" in err
    assert run_msl("index", f"run={run}", "made.keywords=3", "fresh=true")[0] == 0
    assert run_msl("index", f"run={run}")[0] == 0  # keeps its own
    assert len(found(run_msl, "id=red/car", "find=names", f"run={run}", "k=9")["keyword"]) == 3


def test_class_names_that_nobody_can_read_are_no_names(run_msl, run, tmp_path):
    overrides = dict(each.split("=", 1) for each in json.loads((run / "card.json").read_text())["overrides"])
    data, other = tmp_path / "data", tmp_path / "other"
    shutil.copytree(overrides["data.path"], data)
    (data / "class_names.json").write_text(json.dumps([f"zzx{chr(97 + number)}q" for number in range(10)]))
    training = ["logger=none", "report.queries=0", "trainer.epochs=1", "select_on=nothing", "progress=false"]
    assert run_msl("train", "data=folder", f"data.path={data}", f"hydra.run.dir={other}", *training)[0] == 0
    assert run_msl("index", f"run={other}", "made.keywords=0")[0] == 0
    assert run_msl("search", "red", "find=names", f"run={other}")[0] == 2
    assert everything(run_msl, other)

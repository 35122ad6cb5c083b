"""A model in a notebook: codes, finds that show themselves, folders given away, the hub's client."""

import base64
import filecmp
import io
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import numpy as np
import pytest
from PIL import Image

import msl
from msl.index.exact import unit_rows
from msl.serve.items import Item
from msl.serve.model import Model
from msl.serve.results import Results
from msl.serve.retriever import Hit, Only
from msl.serve.share.hub import WANTED
from msl.types import InputError

TEXTS = ["a red apple", "a blue door", "a car"]
HOSTILE = '<script>alert("x")</script> \'&\n\x1b]0;x\x07"><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def model(indexed):
    return msl.load(indexed)


@pytest.fixture(scope="module")
def given(model, tmp_path_factory):
    """A folder that was given away with its index, and then moved."""
    place = tmp_path_factory.mktemp("given")
    model.save_pretrained(place / "first" / "model", index=True)
    return shutil.move(place / "first", place / "moved") / "model"


@pytest.fixture(scope="module")
def received(given):
    return msl.load(given)


@pytest.fixture(scope="module")
def pictures(indexed):
    return sorted((indexed.parent / "pictures").glob("*/*.png"))


def items_of(results):
    return [(hit.item.id, hit.item.text, hit.item.classes, hit.score, hit.seen) for hit in results]


def test_a_model_that_was_given_away_and_moved_gives_the_same_bits(model, received, pictures):
    assert np.array_equal(received.encode(TEXTS), model.encode(TEXTS))
    assert np.array_equal(received.encode(pictures[:4]), model.encode(pictures[:4]))
    opened = [Image.open(file) for file in pictures[:4]]
    assert np.array_equal(received.encode(opened), model.encode(pictures[:4]))


def test_a_stranger_finds_and_names_the_same_things(model, received, pictures):
    for query in ("a red apple", pictures[0]):
        assert items_of(received.search(query, k=7)) == items_of(model.search(query, k=7))
        assert received.annotate(query) == model.annotate(query)
    only = Only(seen=False)
    assert items_of(received.search("a door", only=only)) == items_of(model.search("a door", only=only))
    found = received.search("a red apple", find="text", k=3)
    assert np.allclose(
        [hit.cosine for hit in found], [hit.cosine for hit in model.search("a red apple", find="text", k=3)]
    )


def test_what_was_given_away_can_be_given_on(received, given, tmp_path):
    again = received.save_pretrained(tmp_path / "again", index=True)
    names = [str(file.relative_to(given)) for file in given.rglob("*") if file.is_file()]
    assert sorted(names) == sorted(WANTED)
    assert sorted(names) == sorted(str(file.relative_to(again)) for file in again.rglob("*") if file.is_file())
    assert filecmp.cmpfiles(given, again, names, shallow=False)[0] == names


def test_codes_are_unit_rows_of_single_precision(model):
    codes = model.encode(TEXTS)
    assert codes.dtype == np.float32
    assert codes.shape == (3, 16)
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(model.encode("a red apple"), codes[:1], atol=1e-6)


def test_similarity_is_the_cosine_of_the_methods_own_codes(model, pictures):
    texts = model.retriever.method.encode(model.retriever.readers["b"](TEXTS), "b")
    wanted = unit_rows(texts) @ unit_rows(model.encode(pictures[:2])).T
    np.testing.assert_allclose(model.similarity(TEXTS, pictures[:2]), wanted, atol=1e-6)


def test_features_are_encoded_as_their_items(model):
    features = model.retriever.readers["b"](TEXTS)
    assert np.array_equal(model.encode_features(features, "text"), model.encode(TEXTS))
    with pytest.raises(InputError, match=r"wanted \(n, 120\), got \(3, 119\)"):
        model.encode_features(features[:, 1:], "text")


@pytest.mark.parametrize(
    ("items", "says"),
    [
        ([], "got nothing"),
        (["a red apple", Path("x.png")], "got both"),
        (Path("nowhere.png"), "nowhere.png"),
        ("xyzzy qwrt", "no known English word"),
    ],
    ids=str,
)
def test_what_cannot_be_encoded_is_said_in_one_line(model, items, says):
    with pytest.raises(InputError, match=says) as caught:
        model.encode(items)
    assert "\n" not in str(caught.value)


def test_a_gallery_is_ranked_by_cosine(model, pictures):
    found = model.search("a red apple", gallery=pictures[:20], k=5)
    cosines = (model.encode("a red apple") @ model.encode(pictures[:20]).T)[0]
    best = np.argsort(-cosines, kind="stable")[:5]
    assert [int(hit.item.id) for hit in found] == best.tolist()
    np.testing.assert_allclose([hit.cosine for hit in found], cosines[best], atol=1e-6)
    assert found[0].item.text == pictures[best[0]].name
    assert found._repr_html_().count("data:image/jpeg;base64,") == 5
    assert sorted(hit.item.text for hit in model.search(pictures[0], gallery=TEXTS, k=9)) == sorted(TEXTS)


def test_without_an_index_a_gallery_can_be_searched_and_the_rest_says_what_to_do(model, tmp_path):
    bare = Model.from_pretrained(model.save_pretrained(tmp_path / "bare"))
    assert bare.search("a red apple", gallery=TEXTS)[0].item.text == "a red apple"
    for ask in (bare.search, bare.annotate):
        with pytest.raises(InputError, match="no index"):
            ask("a red apple")
    with pytest.raises(InputError, match="no index"):
        bare.save_pretrained(tmp_path / "more", index=True)
    assert not (tmp_path / "more").exists()


def test_a_folder_that_holds_something_is_left_alone(model, tmp_path):
    (tmp_path / "mine").write_text("mine")
    for place in (tmp_path, tmp_path / "mine"):
        with pytest.raises(InputError, match="give another"):
            model.save_pretrained(place)
    assert [file.name for file in tmp_path.iterdir()] == ["mine"]
    (tmp_path / "empty").mkdir()
    assert (model.save_pretrained(tmp_path / "empty") / "config.json").is_file()


def test_results_show_themselves_in_a_notebook_and_as_text(received, capsys):
    found = received.search("a red apple", k=4)
    assert len(found) == 4
    shown = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', found._repr_html_())
    sizes = [Image.open(io.BytesIO(base64.b64decode(each))).size for each in shown]
    assert sizes == [(24, 24)] * 4
    lines = repr(found).splitlines()
    assert lines[0] == "4 found for a red apple"
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3", "4"]
    found.show()
    assert found[0].item.text in capsys.readouterr().out


def test_hostile_texts_are_no_markup(capsys):
    item = Item(HOSTILE, HOSTILE, None, None, (HOSTILE, "[bold]"), None)
    found = Results(HOSTILE, (Hit(item, 0.5, 0.25, False),), lambda _: b"\xff\xd8")
    html = found._repr_html_()
    assert set(re.findall(r"<(\w+)", html)) == {"p", "div", "figure", "img", "figcaption", "b", "br", "i"}
    assert set(re.findall(r'(\w+)="[^"]*"', html)) == {"style", "alt", "src"}
    assert 'alt="&lt;script&gt;' in html
    assert len(repr(found).splitlines()) == 2
    assert "\x1b" not in repr(found)
    found = Results("x", found.hits, lambda _: None)
    found.show()
    said = capsys.readouterr().out
    assert "[bold]" in said
    assert "\x1b]" not in said


class Client:
    """What is used of the hub's client, over a folder."""

    def __init__(self, folder, *, online=True, cached=True):
        self.folder, self.online, self.cached, self.calls = folder, online, cached, []

    def HfApi(self):
        return self

    def model_info(self, name, *, timeout):
        if not self.online:
            raise ConnectionError("no route\nto the hub")
        return SimpleNamespace(sha="abc")

    def snapshot_download(self, name, *, allow_patterns, revision=None, local_files_only=False):
        self.calls.append((name, revision, local_files_only))
        assert not {"*", "?"} & set("".join(allow_patterns))
        if local_files_only and not self.cached:
            raise FileNotFoundError("not here")
        return str(self.folder)

    def create_repo(self, name, *, private, exist_ok):
        if not self.online:
            raise ConnectionError("no route")
        return f"https://hub/{name}"

    def upload_folder(self, *, repo_id, folder_path, commit_message):
        shutil.copytree(folder_path, self.folder)
        self.calls.append(repo_id)


@pytest.fixture
def as_hub(monkeypatch):
    def put(client):
        for name in ("HfApi", "snapshot_download"):
            monkeypatch.setattr(huggingface_hub, name, getattr(client, name))
        return client

    return put


def test_a_model_comes_from_the_hub_by_its_name(as_hub, given, model):
    client = as_hub(Client(given))
    assert np.array_equal(msl.load("user/model").encode(TEXTS), model.encode(TEXTS))
    assert client.calls == [("user/model", "abc", False)]


def test_without_a_network_the_model_fetched_last_is_used_and_else_one_line_says_so(as_hub, given):
    client = as_hub(Client(given, online=False))
    assert len(msl.load("user/model").encode(TEXTS)) == 3
    assert client.calls == [("user/model", None, True)]
    as_hub(Client(given, online=False, cached=False))
    with pytest.raises(InputError, match="no folder user/model") as caught:
        msl.load("user/model")
    assert "no route" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_links_into_a_cache_as_the_hubs_client_makes_them_are_read(given, model, tmp_path):
    for name in WANTED:
        link = tmp_path / "snapshot" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(given / name)
    found = msl.load(tmp_path / "snapshot").search("a red apple")
    assert items_of(found) == items_of(model.search("a red apple"))
    assert "data:image/jpeg" in found._repr_html_()


def test_a_model_is_pushed_to_the_hub(as_hub, model, tmp_path):
    client = as_hub(Client(tmp_path / "repository"))
    assert model.push_to_hub("user/model", index=True) == "https://hub/user/model"
    assert client.calls == ["user/model"]
    assert np.array_equal(msl.load(tmp_path / "repository").encode(TEXTS), model.encode(TEXTS))
    with pytest.raises(InputError, match="user/model"):
        model.push_to_hub("no name")
    as_hub(Client(tmp_path / "other", online=False))
    with pytest.raises(InputError, match="log in"):
        model.push_to_hub("user/model")


@pytest.mark.parametrize("path", ["nowhere", "a/b/c", "/nowhere/at", ".."])
def test_what_is_no_model_is_one_line(path):
    with pytest.raises(InputError, match="neither"):
        msl.load(path)

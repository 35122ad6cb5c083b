"""`msl export`, and what may be in a folder that a stranger gives."""

import json
import shutil
from pathlib import Path

import huggingface_hub
import numpy as np
import onnxruntime
import pytest
import yaml
from safetensors.numpy import load_file, save_file

import msl
from msl.encode.encoders.words import Words
from msl.encode.words import WordVectors
from msl.files import write_json
from msl.types import InputError

TEXTS = ["a red apple", "a blue door"]


@pytest.fixture(scope="module")
def exported(indexed, tmp_path_factory):
    """What `msl export` wrote for a run without its index."""
    from msl.cli import main

    out = tmp_path_factory.mktemp("exported") / "model"
    assert main(["export", f"run={indexed}", f"out={out}", "license=mit"]) == 0
    return out


@pytest.fixture(scope="module")
def exported_with_index(indexed, tmp_path_factory):
    return msl.load(indexed).save_pretrained(tmp_path_factory.mktemp("exported") / "model", index=True)


@pytest.fixture
def with_index(exported_with_index, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(exported_with_index, tmp_path / "copy")


@pytest.fixture
def folder(exported, tmp_path):
    """A copy to be damaged."""
    return shutil.copytree(exported, tmp_path / "copy")


def assert_refused(folder, *parts):
    with pytest.raises(InputError) as caught:
        msl.load(folder).encode(TEXTS)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 700
    for part in parts:
        assert part in said


def test_everything_is_exported_and_checked_and_the_terminal_stays_clean(run_msl, indexed, exported):
    status, out, err = run_msl("export", f"run={indexed}", "out=model", "index=true", "onnx=true")
    assert (status, err) == (0, "")
    assert "image.onnx: off by" in out
    assert "text.onnx: off by" in out
    assert out.splitlines()[-1].startswith("next: python -c")
    model = msl.load("model")
    assert len(model.search("a red apple", k=3)) == 3
    session = onnxruntime.InferenceSession("model/text.onnx", providers=["CPUExecutionProvider"])
    features = model.retriever.readers["b"](TEXTS)
    codes = session.run(None, {"features": features})[0]
    np.testing.assert_allclose(codes, model.retriever.method.encode(features, "b"), rtol=1e-4, atol=1e-5)
    assert [file.name for file in Path().iterdir()] == ["model"]


def test_an_onnx_model_beyond_the_tolerance_is_not_written(run_msl, indexed):
    status, _, err = run_msl("export", f"run={indexed}", "out=model", "onnx=true", "tolerance=1e-12")
    assert status == 1
    assert "more than tolerance=1e-12" in err
    assert not list(Path().iterdir())


def test_nothing_of_the_machine_and_nothing_to_run_is_in_the_folder(indexed, exported_with_index):
    places = {str(indexed), str(indexed.parent), str(Path.home()) + "/", "/tmp/"}
    for file in exported_with_index.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert b"_target_" not in content
        assert not [place for place in places if place.encode() in content], file
    assert {file.suffix for file in exported_with_index.rglob("*") if file.is_file()} <= {
        ".json", ".jsonl", ".md", ".safetensors", ".npz", ".zip", ".f32", ""
    }  # fmt: skip


def test_the_card_has_every_number_of_the_run_by_its_exact_name(indexed, exported):
    rows = json.loads((indexed / "metrics.json").read_text())
    text = (exported / "README.md").read_text()
    card = huggingface_hub.ModelCard(text)
    assert (card.data.library_name, card.data.license, card.data.datasets) == ("msl", "mit", [rows[0]["data"]])
    found = {
        (result["dataset"]["split"], metric["name"]): (metric["type"], metric["value"], metric["args"]["chance"])
        for result in yaml.safe_load(text.split("---\n")[1])["model-index"][0]["results"]
        for metric in result["metrics"]
    }
    assert len(found) == len(rows)
    for row in rows:
        name = f"{row['regime']}/{row['direction']}/{row['metric']}"
        assert found[row["regime"], name] == (row["metric"], row["value"], row["chance"])
    assert {result.metric_value for result in card.data.eval_results} == {row["value"] for row in rows}
    split = json.loads((indexed / "split.json").read_text())
    assert ", ".join(split["seen"]) in text
    assert ", ".join(split["unseen"]) in text


@pytest.mark.parametrize(
    "overrides",
    [
        ["~method.objective.terms.adversarial", "method.decoders.hidden=[7]"],
        ["method=triplet", "+net@method.classifier=classifier", "method.code_b.size=8", "seed=3"],
    ],
    ids=["a part less", "a part more"],
)
def test_changed_parts_are_built_again(run_msl, small, planted, overrides):
    status, _, err = run_msl("train", *small, *overrides, "trainer.epochs=1", "hydra.run.dir=run")
    assert status == 0, err
    assert run_msl("export", "run=run", "out=model")[0] == 0
    kept = [text for text in overrides if text[0] in "+~" or text.startswith("method=")]
    assert json.loads(Path("model/config.json").read_text())["overrides"] == kept
    features = np.load(planted / "features.npz")
    shutil.move("model", "moved")
    run, model = msl.load("run"), msl.load("moved")
    for modality in ("image", "text"):
        assert np.array_equal(
            model.encode_features(features[modality], modality), run.encode_features(features[modality], modality)
        )
    with pytest.raises(InputError, match="without their encoder"):
        model.encode("a text")


def test_settings_that_selection_chose_go_along(run_msl, planted):
    chosen = ["+method.search.size=[2,3]", "method.search.ridge=[0.1,100]", "method.search.power=[1]"]
    data = ["data=folder", f"data.path={planted}", "logger=none", "report.queries=0", "hydra.run.dir=run"]
    status, _, err = run_msl("train", "method=cca", *data, *chosen)
    assert status == 0, err
    assert run_msl("export", "run=run", "out=model")[0] == 0
    config = json.loads(Path("model/config.json").read_text())
    assert config["chosen"] == json.loads(Path("run/card.json").read_text())["chosen"] != {}
    features = np.load(planted / "features.npz")["image"]
    wanted = msl.load("run").encode_features(features, "image")
    assert np.array_equal(msl.load("model").encode_features(features, "image"), wanted)


def test_a_file_that_an_encoder_reads_is_not_given_away_and_must_be_the_same(exported, indexed, tmp_path):
    run, own = shutil.copytree(indexed, tmp_path / "run"), WordVectors.load()
    for name, words in (("right", own.words[:300]), ("wrong", own.words[:299])):
        lines = (f"{word} {' '.join(map(str, own.vectors[own.rows[word]].tolist()))}" for word in words)
        (tmp_path / f"{name}.vec").write_text("\n".join(lines))
    right = str(tmp_path / "right.vec")
    stored = json.loads((run / "encoders.json").read_text())
    stored["text"] = {"settings": {"name": "words", "path": right}, "identity": Words("text", path=right).identity}
    write_json(run / "encoders.json", stored)
    text = own.words[0]
    model = msl.load(run)
    given = model.save_pretrained(tmp_path / "given")
    assert str(tmp_path) not in (given / "config.json").read_text()
    assert np.array_equal(msl.load(given, files={"text": right}).encode(text), model.encode(text))
    with pytest.raises(InputError, match="files="):
        msl.load(given).encode(text)
    with pytest.raises(InputError, match="vectors is"):
        msl.load(given, files={"text": tmp_path / "wrong.vec"}).encode(text)
    with pytest.raises(InputError, match="no such encoder"):
        msl.load(given, files={"sound": right})


def test_features_that_learnt_from_the_training_texts_leave_texts_unread(run_msl, indexed, tmp_path):
    run = shutil.copytree(indexed, tmp_path / "run")
    card = json.loads((run / "card.json").read_text())
    write_json(run / "card.json", card | {"overrides": [*card["overrides"], "texts=words"]})
    settings = yaml.safe_load((run / "config.yaml").read_text())
    settings["texts"]["name"] = "words"
    (run / "config.yaml").write_text(yaml.safe_dump(settings))
    status, out, err = run_msl("export", f"run={run}", "out=model")
    assert (status, err) == (0, "")
    assert "note: New texts cannot be read" in out
    assert "New texts cannot be read" in Path("model/README.md").read_text()
    model = msl.load("model")
    assert model.encode(sorted((indexed.parent / "pictures").glob("*/*.png"))[:2]).shape == (2, 16)
    with pytest.raises(InputError, match="without their encoder"):
        model.encode(TEXTS)


def changed(config, path, value):
    *parents, last = path.split("/")
    for key in parents:
        config = config[int(key) if isinstance(config, list) else key]
    config[last] = value


HOSTILE = [
    ("extra", 1, "extra"),
    ("_target_", "os.system", "_target_"),
    ("settings/_target_", "msl.files.write_text", "_target_"),
    ("settings/code/_target_", "msl.files.write_text", "_target_"),
    ("settings/code/extra", 1, "method.code.extra"),
    ("settings/code/size", {"a": 1}, "method.code.size"),
    ("settings/code/size", "${oc.env:HOME}", "no plain value"),
    ("settings/code/size", -1, "size"),
    ("settings/code/size", 17, "model.safetensors"),
    ("settings/code/activation", "../../etc/passwd", "no plain value"),
    ("settings/encoder_a/hidden", [10**9, 1024], "model.safetensors"),
    ("settings/objective/terms/correlation/loss", {"path": "a"}, "loss.path"),
    ("chosen", {"code._target_": "msl.files.write_text"}, "_target_"),
    ("chosen", {"code.size": "/etc/passwd"}, "no plain value"),
    ("overrides", ["hydra.searchpath=[file:///tmp]"], "hydra.searchpath"),
    ("overrides", ["method._target_=msl.files.write_text"], "_target_"),
    ("overrides", ["+method.x={_target_: os.system}"], "_target_"),
    ("overrides", ["method=../../x"], "../../x"),
    ("overrides", ["method=nothing"], "nothing"),
    ("method", "triplet", "triplet"),
    ("sizes/a", 10**12, "model.safetensors"),
    ("sizes/a", 10**40, "config.json"),
    ("sizes/a", "768", "sizes.a"),
    ("format", 2, "format"),
    ("modalities", ["image"], "modalities"),
    ("encoders/text/settings/name", "os", "no text encoder 'os'"),
    ("encoders/text/settings/path", "/etc/passwd", "no plain value"),
    ("encoders/text/settings/path", "vectors.npz", "names a file"),
    ("encoders/text/settings/_target_", "os.system", "_target_"),
    ("encoders/text/settings/more", 1, "more"),
    ("encoders/text/identity/vectors", "0", "vectors is"),
    ("encoders/text/file", "settings", "file"),
]


@pytest.mark.parametrize(("path", "value", "says"), HOSTILE, ids=[f"{path}={value}"[:50] for path, value, _ in HOSTILE])
def test_a_configuration_that_says_more_or_less_than_it_may_is_refused(folder, path, value, says):
    config = json.loads((folder / "config.json").read_text())
    changed(config, path, value)
    (folder / "config.json").write_text(json.dumps(config))
    assert_refused(folder, says)


@pytest.mark.parametrize(
    "content", ["", "[]", "{", "[" * 100_000, '{"format": 1}', "\0", "null"], ids=lambda x: x[:9] or "empty"
)
def test_a_damaged_configuration_is_one_line(folder, content):
    (folder / "config.json").write_text(content)
    assert_refused(folder, "config.json")


def test_damaged_weights_are_one_line(folder):
    file = folder / "model.safetensors"
    whole, tensors = file.read_bytes(), load_file(file)
    for content in (b"", whole[:100], whole[:-10], b"\xff" * 20):
        file.write_bytes(content)
        assert_refused(folder, "model.safetensors")
    save_file({name: value for name, value in tensors.items() if name != "code_layer.linear.bias"}, file)
    assert_refused(folder, "code_layer.linear.bias")
    file.unlink()
    assert_refused(folder, "model.safetensors")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("index.json", b"{}"), ("names.npz", b"PK"), ("items.jsonl", b'{"id": 1}'), ("items.jsonl", b"["), ("a/current", b"{}"),
        ("b/000001/codes.f32", b"0"), ("b/000001/ids", b"0"),
    ],
    ids=str,
)  # fmt: skip
def test_a_damaged_index_is_one_line(with_index, name, content):
    (with_index / "index" / name).write_bytes(content)
    assert_refused(with_index, "index")


def test_damaged_previews_are_left_out(with_index):
    (with_index / "index" / "previews.zip").write_bytes(b"PK\x03\x04 damaged")
    found = msl.load(with_index).search("a red apple")
    assert len(found) == 10
    assert "<img" not in found._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["export"], "VALUE"),
        (["export", "run=nowhere", "out=x"], "card.json"),
        (["export", "run={run}", "out={run}"], "give another"),
        (["export", "run={run}", "out=x", "license=My Own"], "license"),
        (["export", "run={run}", "out=x", "index=maybe"], "index"),
        (["export", "run={run}", "out=x", "tolerance=0"], "tolerance"),
    ],
    ids=str,
)
def test_a_wrong_command_is_one_line_and_writes_nothing(run_msl, indexed, arguments, says):
    status, _, err = run_msl(*(text.format(run=indexed) for text in arguments))
    assert status == 2
    assert len(err.splitlines()) == 1
    assert says in err
    assert not list(Path().iterdir())

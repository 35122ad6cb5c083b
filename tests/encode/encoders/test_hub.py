"""Tiny models made on the spot stand in for published ones: each architecture, a random layer or two, a tiny vocabulary."""

import json
import shutil
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from built import built
from PIL import Image
from safetensors.torch import load_file, save_file

from msl.types import InputError

transformers = pytest.importorskip("transformers", reason="the extra `encode` is not installed")

SIDE = 16
VISION = {
    "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": SIDE,
    "patch_size": 8,
}  # fmt: skip
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "cat", "and", "dog", "run", "##ning"]
TEXT = {
    "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": len(WORDS),
    "max_position_embeddings": 12, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3,
}  # fmt: skip
RNG = np.random.default_rng(0)
PICTURES = [
    Image.fromarray(RNG.integers(0, 256, (high, wide, 3), dtype=np.uint8))
    for high, wide in ((20, 33), (16, 16), (1, 3))
]
TEXTS = ["a cat", "a running dog and a cat and a dog", "", "cat " * 40]
KINDS = {
    "clip": "both",
    "siglip": "both",
    "vit": "image",
    "headed": "image",
    "dino": "image",
    "resnet": "image",
    "bert": "text",
}


def models():
    torch.manual_seed(0)
    residual = transformers.ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    return {
        "clip": transformers.CLIPModel(
            transformers.CLIPConfig(text_config=TEXT, vision_config=VISION, projection_dim=8)
        ),
        "siglip": transformers.SiglipModel(
            transformers.SiglipConfig(text_config=TEXT | {"projection_size": 16}, vision_config=VISION)
        ),
        "vit": transformers.ViTModel(transformers.ViTConfig(**VISION)),
        "headed": transformers.ViTForImageClassification(transformers.ViTConfig(**VISION, num_labels=3)),
        "dino": transformers.Dinov2Model(transformers.Dinov2Config(**VISION)),
        "resnet": transformers.ResNetModel(residual),
        "bert": transformers.BertModel(transformers.BertConfig(**TEXT)),
    }


def processor():
    from transformers import CLIPImageProcessor

    return CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A folder of each model, as its publisher would save it."""
    from transformers import BertTokenizerFast, utils

    folder = tmp_path_factory.mktemp("models")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    was = utils.logging.get_verbosity(), utils.logging.is_progress_bar_enabled()
    utils.logging.set_verbosity_error()
    utils.logging.disable_progress_bar()
    for name, model in models().items():
        torch.manual_seed(1)
        for tensor in model.parameters():
            tensor.data = 0.3 * torch.randn_like(tensor)
        model.save_pretrained(folder / name)
        if KINDS[name] != "text":
            processor().save_pretrained(folder / name)
        if KINDS[name] != "image":
            takes = ["input_ids", "attention_mask"] if name != "siglip" else ["input_ids"]
            BertTokenizerFast(str(folder / "vocab.txt"), model_input_names=takes).save_pretrained(folder / name)
    utils.logging.set_verbosity(was[0])
    if was[1]:
        utils.logging.enable_progress_bar()
    return folder


def encoder(folder, kind, **values):
    return built("transformers", kind, model=str(folder), **values)


def plain(folder, kind):
    """The model itself and its arguments for all items, padded as its publisher says."""
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(folder).eval()
    if kind == "image":
        return model, dict(AutoImageProcessor.from_pretrained(folder)(PICTURES, return_tensors="pt"))
    full = "max_length" if folder.name == "siglip" else True
    return model, dict(
        AutoTokenizer.from_pretrained(folder)(TEXTS, padding=full, truncation=True, max_length=12, return_tensors="pt")
    )


def masked_mean(output, given):
    mask = given["attention_mask"][..., None]
    return (output.last_hidden_state * mask).sum(1) / mask.sum(1)


BY_HAND = {
    ("clip", "image", "auto"): lambda model, given: model.get_image_features(**given).pooler_output,
    ("clip", "text", "auto"): lambda model, given: model.get_text_features(**given).pooler_output,
    ("clip", "text", "pooler"): lambda model, given: model.text_model(**given).pooler_output,
    ("clip", "image", "cls"): lambda model, given: model.vision_model(**given).last_hidden_state[:, 0],
    ("siglip", "image", "auto"): lambda model, given: model.get_image_features(**given).pooler_output,
    ("siglip", "text", "auto"): lambda model, given: model.get_text_features(**given).pooler_output,
    ("vit", "image", "auto"): lambda model, given: model(**given).pooler_output,
    ("vit", "image", "mean"): lambda model, given: model(**given).last_hidden_state.mean(1),
    ("headed", "image", "auto"): lambda model, given: model(**given).last_hidden_state.mean(1),
    ("dino", "image", "auto"): lambda model, given: model(**given).last_hidden_state[:, 0],
    ("resnet", "image", "auto"): lambda model, given: model(**given).last_hidden_state.mean((2, 3)),
    ("resnet", "image", "mean"): lambda model, given: model(**given).last_hidden_state.mean((2, 3)),
    ("bert", "text", "auto"): lambda model, given: masked_mean(model(**given), given),
    ("bert", "text", "pooler"): lambda model, given: model(**given).pooler_output,
    ("bert", "text", "cls"): lambda model, given: model(**given).last_hidden_state[:, 0],
}
SETTLED = {
    "clip": "projection",
    "siglip": "projection",
    "vit": "pooler",
    "headed": "mean",
    "dino": "pooler",
    "resnet": "pooler",
    "bert": "mean",
}


@pytest.mark.parametrize(("name", "kind", "pooling"), BY_HAND, ids=map("-".join, BY_HAND))
def test_features_are_the_plain_model_s(name, kind, pooling, hub, capfd):
    one = encoder(hub / name, kind, pooling=pooling)
    items = PICTURES if kind == "image" else TEXTS
    found = one.encode(items)
    assert capfd.readouterr() == ("", "")
    model, given = plain(hub / name, kind)
    with torch.inference_mode():
        wanted = BY_HAND[name, kind, pooling](model, given).numpy()
    assert found.dtype == np.float32
    assert found.shape == (len(items), one.size)
    np.testing.assert_allclose(found, wanted, atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 1e-3
    assert one.identity["pooling"] == (pooling if pooling != "auto" else SETTLED[name])
    assert one.encode([]).shape == (0, one.size)


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, reads in KINDS.items() for kind in ("image", "text") if reads in (kind, "both")]
)  # fmt: skip
def test_no_row_depends_on_another_nor_on_the_batch(name, kind, hub):
    items = PICTURES if kind == "image" else TEXTS
    one = encoder(hub / name, kind, batch=2)
    together = one.encode(items)
    np.testing.assert_allclose(together, np.vstack([one.encode([item]) for item in items]), atol=1e-5)
    np.testing.assert_allclose(together[::-1], one.encode(items[::-1]), atol=1e-5)


def test_pictures_are_laid_on_white(hub):
    one = encoder(hub / "vit", "image")
    hidden = Image.new("RGBA", (20, 20), (200, 30, 30, 0))
    np.testing.assert_array_equal(one.encode([hidden]), one.encode([Image.new("RGB", (20, 20), "white")]))
    grey = RNG.integers(0, 256, (20, 20), dtype=np.uint8)
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    np.testing.assert_array_equal(one.encode([deep]), one.encode([Image.fromarray(grey)]))
    with pytest.raises(InputError, match="1 x 300 pixels"):
        one.encode([Image.new("RGB", (1, 300))])


def test_two_loads_are_equal_whatever_the_path_and_batch(hub, tmp_path):
    for name in ("clip", "headed"):
        shutil.copytree(hub / name, tmp_path / name)
        one, other = encoder(hub / name, "image"), encoder(tmp_path / name, "image", batch=1, device="cpu")
        assert one.identity == other.identity
        assert json.loads(json.dumps(one.identity)) == one.identity
        np.testing.assert_allclose(one.encode(PICTURES), other.encode(PICTURES), atol=1e-6)
        assert str(hub) not in json.dumps(one.identity)


def rewritten(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def other_weights(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["visual_projection.weight"][0, 0] += 1e-3
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def other_mean(folder):
    rewritten(folder / "preprocessor_config.json", lambda content: content.update(image_mean=[0.5, 0.5, 0.5]))


def other_words(folder):
    rewritten(folder / "tokenizer.json", lambda content: content["model"]["vocab"].update(cat=8, dog=6))


@pytest.mark.parametrize(
    ("kind", "change", "key"), [("image", other_weights, "weights"), ("image", other_mean, "processor"), ("text", other_words, "tokenizer")]
)  # fmt: skip
def test_identity_tells_what_changed(kind, change, key, hub, tmp_path):
    shutil.copytree(hub / "clip", tmp_path / "clip")
    change(tmp_path / "clip")
    before, after = (encoder(folder / "clip", kind).identity for folder in (hub, tmp_path))
    assert [name for name in before if before[name] != after[name]] == [key]


def test_identity_tells_pooling_precision_and_kind(hub):
    seen = [
        encoder(hub / "clip", "image").identity,
        encoder(hub / "clip", "image", pooling="cls").identity,
        encoder(hub / "clip", "image", precision="bfloat16").identity,
        encoder(hub / "clip", "text").identity,
    ]
    assert all(one != other for place, one in enumerate(seen) for other in seen[:place])
    assert encoder(hub / "vit", "image").identity == encoder(hub / "vit", "image", pooling="pooler").identity


def test_calling_a_tokeniser_does_not_change_the_identity(hub):
    from transformers import AutoTokenizer

    from msl.encode.encoders.readers import tokenizer_digest

    tokenizer = AutoTokenizer.from_pretrained(hub / "bert")
    before = tokenizer_digest(tokenizer)
    tokenizer(TEXTS, padding=True, truncation=True, max_length=3)
    assert tokenizer_digest(tokenizer) == before


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_lower_precision_is_near(precision, hub):
    full, half = (encoder(hub / "clip", "image", precision=each).encode(PICTURES) for each in ("float32", precision))
    np.testing.assert_allclose(half, full, atol=0.05 * np.abs(full).max())
    assert (half != full).any()


def test_features_beyond_the_precision_are_refused(hub, tmp_path):
    shutil.copytree(hub / "clip", tmp_path / "clip")
    tensors = load_file(tmp_path / "clip" / "model.safetensors")
    tensors["visual_projection.weight"] *= 1e5
    save_file(tensors, tmp_path / "clip" / "model.safetensors", {"format": "pt"})
    with pytest.raises(InputError, match="not finite; compute them with precision=float32"):
        encoder(tmp_path / "clip", "image", precision="float16").encode(PICTURES)


@pytest.mark.parametrize(
    ("name", "kind", "values", "message"),
    [
        ("bert", "image", {}, "a BertModel, reads no images; choose a model of images"),
        ("vit", "text", {}, "a ViTModel, reads no texts"),
        ("vit", "image", {"pooling": "projection"}, "projects nothing; choose pooling=auto"),
        ("headed", "image", {"pooling": "pooler"}, "has no trained pooler"),
        ("resnet", "image", {"pooling": "cls"}, "has no first token"),
        ("vit", "image", {"pooling": "max"}, r"encoder\.pooling=max"),
        ("vit", "image", {"batch": 0}, r"encoder\.batch=0"),
    ],
)
def test_wrong_use_is_one_line(name, kind, values, message, hub, capfd):
    with pytest.raises(InputError, match=message) as caught:
        encoder(hub / name, kind, **values)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_that_is_not_there_is_named(hub):
    with pytest.raises(InputError, match="device=cuda, but torch finds no CUDA device"):
        encoder(hub / "vit", "image", device="cuda")


def without(folder, part):
    shutil.move(folder / part, folder / f"{part}.gone")


def pickled(folder):
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def incomplete(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["layernorm.bias"]
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: without(folder, "config.json"), "there is no model '.*vit' to load"),
        (lambda folder: without(folder, "preprocessor_config.json"), "there is no image processor of the model '.*vit' to load"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"none"), "there is no model '.*vit' to load"),
        (pickled, "there is no model '.*vit' to load .*safetensors"),
        (incomplete, r"lacks 1 weights, layernorm\.bias the first; choose a complete model"),
    ],
    ids=["no configuration", "no processor", "damaged", "pickle", "incomplete"],
)  # fmt: skip
def test_a_spoilt_folder_is_named(spoil, message, hub, tmp_path, capfd):
    shutil.copytree(hub / "vit", tmp_path / "vit")
    spoil(tmp_path / "vit")
    with pytest.raises(InputError, match=message) as caught:
        encoder(tmp_path / "vit", "image")
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_name_nobody_knows_is_one_line_soon(hub, monkeypatch, tmp_path, capfd):
    """The hub's address leads nowhere, as without a network."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    start = time.monotonic()
    for name in ("nobody/has-this-model", str(tmp_path / "absent")):
        with pytest.raises(
            InputError, match=f"there is no model '{name}' to load .*; give a folder or a hub's name"
        ) as caught:
            built("transformers", "text", model=name)
        assert "\n" not in str(caught.value)
    assert time.monotonic() - start < 5
    assert capfd.readouterr() == ("", "")


def test_a_process_of_its_own_says_nothing(hub):
    """Where nobody captures: transformers tells of weights that a model has too many and too few of."""
    code = (
        "import sys; from PIL import Image; from msl.encode.encoders.hub import Hub\n"
        "one = Hub('image', model=sys.argv[1], revision='main', pooling='auto', batch=1, device='cpu', precision='float32')\n"
        "print(one.encode([Image.new('RGB', (3, 1))]).shape)"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(hub / "headed")], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("(1, 16)\n", "")


def test_without_the_extra_one_line_says_what_to_install():
    code = (
        "import sys; sys.modules['transformers'] = None\n"
        "from msl.encode.encoders.hub import Hub\n"
        "try: Hub('text', model='m', revision='main', pooling='auto', batch=1, device='cpu', precision='float32')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "InputError encoder=transformers needs transformers: pip install 'msl[encode]'\n"


@pytest.fixture(scope="module")
def roberta(tmp_path_factory):
    """12 positions, of which padding and those before it take 4: 8 tokens are all it reads."""
    from transformers import BertTokenizerFast

    folder = tmp_path_factory.mktemp("roberta")
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    torch.manual_seed(0)
    with_padding = TEXT | {"pad_token_id": 3, "eos_token_id": 0}
    transformers.RobertaModel(transformers.RobertaConfig(**with_padding)).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    return folder


def test_a_model_that_counts_places_from_after_the_padding_reads_long_texts(roberta):
    read = encoder(roberta, "text")
    assert read.identity["length"] == 8
    assert read.encode(TEXTS).shape == (len(TEXTS), 16)


def test_what_a_model_fails_on_is_one_line(roberta, monkeypatch):
    read = encoder(roberta, "text")
    for error in (RuntimeError("odd\nmore"), IndexError("odd")):
        monkeypatch.setattr(read, "_encode", raising(error))
        with pytest.raises(InputError, match=rf"the model fails \({type(error).__name__}: odd\)"):
            read.encode(TEXTS)
    monkeypatch.setattr(read, "_encode", raising(torch.OutOfMemoryError("full")))
    with pytest.raises(torch.OutOfMemoryError):  # no text's fault
        read.encode(TEXTS)


def raising(error):
    def fail(items):
        raise error

    return fail

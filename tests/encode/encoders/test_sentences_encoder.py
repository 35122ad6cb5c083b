import json
import shutil

import numpy as np
import pytest
from built import built
from safetensors.torch import load_file, save_file

from msl.encode.sentences import encode
from msl.types import InputError

pytest.importorskip("sentence_transformers", reason="the extra `text` is not installed")
TEXTS = ["dog", "a living room with a cat", "", "cat " * 40, "room"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A random layer with a pooler that its files lack, and a vocabulary of four words."""
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import BertConfig, BertModel, BertTokenizerFast, utils

    folder = tmp_path_factory.mktemp("models")
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cat", "dog", "living", "room"])
    )
    shown = utils.logging.is_progress_bar_enabled()
    utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    network = BertModel(BertConfig(vocab_size=9, max_position_embeddings=32, **SIZES), add_pooling_layer=False)
    network.save_pretrained(folder / "plain")
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder / "plain")
    SentenceTransformer(str(folder / "plain"), device="cpu").save(str(folder / "model"))
    tensors = load_file(folder / "model" / "model.safetensors")
    save_file(
        {key: tensors[key] for key in tensors if "pooler" not in key},
        folder / "model" / "model.safetensors",
        {"format": "pt"},
    )
    if shown:
        utils.logging.enable_progress_bar()
    return folder / "model"


def test_features_are_the_model_s_whatever_the_batch(model, capfd):
    one = built("sentences", "text", model=str(model), batch=2)
    found = one.encode(TEXTS)
    assert found.shape == (5, one.size) == (5, 16)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, encode(TEXTS, model=str(model)), atol=1e-5)
    np.testing.assert_allclose(found, np.vstack([one.encode([text]) for text in TEXTS]), atol=1e-5)
    assert np.abs(found[0] - found[4]).max() > 1e-3
    assert one.encode([]).shape == (0, 16)
    assert capfd.readouterr() == ("", "")


def test_two_loads_are_equal_whatever_the_path(model, tmp_path):
    """Though the pooler that nothing reads is drawn anew each time."""
    shutil.copytree(model, tmp_path / "again")
    one, other = (
        built("sentences", "text", model=str(folder), batch=each)
        for each, folder in enumerate((model, tmp_path / "again"), 1)
    )
    assert one.identity == other.identity == json.loads(json.dumps(one.identity))
    np.testing.assert_allclose(one.encode(TEXTS), other.encode(TEXTS), atol=1e-6)


def other_weights(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors["embeddings.word_embeddings.weight"][5, 0] += 1e-3
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})


def other_pooling(folder):
    path = folder / "1_Pooling" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pooling_mode": "cls"}))


@pytest.mark.parametrize(("change", "key"), [(other_weights, "weights"), (other_pooling, "modules")])
def test_identity_tells_what_changed(change, key, model, tmp_path):
    shutil.copytree(model, tmp_path / "model")
    change(tmp_path / "model")
    before, after = (built("sentences", "text", model=str(folder)).identity for folder in (model, tmp_path / "model"))
    assert [name for name in before if before[name] != after[name]] == [key]


def test_lower_precision_is_near_and_told(model):
    full, half = (built("sentences", "text", model=str(model), precision=each) for each in ("float32", "bfloat16"))
    np.testing.assert_allclose(half.encode(TEXTS), full.encode(TEXTS), atol=0.05)
    assert half.identity != full.identity


def test_pictures_are_not_for_it():
    with pytest.raises(InputError, match="encoder=sentences reads texts, not images"):
        built("sentences", "image")

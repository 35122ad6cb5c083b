"""A model made on the spot stands in for a published one: two random layers, a tiny WordPiece vocabulary."""

import subprocess
import sys

import numpy as np
import pytest

from msl.encode.class_vectors import sentences
from msl.encode.sentences import encode
from msl.types import InputError

NONE = np.empty((2, 0), np.float32)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pytest.importorskip("sentence_transformers", reason="the extra `text` is not installed")
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("models")
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "cat", "dog", "living", "room"])
    )
    plain = folder / "plain"
    BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(plain)
    import torch

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    BertModel(BertConfig(vocab_size=9, max_position_embeddings=32, **sizes)).save_pretrained(plain)
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(str(plain), device="cpu").save(str(folder / "model"))
    return folder / "model"


def test_names_are_embedded_by_a_model_in_a_folder(model, capfd):
    vectors = sentences(("cat", "living_room"), NONE, model=str(model))
    assert vectors.shape == (2, 16)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(vectors, encode(["cat", "living room"], model=str(model)), atol=1e-6)
    assert np.abs(vectors[0] - vectors[1]).max() > 0.01
    assert capfd.readouterr() == ("", "")


def test_each_text_is_embedded_on_its_own(model):
    together = encode(["dog", "a living room with a cat", ""], model=str(model))
    alone = np.vstack([encode([text], model=str(model)) for text in ("dog", "a living room with a cat", "")])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_folder_without_a_model_is_named(model, tmp_path):
    with pytest.raises(InputError, match=f"no sentence-transformers model '{tmp_path}' to load") as caught:
        encode(["cat"], model=str(tmp_path))
    assert "\n" not in str(caught.value)


def test_without_the_extra_one_line_says_what_to_install():
    code = (
        "import sys; sys.modules['sentence_transformers'] = None\n"
        "from msl.encode.sentences import encode\n"
        "try: encode(['cat'], model='any')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "InputError sentence embeddings need sentence-transformers: pip install 'msl[text]'\n"

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from msl.encode import vector_files
from msl.encode.vector_files import read_vectors
from msl.types import InputError

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "class_vectors"
NAMES = ["the", "dog", "living_room", "Übung", "cat"]
VECTORS = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
WANTED = frozenset(["cat", "dog", "Übung", "absent", ""])


def binary(names, vectors, end=b"\n"):
    records = (
        name.encode() + b" " + vector.astype("<f4").tobytes() + end for name, vector in zip(names, vectors, strict=True)
    )
    return f"{len(names)} {vectors.shape[1]}\n".encode() + b"".join(records)


def glove(names, vectors, end="\n"):
    lines = (" ".join([name, *map(repr, vector.tolist())]) + end for name, vector in zip(names, vectors, strict=True))
    return "".join(lines).encode()


def text(names, vectors, end="\n"):
    return f"{len(names)} {vectors.shape[1]}\n".encode() + glove(names, vectors, end)


FORMATS = {
    "word2vec binary": binary,
    "word2vec binary without line ends": lambda names, vectors: binary(names, vectors, end=b""),
    "word2vec text": text,
    "fastText, whose lines end with a space": lambda names, vectors: text(names, vectors, end=" \n"),
    "GloVe": glove,
    "GloVe with DOS line ends": lambda names, vectors: glove(names, vectors, end="\r\n"),
    "GloVe without a last line end": lambda names, vectors: glove(names, vectors)[:-1],
}
EVERY_FORMAT = pytest.mark.parametrize("written", FORMATS.values(), ids=FORMATS)


@pytest.fixture
def file(tmp_path):
    def write(content, name="vectors"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


@pytest.fixture(params=[1, 3, 64, 1 << 24], ids=lambda size: f"chunks of {size}")
def chunk(request, monkeypatch):
    """Chunks of any size: a record or a line may be cut anywhere, but the head comes whole."""

    def chunks(first, stream):
        content = first + stream.read()
        for at in range(0, len(content), request.param):
            yield content[at : at + request.param]

    monkeypatch.setattr(vector_files, "_chunks", chunks)


@EVERY_FORMAT
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.usefixtures("chunk")
def test_only_wanted_words_are_read_exactly(file, written, pack):
    found = read_vectors(file(pack(written(NAMES, VECTORS))), WANTED)
    assert found.words == ("dog", "Übung", "cat")
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, VECTORS[[1, 3, 4]])
    np.testing.assert_array_equal(found.idf, 1)


def test_npz_is_read_by_its_names(tmp_path):
    np.savez(tmp_path / "v.npz", names=np.array([*NAMES, "dog"]), vectors=np.vstack([VECTORS, VECTORS[:1]]))
    found = read_vectors(tmp_path / "v.npz", WANTED)
    assert dict(zip(found.words, found.vectors.tolist(), strict=True)) == {
        name: VECTORS[NAMES.index(name)].tolist() for name in ("dog", "Übung", "cat")
    }


@EVERY_FORMAT
def test_first_vector_of_a_word_counts(file, written):
    found = read_vectors(file(written(["dog", "cat", "dog"], VECTORS[:3])), WANTED)
    np.testing.assert_array_equal(found.vectors, VECTORS[:2])


def test_glove_words_may_hold_spaces(file):
    found = read_vectors(file(glove(["the", "dog at heel", "dog", ". . ."], VECTORS[:4])), WANTED)
    assert found.words == ("dog",)
    np.testing.assert_array_equal(found.vectors, VECTORS[2:3])


@EVERY_FORMAT
def test_nothing_wanted_gives_no_vector(file, written):
    assert read_vectors(file(written(NAMES, VECTORS)), frozenset()).words == ()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared class vectors are not here")
@pytest.mark.parametrize("name", ["voc20.word2vec300", "voc20.glove300", "mirflickr24.googlenews300"])
@EVERY_FORMAT
def test_real_class_vectors_come_back_the_same(file, written, name):
    with np.load(SHARED / f"{name}.npz", allow_pickle=False) as arrays:
        names, vectors = list(map(str, arrays["names"])), arrays["vectors"].astype(np.float32)
    found = read_vectors(file(written(names, vectors)), frozenset(names))
    assert list(found.words) == names
    np.testing.assert_array_equal(found.vectors, vectors)


def with_nan():
    vectors = VECTORS.copy()
    vectors[1, 3] = np.nan
    return vectors


GLOVE, TEXT, BINARY = (written(NAMES, VECTORS) for written in (glove, text, binary))
LINES = GLOVE.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no word vectors msl reads"),
        (b"\n", "holds no word vectors msl reads"),
        (b"hello world\n", "holds no word vectors msl reads"),
        (bytes(range(256)) * 9, "holds no word vectors msl reads"),
        (struct.pack("<ii", 793712314, 12) + bytes(99), "holds no word vectors msl reads"),
        (b"1000000000000 300\n" + BINARY, "line 1 claims 1000000000000 words with 300 numbers each, which its"),
        (b"3 999999999\n" + bytes(99), "line 1 claims 3 words with 999999999 numbers"),
        (b"0 300\n", "line 1 claims 0 words"),
        (b"5 0\n", "line 1 claims 5 words with 0 numbers"),
        (gzip.compress(b"1000000000000 300\n" + BINARY, mtime=0), "line 1 claims 1000000000000 words"),
        (BINARY[:-9], "the file ends after 4 of the 5 words"),
        (BINARY[:80], "the file ends after 2 of the 5 words"),
        (BINARY + b"dog ", r"byte \d+: the file goes on after the 5 words"),
        (BINARY.replace(b"5 7", b"5 6", 1), "byte|ends after"),
        (b"2 3\n" + bytes(20_000), "byte 4: there is no end to the word"),
        (binary(NAMES, with_nan()), "byte 41: the vector of 'dog' is not finite"),
        (TEXT[: TEXT.rindex(b"cat")], "line 1 claims 5 words, but 4 lines follow"),
        (TEXT + LINES[0], "line 1 claims 5 words, but 6 lines follow"),
        (text(NAMES, with_nan()), "line 3: the vector of 'dog' is not finite"),
        (glove(NAMES, with_nan()), "line 2: the vector of 'dog' is not finite"),
        (GLOVE + b"the 1 2 3 4 5 6 1e99\ndog 1 2 3 4 5 6\n".replace(b"dog", b"absent"), "line 7: wanted 7 numbers after 'absent', got 6"),
        (GLOVE.replace(b"cat ", b"cat 0.5 "), "line 5: wanted 7 numbers after 'cat', got 8"),
        (GLOVE.replace(b"cat ", b"cat x"), "line 5: wanted 7 numbers after 'cat'"),
        (GLOVE + b"absent 1 2 3 4 5 6 1e99\n", "line 6: the vector of 'absent' is not finite"),
        (GLOVE + b"x" * (2 << 24), "a line is too long"),
        (gzip.compress(GLOVE, mtime=0)[:-20], "cannot read word vectors in"),
        (gzip.compress(GLOVE, mtime=0)[:30] + bytes(30), "cannot read word vectors in"),
        (b"\x1f\x8b\x08", "cannot read word vectors in"),
        (b"PK\x03\x04" + bytes(99), "no readable .npy or .npz"),
    ],
    ids=lambda value: "file" if isinstance(value, bytes) else value[:40],
)  # fmt: skip
def test_damaged_file_is_one_line_naming_it(file, content, message):
    path = file(content)
    with pytest.raises(InputError, match=message) as caught:
        read_vectors(path, WANTED)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_vectors(tmp_path / "absent.bin", WANTED)


@pytest.mark.parametrize("seed", range(40))
def test_mutated_files_end_in_vectors_or_an_input_error(file, seed):
    draw = np.random.default_rng(seed)
    content = bytearray([BINARY, TEXT, GLOVE, gzip.compress(BINARY, mtime=0)][seed % 4])
    for at in draw.integers(len(content), size=3):
        content[at] = draw.integers(256)
    try:
        found = read_vectors(file(bytes(content[: draw.integers(1, len(content) + 1)])), WANTED)
    except InputError:
        return
    assert np.isfinite(found.vectors).all()
    assert set(found.words) <= WANTED


def test_large_files_show_progress_and_small_ones_do_not(file, monkeypatch, capsys):
    path = file(BINARY)
    read_vectors(path, WANTED)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(vector_files, "_LARGE", 10)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert read_vectors(path, WANTED).words == ("dog", "Übung", "cat")
    out, err = capsys.readouterr()
    assert out == ""
    assert "reading vectors" in err

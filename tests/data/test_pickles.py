"""The converter: what people's pickles hold comes out as .npy, and nothing they ask for is executed."""

import collections
import os
import pickle
import struct
import subprocess

import numpy as np
import pytest

from msl.data.arrays import read_arrays
from msl.data.pickles import convert_pickle
from msl.types import InputError

ROWS = np.arange(12.0).reshape(4, 3) / 8


@pytest.fixture
def convert(tmp_path):
    """Convert an object, or the bytes of a pickle; gives the arrays by the stem of their new files."""

    def convert(content, name="train_img_feats.pkl", protocol=None):
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol))
        files = convert_pickle(file, tmp_path / "out")
        assert sorted(files) == sorted((tmp_path / "out").iterdir())
        return {new.stem: np.load(new, allow_pickle=False) for new in files}

    return convert


def refused(convert, content, *words):
    with pytest.raises(InputError) as caught:
        convert(content)
    one_line(caught.value)
    for word in words:
        assert word in str(caught.value)


def one_line(error):
    """The message is one line with the file and a remedy."""
    assert str(error).isprintable()
    assert "train_img_feats.pkl" in str(error)
    assert "; " in str(error)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("kind", ["float32", ">f8", "int64", "bool", "U3"])
def test_an_array_by_every_protocol(kind, protocol, convert):
    array = ROWS.astype(kind)
    (name, found), *rest = convert(array, protocol=protocol).items()
    assert (name, rest) == ("train_img_feats", [])
    assert found.dtype == array.dtype.newbyteorder("=")
    assert np.array_equal(found, array)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_fortran_order_and_numpys_scalars(protocol, convert):
    found = convert({"f": np.asfortranarray(ROWS), "s": np.float32(0.5)}, protocol=protocol)
    assert np.array_equal(found["f"], ROWS)
    assert found["s"].tolist() == [0.5]


def of_python_2(array):
    """What Python 2's cPickle wrote for a matrix of doubles, protocol 2: its bytes are a Python 2 string."""
    content = array.tobytes()
    return b"".join(
        [
            b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03(K\x01",
            b"K%cK%c\x86" % array.shape,
            b"cnumpy\ndtype\nq\x04U\x02f8K\x00K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
            b"\x89T" + struct.pack("<i", len(content)) + content + b"tb.",
        ]
    )


def test_a_pickle_of_python_2_as_acmr_ships_them(convert):
    assert np.array_equal(convert(of_python_2(ROWS))["train_img_feats"], ROWS)


@pytest.mark.parametrize("core", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_both_homes_of_numpys_arrays(core, convert):
    assert np.array_equal(convert(of_python_2(ROWS).replace(b"numpy.core.multiarray", core))["train_img_feats"], ROWS)


def test_both_homes_of_numpys_buffers(convert):
    content = pickle.dumps(ROWS, protocol=5)
    assert b"numpy._core.numeric" in content
    old = content.replace(b"\x8c\x13numpy._core.numeric", b"\x8c\x12numpy.core.numeric")
    old = old[:3] + struct.pack("<Q", struct.unpack("<Q", old[3:11])[0] - 1) + old[11:]
    assert np.array_equal(convert(old)["train_img_feats"], ROWS)


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ([1, 2, 3], [1, 2, 3]),
        ([np.int64(1), np.int64(2)], [1, 2]),
        ([[1, 2], [3, 4]], [[1, 2], [3, 4]]),
        ([ROWS[0], ROWS[1]], ROWS[:2]),
        ((ROWS, ROWS), np.stack([ROWS, ROWS])),
        (np.array([None, None], object), None),
        (["cat", "dög"], ["cat", "dög"]),
        ("word", ["word"]),
        (3.5, [3.5]),
    ],
)
def test_lists_and_single_values(content, wanted, convert):
    if wanted is None:
        return refused(convert, content, "items that do not make an array")
    found = convert(content)["train_img_feats"]
    assert np.array_equal(found, wanted)
    return None


def test_an_array_of_objects_is_stacked_when_its_rows_are_equally_long(convert):
    rows = np.empty(4, object)
    rows[:] = list(ROWS)
    assert np.array_equal(convert(rows)["train_img_feats"], ROWS)
    rows[0] = ROWS[0, :2]
    refused(convert, rows, "do not make an array")


def test_keys_of_dicts_name_the_files(convert):
    content = collections.OrderedDict({"img": ROWS, b"txt": ROWS[:, :1], 3: [1, 2], "inner": {"lab": np.arange(4)}})
    found = convert(dict(content))
    assert found.keys() == {"img", "txt", "3", "inner.lab"}
    assert np.array_equal(found["txt"], ROWS[:, :1])


def test_what_it_writes_is_what_read_arrays_reads(convert, tmp_path):
    convert(ROWS)
    assert np.array_equal(read_arrays(tmp_path / "out" / "train_img_feats.npy")["train_img_feats"], ROWS)


class Asks:
    """An object whose pickle calls something."""

    def __init__(self, callee, *arguments):
        self.call = callee, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    ("callee", "arguments", "name"),
    [
        (os.system, ("touch {}",), "posix.system"),
        (subprocess.Popen, (["touch", "{}"],), ".Popen"),
        (eval, ("open({!r}, 'w')",), "eval"),
        (getattr, (ROWS, "tofile"), "getattr"),
        (__import__, ("os",), "__import__"),
        (np.load, ("{}",), "numpy.load"),
        (np.memmap, ("{}",), "numpy.memmap"),
        (collections.Counter, ("aab",), "collections.Counter"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_anything_else_is_refused_by_name_and_not_called(callee, arguments, name, protocol, convert, tmp_path):
    touched = tmp_path / "touched"
    given = [each.format(str(touched)) if isinstance(each, str) else each for each in arguments]
    refused(convert, pickle.dumps({"x": ROWS, "y": Asks(callee, *given)}, protocol=protocol), name)
    assert not touched.exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy.lib.npyio\nload\n(S'x'\ntR.",
        b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93.",  # a dotted name reaches into a class
        b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00xX\x06\x00\x00\x00rot_13\x86R.",
        b"\x80\x02cnumpy\nndarray\n(tR.",
        b"\x80\x02U\x01xQ.",  # a persistent id
        b"\x80\x02\x82\x01.",  # an extension's code
        b"\x80\x05\x97.",  # a buffer from outside
        b"",
        b"\x80\x02",
        b"K\x01.K\x02.",
        pickle.dumps(None),
        pickle.dumps({}),
        pickle.dumps([]),
        pickle.dumps([1, "a"]),
        pickle.dumps([[1, 2], [3]]),
        pickle.dumps({"../up": ROWS}),
        pickle.dumps({"/tmp/x": ROWS}),
        pickle.dumps({".hidden": ROWS}),
        pickle.dumps({"a\nb": ROWS}),
        pickle.dumps({"": ROWS, "train_img_feats": ROWS}),
        pickle.dumps({1: ROWS, "1": ROWS}),
        pickle.dumps(ROWS.astype([("a", "f8")])),
        pickle.dumps(ROWS.astype("M8[s]")),
    ],
    ids=range(23),
)
def test_hostile_and_useless_pickles_are_refused(content, convert, tmp_path):
    refused(convert, content)
    assert not (tmp_path / "out").exists()


def test_dicts_in_circles_and_lists_that_explode_are_refused(convert):
    circle = {}
    circle["again"] = circle
    refused(convert, circle, "nested deeper")
    laughs = [1.0] * 10
    for _ in range(12):
        laughs = [laughs] * 10
    refused(convert, laughs, "MiB of arrays")
    endless = []
    endless.append(endless)
    refused(convert, endless, "nested deeper")


@pytest.mark.parametrize("seed", range(3))
def test_mutated_pickles_give_arrays_or_one_line(seed, convert, tmp_path):
    rng = np.random.default_rng(seed)
    for content in (of_python_2(ROWS), pickle.dumps({"x": ROWS, "y": [1, 2]})):
        for _ in range(20):
            mutated = bytearray(content)
            for place in rng.integers(0, len(content), 3):
                mutated[place] = rng.integers(0, 256)
            try:
                found = convert(bytes(mutated))
            except InputError as error:
                one_line(error)
            else:
                assert all(array.dtype.kind in "biufcU" for array in found.values())
            for file in (tmp_path / "out").glob("*"):
                file.unlink()


def test_nothing_is_overwritten(convert, tmp_path):
    convert(ROWS)
    with pytest.raises(InputError, match=r"train_img_feats\.npy is there already; remove it"):
        convert(ROWS + 1)
    assert np.array_equal(np.load(tmp_path / "out" / "train_img_feats.npy"), ROWS)


@pytest.mark.parametrize("name", ["model.pt", "a.joblib", "a.npy"])
def test_only_pickles_are_converted(name, convert):
    with pytest.raises(InputError, match=r"wanted a pickle \(\.pkl, \.pickle\)"):
        convert(ROWS, name=name)

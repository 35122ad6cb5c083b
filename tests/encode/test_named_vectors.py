import numpy as np
import pytest

from msl.encode.named_vectors import read_named
from msl.types import InputError


@pytest.mark.parametrize(
    "content",
    ["cat,1,2\ndog,3,4\n", "class,furry,loud\ncat,1,2\ndog,3,4", "\ufeffname,a,b\r\ncat,1,2\r\n\r\n\"dog\",3,4\r\n"],
    ids=["plain", "with a heading", "as spreadsheets write it"],
)  # fmt: skip
def test_csv(tmp_path, content):
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    found = read_named(tmp_path / "a.csv")
    assert found.names == ("cat", "dog")
    assert found.vectors.dtype == np.float32
    np.testing.assert_array_equal(found.vectors, [[1, 2], [3, 4]])


def test_npz_with_names_and_arrays_without(tmp_path):
    vectors = np.arange(6).reshape(2, 3)
    np.savez(tmp_path / "named.npz", names=np.array(["cat", "dog"]), vectors=vectors, source=np.array("here"))
    np.savez(tmp_path / "single.npz", vectors > 2)
    np.save(tmp_path / "single.npy", vectors)
    assert read_named(tmp_path / "named.npz").names == ("cat", "dog")
    for name, wanted in (("single.npz", vectors > 2), ("single.npy", vectors)):
        found = read_named(tmp_path / name)
        assert found.names is None
        np.testing.assert_array_equal(found.vectors, wanted)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no line with a name and numbers"),
        ("class,a,b\n", "has no line with a name and numbers"),
        ("cat,1,2\ndog,3\n", "line 2: wanted 2 numbers after the name"),
        ("cat,1,x\ndog,3,4\n", "line 1: wanted numbers after the name"),
        ("class,a\ncat,1\ndog,x\n", "line 3: wanted 1 numbers after the name"),
        ("class\ncat\n", "line 2: wanted numbers after the name"),
        ("cat,1\ndog,nan\n", "the vector of 'dog' is not finite"),
        ("cat,1e99\n", "the vector of 'cat' is not finite"),
        (b"\xff\xfe\x00", "cannot read"),
    ],
)  # fmt: skip
def test_bad_csv_is_named(tmp_path, content, message):
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=message) as caught:
        read_named(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"names": np.array(["cat"]), "vectors": np.eye(2)}, "1 names but 2 vectors"),
        ({"names": np.array(["cat"]), "other": np.eye(2)}, "holds the arrays names, other"),
        ({"vectors": np.ones(3)}, r"got shape \(3,\)"),
        ({"vectors": np.empty((2, 0))}, r"got shape \(2, 0\)"),
        ({"vectors": np.array([["a"]])}, "got shape"),
        ({"vectors": np.array([[1.0], [np.inf]])}, "row 1 is not finite"),
        ({"vectors": np.array([[{}]])}, "without pickled objects"),
    ],
    ids=["counts", "keys", "vector", "empty", "strings", "infinite", "pickled"],
)  # fmt: skip
def test_bad_arrays_are_named(tmp_path, arrays, message):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(InputError, match=message):
        read_named(tmp_path / "a.npz")


@pytest.mark.parametrize("name", ["absent.npz", "junk.npz", "junk.npy", "cut.npz"])
def test_missing_or_damaged_files_are_named(tmp_path, name):
    np.savez(tmp_path / "cut.npz", vectors=np.eye(9))
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:200])
    for junk in ("junk.npz", "junk.npy"):
        (tmp_path / junk).write_bytes(b"junk")
    with pytest.raises(InputError, match=name):
        read_named(tmp_path / name)

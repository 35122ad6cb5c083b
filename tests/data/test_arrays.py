"""Every format, as the programs people use write it."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from msl.data.arrays import SUFFIXES, check_finite, read_arrays
from msl.data.parsing import process
from msl.types import InputError

REAL = Path(__file__).resolve().parents[2].parent / "shared" / "data"
ROWS = np.arange(12.0).reshape(4, 3) / 8
WORDS = np.array(["cat", "polar bear", "", "Žížala 🐛"])


def same(found, wanted):
    """Equal names, types, shapes and values."""
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        values = np.asarray(values)
        assert found[name].shape == values.shape, name
        assert found[name].dtype.kind == values.dtype.kind, name
        assert values.dtype.kind == "U" or found[name].dtype == values.dtype, name
        assert np.array_equal(found[name], values), name
    return True


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(path, *words):
    with pytest.raises(InputError) as caught:
        read_arrays(path)
    message = str(caught.value)
    assert message.isprintable()
    assert path.name in message
    for word in words:
        assert word in message, message
    return message


# .npy and .npz


@pytest.mark.parametrize("kind", ["float16", "float64", ">f4", "uint8", "int64", "bool", "complex64", "U5"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_as_it_is_stored(kind, order, tmp_path):
    array = np.asarray(ROWS.astype(kind), order=order)
    np.save(tmp_path / "sound.npy", array)
    found = read_arrays(tmp_path / "sound.npy")
    assert same(found, {"sound": array})
    assert not found["sound"].flags.writeable


@pytest.mark.parametrize("shape", [(0,), (0, 5), (3, 0), ()])
def test_npy_of_odd_shapes(shape, tmp_path):
    np.save(tmp_path / "odd.npy", np.ones(shape, np.float32))
    assert same(read_arrays(tmp_path / "odd.npy"), {"odd": np.ones(shape, np.float32)})


def test_npy_of_python_2_and_a_suffix_in_capitals(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4L, 3L), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + ROWS.tobytes()
    assert same(read_arrays(written(tmp_path, "OLD.NPY", content)), {"OLD": ROWS})


def test_bytes_are_decoded(tmp_path):
    np.save(tmp_path / "names.npy", np.array([word.encode() for word in WORDS]))
    assert same(read_arrays(tmp_path / "names.npy"), {"names": WORDS})


def private_memory():
    """Kilobytes that belong to this process alone."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("RssAnon")))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is told by Linux's /proc")
@pytest.mark.parametrize(("suffix", "rows"), [(".npy", 100_000), (".npz", 25_000)], ids=["npy-200-mb", "npz-50-mb"])
def test_large_arrays_cost_no_private_memory(suffix, rows, tmp_path):
    path = tmp_path / f"large{suffix}"
    large = np.lib.format.open_memmap(tmp_path / "large.npy", "w+", np.float16, (rows, 1024))
    large[-1, -1] = 3
    if suffix == ".npz":
        np.savez(path, large=large)
    del large
    before = private_memory()
    array = read_arrays(path)["large"]
    check_finite(array, "large")
    assert private_memory() - before < 30_000
    assert array.shape == (rows, 1024)
    assert array[-1, -1] == 3


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(save, tmp_path):
    arrays = {
        "image": ROWS.astype(np.float16),
        "names": WORDS,
        "label": np.arange(4),
        "../up": ROWS,
        "once": np.array(7),
    }
    save(tmp_path / "features.npz", **arrays)
    assert same(read_arrays(tmp_path / "features.npz"), arrays)
    assert [each.name for each in tmp_path.iterdir()] == ["features.npz"]


def test_real_npz_as_numpy_reads_it():
    file = REAL / "exercises" / "features.npz"
    if not file.exists():
        pytest.skip("the exercises' features are not beside the repository")
    with np.load(file) as arrays:
        assert same(read_arrays(file), dict(arrays))


# .mat


@pytest.mark.parametrize("version", ["4", "5"])
@pytest.mark.parametrize("compressed", [False, True])
def test_mat_numbers(version, compressed, tmp_path):
    arrays = {"I_tr": ROWS, "big": np.arange(6.0).reshape(1, 6)}
    if version == "5":
        arrays |= {
            "single": ROWS.astype(np.float32),
            "label": np.arange(4, dtype=np.int8)[None],
            "bytes": np.uint8([[9]]),
        }
    scipy.io.savemat(tmp_path / "a.mat", arrays, format=version, do_compression=compressed)
    assert same(read_arrays(tmp_path / "a.mat"), arrays)


def test_mat_text_structs_cells_and_sparse_matrices(tmp_path):
    cells = np.empty((4, 1), object)
    cells[:, 0] = WORDS
    mixed = np.empty(2, object)
    mixed[:] = ["a", 1.0]
    content = {
        "cells": cells, "padded": np.array(["cat", "horse"]), "word": "one", "mixed": mixed,
        "set": {"x": ROWS, "inner": {"names": cells}}, "sparse": scipy.sparse.csc_matrix(ROWS),
    }  # fmt: skip
    scipy.io.savemat(tmp_path / "a.mat", content)
    wanted = {
        "cells": WORDS, "padded": ["cat", "horse"], "word": ["one"],
        "set.x": ROWS, "set.inner.names": WORDS, "sparse": ROWS,
    }  # fmt: skip
    assert same(read_arrays(tmp_path / "a.mat"), wanted)


@pytest.mark.parametrize("name", ["raw_features.mat", "texts.wiki.doc2vec.300.mat", "splits/split.wikipedia.DADN.mat"])
def test_real_mat_as_scipy_reads_it(name):
    file = REAL / "wikipedia" / name
    if not file.exists():
        pytest.skip("the Wikipedia features are not beside the repository")
    wanted = {key: values for key, values in scipy.io.loadmat(file).items() if not key.startswith("__")}
    assert same(read_arrays(file), wanted)


@pytest.fixture
def matlab(tmp_path):
    """A file as MATLAB 7.3 writes it: HDF5 behind a block of 512 bytes, everything transposed, cells as references."""
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "v73.mat"
    file = h5py.File(path, "w", userblock_size=512)

    def put(name, values, kind, parent=file, **attributes):
        made = parent.create_dataset(name, data=values)
        made.attrs["MATLAB_class"] = np.bytes_(kind)
        for key, value in attributes.items():
            made.attrs[key] = value
        return made

    def string(name, word):
        codes = np.frombuffer(word.encode("utf-16-le"), "<u2")[:, None]
        if not word:
            return put(name, np.array([0, 0], "u8"), "char", file.require_group("#refs#"), MATLAB_empty=np.uint8(1))
        return put(name, codes, "char", file.require_group("#refs#"), MATLAB_int_decode=np.int32(2))

    def done():
        file.close()
        with path.open("r+b") as stream:
            stream.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
        return path

    file.put, file.string, file.done = put, string, done
    yield file
    file.close()


def test_mat_7_3_is_turned_back_to_rows_and_columns(matlab):
    h5py = pytest.importorskip("h5py")
    matlab.put("images", ROWS.T.astype(np.float32), "single")
    matlab.put("flag", np.array([[1, 0]], "u1"), "logical", MATLAB_int_decode=np.int32(1))
    matlab.put("none", np.array([0, 5], "u8"), "double", MATLAB_empty=np.uint8(1))
    matlab.put("padded", np.array([list(b"ca"), list(b"ao"), list(b"tw")], "u2"), "char")
    matlab.put("names", [[matlab.string(str(n), word).ref for n, word in enumerate(WORDS)]], "cell")
    matlab["names"].attrs["H5PATH"] = "/"
    inner = matlab.create_group("set")
    inner.attrs["MATLAB_class"] = np.bytes_("struct")
    matlab.put("x", ROWS.T, "double", inner)
    number = matlab.put("n", ROWS, "double", matlab["#refs#"])
    matlab.put("numbers", np.array([[number.ref]], h5py.ref_dtype), "cell")
    columns = scipy.sparse.csc_matrix(ROWS)
    sparse = matlab.create_group("sparse")
    sparse.attrs.update({"MATLAB_class": np.bytes_("double"), "MATLAB_sparse": np.uint64(4)})
    for key, values in {"jc": columns.indptr, "ir": columns.indices, "data": columns.data}.items():
        sparse.create_dataset(key, data=values)
    wanted = {
        "images": ROWS.astype(np.float32), "flag": np.array([[1], [0]], "u1"), "none": np.empty((0, 5)),
        "padded": ["cat", "aow"], "names": WORDS, "set.x": ROWS, "sparse": ROWS,
    }  # fmt: skip
    assert same(read_arrays(matlab.done()), wanted)


# HDF5


@pytest.mark.parametrize("suffix", [".h5", ".hdf5", ".h5py", ".hdf"])
def test_hdf5_groups_types_and_text(suffix, tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / f"deep{suffix}"
    with h5py.File(path, "w") as file:
        file["train/image"] = ROWS.astype(np.float16)
        file["train/again"] = file["train/image"]  # a hard link
        file["soft"] = h5py.SoftLink("/train/image")
        file["names"] = WORDS.astype(object)
        file["fixed"] = np.array([b"cat", b"dog"])
        file["flag"] = np.array([True, False])
        file["one"] = 7
        file["record"] = np.zeros(3, [("a", "f4"), ("b", "i4")])
        file.create_dataset("packed", data=ROWS, chunks=(2, 3), compression="gzip")
        file["big"] = ROWS.astype(">f8")
    wanted = {
        "train/image": ROWS.astype(np.float16), "train/again": ROWS.astype(np.float16), "names": WORDS,
        "fixed": ["cat", "dog"], "flag": [True, False], "one": 7, "packed": ROWS, "big": ROWS,
    }  # fmt: skip
    assert same(read_arrays(path), wanted)


# .csv, .tsv, .txt


@pytest.mark.parametrize("mark", [",", ";", "\t", " ", "   "], ids=["comma", "semicolon", "tab", "blank", "blanks"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"], ids=["lf", "crlf", "blank-line-at-the-end"])
def test_a_headerless_table_of_numbers(mark, end, tmp_path):
    lines = [mark.join(map(repr, row)) for row in ROWS.tolist()]
    assert same(read_arrays(written(tmp_path, "image.csv", ("\n".join(lines)) + end)), {"image": ROWS})


def test_what_savetxt_writes(tmp_path):
    np.savetxt(tmp_path / "image.txt", ROWS)
    assert same(read_arrays(tmp_path / "image.txt"), {"image": ROWS})


def test_a_header_sets_ids_labels_and_text_apart(tmp_path):
    text = '\ufeffid,x,Label,"caption, long",y,split\r\n001,.5,3,"a ""b"", c",-1e-3,train\r\n002,1,4,d,2.,test\r\n'
    wanted = {
        "set": [[0.5, -1e-3], [1, 2]], "id": ["001", "002"], "Label": np.array([3, 4]),
        "caption, long": ['a "b", c', "d"], "split": ["train", "test"],
    }  # fmt: skip
    assert same(read_arrays(written(tmp_path, "set.csv", text)), wanted)


@pytest.mark.parametrize(
    ("header", "extra"),
    [
        ("0,1,2", {}),
        (",0,1,2", {"index": np.array([7, 8])}),
        ("label,0,1,2", {"label": np.array([7, 8])}),
        ("a,b,c", {}),
    ],
)
def test_headers_as_pandas_writes_them(header, extra, tmp_path):
    rows = ["7," * bool(extra) + "1,2,3", "8," * bool(extra) + "4,5,6"]
    found = read_arrays(written(tmp_path, "f.csv", "\n".join([header, *rows])))
    assert same(found, {"f": [[1.0, 2, 3], [4, 5, 6]]} | extra)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("1\n2\n", {"f": [[1.0], [2.0]]}),
        ("cat\npolar bear\nhorse\n", {"f": ["cat", "polar bear", "horse"]}),
        ("label\n1\n2\n", {"label": np.array([1, 2])}),
        ("a.jpg,1,2\nb.jpg,3,4\n", {"column1": ["a.jpg", "b.jpg"], "f": [[1.0, 2], [3, 4]]}),
        ("1,2\n", {"f": [[1.0, 2]]}),
        ("id,class\n7,cat\n8,dog\n", {"id": np.array([7, 8]), "class": ["cat", "dog"]}),
        ("id,x\n-1,1\n0,2\n", {"id": np.array([-1, 0]), "f": [[1.0], [2.0]]}),
    ],
)
def test_small_tables(text, wanted, tmp_path):
    assert same(read_arrays(written(tmp_path, "f.csv", text)), wanted)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2\n3\n", ["line 2 has 1 cells", "wanted 2"]),
        ("1,2\n3,4,5\n", ["line 2 has 3 cells"]),
        ("1,2\n3,\n", ["line 2, column 2", "empty"]),
        ("1,nan\n3,4\n", ["line 1, column 2", "'nan'"]),
        ("x,y\n1,2\n-inf,4\n", ["line 3, column 1", "'-inf'"]),
        ("1,2\n3,1e400\n", ["line 2, column 2", "'1e400'"]),
        ("1,2\n3,4_0\n", ["line 2, column 2", "'4_0'"]),
        ("1,2\n3,٤\n", ["line 2, column 2"]),
        ("1,2\n3,cat\n", ["line 2, column 2", "'cat'"]),
        ("1,2\n\n3,4\n", ["line 2 is blank"]),
        ("x,x,y\na,b,1\nc,d,2\n", ["two columns are called 'x'"]),
        ("x,name,y\n1,cat,2\n3,,4\n", ["line 3, column 2", "empty"]),
        ("x,,y\n1,2,3\n", ["line 1, column 2"]),
        ("label,x\n", ["header", "no row"]),
        ("\n\n", ["no rows"]),
        ('1,2\n"3,4\n', ["cannot be read"]),
        (b"1,2\n\xff,4\n", ["cannot be read"]),
        ("f,x\na,1\nb,2\n", ["'f'"]),
        ("id;x;y\n1;0,5;-2,25\n2;1,5;3,0\n", ["column 'x' writes numbers with a comma, as 0,5", "write.csv2"]),
    ],
)
def test_faulty_tables_name_line_and_column(text, words, tmp_path):
    refused(written(tmp_path, "f.csv", text), *words)


def test_a_fault_far_down_is_found(tmp_path):
    lines = ["1,2,3"] * 5000
    lines[4321] = "1,2,x"
    refused(written(tmp_path, "f.csv", "\n".join(lines)), "line 4322, column 3", "'x'")


# .parquet


def test_parquet(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    columns = {
        "id": pa.array([7, 8, 9]), "x": pa.array([1, 2, 3], pa.float32()), "y": pa.array([4, 5, 6], pa.float32()),
        "words": pa.array(["a", "b", "é"]), "kinds": pa.array(["a", "b", "a"]).dictionary_encode(),
        "image": pa.array([[1.0, 2], [3, 4], [5, 6]], pa.list_(pa.float16())),
        "text": pa.array([[1, 2], [3, 4], [5, 6]], pa.list_(pa.int8(), 2)),
        "__index_level_0__": pa.array([0, 1, 2]),
    }  # fmt: skip
    pq.write_table(pa.table(columns), tmp_path / "set.parquet", row_group_size=2)
    wanted = {
        "set": np.array([[1, 4], [2, 5], [3, 6]], np.float32), "id": np.array([7, 8, 9]), "words": ["a", "b", "é"],
        "kinds": ["a", "b", "a"], "image": np.array([[1, 2], [3, 4], [5, 6]], np.float16),
        "text": np.array([[1, 2], [3, 4], [5, 6]], np.int8), "__index_level_0__": np.arange(3),
    }  # fmt: skip
    assert same(read_arrays(tmp_path / "set.parquet"), wanted)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([1.0, None], ["'x'", "row 1 is null"]),
        ([[1.0], [1.0, 2.0]], ["'x'", "row 1 has 2 numbers"]),
        ([[1.0, 2.0], [1.0, None]], ["'x'", "row 1 holds a null"]),
        ([["a"], ["b"]], ["'x'", "list"]),
        ([{"a": 1}, {"a": 2}], ["'x'", "struct"]),
    ],
)
def test_faulty_parquet_names_column_and_row(values, words, tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"x": values}), tmp_path / "f.parquet")
    refused(tmp_path / "f.parquet", *words)


# what is refused by its name


@pytest.mark.parametrize("suffix", [".pkl", ".pickle", ".PKL"])
def test_pickles_are_refused_with_the_converter(suffix, tmp_path):
    path = written(tmp_path, f"train{suffix}", b"cos\nsystem\n(S'true'\ntR.")
    refused(path, "executes code", f"msl data convert {path} out=FOLDER")


@pytest.mark.parametrize("suffix", [".pt", ".pth", ".ckpt", ".joblib"])
def test_other_files_of_code_are_refused(suffix, tmp_path):
    refused(written(tmp_path, f"train{suffix}", b"x"), "executes code", "numpy.save")


def test_another_suffix_is_refused_with_those_that_are_read(tmp_path):
    refused(written(tmp_path, "a.docx", b"x"), *SUFFIXES)


# finite rows


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 17_000, 20_001])
def test_the_first_row_that_is_not_finite_is_named(value, row):
    array = np.zeros((20_002, 512), np.float16)
    array[row, 3] = array[-1, 1] = value
    with pytest.raises(InputError, match=rf"^x.npy: row {row} holds NaN or infinity; "):
        check_finite(array, "x.npy")


@pytest.mark.parametrize("array", [ROWS, np.array(1.0), np.zeros((0, 3)), np.arange(3), WORDS, np.zeros((3, 0))])
def test_finite_arrays_and_those_that_cannot_be_otherwise_pass(array):
    check_finite(array, "x")


# the process


@pytest.fixture
def mat(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"x": ROWS})
    return tmp_path / "a.mat"


def test_it_is_kept_and_comes_back_when_killed(mat):
    read_arrays(mat)
    first = process._running._process.pid
    read_arrays(mat)
    assert process._running._process.pid == first
    os.kill(first, signal.SIGKILL)
    assert same(read_arrays(mat), {"x": ROWS})
    assert process._running._process.pid != first


def test_threads_share_it(mat):
    found = []
    threads = [threading.Thread(target=lambda: found.append(read_arrays(mat)["x"])) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert all(np.array_equal(array, ROWS) for array in found)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_fork_starts_its_own(mat):
    read_arrays(mat)
    ours = process._running._process.pid
    fork = multiprocessing.get_context("fork")
    queue = fork.SimpleQueue()
    child = fork.Process(target=lambda: queue.put((read_arrays(mat)["x"].sum(), process._running._process.pid)))
    child.start()
    total, theirs = queue.get()
    child.join()
    assert total == ROWS.sum()
    assert theirs != ours
    read_arrays(mat)
    assert process._running._process.pid == ours


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


SLOW = """
import sys
from msl.data.parsing import process
from msl.data.arrays import read_arrays
from pathlib import Path
read_arrays(Path(sys.argv[1]))
print(process._running._process.pid, flush=True)
read_arrays(Path(sys.argv[2]))
"""


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are told by Linux's /proc")
def test_it_ends_with_its_parent_and_leaves_nothing(mat, tmp_path):
    long = written(tmp_path, "long.csv", "1,2,3\n" * 4_000_000)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    parent = subprocess.Popen(
        [sys.executable, "-c", SLOW, mat, long], stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": str(temporary)}
    )
    with parent:
        pid = int(parent.stdout.readline())
        children = Path(f"/proc/{pid}/task/{pid}/children")
        deadline = time.monotonic() + 20
        while not children.read_text().split() and time.monotonic() < deadline:
            time.sleep(0.01)
        worker = int(children.read_text().split()[0])
        parent.kill()
    while (alive(pid) or alive(worker)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(pid)
    assert not alive(worker)
    assert list(temporary.iterdir()) == []


def test_it_loads_neither_torch_nor_what_the_file_does_not_need(tmp_path):
    np.savez(tmp_path / "a.npz", x=ROWS)
    code = (
        "import sys; from pathlib import Path; from msl.data.arrays import read_arrays; read_arrays(Path(sys.argv[1]))"
    )
    watch = "; print(sorted({'torch', 'scipy', 'h5py', 'pyarrow'} & set(sys.modules)))"
    ran = subprocess.run(
        [sys.executable, "-c", code + watch, tmp_path / "a.npz"], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"
    assert ran.stderr == ""


def test_a_missing_library_is_one_line_with_the_remedy(mat, monkeypatch):
    process.stop()
    blocked = process._START.replace("from msl", "sys.modules['scipy'] = None; from msl", 1)
    monkeypatch.setattr(process, "_START", blocked)
    refused(mat, "scipy", "pip install 'msl[files]'")
    process.stop()

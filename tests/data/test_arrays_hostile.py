"""Files that are damaged or made to harm: every one gives arrays or a line, and never a crash, a wait or another file."""

import functools
import io
import os
import pickle
import struct
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io
import scipy.sparse

from msl.data.arrays import read_arrays
from msl.data.pairs import checked_features
from msl.data.parsing import process
from msl.types import InputError

ITEMS, SIZE = 12, 5
ROWS = np.random.default_rng(0).standard_normal((ITEMS, SIZE))
LABELS = np.arange(ITEMS) % 3
MUTATIONS, GROUP = 500, 50
MEBIBYTE = 2**20


def refused(path, *words):
    with pytest.raises(InputError) as caught:
        read_arrays(path)
    message = str(caught.value)
    assert message.isprintable()
    assert path.name in message
    assert "; " in message
    for word in words:
        assert word in message, message
    return message


def one_line(error, path):
    """The message is one short line with the file and a remedy."""
    message = str(error)
    assert message.isprintable(), message
    assert len(message) < 1000, message
    assert str(path) in message, message
    assert "; " in message, message


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return path


# 2,000 mutated files


@functools.cache
def valid_mat(compressed):
    buffer = io.BytesIO()
    cells = np.empty(2, object)
    cells[:] = ["cat", "dog"]
    content = {"x": ROWS, "label": LABELS[None], "names": cells, "s": {"f": ROWS[:1]}, "p": scipy.sparse.eye(3).tocsc()}
    scipy.io.savemat(buffer, content, do_compression=compressed)
    return b"MATLAB 5.0 MAT-file".ljust(116) + buffer.getvalue()[116:]  # without the time


@functools.cache
def valid_npz(compressed):
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, x=ROWS, label=LABELS, names=np.array(["cat", "dog"]))
    return buffer.getvalue()


@functools.cache
def valid_h5(compressed):
    h5py = pytest.importorskip("h5py")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        packed = {"chunks": (4, SIZE), "compression": "gzip", "fletcher32": True} if compressed else {}
        file.create_dataset("x", data=ROWS if compressed else ROWS.T, **packed)
        file["label"] = LABELS
        file["deep/names"] = np.array(["cat", "dog"], object)
        if not compressed:
            file["x"].attrs["MATLAB_class"] = np.bytes_("double")
    return buffer.getvalue()


@functools.cache
def valid_csv(header):
    lines = [
        f"img{n},{label}," + ",".join(map(repr, row))
        for n, (label, row) in enumerate(zip(LABELS, ROWS.tolist(), strict=True))
    ]
    lines = lines if header else [line.split(",", 2)[2] for line in lines]
    top = ["id,label," + ",".join(f"f{n}" for n in range(SIZE))] if header else []
    return ("\n".join(top + lines) + "\n").encode()


VALID = {".mat": valid_mat, ".npz": valid_npz, ".h5": valid_h5, ".csv": valid_csv}


def flipped(rng, content):
    for place in rng.integers(0, len(content), rng.integers(1, 9)):
        content[place] ^= 1 << rng.integers(0, 8)
    return content


def replaced(rng, content):
    for place in rng.integers(0, len(content), rng.integers(1, 9)):
        content[place] = rng.choice([0, 1, 127, 128, 255, rng.integers(0, 256)])
    return content


def cut(rng, content):
    return content[: rng.integers(0, len(content))]


def block(rng, content):
    start, length = rng.integers(0, len(content)), rng.integers(1, 65)
    return slice(start, min(len(content), start + length))


def swapped(rng, content):
    one, other = block(rng, content), block(rng, content)
    content[one], content[other] = content[other], content[one]
    return content


def doubled(rng, content):
    part = block(rng, content)
    content[part.stop : part.stop] = content[part]
    return content


def inserted(rng, content):
    place = rng.integers(0, len(content) + 1)
    content[place:place] = rng.bytes(rng.integers(1, 33))
    return content


def taken_out(rng, content):
    del content[block(rng, content)]
    return content


def header_changed(rng, content):
    """A number of four bytes near the start becomes an extreme one."""
    place = rng.integers(0, min(len(content) - 4, 256))
    number = rng.choice([0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x00FFFFFF])
    content[place : place + 4] = struct.pack("<I", number)
    return content


WAYS = (flipped, replaced, cut, swapped, doubled, inserted, taken_out, header_changed)


def as_a_loader_would(arrays):
    """Check what is returned as features and labels the way a loader does; an InputError is a good end."""
    for name, array in arrays.items():
        assert isinstance(array, np.ndarray), name
        assert array.dtype.kind in "biufcU", name
        if array.dtype.kind == "U":
            "".join(array.flat).encode()
    features = next((arrays[name] for name in ("x", "valid") if name in arrays), None)
    if features is None:
        raise InputError("no features; give some")
    matrix = checked_features(features, what="x", rows=ITEMS)
    assert matrix.shape[0] == ITEMS
    assert np.isfinite(matrix).all()


@pytest.mark.parametrize("group", range(MUTATIONS // GROUP))
@pytest.mark.parametrize("suffix", VALID)
def test_mutated_files_give_arrays_or_one_line(suffix, group, tmp_path):
    path = tmp_path / f"valid{suffix}"
    started = time.monotonic()
    read = 0
    for number in range(group * GROUP, (group + 1) * GROUP):
        rng = np.random.default_rng([number, *suffix.encode()])
        content = bytearray(VALID[suffix](number % 2 == 1))
        for way in rng.choice(len(WAYS), rng.integers(1, 3)):
            content = WAYS[way](rng, content or bytearray(b"\0" * 8))
        path.write_bytes(content)
        try:
            arrays = read_arrays(path)
        except InputError as error:
            one_line(error, path)
            continue
        read += 1
        try:
            as_a_loader_would(arrays)
        except InputError as error:
            one_line(error, "")
        if suffix == ".npz" and "x" in arrays:
            assert np.array_equal(arrays["x"], ROWS)  # the archive keeps a sum of every member
    assert read < GROUP
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("suffix", VALID)
@pytest.mark.parametrize("variant", [False, True])
def test_the_files_that_are_mutated_are_good_ones(suffix, variant, tmp_path):
    as_a_loader_would(read_arrays(written(tmp_path, f"valid{suffix}", VALID[suffix](variant))))


def test_any_changed_byte_of_an_npz_arrays_data_is_noticed(tmp_path):
    content = bytearray(valid_npz(False))
    place = content.index(ROWS.tobytes()) + 100
    content[place] ^= 1
    refused(written(tmp_path, "a.npz", content), "CRC")


# paths


def test_a_folder_an_empty_file_and_nothing(tmp_path):
    (tmp_path / "a.npy").mkdir()
    refused(tmp_path / "a.npy", "folder")
    refused(written(tmp_path, "b.mat", b""), "empty")
    refused(tmp_path / "c.h5", "No such file")
    (tmp_path / "d.csv").symlink_to(tmp_path / "nowhere.csv")
    refused(tmp_path / "d.csv", "No such file")
    (tmp_path / "e.csv").symlink_to(tmp_path / "e.csv")
    refused(tmp_path / "e.csv", "symbolic links")
    refused(tmp_path / ("n" * 300 + ".npy"), "too long")
    with pytest.raises(InputError, match="null"):
        read_arrays(Path("a\0.npy"))


@pytest.mark.parametrize("suffix", [".npy", ".csv", ".mat"])
def test_a_pipe_is_not_waited_for(suffix, tmp_path):
    os.mkfifo(tmp_path / f"pipe{suffix}")
    refused(tmp_path / f"pipe{suffix}", "no ordinary file")


def test_a_symbolic_link_and_a_name_in_any_script(tmp_path):
    np.save(tmp_path / "特徴 é.npy", ROWS)
    (tmp_path / "link.npy").symlink_to(tmp_path / "特徴 é.npy")
    assert np.array_equal(read_arrays(tmp_path / "link.npy")["link"], ROWS)
    assert np.array_equal(read_arrays(tmp_path / "特徴 é.npy")["特徴 é"], ROWS)
    np.savetxt(tmp_path / "特徴 é.csv", ROWS, delimiter=",")
    assert np.array_equal(read_arrays(tmp_path / "特徴 é.csv")["特徴 é"], ROWS)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    np.save(tmp_path / "a.npy", ROWS)
    (tmp_path / "a.npy").chmod(0)
    refused(tmp_path / "a.npy", "Permission denied", "permissions")


def test_what_the_system_refuses_is_one_line(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    refused(tmp_path / "a.npy", "Permission denied", "permissions")


@pytest.mark.parametrize("content", [valid_mat(False), valid_npz(False), valid_csv(True), b"\x89PNG\r\n", b"\0" * 999])
@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat", ".h5", ".parquet"])
def test_a_file_of_another_format(suffix, content, tmp_path):
    if content != VALID.get(suffix, lambda _: None)(False):
        refused(written(tmp_path, f"a{suffix}", content))


# .npy


def header_of(text):
    text = text.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1, -60)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (11, 5)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (13, 5)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (12.0, 5)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': " + "(" * 4000 + "}",
        "{'descr': '<U0', 'fortran_order': False, 'shape': (1000000000000,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (12, 5)}",
        "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (12, 5)}",
        "{'descr': ('<f8', (12, 5)), 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '|V8', 'fortran_order': False, 'shape': (12, 5)}",
        "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (12, 5)}",
        "__import__('os')",
    ],
    ids=range(13),
)
def test_headers_of_npy_that_lie(header, tmp_path):
    refused(written(tmp_path, "a.npy", header_of(header) + ROWS.tobytes()))


@pytest.mark.parametrize("length", [1, 5, 9, 60, 127, 128, 300, -1])
def test_npy_cut_short(length, tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, ROWS)
    refused(written(tmp_path, "a.npy", buffer.getvalue()[:length]))


def test_text_outside_unicode(tmp_path):
    words = np.array(["cat", "dog"])
    for code in (0x110000, 0xD800):
        bad = words.view("u4").copy()
        bad[0] = code
        np.save(tmp_path / "a.npy", bad.view("U3"))
        refused(tmp_path / "a.npy", "outside Unicode")
    np.save(tmp_path / "a.npy", np.array([b"\xff"]))
    refused(tmp_path / "a.npy", "not UTF-8")


# .npz


def zipped(path, members, **changes):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content, **changes)
    return path


def npy(array, pickled=False):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=pickled)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("x.npy", npy(ROWS)), ("x.npy", npy(ROWS))], ["two arrays are called 'x'"]),
        ([("x.npy", npy(np.array([{}], object), pickled=True))], ["'x'", "pickled objects"]),
        ([("x.npy", pickle.dumps(ROWS))], ["'x'"]),
        ([("x.pkl", pickle.dumps(ROWS))], ["'x.pkl'", "numpy.savez"]),
        ([("x.npy", npy(ROWS) + b"more")], ["'x'", "damaged"]),
        ([("x\n.npy", npy(ROWS))], ["no name"]),
        ([("\u202ex.npy", npy(ROWS))], ["no name"]),
        ([(".npy", npy(ROWS))], ["no name"]),
        ([], ["no array"]),
    ],
    ids=range(9),
)
def test_archives_that_are_refused(members, words, tmp_path):
    refused(zipped(tmp_path / "a.npz", members), *words)


def test_names_of_members_are_only_names(tmp_path):
    names = ["../up", "/etc/passwd", "C:\\x", "a/b"]
    path = zipped(tmp_path / "a.npz", [(f"{name}.npy", npy(ROWS)) for name in names])
    assert list(read_arrays(path)) == names
    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]


def test_a_bomb_of_zeros_in_an_npz_is_not_inflated(tmp_path):
    head = header_of(f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({300 * MEBIBYTE},)}}")
    with (
        zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x.npy", "w") as member,
    ):
        member.write(head)
        for _ in range(300):
            member.write(bytes(MEBIBYTE))
    assert (tmp_path / "a.npz").stat().st_size < MEBIBYTE
    refused(tmp_path / "a.npz", "300 MiB of arrays", "believed")


def test_a_directory_that_understates_a_bomb(tmp_path):
    path = zipped(tmp_path / "a.npz", [("x.npy", npy(np.zeros(MEBIBYTE)))])
    real, small = struct.pack("<I", len(npy(np.zeros(MEBIBYTE)))), struct.pack("<I", 1000)
    path.write_bytes(path.read_bytes().replace(real, small))
    refused(path)


def test_encrypted_and_other_packed_members(tmp_path):
    refused(zipped(tmp_path / "a.npz", [("x.npy", npy(ROWS))], compress_type=zipfile.ZIP_LZMA), "numpy.savez")
    content = bytearray(zipped(tmp_path / "b.npz", [("x.npy", npy(ROWS))]).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    refused(written(tmp_path, "b.npz", content), "encrypted")


# .mat


def element(kind, content):
    return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)


def mat_of_zeros(rows, columns, *, written_too):
    """A version 5 file with a matrix of doubles in a compressed element; its data may be left out."""
    size = rows * columns * 8
    flags = element(6, struct.pack("<II", 6, 0))
    head = flags + element(5, struct.pack("<ii", rows, columns)) + element(1, b"x") + struct.pack("<II", 9, size)
    deflate = zlib.compressobj(6)
    packed = deflate.compress(struct.pack("<II", 14, len(head) + size) + head)
    for _ in range(size // MEBIBYTE if written_too else 0):
        packed += deflate.compress(bytes(MEBIBYTE))
    packed += deflate.flush()
    start = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H2s", 0x0100, b"IM")
    return start + struct.pack("<II", 15, len(packed)) + packed


@pytest.mark.parametrize("written_too", [True, False], ids=["inflates", "only-declared"])
def test_a_bomb_of_512_mebibytes_in_a_mat(written_too, tmp_path):
    content = mat_of_zeros(8192, 8192, written_too=written_too)
    assert len(content) < MEBIBYTE
    started = time.monotonic()
    refused(written(tmp_path, "a.mat", content), "512 MiB of arrays", "believed")
    assert time.monotonic() - started < 5


def test_the_bomb_is_a_file_that_is_read_when_small(tmp_path):
    arrays = read_arrays(written(tmp_path, "a.mat", mat_of_zeros(512, 512, written_too=True)))
    assert arrays["x"].shape == (512, 512)


def test_a_sparse_matrix_too_large_to_be_dense(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"x": scipy.sparse.csc_matrix((10**6, 10**6))})
    refused(tmp_path / "a.mat", "'x'", "believed")


def test_a_variable_twice(tmp_path):
    scipy.io.savemat(tmp_path / "a.mat", {"x": ROWS})
    content = (tmp_path / "a.mat").read_bytes()
    refused(written(tmp_path, "a.mat", content + content[128:]), "two variables are called 'x'")


# HDF5 and .mat 7.3


@pytest.fixture
def hdf5(tmp_path):
    """An open HDF5 file and another with a secret beside it."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "secret.h5", "w") as other:
        other["x"] = ROWS
    (tmp_path / "secret.raw").write_bytes(ROWS.tobytes())
    with h5py.File(tmp_path / "a.h5", "w") as file:
        yield file


def test_a_link_to_another_file_is_not_followed(hdf5, tmp_path):
    import h5py

    hdf5["x"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/x")
    hdf5.close()
    refused(tmp_path / "a.h5", "'x'", "another file")


def test_a_soft_link_through_a_link_to_another_file_is_not_followed(hdf5, tmp_path):
    import h5py

    hdf5["own"] = ROWS
    hdf5["a"] = h5py.SoftLink("/z/x")
    hdf5["z"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/")
    hdf5.close()
    refused(tmp_path / "a.h5", "'z'", "another file")


def test_data_in_another_file_is_not_read(hdf5, tmp_path):
    hdf5.create_dataset("x", ROWS.shape, "f8", external=[(str(tmp_path / "secret.raw"), 0, ROWS.nbytes)])
    hdf5.close()
    refused(tmp_path / "a.h5", "'x'", "other files")


def test_a_virtual_data_set_is_not_read(hdf5, tmp_path):
    import h5py

    layout = h5py.VirtualLayout(ROWS.shape, "f8")
    layout[:] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "x", ROWS.shape)
    hdf5.create_virtual_dataset("x", layout)
    hdf5.close()
    refused(tmp_path / "a.h5", "'x'", "other files")


def test_links_in_circles_end(hdf5, tmp_path):
    import h5py

    inner = hdf5.create_group("g/inner")
    inner["x"] = ROWS
    inner["soft"] = h5py.SoftLink("/g")
    inner["self"] = h5py.SoftLink("/g/inner/self")
    inner["hard"] = hdf5["g"]
    inner["root"] = hdf5["/"]
    hdf5.close()
    assert list(read_arrays(tmp_path / "a.h5")) == ["g/inner/x"]


def test_groups_nested_thousandfold(hdf5, tmp_path):
    group = hdf5
    for _ in range(2000):
        group = group.create_group("g")
    group["x"] = ROWS
    hdf5.close()
    refused(tmp_path / "a.h5", "no name for an array")


def test_a_lattice_of_groups_is_walked_once(hdf5, tmp_path):
    group = hdf5
    for _ in range(40):
        lower = group.create_group("a")
        group["b"] = lower
        group = lower
    group["x"] = ROWS
    hdf5.close()
    assert len(read_arrays(tmp_path / "a.h5")) == 1


def test_data_that_is_declared_and_not_there(hdf5, tmp_path):
    hdf5.create_dataset("x", (8192, 8192), "f8", chunks=(64, 64), compression="gzip")
    hdf5.close()
    refused(tmp_path / "a.h5", "512 MiB of arrays", "believed")


def test_more_arrays_than_anyone_needs(tmp_path):
    one = npy(np.array(1))
    refused(zipped(tmp_path / "a.npz", [(f"x{n}.npy", one) for n in range(10_001)]), "more than 10,000 arrays")


def test_one_long_word_among_many(hdf5, tmp_path):
    words = np.full(2000, "a", object)
    words[7] = "a" * 10**6
    hdf5["names"] = words
    hdf5.close()
    refused(tmp_path / "a.h5", "'names'", "item 7 has 1,000,000 characters")


def test_references_in_circles_end(hdf5, tmp_path):
    import h5py

    cell = hdf5.create_dataset("cell", (1, 1), h5py.ref_dtype)
    cell.attrs["MATLAB_class"] = np.bytes_("cell")
    cell[0, 0] = cell.ref
    other = hdf5.create_dataset("#refs#/a", (1, 2), h5py.ref_dtype)
    other.attrs["MATLAB_class"] = np.bytes_("char")
    other[0, 0] = other.ref
    names = hdf5.create_dataset("names", (1, 1), h5py.ref_dtype)
    names.attrs["MATLAB_class"] = np.bytes_("cell")
    names[0, 0] = other.ref
    hdf5["x"] = ROWS
    hdf5.close()
    assert "x" in read_arrays((tmp_path / "a.h5").rename(tmp_path / "a.mat"))


# .csv and .parquet


def test_a_million_columns_declared(tmp_path):
    header = ",".join(f"f{number}" for number in range(10**6)).encode()
    refused(written(tmp_path, "a.csv", header + b"\n1,2\n"), "line 2 has 2 cells", "1000000")


def test_a_cell_without_end(tmp_path):
    refused(written(tmp_path, "a.csv", b'1,2\n"' + b"3" * 20 * MEBIBYTE))


@pytest.mark.parametrize("length", [4, 100, -1, -8, -200])
def test_truncated_parquet(length, tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({f"x{n}": column for n, column in enumerate(ROWS.T)}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    refused(written(tmp_path, "a.parquet", content[:length]))


def test_mutated_parquet_gives_arrays_or_one_line(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    columns = {"x": pa.array(ROWS.tolist()), "id": pa.array(LABELS), "words": pa.array(["a"] * ITEMS)}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    for number in range(100):
        rng = np.random.default_rng(number)
        path = written(tmp_path, "a.parquet", WAYS[number % len(WAYS)](rng, bytearray(content)))
        try:
            as_a_loader_would(read_arrays(path))
        except InputError as error:
            one_line(error, "")


def test_a_parquet_that_repeats_a_value_without_end(tmp_path):
    pa = pytest.importorskip("pyarrow")
    pq = pytest.importorskip("pyarrow.parquet")
    pq.write_table(pa.table({"x": pa.array(np.zeros(40 * MEBIBYTE))}), tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").stat().st_size < MEBIBYTE
    refused(tmp_path / "a.parquet", "'x'", "believed")


# time and memory


@pytest.fixture
def long(tmp_path):
    return written(tmp_path, "long.csv", b"1,2,3\n" * 3_000_000)


def test_what_takes_too_long_is_given_up(long, monkeypatch):
    monkeypatch.setattr(process, "SECONDS", 1)
    monkeypatch.setattr(process, "BYTES_PER_SECOND", 10**12)
    started = time.monotonic()
    refused(long, "more than 1 s")
    assert time.monotonic() - started < 5


def test_what_needs_too_much_memory_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(process, "ROOM", 100 * MEBIBYTE)
    monkeypatch.setattr(process, "COPIES", 0)
    refused(written(tmp_path, "a.mat", mat_of_zeros(4096, 4096, written_too=True)), "memory")


def test_a_crash_is_one_line_and_the_next_file_is_read(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", x=ROWS)
    process.stop()
    crash = "import msl.data.parsing.archive as a, ctypes; a.parse = lambda *_: ctypes.string_at(0); from msl"
    monkeypatch.setattr(process, "_START", process._START.replace("from msl", crash, 1))
    refused(tmp_path / "a.npz", "SIGSEGV", "damaged")
    np.savetxt(tmp_path / "b.csv", ROWS, delimiter=",")
    assert np.array_equal(read_arrays(tmp_path / "b.csv")["b"], ROWS)
    process.stop()


def test_a_full_temporary_folder_is_one_line(tmp_path, monkeypatch):
    np.savez(tmp_path / "a.npz", x=ROWS)
    process.stop()
    full = "import msl.data.parsing.archive as a, errno\ndef parse(*_): raise OSError(errno.ENOSPC, 'full')\na.parse = parse\nfrom msl"
    monkeypatch.setattr(process, "_START", process._START.replace("from msl", "\n" + full, 1))
    refused(tmp_path / "a.npz", "TMPDIR")
    process.stop()

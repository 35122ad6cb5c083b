"""Good archives come out whole; hostile ones leave nothing behind."""

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from msl.data.fetching import archives
from msl.data.fetching.archives import contained, unpack
from msl.types import InputError

FILES = {"set/features.npz": np.random.default_rng(0).bytes(30_000), "set/texts/1.xml": b"<text/>", "readme.txt": b""}
TARS = {
    ".tar": bytes,
    ".tar.gz": gzip.compress,
    ".tgz": gzip.compress,
    ".tar.bz2": bz2.compress,
    ".tar.xz": lzma.compress,
}
EVERY_KIND = pytest.mark.parametrize("suffix", [".zip", ".ZIP", *TARS])


def zipped(path, files, *, compression=zipfile.ZIP_DEFLATED, folders=()):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for folder in folders:
            archive.writestr(f"{folder}/", "")
        for name, content in files.items() if isinstance(files, dict) else files:
            archive.writestr(name, content)
    return path


def tarred(path, members, *, suffix=".tar"):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    path.write_bytes(TARS[suffix](buffer.getvalue()))
    return path


def member(name, content=b"x", **fields):
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, content


def packed(folder, suffix, files=FILES):
    path = folder / f"data{suffix}"
    if suffix.lower() == ".zip":
        return zipped(path, files)
    return tarred(path, [member(name, content) for name, content in files.items()], suffix=suffix)


def mode_of(kind, name="link", **fields):
    """A zip entry that claims to be a link, a device, ..."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (kind | 0o777) << 16
    return info


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def refused(archive, folder, *words):
    """The one line; the folder is as it was, and so is everything beside it."""
    before, beside = contents(folder), contents(folder.parent)
    with pytest.raises(InputError) as caught:
        unpack(archive, folder)
    message = str(caught.value)
    assert "\n" not in message
    assert "; " in message
    for word in words:
        assert word in message, message
    assert contents(folder) == before
    assert contents(folder.parent) == beside
    assert not list(folder.glob(".unpacking*"))
    return message


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "place"
    folder.mkdir()
    return folder


@EVERY_KIND
def test_every_kind_comes_out_whole_and_in_order(suffix, tmp_path):
    archive = packed(tmp_path, suffix)
    paths = unpack(archive, tmp_path / "new")
    assert paths == [tmp_path / "new" / name for name in FILES]
    assert contents(tmp_path / "new") == dict(sorted(FILES.items()))
    assert not list((tmp_path / "new").glob(".*"))


@EVERY_KIND
def test_doing_it_again_changes_nothing(suffix, tmp_path, place):
    archive = packed(tmp_path, suffix)
    first = unpack(archive, place)
    times = [path.stat().st_mtime_ns for path in first]
    assert unpack(archive, place) == first
    assert [path.stat().st_mtime_ns for path in first] == times


def test_folders_alone_and_dots_in_names_do_no_harm(tmp_path, place):
    members = [
        member("./", b"", type=tarfile.DIRTYPE),
        member("./set", b"", type=tarfile.DIRTYPE),
        member("./set//a"),
    ]
    assert unpack(tarred(tmp_path / "dots.tar", members), place) == [place / "set" / "a"]
    assert unpack(zipped(tmp_path / "dots.zip", {"./b": "x"}, folders=["empty"]), place) == [place / "b"]


def test_names_beyond_ascii_stay(tmp_path, place):
    assert unpack(zipped(tmp_path / "names.zip", {"Bücher/図.txt": "x"}), place) == [place / "Bücher" / "図.txt"]


def test_modes_and_owners_are_not_taken_over(tmp_path, place):
    (path,) = unpack(tarred(tmp_path / "mode.tar", [member("run", mode=0o6777, uid=1234, uname="else")]), place)
    assert not path.stat().st_mode & (stat.S_ISUID | stat.S_ISGID | 0o111)


def test_an_archive_inside_stays_packed(tmp_path, place):
    inner = packed(tmp_path, ".tar.gz").read_bytes()
    assert unpack(zipped(tmp_path / "outer.zip", {"inner.tar.gz": inner}), place) == [place / "inner.tar.gz"]
    assert contents(place) == {"inner.tar.gz": inner}


@EVERY_KIND
def test_a_file_of_ones_own_is_not_overwritten(suffix, tmp_path, place):
    (place / "readme.txt").write_text("mine")
    refused(packed(tmp_path, suffix), place, "readme.txt is already there", "move it away")


def test_a_folder_or_link_where_a_file_should_go_is_not_touched(tmp_path, place):
    archive = zipped(tmp_path / "one.zip", {"readme.txt": "x"})
    (place / "readme.txt").symlink_to(tmp_path / "victim")
    refused(archive, place, "already there")
    assert not (tmp_path / "victim").exists()
    (place / "readme.txt").unlink()
    (place / "readme.txt").mkdir()
    refused(archive, place, "already there")


def test_trouble_while_moving_takes_everything_out_again(tmp_path, place):
    (place / "set").write_text("a file where a folder must be")
    refused(packed(tmp_path, ".zip", {"a": b"1", **FILES}), place, "make room or choose another folder")


def test_a_stop_in_the_middle_leaves_nothing(tmp_path, place, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(archives, "_move", stop)
    with pytest.raises(KeyboardInterrupt):
        unpack(packed(tmp_path, ".zip"), place)
    assert list(place.iterdir()) == []


UNSAFE = [
    "../up", "a/../../up", "..", "/absolute", "//absolute", "C:/drive", "c:drive", "a\\..\\..\\up", "\\\\host\\share",
    "file:stream", "CON", "a/nul.txt", "Com1", "a\nb", "a\x1b[2Jb", "a\u202eb",
]  # fmt: skip


@pytest.mark.parametrize("name", [*UNSAFE, "", ".", "a\0b"], ids=ascii)
def test_unsafe_names_are_known(name):
    assert contained(name) is None


@pytest.mark.parametrize("name", ["a", "a/b.c", "./a", "a//b", "..a/b..", "a b", "ü", "console", "comma1.txt"])
def test_safe_names_stay_what_they_are(name):
    assert str(contained(name)) == str(Path(name))


@pytest.mark.parametrize("name", UNSAFE, ids=ascii)
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
def test_an_archive_with_an_unsafe_name_is_refused_whole(suffix, name, tmp_path, place):
    message = refused(packed(tmp_path, suffix, {"innocent": b"x", name: b"x"}), place, "unsafe name")
    assert message.isprintable()


def test_a_name_that_hides_behind_a_nul_is_refused(tmp_path, place):
    archive = zipped(tmp_path / "nul.zip", {"goodXevil": "x"})
    archive.write_bytes(archive.read_bytes().replace(b"goodXevil", b"good\0evil"))
    refused(archive, place)


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK],
    ids=["link", "character device", "block device", "pipe", "socket"],
)  # fmt: skip
def test_a_zip_entry_that_is_no_file_is_refused(kind, tmp_path, place):
    refused(zipped(tmp_path / "odd.zip", [("a", "x"), (mode_of(kind), "/etc/passwd")]), place, "no plain file")


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"?"],
    ids=["symbolic link", "hard link", "character device", "block device", "pipe", "unknown"],
)
def test_a_tar_member_that_is_no_file_is_refused(kind, tmp_path, place):
    members = [member("a"), member("odd", b"", type=kind, linkname="../victim", devmajor=1, devminor=3)]
    refused(tarred(tmp_path / "odd.tar", members), place, "no plain file")


def test_a_link_and_then_a_file_through_it_never_leaves_the_folder(tmp_path, place):
    (tmp_path / "outside").mkdir()
    link = member("way", b"", type=tarfile.SYMTYPE, linkname="../outside")
    refused(tarred(tmp_path / "way.tar", [link, member("way/file")]), place)
    assert list((tmp_path / "outside").iterdir()) == []


@pytest.mark.parametrize("second", ["a", "./a", ".//a"])
@pytest.mark.parametrize("suffix", [".zip", ".tar"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(suffix, second, tmp_path, place):
    path = tmp_path / f"twice{suffix}"
    pairs = [("a", b"1"), (second, b"2")]
    archive = zipped(path, pairs) if suffix == ".zip" else tarred(path, [member(*pair) for pair in pairs])
    refused(archive, place, "'a' twice")


def test_a_file_that_is_also_a_folder_is_refused(tmp_path, place):
    refused(tarred(tmp_path / "both.tar", [member("a"), member("a/b")]), place)


def test_an_encrypted_member_is_refused(tmp_path, place):
    archive = zipped(tmp_path / "secret.zip", {"a": "x"})
    content = bytearray(archive.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(content)
    refused(archive, place, "encrypted")


ZEROS = {"zeros": bytes(3_000_000)}


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])
def test_a_bomb_is_refused_by_its_ratio(suffix, tmp_path, place, monkeypatch):
    archive = packed(tmp_path, suffix, ZEROS)
    assert unpack(archive, tmp_path / "small enough")[0].stat().st_size == 3_000_000
    monkeypatch.setattr(archives, "FREE_BYTES", 100_000)
    refused(archive, place, "unpacks to more than")


@EVERY_KIND
def test_a_bomb_of_many_files_is_refused_by_their_sum(suffix, tmp_path, place, monkeypatch):
    monkeypatch.setattr(archives, "MOST_BYTES", sum(map(len, FILES.values())) - 1)
    refused(packed(tmp_path, suffix), place, "unpacks to more than 30006 bytes")


def test_a_bomb_of_empty_files_is_refused_by_their_number(tmp_path, place, monkeypatch):
    monkeypatch.setattr(archives, "MOST_FILES", 9)
    refused(packed(tmp_path, ".tar.gz", {str(number): b"" for number in range(10)}), place, "9 files")


def test_a_zip_that_announces_less_than_it_holds_does_not_get_past_the_bound(tmp_path, place):
    archive = zipped(tmp_path / "liar.zip", ZEROS)
    content = archive.read_bytes()
    assert content.count(struct.pack("<I", 3_000_000)) == 2
    archive.write_bytes(content.replace(struct.pack("<I", 3_000_000), struct.pack("<I", 3)))
    refused(archive, place, "damaged")


def test_bytes_are_counted_as_they_come_and_not_as_announced(tmp_path, monkeypatch):
    archive = packed(tmp_path, ".zip", ZEROS)
    monkeypatch.setattr(archives, "FREE_BYTES", 1000)
    liar = iter([(contained("zeros"), 3, lambda: io.BytesIO(ZEROS["zeros"]))])
    with pytest.raises(InputError, match="unpacks to more than"):
        archives._extract(archive, liar, tmp_path / "fresh")


def forged_header(size, kind):
    """A tar header with a size of 12 bytes as given."""
    header = bytearray(tarfile.TarInfo("x").tobuf())
    header[124:136], header[156:157], header[148:156] = size, kind, b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize("kind", [b"x", b"L", b"g", b"0", b"S"], ids=["pax", "long name", "global", "file", "sparse"])
@pytest.mark.parametrize(
    "size", [b"77777777777\0", b"\xff" * 11 + b"\0", b"\x80" + b"\x7f" * 11], ids=["8 GiB", "negative", "huge"]
)
def test_a_forged_size_ends_neither_in_a_loop_nor_in_all_the_memory(size, kind, tmp_path, place):
    (tmp_path / "forged.tar").write_bytes(forged_header(size, kind) + bytes(10_240))
    refused(tmp_path / "forged.tar", place)


@pytest.mark.parametrize("kind", [b"x", b"L", b"K", b"g"], ids=["pax", "long name", "long link", "global"])
def test_a_header_that_would_fill_the_memory_is_not_read(kind, tmp_path, place):
    size = 32 << 20
    content = forged_header(b"%011o\0" % size, kind) + bytes(size)
    (tmp_path / "header.tar.gz").write_bytes(gzip.compress(content, compresslevel=1))
    refused(tmp_path / "header.tar.gz", place, f"a header of {size} bytes")


@EVERY_KIND
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.97])
def test_a_truncated_archive_is_refused(share, suffix, tmp_path, place):
    archive = packed(tmp_path, suffix)
    content = archive.read_bytes()
    archive.write_bytes(content[: int(share * len(content)) if suffix != ".tar" else int(share * 33_000)])
    refused(archive, place, "damaged", "get it again")


def test_a_tar_cut_between_two_members_is_refused(tmp_path, place):
    archive = packed(tmp_path, ".tar", {"a": b"x", "b": b"x"})
    archive.write_bytes(archive.read_bytes()[:1024])
    refused(archive, place, "ends in the middle")


@pytest.mark.parametrize("suffix", [".zip", ".tar.gz", ".tar.bz2", ".tar.xz"])  # .tar sums up its headers only
def test_a_flipped_byte_is_found(suffix, tmp_path, place):
    archive = packed(tmp_path, suffix)
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 0x55
    archive.write_bytes(content)
    refused(archive, place, "damaged")


@EVERY_KIND
@pytest.mark.parametrize("content", [b"", b"no archive at all\n" * 100, b"<html>not found</html>"], ids=len)
def test_what_is_no_archive_is_refused(content, suffix, tmp_path, place):
    (tmp_path / f"data{suffix}").write_bytes(content)
    refused(tmp_path / f"data{suffix}", place, "damaged or no such archive")


@pytest.mark.parametrize("name", ["data.rar", "data.7z", "data.gz", "data", "data.tar.zst"])
def test_other_kinds_are_named_as_such(name, tmp_path, place):
    (tmp_path / name).write_bytes(b"x")
    refused(tmp_path / name, place, "wanted .zip, .tar")


def test_no_file_is_one_line(tmp_path, place):
    refused(tmp_path / "nothing.zip", place, "there is no file")


def test_a_folder_that_cannot_be_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="choose another folder"):
        unpack(packed(tmp_path, ".zip"), tmp_path / "file" / "below")


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz"])
def test_damage_anywhere_is_one_line_or_harmless(suffix, tmp_path):
    """150 mutations from a fixed seed: each either unpacks below its folder or is refused and leaves nothing."""
    content, rng = packed(tmp_path, suffix, {"a/b": b"hello " * 50, "c": b"x"}).read_bytes(), np.random.default_rng(3)
    archive = tmp_path / f"mutant{suffix}"
    for number in range(150):
        mutant = bytearray(content)
        for position in rng.integers(len(mutant), size=rng.integers(1, 6)):
            mutant[position] = rng.integers(256)
        archive.write_bytes(mutant)
        folder = tmp_path / "mutants" / str(number)
        message, paths = "", []
        try:
            paths = unpack(archive, folder)
        except InputError as error:
            message = str(error)
        assert "\n" not in message
        assert all(path.resolve().is_relative_to(folder) for path in paths)
        assert message == "" or list(folder.iterdir()) == []

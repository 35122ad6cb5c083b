import struct
import zlib

import pytest
from PIL import Image

from msl.commands.finds import print_hits, print_labels
from msl.serve.items import Item
from msl.serve.names import Label
from msl.serve.retriever import Hit

HOSTILE = "\x1b]0;owned\x07"


def bomb():
    """A PNG whose header states more pixels than are decoded."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )


def hit(folder, image, text="a bird"):
    return Hit(Item("bird/0", text, image, folder, ("bird",), "test"), 0.5, 0.25, False)


@pytest.mark.parametrize("content", [b"", b"no picture", bomb()], ids=["empty", "text", "bomb"])
def test_a_damaged_picture_leaves_its_cell_empty(tmp_path, capsys, content):
    (tmp_path / "damaged.png").write_bytes(content)
    Image.new("RGBA", (8, 8)).save(tmp_path / "whole.png")
    print_hits([hit(tmp_path, "damaged.png"), hit(tmp_path, "whole.png", "a fish")], pictures=True)
    out = capsys.readouterr().out
    rows = [line for line in out.splitlines() if "0.500" in line]
    assert [("a bird" in row, "a fish" in row, "▀" in row) for row in rows] == [
        (True, False, False),
        (False, True, True),
    ]
    assert all("25%" in row and "bird (unseen)" in row for row in rows)


def test_without_pictures_there_is_no_column_for_them(tmp_path, capsys):
    Image.new("RGB", (8, 8)).save(tmp_path / "whole.png")
    print_hits([hit(tmp_path, "whole.png")], pictures=None)  # the output is no terminal
    print_hits([hit(None, None)], pictures=True)
    assert "▀" not in capsys.readouterr().out


def test_texts_ids_classes_and_names_are_not_obeyed_by_the_terminal(capsys):
    item = Item(HOSTILE, HOSTILE, None, None, (HOSTILE,), None)
    print_hits(
        [Hit(item, 0.5, None, None), Hit(Item(HOSTILE, None, None, None, (), None), 0.5, None, None)], pictures=None
    )
    print_labels(
        {"class": [Label(HOSTILE, "class", True, 0.5, 0.9)], "keyword": [Label("word", "keyword", None, 0.4, None)]}
    )
    out = capsys.readouterr().out
    assert out.count("]0;owned") == 4
    assert not {"\x1b", "\x07"} & set(out)
    rows = [line.split() for line in out.splitlines() if "class (seen)" in line or "keyword" in line]
    assert rows == [["90%", "0.500", "]0;owned", "class", "(seen)"], ["0.400", "word", "keyword"]]


def test_a_long_text_is_cut(capsys):
    print_hits([hit(None, None, "word " * 200)], pictures=None)
    out = capsys.readouterr().out
    assert "…" in out
    assert out.count("word") < 30

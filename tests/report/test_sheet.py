import struct

import pytest
from PIL import Image

from msl.report.sheet import Cell, write_sheet

BOMB = b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0)


def written(file, **content):
    return write_sheet([[Cell("title", "black", **content)]], title="sheet", file=file).read_bytes()


@pytest.mark.parametrize("content", [b"", b"no picture", BOMB, None], ids=["empty", "text", "bomb", "missing"])
def test_in_place_of_a_picture_that_cannot_be_read_stands_its_text(tmp_path, content):
    if content is not None:
        (tmp_path / "a.bmp").write_bytes(content)
    found = written(tmp_path / "found.png", picture=tmp_path / "a.bmp", text="a bird")
    assert found == written(tmp_path / "wanted.png", text="a bird")


def test_what_is_transparent_is_white(tmp_path):
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    Image.new("RGB", (8, 8), "white").save(tmp_path / "white.png")
    found = written(tmp_path / "found.png", picture=tmp_path / "clear.png")
    assert found == written(tmp_path / "wanted.png", picture=tmp_path / "white.png")

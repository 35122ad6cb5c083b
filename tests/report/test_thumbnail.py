import base64
import io
import re

import pytest
from PIL import Image

from msl.report.page.thumbnail import thumbnail
from msl.types import InputError


def opened(uri: str) -> Image.Image:
    kind, content = re.fullmatch(r"data:image/(png|jpeg);base64,(.*)", uri).groups()
    image = Image.open(io.BytesIO(base64.b64decode(content)))
    assert image.format == kind.upper()
    return image


@pytest.mark.parametrize(
    ("mode", "kept"), [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGBA", "PNG"), ("LA", "PNG")]
)
def test_at_most_160_pixels_and_transparent_only_if_it_was(tmp_path, mode, kept):
    Image.new(mode, (640, 320)).save(tmp_path / "a.tiff")
    found = opened(thumbnail(tmp_path / "a.tiff"))
    assert (found.size, found.format) == ((160, 80), kept)


def test_a_small_one_is_not_blown_up_and_a_turned_one_stands_upright(tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held sideways
    Image.new("RGB", (40, 20)).save(tmp_path / "a.jpg", exif=turned)
    assert opened(thumbnail(tmp_path / "a.jpg")).size == (20, 40)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"no picture"], ids=["empty", "cut", "text"])
def test_no_picture_is_one_line(tmp_path, content):
    (tmp_path / "a.gif").write_bytes(content)
    with pytest.raises(InputError, match=r"a\.gif") as error:
        thumbnail(tmp_path / "a.gif")
    assert "\n" not in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.png"):
        thumbnail(tmp_path / "gone.png")


def test_a_format_that_is_not_on_the_list_is_not_opened(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.ppm")
    with pytest.raises(InputError, match=r"a\.ppm"):
        thumbnail(tmp_path / "a.ppm")


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr("msl.report.page.thumbnail.PIXELS", 15)
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="15 pixels"):
        thumbnail(tmp_path / "a.png")

import contextlib
import io
import logging
import os
import struct
import subprocess
import sys
import time
import warnings
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from msl.encode.pictures import NARROWEST, on_white, proportioned, read_picture, read_picture_bytes
from msl.types import InputError

NOISE = np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)
PICTURE = Image.fromarray(NOISE)
FRAMES = [Image.new("RGB", (8, 6), colour) for colour in ("red", "lime", "blue")]
MOVING = {"save_all": True, "append_images": FRAMES[1:]}
MOST = 10_000


def saved(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def read(content, pixels=MOST):
    return read_picture_bytes(content, name="it", pixels=pixels)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def huge(width, height):
    """A PNG that says how large it is, and holds none of it."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP", "TIFF"])
def test_formats_without_loss_give_back_the_pixels(kind, tmp_path):
    flat = FRAMES[0] if kind == "GIF" else PICTURE
    (tmp_path / "any name").write_bytes(saved(flat, kind, **({"lossless": True} if kind == "WEBP" else {})))
    found = read_picture(tmp_path / "any name", pixels=MOST)
    np.testing.assert_array_equal(on_white(found), np.asarray(flat))


def test_a_file_and_its_bytes_are_the_same_picture(tmp_path):
    (tmp_path / "x.jpg").write_bytes(saved(PICTURE, "JPEG"))
    np.testing.assert_array_equal(read_picture(tmp_path / "x.jpg", pixels=MOST), read(saved(PICTURE, "JPEG")))


def test_a_picture_outlives_its_file(tmp_path):
    (tmp_path / "x.png").write_bytes(saved(PICTURE, "PNG"))
    found = read_picture(tmp_path / "x.png", pixels=MOST)
    (tmp_path / "x.png").unlink()
    np.testing.assert_array_equal(found, NOISE)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_many_frames_the_first_is_read(kind):
    found = on_white(read(saved(FRAMES[0], kind, **MOVING, **({"lossless": True} if kind == "WEBP" else {}))))
    assert found.size == (8, 6)
    assert found.getcolors() == [(48, (255, 0, 0))]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_a_camera_held_sideways_is_turned(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read(saved(PICTURE, kind, exif=exif)).size == (37, 53)


def test_a_damaged_note_of_the_camera_does_not_spoil_the_picture():
    content = WHOLE[:DATA] + chunk(b"eXIf", b"no such note") + WHOLE[DATA:]
    np.testing.assert_array_equal(read(content), NOISE)


@pytest.mark.parametrize(
    ("picture", "kind", "options"),
    [
        (PICTURE.convert("CMYK"), "JPEG", {}),
        (Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257), "PNG", {}),
        (Image.fromarray(NOISE[..., 0].astype(np.float32) / 255), "TIFF", {}),
        (PICTURE.convert("LA"), "PNG", {}),
        (PICTURE.convert("1"), "PNG", {}),
        (PICTURE.convert("P"), "PNG", {"transparency": bytes(range(256))}),
        (PICTURE.convert("P"), "GIF", {"transparency": 0}),
        (PICTURE.convert("RGBA"), "WEBP", {}),
        (PICTURE.convert("YCbCr"), "JPEG", {}),
    ],
    ids=["cmyk", "16 bits", "float", "grey with alpha", "1 bit", "palette with alphas", "gif", "rgba", "ycc"],
)
def test_any_mode_becomes_rgb_of_its_size(picture, kind, options):
    found = on_white(read(saved(picture, kind, **options)))
    assert (found.mode, found.size) == ("RGB", PICTURE.size)


def test_cmyk_keeps_its_colours():
    found = on_white(read(saved(Image.new("RGB", (16, 16), (200, 30, 60)).convert("CMYK"), "JPEG", quality=100)))
    np.testing.assert_allclose(np.asarray(found).reshape(-1, 3), [[200, 30, 60]] * 256, atol=4)


def test_deep_greys_keep_their_eight_upper_bits():
    grey = NOISE[..., 0]
    deep = read(saved(Image.fromarray(grey.astype(np.uint16) * 257), "PNG"))
    np.testing.assert_array_equal(np.asarray(on_white(deep))[..., 0], grey)


def test_half_transparent_black_is_grey_on_white():
    assert on_white(Image.new("RGBA", (2, 2), (0, 0, 0, 128))).getpixel((0, 0)) == (127, 127, 127)
    assert on_white(Image.new("LA", (2, 2), (0, 0))).getpixel((0, 0)) == (255, 255, 255)


WHOLE = saved(PICTURE, "PNG")
DATA = WHOLE.index(b"IDAT") - 4  # where the pixels' chunk begins: its length, its name, the pixels

BAD = {
    "empty": (b"", "is empty"),
    "text": (b"this is no picture", "damaged or no picture"),
    "cut png": (saved(PICTURE, "PNG")[:2000], "truncated"),
    "cut jpeg": (saved(PICTURE, "JPEG")[:900], "truncated"),
    "cut gif": (saved(PICTURE, "GIF")[:1500], "truncated|damaged"),
    "cut webp": (saved(PICTURE, "WEBP")[:300], "truncated|damaged"),
    "cut tiff": (saved(PICTURE, "TIFF", compression="tiff_lzw")[:900], "truncated|damaged"),
    "a short header": (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(6)) + WHOLE[DATA:], "damaged|truncated"),
    "a wrong length": (WHOLE[:DATA] + struct.pack(">I", 1500) + WHOLE[DATA + 4 :], "damaged"),
    "only a header": (saved(PICTURE, "JPEG")[:20], "damaged or no picture"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "damaged or no picture"),
    "icon": (saved(PICTURE, "ICO"), "damaged or no picture"),
    "large": (huge(20_000, 20_000), "more than the 10,000 pixels"),
    "just too large": (saved(Image.new("1", (101, 100)), "PNG"), "more than the 10,000 pixels"),
    "endless": (huge(2**31 - 1, 2**31 - 1), "more than the 10,000 pixels|damaged"),
}


@pytest.mark.parametrize("which", BAD)
def test_a_bad_file_is_one_line_with_its_name_and_reason(which, tmp_path, capfd):
    content, reason = BAD[which]
    (tmp_path / "bad.jpg").write_bytes(content)
    with pytest.raises(InputError, match=rf"^cannot read the picture \S*bad\.jpg: .*({reason}).*; .*leave it out$"):
        read_picture(tmp_path / "bad.jpg", pixels=MOST)
    with pytest.raises(InputError, match=rf"^cannot read the picture it: .*({reason})"):
        read(content)
    assert capfd.readouterr() == ("", "")


def test_as_many_pixels_as_allowed_are_read():
    assert read(saved(Image.new("1", (100, 100)), "PNG")).size == (100, 100)


def test_what_pillow_itself_refuses_is_refused_whatever_is_allowed():
    with pytest.raises(InputError, match="more than the 178,956,970 pixels allowed"):
        read(huge(20_000, 20_000), pixels=10**9)


def test_a_large_picture_is_allowed_without_pillow_s_warning():
    """Its header passes, silently though Pillow warns from 89 million pixels on; there is nothing to decode."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with pytest.raises(InputError, match=r"truncated|damaged"):
            read(huge(10_000, 10_000), pixels=10**9)
    assert told == []


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(InputError, match=r"absent\.png: No such file"):
        read_picture(tmp_path / "absent.png", pixels=MOST)
    with pytest.raises(InputError, match="null"):
        read_picture(tmp_path / "a\0b", pixels=MOST)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_what_is_no_regular_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    start = time.monotonic()
    for path in (tmp_path / "pipe.jpg", tmp_path / "link.jpg", tmp_path / "folder.jpg", "/dev/zero"):
        with pytest.raises(InputError, match="no regular file"):
            read_picture(type(tmp_path)(path), pixels=MOST)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("name", ["a\nb.png", "\udcff.png", "é" * 120 + ".png"], ids=["line end", "no text", "long"])
def test_any_name_is_shown_on_one_line(name, tmp_path):
    (tmp_path / name).write_bytes(b"none")
    with pytest.raises(InputError) as caught:
        read_picture(tmp_path / name, pixels=MOST)
    assert str(caught.value).isprintable()
    assert str(caught.value).encode()


def test_damage_anywhere_gives_a_picture_or_one_line(capfd, monkeypatch):
    """Bytes of the header, mostly, are changed: whatever a decoder makes of them, nothing else comes out."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # a program's own handlers, and what other tests left
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "told"
    whole = [saved(PICTURE, kind, exif=exif) for kind in ("PNG", "JPEG", "WEBP")]
    whole += [saved(PICTURE, "TIFF", compression=how) for how in (None, "tiff_lzw", "jpeg", "tiff_adobe_deflate")]
    whole += [saved(PICTURE, "BMP"), *(saved(FRAMES[0], kind, **MOVING) for kind in ("GIF", "PNG", "WEBP"))]
    outcomes = Counter[str]()
    for turn in range(600):
        content = np.frombuffer(whole[turn % len(whole)], np.uint8).copy()
        places = rng.integers(0, min(len(content), 200 if turn % 3 else len(content)), rng.integers(1, 6))
        content[places] = rng.integers(0, 256, len(places))
        try:
            outcome = "picture" if on_white(read(content.tobytes())).mode == "RGB" else "other"
        except InputError as error:
            outcome = "other" if "\n" in str(error) else "error"
        outcomes[outcome] += 1
    assert outcomes.keys() == {"picture", "error"}
    assert min(outcomes.values()) > 100
    assert capfd.readouterr() == ("", "")


def test_threads_read_without_a_warning_and_leave_everybody_else_s_alone():
    broken = bytearray(saved(FRAMES[0], "PNG", **MOVING))
    place = broken.index(b"acTL") + 4
    broken[place : place + 4] = bytes(4)  # an animation of no frames, of which Pillow warns
    kind, content = bytes(broken[place - 4 : place]), bytes(broken[place : place + 8])
    broken[place + 8 : place + 12] = struct.pack(">I", zlib.crc32(kind + content))
    with pytest.warns(UserWarning, match="Invalid APNG"):
        Image.open(io.BytesIO(broken))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with ThreadPoolExecutor(4) as pool:
            assert len(list(pool.map(read, [bytes(broken)] * 40))) == 40
        assert told == []
        warnings.warn("mine", UserWarning, stacklevel=1)
        with contextlib.suppress(Exception):
            Image.open(io.BytesIO(broken))
    assert [str(each.message)[:12] for each in told] == ["mine", "Invalid APNG"]


def test_nothing_is_printed_where_warnings_and_logs_are_as_python_has_them(tmp_path):
    """Without pytest's capture: a damaged TIFF, of which libtiff prints, and one of which Pillow logs."""
    cut = bytearray(saved(PICTURE, "TIFF", compression="tiff_lzw"))
    cut[40:80] = b"\xff" * 40
    (tmp_path / "lzw.tif").write_bytes(cut)
    samples = saved(PICTURE, "TIFF").replace(
        struct.pack("<HHI", 277, 3, 1) + b"\x03", struct.pack("<HHI", 277, 3, 1) + b"\x63"
    )
    (tmp_path / "samples.tif").write_bytes(samples)
    (tmp_path / "large.png").write_bytes(huge(10_000, 10_000))
    code = (
        "import sys\nfrom pathlib import Path\nfrom msl.encode.pictures import read_picture\n"
        "for name in sys.argv[1:]:\n    try: read_picture(Path(name), pixels=10**9)\n    except ValueError as error: print(error)"
    )
    files = [str(tmp_path / name) for name in ("lzw.tif", "samples.tif", "large.png")]
    ran = subprocess.run([sys.executable, "-c", code, *files], capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    assert len(ran.stdout.splitlines()) == 3


def test_a_hair_s_breadth_is_not_scaled():
    assert proportioned(Image.new("1", (NARROWEST, 1))).size == (NARROWEST, 1)
    with pytest.raises(InputError, match=rf"1 x {NARROWEST + 1} pixels: a side is more than {NARROWEST} times"):
        proportioned(Image.new("1", (1, NARROWEST + 1)))

import io

import numpy as np
import pytest
from PIL import Image

from msl.encode.classical import DIMENSIONS, SIDE, describe, square
from msl.types import InputError

RNG = np.random.default_rng(0)
NOISE = RNG.integers(0, 256, (37, 53, 3), dtype=np.uint8)


def coloured(colour, size=(64, 64)):
    return Image.new("RGB", size, colour)


def colours(picture):
    """The (8, 8, 3) grid of L, a, b of a picture, in CIELAB's own units."""
    return describe([picture])[0, -192:].reshape(8, 8, 3) * (116, 100, 100) - (16, 0, 0)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "HSV", "I;16", "I", "F"])
@pytest.mark.parametrize("size", [(1, 1), (3, 700), (53, 37)])
def test_any_mode_and_size_gives_a_finite_description(mode, size):
    row = describe([Image.new(mode, size)])
    assert row.shape == (1, DIMENSIONS)
    assert row.dtype == np.float32
    assert np.isfinite(row).all()
    assert np.abs(row).sum() > 0


def test_every_row_belongs_to_its_picture_and_repeats_exactly():
    pictures = [Image.fromarray(NOISE), coloured("red"), Image.fromarray(NOISE[::-1].copy())]
    rows = describe(iter(pictures))
    assert rows.shape == (3, DIMENSIONS)
    for row, picture in zip(rows, pictures, strict=True):
        np.testing.assert_array_equal(row, describe([picture])[0])


def test_no_picture_gives_no_row():
    assert describe([]).shape == (0, DIMENSIONS)


@pytest.mark.parametrize(
    ("colour", "lab"),
    [("white", (100, 0, 0)), ("black", (0, 0, 0)), ("red", (53.24, 80.09, 67.20)), ("blue", (32.30, 79.19, -107.86))],
)
def test_colour_layout_is_the_known_cielab_of_the_colour(colour, lab):
    np.testing.assert_allclose(colours(coloured(colour)), np.broadcast_to(lab, (8, 8, 3)), atol=0.05)


def test_colour_layout_keeps_the_place():
    picture = coloured("white")
    picture.paste("black", (0, 0, 32, 16))  # the left half of the upper quarter
    lightness = colours(picture)[:, :, 0]
    assert (lightness[:2, :3] < 5).all()
    assert (lightness[3:] > 95).all()
    assert (lightness[:, 5:] > 95).all()


def test_plain_picture_has_no_gradients_and_an_edge_has_its_orientation():
    assert not describe([coloured("green")])[0, :576].any()
    upright = coloured("white")
    upright.paste("black", (0, 0, 32, 64))
    turned = upright.transpose(Image.Transpose.ROTATE_90)
    one, other = (describe([picture])[0, :576].reshape(-1, 9).sum(axis=0) for picture in (upright, turned))
    assert one.argmax() != other.argmax()
    assert one.max() > 0.9 * one.sum()


def test_transparent_pixels_are_white_not_what_lies_under_them():
    hidden = Image.new("RGBA", (64, 64), (200, 30, 30, 0))
    np.testing.assert_array_equal(describe([hidden]), describe([coloured("white")]))


def test_transparent_palette_entry_is_white():
    picture = Image.new("P", (64, 64), 1)
    picture.putpalette([0, 0, 0, 250, 0, 0])
    picture.info["transparency"] = 1
    np.testing.assert_array_equal(describe([picture]), describe([coloured("white")]))


def test_sixteen_bits_describe_like_eight():
    grey = NOISE[:, :, 0]
    deep = Image.fromarray(grey.astype(np.uint16) * 257)
    assert deep.mode.startswith("I")
    np.testing.assert_array_equal(describe([deep]), describe([Image.fromarray(grey)]))


def test_square_pads_instead_of_stretching():
    pixels = np.asarray(square(coloured("black", (200, 100))))
    assert pixels.shape == (SIDE, SIDE, 3)
    assert (pixels[: SIDE // 4 - 1] == 255).all()
    assert (pixels[SIDE // 4 + 1 : 3 * SIDE // 4 - 1] == 0).all()


def test_file_and_picture_agree_and_the_camera_s_orientation_is_obeyed(tmp_path):
    picture = Image.fromarray(NOISE)
    picture.save(tmp_path / "plain.png")
    np.testing.assert_array_equal(describe([tmp_path / "plain.png"]), describe([picture]))
    sideways = Image.Exif()
    sideways[0x0112] = 6  # shown turned by 90 degrees clockwise
    picture.save(tmp_path / "camera.png", exif=sideways)
    turned = picture.transpose(Image.Transpose.ROTATE_270)
    np.testing.assert_array_equal(describe([tmp_path / "camera.png"]), describe([turned]))


def truncated() -> bytes:
    stream = io.BytesIO()
    Image.fromarray(NOISE).save(stream, "PNG")
    return stream.getvalue()[:2000]


@pytest.mark.parametrize(
    "content", [None, b"", b"no picture", truncated()], ids=["absent", "empty", "text", "truncated"]
)
def test_bad_file_is_named_with_a_remedy(tmp_path, content):
    path = tmp_path / "broken.png"
    if content is not None:
        path.write_bytes(content)
    remedy = "correct its name" if content is None else "save it again"
    with pytest.raises(InputError, match=rf"broken\.png.*{remedy}") as caught:
        describe([coloured("red"), path])
    assert "\n" not in str(caught.value)


def test_folder_in_place_of_a_picture_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="cannot read the picture"):
        describe([tmp_path])

"""Pictures -> features without weights: histograms of oriented gradients and a layout of CIELAB colours.

Parameters are those of the descriptors' own literature:

* HOG: 9 unsigned orientations, blocks of 2 x 2 cells overlapping by a cell, L2-Hys, square-root gamma, the strongest
  of the three channels' gradients (Dalal and Triggs, "Histograms of oriented gradients for human detection", CVPR
  2005). Their 8-pixel cells belong to 64 x 128 pedestrian windows; here the whole picture is 5 x 5 cells.
* Colour layout: mean colour of each tile of an 8 x 8 grid, as in MPEG-7's colour layout descriptor (Manjunath et al.,
  "Color and texture descriptors", IEEE CSVT 11, 2001), in CIELAB, whose distances are those the eye sees.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from msl.encode.pictures import on_white, read_picture
from msl.types import Floats

SIDE = 80
"""Pixels along each side of the square every picture is brought to."""
_CELLS, _BLOCK, _ORIENTATIONS, _GRID = 5, 2, 9, 8
DIMENSIONS = (_CELLS - _BLOCK + 1) ** 2 * _BLOCK**2 * _ORIENTATIONS + 3 * _GRID**2
"""Size of a description: 576 for the gradients and 192 for the colours."""
PARAMETERS = {
    "version": 1,
    "side": SIDE,
    "cells": _CELLS,
    "block": _BLOCK,
    "orientations": _ORIENTATIONS,
    "grid": _GRID,
}
"""All that decides a description; the version is raised when anything else changes it."""
_PIXELS = 100_000_000  # of a file, at most; a description looks at 80 x 80


def describe(pictures: Iterable[Image.Image | Path]) -> Floats:
    """Pictures, or the files they lie in -> float32 (n, `DIMENSIONS`).

    Any mode and size will do: a picture is laid on white, padded to a square and resized. Gradients lie in [0, 1];
    lightness is (L + 16) / 116, so that not even a black picture is all zeros, and a, b are divided by 100.

    Raises:
        InputError: a file is missing or no picture; the message names it.
    """
    rows = [_describe_one(picture) for picture in pictures]
    return np.stack(rows) if rows else np.empty((0, DIMENSIONS), np.float32)


def square(picture: Image.Image) -> Image.Image:
    """A picture of any mode and shape -> RGB, on white, `SIDE` x `SIDE`, its content whole and centred."""
    plain = on_white(picture)
    scale = SIDE / max(plain.size)
    width, height = (max(1, round(length * scale)) for length in plain.size)
    padded = Image.new("RGB", (SIDE, SIDE), "white")
    padded.paste(plain.resize((width, height), Image.Resampling.BICUBIC), ((SIDE - width) // 2, (SIDE - height) // 2))
    return padded


def _describe_one(picture: Image.Image | Path) -> Floats:
    image = square(picture if isinstance(picture, Image.Image) else read_picture(picture, pixels=_PIXELS))
    pixels = np.asarray(image, np.float64) / 255  # (SIDE, SIDE, 3) in [0, 1]
    return np.concatenate([_gradients(pixels), _colours(pixels)]).astype(np.float32)


def _gradients(pixels: Floats) -> Floats:
    """Histograms of oriented gradients of (SIDE, SIDE, 3) -> (576,)."""
    from skimage.feature import hog

    cell = SIDE // _CELLS
    found: Floats = hog(
        pixels,
        orientations=_ORIENTATIONS,
        pixels_per_cell=(cell, cell),
        cells_per_block=(_BLOCK, _BLOCK),
        block_norm="L2-Hys",
        transform_sqrt=True,
        channel_axis=-1,
    )
    return found


def _colours(pixels: Floats) -> Floats:
    """Mean CIELAB colour of each tile of (SIDE, SIDE, 3) -> (192,): the grid's rows, then columns, then L, a, b."""
    from skimage.color import rgb2lab

    tile = SIDE // _GRID
    tiles = rgb2lab(pixels).reshape(_GRID, tile, _GRID, tile, 3).mean(axis=(1, 3))  # (8, 8, 3)
    scaled: Floats = (tiles + np.array([16, 0, 0])) / np.array([116, 100, 100])
    return scaled.ravel()

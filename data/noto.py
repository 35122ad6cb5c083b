"""Emoji glyphs out of Noto Color Emoji: code points -> glyph by the font's own ligatures -> its embedded PNG."""

import io
from functools import cached_property
from pathlib import Path

from fontTools.ttLib import TTFont
from PIL import Image

SIDE, COLOURS = 80, 64


class Noto:
    """The font's bitmaps by emoji."""

    def __init__(self, path: Path) -> None:
        self._font = TTFont(io.BytesIO(path.read_bytes()), lazy=True)

    @cached_property
    def _ligatures(self) -> dict[str, list[tuple[list[str], str]]]:
        """First glyph -> [(the glyphs that follow, the glyph of them all)], longest first."""
        table = self._font["GSUB"].table.LookupList.Lookup[0].SubTable[0].ligatures
        return {first: [(list(one.Component), one.LigGlyph) for one in found] for first, found in table.items()}

    @cached_property
    def _names(self) -> dict[int, str]:
        return dict(self._font.getBestCmap())

    @cached_property
    def _bitmaps(self) -> dict:
        return self._font["CBDT"].strikeData[0]

    def _glyph(self, points: tuple[int, ...]) -> str:
        names = [self._names[point] for point in points if point in self._names]
        ways = self._ligatures.get(names[0], []) if len(names) > 1 else []
        joined = next((glyph for rest, glyph in ways if rest == names[1:]), None)
        alone = [name for name in names if name in self._bitmaps]  # U+FE0F has no picture of its own
        if joined is None and len(alone) != 1:
            raise ValueError(f"the font has no single glyph for {points}")
        return joined or alone[0]

    def picture(self, points: tuple[int, ...]) -> Image.Image:
        """SIDE x SIDE RGB, the glyph on white."""
        glyph = Image.open(io.BytesIO(self._bitmaps[self._glyph(points)].imageData)).convert("RGBA")
        ground = Image.new("RGBA", (max(glyph.size),) * 2, "white")
        ground.alpha_composite(glyph, tuple((ground.width - length) // 2 for length in glyph.size))
        return ground.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)


def png_bytes(picture: Image.Image) -> bytes:
    """Palette PNG of at most COLOURS colours, without dithering, which neither packs nor describes well."""
    stream = io.BytesIO()
    palette = picture.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.save(stream, "PNG", optimize=True)
    return stream.getvalue()

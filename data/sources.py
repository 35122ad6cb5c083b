"""Where Debian's packages put what the data sets are made of, and which versions were used."""

import importlib.metadata
import subprocess
from pathlib import Path

from PIL import features

_UNICODE = Path("/usr/share/unicode")
FONT = Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")
CHART = _UNICODE / "emoji" / "emoji-test.txt"
ANNOTATIONS = [_UNICODE / "cldr" / "common" / name / "en.xml" for name in ("annotations", "annotationsDerived")]
WORDNET = Path("/usr/share/wordnet")

PACKAGES = {
    "fonts-noto-color-emoji": [FONT],
    "unicode-data": [CHART],
    "unicode-cldr-core": ANNOTATIONS,
    "wordnet-base": [WORDNET / "data.noun"],
}
_LIBRARIES = ("numpy", "scipy", "pillow", "scikit-image", "fonttools")


def missing(packages: list[str]) -> list[str]:
    """Those of the packages with a file that is not here."""
    return [package for package in packages if not all(path.is_file() for path in PACKAGES[package])]


def copyright_file(package: str) -> Path:
    """The licence a package came with."""
    return Path("/usr/share/doc") / package / "copyright"


def versions() -> dict[str, str]:
    """Version of every source package, and of every library that has a say in the bytes."""
    found = {package: _debian_version(package) for package in PACKAGES}
    found |= {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return found | {"zlib of pillow": str(features.version("zlib"))}


def _debian_version(package: str) -> str:
    command = ["dpkg-query", "--show", "--showformat=${Version}", package]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "not a Debian package"

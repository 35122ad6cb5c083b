"""Build the embedded data from Debian's packages: python data/build.py emoji|words|all."""

import argparse
import os
import shutil
import sys
from pathlib import Path

# Before numpy is loaded: one thread, so that sums are taken in the same order whatever the machine.
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}

import sources

from msl.files import sha256, write_json, write_text

HERE = Path(__file__).resolve().parent
NEEDS = {
    "words": ["wordnet-base"],
    "emoji": ["fonts-noto-color-emoji", "unicode-data", "unicode-cldr-core"],
}


def build_words() -> None:
    """WordNet -> words/."""
    import build_words

    build_words.build(sources.WORDNET, HERE / "words")


def build_emoji() -> None:
    """Font, chart and annotations -> emoji/, with the word vectors that lie in words/."""
    import build_emoji

    build_emoji.build(sources.FONT, sources.CHART, sources.ANNOTATIONS, HERE / "emoji")


def write_licences(packages: list[str]) -> None:
    """Copy the licences the packages came with."""
    (HERE / "licences").mkdir(exist_ok=True)
    for package in packages:
        shutil.copyfile(sources.copyright_file(package), HERE / "licences" / f"{package}.txt")


def write_manifest() -> None:
    """SHA256SUMS of everything built, for `sha256sum -c` in this folder."""
    folders = ("emoji", "words", "licences")
    built = [path for folder in folders for path in (HERE / folder).rglob("[!.]*") if path.is_file()]
    paths = sorted([*built, HERE / "versions.json"])
    write_text(HERE / "SHA256SUMS", "".join(f"{sha256(path)}  {path.relative_to(HERE).as_posix()}\n" for path in paths))


def check_sources(packages: list[str]) -> None:
    """Say which packages to install, or that the word vectors come first."""
    absent = sources.missing(packages)
    if absent:
        sys.exit(f"build.py: source files are missing; install them with: apt-get install {' '.join(absent)}")


def main() -> None:
    """Build what is asked for, words before the emoji that are encoded with them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["emoji", "words", "all"])
    what = parser.parse_args().what
    chosen = ["words", "emoji"] if what == "all" else [what]
    packages = [package for name in chosen for package in NEEDS[name]]
    check_sources(packages)
    if what == "emoji" and not (HERE / "words" / "vectors.npy").is_file():
        sys.exit("build.py: the emoji's texts need word vectors; build them first with: python data/build.py words")
    for name in chosen:
        print(f"building {name}/ ...", flush=True)
        {"words": build_words, "emoji": build_emoji}[name]()
    write_licences(packages)
    write_json(HERE / "versions.json", sources.versions())
    write_manifest()


if __name__ == "__main__":
    main()

"""Writes `docs/equations.md` and `docs/methods/*.md` from code, configuration and the ledger of results.

Run `python docs/generate.py` after changing any of them; a test fails while a page is not what they say.
"""

from pathlib import Path

import equation_page
import method_pages

from msl.files import write_text


def pages() -> dict[Path, str]:
    """Every generated page of this folder."""
    return {equation_page.PAGE: equation_page.page(), **method_pages.pages()}


if __name__ == "__main__":
    for file, text in pages().items():
        write_text(file, text)
        print(f"wrote {file.relative_to(equation_page.ROOT)}")

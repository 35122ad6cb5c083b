"""A folder to give away: what is said of a model in it, and how it is written whole or not at all."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msl.files import write_bytes, write_json, write_text
from msl.methods.method import Method
from msl.serve.place import Content
from msl.types import InputError

CONFIG, WEIGHTS, CARD, INDEX = "config.json", "model.safetensors", "README.md", "index"


@dataclass(frozen=True, kw_only=True)
class Shared:
    """What goes with the weights: how the method is built again, what a person should know, what its index says."""

    config: Mapping[str, Any]
    """The content of `config.json`: names and plain values, nothing that could be run and no path."""
    card: str
    """The model card, Markdown."""
    index: Content | None
    notes: tuple[str, ...] = ()
    """What of the model does not go along."""

    def write(self, folder: Path, method: Method) -> None:
        """Write configuration, card and weights."""
        from safetensors.torch import save

        write_json(folder / CONFIG, dict(self.config))
        write_text(folder / CARD, self.card)
        tensors = {name: value.contiguous() for name, value in method.state_dict().items()}
        write_bytes(folder / WEIGHTS, save(tensors, metadata={"format": "pt"}))


@contextmanager
def whole(out: Path) -> Iterator[Path]:
    """A new folder to fill, which becomes `out` when the block is left without an error, and else is gone.

    Raises:
        InputError: `out` holds something already.
    """
    out = out.resolve()
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise InputError(f"{out} is there already and not an empty folder; give another, or remove it")
    out.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}."))
    try:
        yield fresh
        umask = os.umask(0)
        os.umask(umask)
        fresh.chmod(0o777 & ~umask)  # mkdtemp makes folders private
        if out.exists():
            out.rmdir()
        fresh.rename(out)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise

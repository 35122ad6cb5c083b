"""`msl export`: a run as a folder to give away."""

import json
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console

from msl.commands.load import of_run
from msl.commands.loading import load
from msl.commands.next_command import say_next
from msl.config import composed, resolved, validated
from msl.data.pairs import Features
from msl.evaluation.run import RunFolder
from msl.files import write_bytes
from msl.serve.model import Model
from msl.serve.share.portable import difference, to_onnx
from msl.serve.share.shared import whole
from msl.types import Count, InputError, Modality, Positive, TrainingError

console = Console(markup=False, highlight=False, soft_wrap=True)


class Exporting(BaseModel):
    """The keys of `conf/export.yaml`."""

    model_config = ConfigDict(extra="forbid")
    run: str
    out: str
    index: bool
    onnx: bool
    rows: Count
    tolerance: Positive
    license: str = Field(pattern=r"^[a-z0-9][a-z0-9.+-]*$")


def export(arguments: list[str]) -> None:
    """Write the folder whole or not at all; say what is in it."""
    wanted = _wanted(arguments)
    run, out = Path(wanted.run), Path(wanted.out)
    RunFolder(run).card()  # says so if it is no run
    if wanted.index and not (run / "index" / "current").is_file():
        raise InputError(f"{run} has no index to give away; make one with msl index run={run}, or leave out index=true")
    model = of_run(run, license=wanted.license)
    with whole(out) as folder:
        console.print(f"writes {out}")
        shared = model.write(folder, index=wanted.index)
        if wanted.onnx:
            _write_onnx(model, run, folder, wanted)
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                console.print(f"  {file.relative_to(folder)}: {file.stat().st_size / 1e6:,.3f} MB")
    for note in shared.notes:
        console.print(f"note: {note}")
    searched = '.search("a few words")' if wanted.index and "text" in shared.config["encoders"] else ""
    say_next("python", "-c", f"import msl; print(msl.load({json.dumps(str(out))}){searched})")


def _wanted(arguments: list[str]) -> Exporting:
    """The settings; `index` is set here, for Hydra would look for a file of the group conf/index."""
    values = resolved(composed("export", [text for text in arguments if not text.startswith("index=")]))
    for text in arguments:
        if text.startswith("index="):
            values["index"] = text.partition("=")[2]
    return validated(Exporting, values)


def _write_onnx(model: Model, run: Path, folder: Path, wanted: Exporting) -> None:
    """Write both modalities; a `TrainingError` if what they compute is not what the method does."""
    method, data, *_ = load(run)
    sides: tuple[tuple[Modality, Features], ...] = (("a", data.pairs.a), ("b", data.pairs.b))
    for modality, features in sides:
        name = f"{model.retriever.name(modality)}.onnx"
        made = to_onnx(method, modality)
        rows = _spaced(features, wanted.rows)
        apart = difference(made, method, features[rows], modality)
        console.print(f"{name}: off by {apart:.1e} of a code's length at most, on {len(rows):,} rows")
        if not apart <= wanted.tolerance:
            raise TrainingError(
                f"{name} is off by {apart:.1e} of a code's length, more than tolerance={wanted.tolerance:g}: nothing was written; leave out "
                "onnx=true, or report it"
            )
        write_bytes(folder / name, made)


def _spaced(features: Features, number: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Positions of at most so many rows that have the modality, evenly spaced."""
    present = np.flatnonzero(features.present)
    return present[np.linspace(0, len(present) - 1, min(number, len(present)), dtype=np.intp)]

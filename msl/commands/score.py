"""`msl score`: every metric, with chance, for codes that anyone's program saved."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig
from pydantic import BaseModel, ConfigDict, Field
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from msl.config import resolved, validated
from msl.files import write_npz
from msl.metrics.chance import lift
from msl.metrics.means import mean
from msl.metrics.measure import chance, measure
from msl.metrics.names import metric
from msl.metrics.similarity import Similarity
from msl.types import InputError

ARRAYS = ("queries", "gallery", "query_labels", "gallery_labels")


class Scoring(BaseModel):
    """The keys of `conf/score.yaml`."""

    model_config = ConfigDict(extra="forbid")
    codes: str | None
    queries: str | None
    gallery: str | None
    query_labels: str | None
    gallery_labels: str | None
    metrics: list[str] = Field(min_length=1)
    similarity: Similarity
    out: str | None


def score(cfg: DictConfig) -> None:
    """Read codes and labels, print every metric beside chance and the definitions used."""
    wanted = validated(Scoring, resolved(cfg))
    names = {name: metric(name).title for name in wanted.metrics}
    arrays = _arrays(wanted)
    console = Console()
    with console.status("ranking") as status:
        values = measure(
            arrays["queries"],
            arrays["gallery"],
            arrays["query_labels"],
            arrays["gallery_labels"],
            wanted.metrics, similarity=wanted.similarity,
            progress=lambda done, total: status.update(f"ranking {done:,} of {total:,} queries"),
        )  # fmt: skip
    chances = chance(arrays["query_labels"], arrays["gallery_labels"], wanted.metrics)
    table = Table(
        title=f"{len(arrays['queries']):,} queries, gallery of {len(arrays['gallery']):,}",
        title_justify="left",
        box=SIMPLE_HEAD,
    )
    for head in ("metric", "definition", "value", "chance", "lift"):
        table.add_column(head, justify="left" if head in ("metric", "definition") else "right")
    for name, title in names.items():
        value, by_chance = mean(values[name]), mean(chances[name])
        gained = f"{lift(value, by_chance):.4f}" if by_chance < 1 else "-"
        table.add_row(name, title, f"{value:.4f}", f"{by_chance:.4f}", gained)
    console.print(table)
    console.print(_definition(wanted.similarity, int(np.isnan(values[wanted.metrics[0]]).sum())))
    if wanted.out:
        console.print(f"per query: {write_npz(Path(wanted.out), values)}", soft_wrap=True)


def _definition(similarity: str, lacking: int) -> str:
    return (
        f"similarity: {similarity}, in float64; equal scores form one group that counts at its end (scikit-learn's rule); "
        f"a query's own pair stays in the gallery; queries with nothing relevant are left out of every mean: {lacking}; "
        "chance: the exact expectation under a random ranking of these labels; lift: (value - chance) / (1 - chance)"
    )


def _arrays(wanted: Scoring) -> dict[str, Any]:
    found = _archive(Path(wanted.codes)) if wanted.codes else {}
    found |= {name: _array(Path(file)) for name in ARRAYS if (file := getattr(wanted, name))}
    if "query_labels" in found:
        found.setdefault("gallery_labels", found["query_labels"])
    lacking = [name for name in ARRAYS if name not in found]
    if lacking:
        raise InputError(
            f"score wants {lacking[0]}: give {lacking[0]}=FILE.npy, or codes=FILE.npz with the arrays {', '.join(ARRAYS)}"
        )
    return found


def _archive(file: Path) -> dict[str, Any]:
    archive = _read(file)
    if isinstance(archive, np.ndarray):
        raise InputError(f"{file} holds a single array; wanted an .npz with the arrays {', '.join(ARRAYS)}")
    with archive:
        try:
            return {name: archive[name] for name in ARRAYS if name in archive.files}
        except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise _unreadable(file, error) from None


def _array(file: Path) -> Any:
    array = _read(file)
    if not isinstance(array, np.ndarray):
        raise InputError(f"{file} is an archive of several arrays; give it as codes={file}, or one .npy per array")
    return array


def _read(file: Path) -> Any:
    if not file.is_file():
        raise InputError(f"there is no file {file}; give a .npy or .npz")
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _unreadable(file, error) from None


def _unreadable(file: Path, error: Exception) -> InputError:
    return InputError(
        f"{file} is not a readable .npy or .npz without pickled objects ({error}); write it with numpy.save or numpy.savez"
    )

"""The codes a run was measured with, kept as files that `msl score` reads."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from msl.evaluation.protocol import Direction
from msl.files import write_npz


def kept(
    sides: Iterator[Direction], ids: Sequence[str], folder: Path, *, largest: int, tell: Callable[[str], None]
) -> Iterator[Direction]:
    """The directions as they come, each regime's codes written to `folder` as ``REGIME-DIRECTION.npz`` on the way.

    ``msl score codes=FILE`` gives the direction's mAP back. The generalised regime, which is the seen and the unseen
    items together, is left out; so are, with a word, codes of more than `largest` bytes.
    """
    for direction in sides:
        if direction.regime != "generalised":
            file = folder / f"{direction.regime}-{direction.name}.npz"
            size = direction.queries.nbytes + direction.gallery.nbytes
            if size <= largest:
                write_npz(file, _arrays(direction, ids))
            else:
                tell(
                    f"{file.name}: {size:,} bytes of codes are more than logger.largest_file={largest} and are not kept"
                )
        yield direction
        del direction  # nothing keeps the codes of a direction that is done


def _arrays(direction: Direction, ids: Sequence[str]) -> dict[str, NDArray[Any]]:
    return {
        "queries": direction.queries,
        "gallery": direction.gallery,
        "query_labels": direction.query_labels,
        "gallery_labels": direction.gallery_labels,
        "query_ids": np.array([ids[row] for row in direction.query_rows]),
        "gallery_ids": np.array([ids[row] for row in direction.gallery_rows]),
    }

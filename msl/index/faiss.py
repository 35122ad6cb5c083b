"""Approximate indexes by faiss, of inner products of unit rows; needs the extra `search`.

Douze et al., The Faiss library, 2024 (arXiv:2401.08281). Each kind proposes rows; `Index` measures and orders them.
"""

from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import isqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from msl.index import built
from msl.index.search import Index, Kind
from msl.index.store import Store
from msl.types import Count, Fraction, InputError, Ints

_ROWS = 65_536
"""Copied into an index at a time."""
_PER_CENTRE = 64
"""Rows that each centre of k-means is learned from; faiss warns below 39."""


def _faiss() -> Any:
    try:
        import faiss
    except ImportError:
        raise InputError("this index needs faiss: pip install 'msl[search]', or take index=exact") from None
    return faiss


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    faiss = _faiss()
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(number or before)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


@dataclass(frozen=True)
class _Flat:
    """Candidates of a float32 look at every row, where they lie."""

    codes: NDArray[np.float32]
    threads: int | None

    @property
    def covered(self) -> int:
        return len(self.codes)

    def __call__(self, units: NDArray[np.float32], number: int, effort: int) -> Ints:
        faiss = _faiss()
        with _threads(self.threads):
            rows: Ints = faiss.knn(units, self.codes, number, faiss.METRIC_INNER_PRODUCT)[1]
        return rows


@dataclass(frozen=True, kw_only=True)
class Flat(Kind):
    """Every row is looked at, by faiss, in float32; there is nothing to build."""

    selective: Fraction

    def build(self, store: Store) -> Index:
        """The same as `open`."""
        return self.open(store)

    def open(self, store: Store) -> Index:
        """An index of all rows of the snapshot."""
        _faiss()
        return Index(
            store=store, candidates=_Flat(store.codes, self.threads), selective=self.selective, threads=self.threads
        )


@dataclass(frozen=True)
class _Built:
    """Candidates of an index of faiss."""

    kind: "Learned"
    index: Any
    covered: int

    def __call__(self, units: NDArray[np.float32], number: int, effort: int) -> Ints:
        with _threads(self.kind.threads):
            rows: Ints = self.index.search(units, self.kind.depth(number), params=self.kind.parameters(number, effort))[
                1
            ]
        return rows


@dataclass(frozen=True, kw_only=True)
class Learned(Kind):
    """What all kinds that are built share: learn from some rows, take in all, keep the file beside the codes."""

    name: ClassVar[str]
    selective: Fraction
    """Where a filter leaves less than this share of the rows, these are searched exactly."""

    def build(self, store: Store) -> Index:
        """Learn, take in all rows of the snapshot, deleted ones too, and write the file."""
        rows, width = store.codes.shape
        if not len(store):
            raise InputError(f"{store.folder} holds no codes; add some, then build the {self.name} index")
        with _threads(self.threads):
            index, sample = self.empty(width, rows)
            if sample:
                chosen = np.random.default_rng(0).choice(rows, min(sample, rows), replace=False)
                index.train(store.codes[np.sort(chosen)])
            for start in range(0, rows, _ROWS):
                index.add(store.codes[start : start + _ROWS])
            built.save(store.place, self.name, rows, self.settings, partial(_faiss().write_index, index))
        return self._index(store, index, rows)

    def open(self, store: Store) -> Index:
        """Read the file of the snapshot's generation."""
        rows, index = built.load(store.place, self.name, self.settings, _faiss().read_index)
        if (index.d, index.ntotal) != (store.current.width, rows):
            raise InputError(f"{store.place}: its {self.name} index is of other codes; build it again")
        return self._index(store, index, rows)

    def _index(self, store: Store, index: Any, rows: int) -> Index:
        candidates = _Built(self, index, rows)
        return Index(store=store, candidates=candidates, selective=self.selective, threads=self.threads)

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What a built file depends on."""

    @abstractmethod
    def empty(self, width: int, rows: int) -> tuple[Any, int]:
        """An index of faiss without rows, and how many rows it learns from."""

    def depth(self, number: int) -> int:
        """How many candidates to take so that the best `number` are among them."""
        return number

    def parameters(self, number: int, effort: int) -> Any:
        """Of faiss, for one search."""
        return None


@dataclass(frozen=True, kw_only=True)
class IVF(Learned):
    """Inverted lists: rows by the nearest of `lists` centres; a search looks into `probes` of the lists."""

    name: ClassVar[str] = "ivf"
    lists: Count | None
    """None for four times the square root of the rows."""
    probes: Count

    @property
    def settings(self) -> dict[str, Any]:
        """As `Learned` says."""
        return {"lists": self.lists}

    def empty(self, width: int, rows: int) -> tuple[Any, int]:
        """As `Learned` says."""
        faiss = _faiss()
        lists = max(1, min(self.lists or 4 * isqrt(rows), rows // _PER_CENTRE))
        centres = faiss.IndexFlatIP(width)
        index = faiss.IndexIVFFlat(centres, width, lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.min_points_per_centroid = 1  # does not warn of few rows, which are searched exactly
        return index, lists * _PER_CENTRE

    def parameters(self, number: int, effort: int) -> Any:
        """As `Learned` says."""
        return _faiss().SearchParametersIVF(nprobe=self.probes * effort)


@dataclass(frozen=True, kw_only=True)
class HNSW(Learned):
    """A graph of neighbours, walked towards the query.

    Malkov and Yashunin, Efficient and robust approximate nearest neighbor search using hierarchical navigable small
    world graphs, TPAMI 2020. With more than one thread two builds differ a little.
    """

    name: ClassVar[str] = "hnsw"
    neighbours: Count
    """M: of each row, twice as many on the lowest level."""
    build_effort: Count
    search_effort: Count

    @property
    def settings(self) -> dict[str, Any]:
        """As `Learned` says."""
        return {"neighbours": self.neighbours, "build_effort": self.build_effort}

    def empty(self, width: int, rows: int) -> tuple[Any, int]:
        """As `Learned` says."""
        faiss = _faiss()
        index = faiss.IndexHNSWFlat(width, self.neighbours, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = self.build_effort
        return index, 0

    def parameters(self, number: int, effort: int) -> Any:
        """As `Learned` says."""
        return _faiss().SearchParametersHNSW(efSearch=max(self.search_effort, number))


@dataclass(frozen=True, kw_only=True)
class PQ(Learned):
    """Product quantisation: each of `segments` parts of a row becomes the number of its nearest of 2**bits centres.

    Jegou et al., Product quantization for nearest neighbor search, TPAMI 2011. The smallest; every row is looked at,
    and the best `rerank` times k are measured again by their codes on disk.
    """

    name: ClassVar[str] = "pq"
    segments: Count | None
    """None for one of every four numbers, or as near to that as divides the width."""
    bits: Count
    """4 is several times as fast as any other number: it is what processors have instructions for."""
    rerank: Count

    @property
    def settings(self) -> dict[str, Any]:
        """As `Learned` says."""
        return {"segments": self.segments, "bits": self.bits}

    def empty(self, width: int, rows: int) -> tuple[Any, int]:
        """As `Learned` says."""
        faiss = _faiss()
        sample = _PER_CENTRE << self.bits
        segments = self.segments or max(each for each in range(1, max(2, width // 4 + 1)) if width % each == 0)
        if width % segments:
            raise InputError(f"segments={segments} does not divide the codes' width {width}; choose one that does")
        if self.bits > 12 or rows < sample:
            raise InputError(
                f"bits={self.bits} wants at least {sample} codes to learn from, there are {rows}; take index=exact"
            )
        make = faiss.IndexPQFastScan if self.bits == 4 else faiss.IndexPQ
        return make(width, segments, self.bits, faiss.METRIC_INNER_PRODUCT), sample

    def depth(self, number: int) -> int:
        """As `Learned` says."""
        return number * self.rerank

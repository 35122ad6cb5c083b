"""Search over a snapshot of codes: candidates from an approximate index, everything else exactly."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from msl.index.exact import best, nearest, unit_rows
from msl.index.store import Store
from msl.types import Count, Floats, InputError, Ints

_DEEPEST = 16
"""Candidates are asked for up to one row in so many; to go on from there exactly takes no longer."""


class Candidates(Protocol):
    """What an approximate index is asked for."""

    @property
    def covered(self) -> int:
        """The first rows of the generation, which it knows."""

    def __call__(self, units: NDArray[np.float32], number: int, effort: int) -> Ints:
        """For unit rows (n, d) at least `number` rows that may be near, -1 for none; more `effort` finds more."""


@dataclass(frozen=True, kw_only=True)
class Index:
    """The codes of a snapshot, to be searched; deleted rows are never found."""

    store: Store
    candidates: Candidates | None
    """None searches all rows exactly."""
    selective: float
    """Where a filter leaves less than this share of the rows, these are searched exactly."""
    threads: int | None

    @property
    def covered(self) -> int:
        """How many of the snapshot's rows candidates come from; those added later are searched exactly."""
        return min(self.candidates.covered, len(self.store.codes)) if self.candidates else 0

    def search(self, queries: Floats, k: int, allowed: NDArray[np.bool_] | None = None) -> tuple[Ints, Floats]:
        """The k rows of highest cosine for each query (n, d): positions (n, k), cosines (n, k), as `exact.nearest` gives.

        `allowed` (rows,) says which rows may be found. k is cut to the number of rows there are; no row is missing
        for being hard to find: where candidates run out, the query is searched exactly.

        Raises:
            InputError: queries of another width or that are no finite numbers, or `allowed` of another length.
        """
        self._check(queries)
        alive = self._alive(allowed)
        k = min(k, int(np.count_nonzero(alive)))
        left = int(np.count_nonzero(alive[: self.covered]))
        if not k or not left or left < self.selective * self.covered:
            return self._exact(queries, k, alive)
        found = self._approximate(queries, k, alive, left)
        if not alive[self.covered :].any():
            return found
        return _merged(found, self._exact(queries, k, alive, start=self.covered), k)

    def _check(self, queries: Floats) -> None:
        width = self.store.current.width
        if queries.ndim != 2 or (width and queries.shape[1] != width):
            raise InputError(
                f"queries: wanted codes (n, {width}), got {queries.shape}; encode them with the model that made the index"
            )
        if not np.isfinite(queries).all():
            raise InputError("queries: a code holds NaN or infinity; look at the features it was made of")

    def _alive(self, allowed: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        if allowed is None:
            return self.store.alive
        if allowed.shape != self.store.alive.shape:
            raise InputError(f"allowed: wanted a mask {self.store.alive.shape}, one of each row, got {allowed.shape}")
        return self.store.alive & allowed

    def _exact(self, queries: Floats, k: int, alive: NDArray[np.bool_], *, start: int = 0) -> tuple[Ints, Floats]:
        among = None if not start and alive.all() else np.flatnonzero(alive[start:]) + start
        return nearest(queries, self.store.codes, k, among=among, unit=True, threads=self.threads)

    def _approximate(self, queries: Floats, k: int, alive: NDArray[np.bool_], left: int) -> tuple[Ints, Floats]:
        """The k best of the rows covered, of which `left` are alive."""
        assert self.candidates is not None
        k, covered, units = min(k, left), self.covered, unit_rows(queries)
        positions, cosines = np.empty((len(units), k), dtype=np.intp), np.empty((len(units), k))
        lacking, effort = np.arange(len(units)), 1
        number = k if left == covered else -(-2 * k * covered // left)
        while len(lacking) and number * effort * _DEEPEST <= covered:
            found = self.candidates(units[lacking].astype(np.float32), number * effort, effort)
            found[(found >= covered) | ~alive[np.minimum(found, covered - 1)]] = -1
            enough = np.count_nonzero(found >= 0, axis=1) >= k
            done = lacking[enough]
            positions[done], cosines[done] = best(units[done], self.store.codes, found[enough], k)
            lacking, effort = lacking[~enough], 4 * effort
        if len(lacking):
            rest = nearest(
                queries[lacking],
                self.store.codes,
                k,
                among=np.flatnonzero(alive[:covered]),
                unit=True,
                threads=self.threads,
            )
            positions[lacking], cosines[lacking] = rest
        return positions, cosines


def _merged(first: tuple[Ints, Floats], later: tuple[Ints, Floats], k: int) -> tuple[Ints, Floats]:
    """The best of two answers, the second of later rows."""
    positions, cosines = (np.concatenate(both, axis=1) for both in zip(first, later, strict=True))
    order = np.argsort(-cosines, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(positions, order, axis=1), np.take_along_axis(cosines, order, axis=1)


@dataclass(frozen=True, kw_only=True)
class Kind(ABC):
    """A kind of index with its settings: what conf/index/NAME.yaml configures."""

    threads: Count | None
    """None for as many as there are cores."""

    @abstractmethod
    def build(self, store: Store) -> Index:
        """Make the index of a snapshot and keep it beside the codes; `InputError` if it cannot be made of them."""

    @abstractmethod
    def open(self, store: Store) -> Index:
        """The index made of this generation, maybe before its last rows were added.

        Raises:
            InputError: there is none, it is damaged, or it was made with other settings; build it.
        """


@dataclass(frozen=True, kw_only=True)
class Exact(Kind):
    """Every row is looked at; there is nothing to build."""

    def build(self, store: Store) -> Index:
        """The same as `open`."""
        return self.open(store)

    def open(self, store: Store) -> Index:
        """An index of all rows of the snapshot."""
        return Index(store=store, candidates=None, selective=0, threads=self.threads)

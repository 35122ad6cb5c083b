"""A run's index as it is now: read again when it was made anew or changed, while searches under way end on the old one."""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias, TypeVar, get_args

from msl.serve.place import Place
from msl.serve.retriever import Retriever
from msl.serve.terminal import flat
from msl.types import Floats, InputError, Modality

log = logging.getLogger(__name__)
Answer = TypeVar("Answer")
State: TypeAlias = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Snapshot:
    """An index as it was when it was read."""

    retriever: Retriever

    @cached_property
    def classes(self) -> Mapping[str, int]:
        """Items of each class, trained on or not."""
        counted = Counter(name for item in self.retriever.items for name in item.classes)
        return {name: counted[name] for name in sorted(counted.keys() | self.retriever.trained)}


class Live:
    """The index of a run, for many threads.

    Args:
        run: its folder.
        load: reads method and index, as both are now.
    """

    def __init__(self, run: Path, load: Callable[[Path], Retriever]) -> None:
        self.run = run
        self._load = load
        self._turn = threading.Lock()
        self._state = state(run)
        self._snapshot = Snapshot(_shared(load(run)))

    def ask(self, question: Callable[[Snapshot], Answer]) -> Answer:
        """The answer of the index as it is now; asked again if it was replaced meanwhile and that spoilt the answer."""
        snapshot = self.now()
        try:
            return question(snapshot)
        except InputError:
            newer = self.now()
            if newer is snapshot:
                raise
            return question(newer)

    def now(self) -> Snapshot:
        """The index as it is now; as it was last, if it cannot be read any more."""
        with self._turn:
            found = state(self.run)
            if found != self._state:
                self._state = found  # an index that cannot be read is not tried again before it changes
                self._renew()
            return self._snapshot

    def _renew(self) -> None:
        try:
            self._snapshot = Snapshot(self._again(self._snapshot.retriever))
        except Exception as error:  # of a damaged file each reader has its own
            log.warning("%s; the index as it was is searched on", flat(str(error) or type(error).__name__))
        else:
            log.warning("%s: its index has changed and was read again", flat(str(self.run)))

    def _again(self, before: Retriever) -> Retriever:
        fresh = self._load(self.run)
        if fresh.indexes["a"].store.identity == before.indexes["a"].store.identity:  # of the same weights
            return replace(fresh, method=before.method, readers=before.readers)
        return _shared(fresh)


def state(run: Path) -> State | None:
    """What changes whenever the index of a run does; None if there is none that can be read."""
    try:
        place = Place.current(run)
        files = (run / "index" / "current", *(place.codes(modality) / "current" for modality in get_args(Modality)))
        found = [file.stat() for file in files]
    except (OSError, ValueError):  # an `InputError` is one, and a damaged `current` names no file
        return None
    return tuple((each.st_ino, each.st_mtime_ns, each.st_size) for each in found)


def _shared(retriever: Retriever) -> Retriever:
    """The same for many threads: the method left in evaluation, and each encoder used by one thread at a time."""
    retriever.method.eval()  # else `Method.encode` would turn training on again while another thread encodes
    return replace(retriever, readers={key: _in_turn(read) for key, read in retriever.readers.items()})


def _in_turn(read: Callable[[Sequence[Any]], Floats]) -> Callable[[Sequence[Any]], Floats]:
    turn = threading.Lock()  # tokenizers of Hugging Face refuse a second thread

    def reading(raw: Sequence[Any]) -> Floats:
        with turn:
            return read(raw)

    return reading

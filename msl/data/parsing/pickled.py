""".pkl for the converter: plain numpy arrays and containers only; every other name a pickle asks for is refused."""

import codecs
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from msl.data.parsing.handover import Handover, text
from msl.data.parsing.segments import KINDS
from msl.types import InputError

_DEPTH = 16


def parse(stream: BinaryIO, stem: str, handover: Handover) -> None:
    """A bare array or list as `stem`, the values of a dict by their keys, of nested dicts by keys joined with "."."""
    found = _Unpickler(stream, encoding="latin1").load()  # latin1 is how numpy's arrays come out of Python 2
    if stream.read(1):
        raise InputError("something follows the pickled object; write one object into one file")
    _add(found, [], stem, handover)


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        """The few callables that numpy arrays are made of."""
        if (module, name) in _ALLOWED:
            return _ALLOWED[module, name]
        raise InputError(
            f"it asks for {f'{module}.{name}'!r}, which is no part of a plain numpy array; "
            "load it where it was made and write its arrays with numpy.save"
        )


def _encoded(content: str, encoding: str = "latin1") -> bytes:
    """What bytes are to pickle protocols 0 to 2; no other codec is ever looked up."""
    if encoding not in ("latin1", "latin-1"):
        raise InputError(f"it asks for the codec {encoding!r}; write its arrays with numpy.save")
    return codecs.latin_1_encode(content)[0]


def _allowed() -> dict[tuple[str, str], Callable[..., Any]]:
    from numpy._core import multiarray, numeric

    frombuffer = numeric._frombuffer  # type: ignore[attr-defined]  # protocol 5
    containers = (complex, bytearray, set, frozenset, list, dict)
    return {
        **{(f"numpy.{core}.multiarray", "_reconstruct"): multiarray._reconstruct for core in ("core", "_core")},
        **{(f"numpy.{core}.multiarray", "scalar"): multiarray.scalar for core in ("core", "_core")},
        **dict.fromkeys((("numpy.core.numeric", "_frombuffer"), ("numpy._core.numeric", "_frombuffer")), frombuffer),
        **{(module, kind.__name__): kind for module in ("builtins", "__builtin__") for kind in containers},
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("collections", "OrderedDict"): OrderedDict,
        ("_codecs", "encode"): _encoded,
    }


_ALLOWED = _allowed()


def _add(value: Any, keys: list[str], stem: str, handover: Handover) -> None:
    if isinstance(value, Mapping):
        if len(keys) == _DEPTH:
            raise InputError(f"its dicts are nested deeper than {_DEPTH}; write its arrays with numpy.save")
        for key, member in value.items():
            _add(member, [*keys, key.decode("latin1") if isinstance(key, bytes) else str(key)], stem, handover)
    else:
        name = ".".join(keys) or stem
        handover.declare(name, _size(value, {}))
        handover.add(name, _array(value, name))


def _size(value: Any, known: dict[int, int], depth: int = 0) -> int:
    """Bytes of the array that nested lists make: the same small list, held ten times at each level, explodes."""
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return value.nbytes
    if not isinstance(value, list | tuple | np.ndarray):
        return 8
    if depth > _DEPTH:
        raise InputError(f"its lists are nested deeper than {_DEPTH}; write its arrays with numpy.save")
    if id(value) not in known:
        known[id(value)] = sum(_size(item, known, depth + 1) for item in value)
    return known[id(value)]


def _array(value: Any, name: str) -> NDArray[Any]:
    if isinstance(value, np.ndarray) and value.dtype.kind in KINDS:
        return value
    if isinstance(value, bytes | str | int | float | complex | np.generic):
        value = [value]
    if isinstance(value, list | tuple | np.ndarray) and len(value):
        items = list(value)
        if all(isinstance(item, bytes | str) for item in items):
            return text((item.decode("utf-8") if isinstance(item, bytes) else item for item in items), name)
        if stacked := _stacked(items):
            return stacked[0]
    raise InputError(
        f"{name!r} is {_described(value)}; wanted an array of numbers or text, or a list of equally long rows of numbers"
    )


def _stacked(items: list[Any]) -> list[NDArray[Any]]:
    """The items as one array, where all are numbers or all are equally long rows of numbers; otherwise nothing."""
    try:
        rows = [np.asarray(item) for item in items]
    except ValueError:  # uneven within an item
        return []
    return (
        [np.stack(rows)] if {(row.shape, row.dtype.kind in "biufc") for row in rows} == {(rows[0].shape, True)} else []
    )


def _described(value: Any) -> str:
    if isinstance(value, list | tuple | np.ndarray):
        return f"{type(value).__name__} of {len(value) if np.ndim(value) else 1} items that do not make an array"
    return f"a {type(value).__name__}"

""".parquet by pyarrow."""

from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from msl.data.parsing.handover import Handover, text
from msl.data.parsing.tables import separate, unique
from msl.types import InputError


def parse(stream: BinaryIO, stem: str, handover: Handover) -> None:
    """Columns of numbers as one matrix called `stem`; lists of numbers as a matrix each, text as text, by their names."""
    file = pq.ParquetFile(stream, pre_buffer=False)
    _declare(file, handover)
    table = file.read(use_threads=False)
    matrix: list[NDArray[Any]] = []
    beside: dict[str, NDArray[Any]] = {}
    unique(table.column_names)
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = _values(name, column)
        if values.ndim == 1 and values.dtype.kind != "U" and not separate(name):
            matrix.append(values)
        else:
            beside[name] = values
    unique([*beside, stem] if matrix else [*beside])
    if matrix:
        handover.add(stem, np.column_stack(matrix))
    for name, values in beside.items():
        handover.add(name, values)


def _declare(file: Any, handover: Handover) -> None:
    """The sizes of numbers follow from their type, of anything else the file says them."""
    rows = file.metadata.num_rows
    for field in file.schema_arrow:
        if pa.types.is_primitive(field.type):
            handover.declare(field.name, rows * max(8, field.type.bit_width) // 8)
    for group in range(file.metadata.num_row_groups):
        row_group = file.metadata.row_group(group)
        for place in range(row_group.num_columns):
            chunk = row_group.column(place)
            handover.declare(chunk.path_in_schema, max(0, chunk.total_uncompressed_size))


def _values(name: str, column: Any) -> NDArray[Any]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy()))
        raise InputError(f"column {name!r}: row {row} is null; fill it in, or leave the row or the column out")
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return text(column.to_pylist(), name)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind):
        numbers: NDArray[Any] = column.to_numpy()
        return numbers
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _lists(name, column)
    raise InputError(f"column {name!r} is of type {kind}; wanted numbers, lists of numbers or text, leave it out")


def _lists(name: str, column: Any) -> NDArray[Any]:
    """A matrix (rows, length of every list)."""
    kind = column.type.value_type
    if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        raise InputError(f"column {name!r} is of type {column.type}; wanted lists of numbers, leave it out")
    lengths = pc.list_value_length(column).to_numpy()
    uneven = np.flatnonzero(lengths != lengths[:1])
    if len(uneven):
        row = uneven[0]
        raise InputError(
            f"column {name!r}: row {row} has {lengths[row]} numbers; wanted {lengths[0]} as in row 0, make them equal"
        )
    values = pa.chunked_array([chunk.flatten() for chunk in column.chunks], kind)
    if values.null_count:
        row = int(np.argmax(values.is_null().to_numpy())) // int(lengths[0])
        raise InputError(f"column {name!r}: row {row} holds a null; fill it in, or leave the row or the column out")
    matrix: NDArray[Any] = values.to_numpy().reshape(len(lengths), -1 if len(lengths) else 0)
    return matrix

import math

import pytest

from msl.report.page.cells import columns


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        (["0.135 ± 0.010", "0.2", "1,240"], ["0.135", "0.2", "1240.0"]),
        (["−0.006", "-.5", "+0.011 [0.006, 0.016]"], ["-0.006", "-0.5", "0.011"]),
        (["< 0.001", "0.04 †", "12 %", "1e-05", "2.8 ×"], ["0.001", "0.04", "12.0", "1e-05", "2.8"]),
        (["3", "–", "", "nan"], ["3.0", "", "", ""]),
        ([0.25, math.nan, math.inf, -math.inf, 2], ["0.25", "", "Infinity", "-Infinity", "2.0"]),
    ],
    ids=["interval", "sign", "mark", "missing", "keys"],
)
def test_numbers_are_found_in_what_is_shown(cells, keys):
    assert columns([[cell] for cell in cells]) == [(True, keys)]


@pytest.mark.parametrize(
    "cells",
    [["0.1", "cat"], ["3fa9", "7"], ["2024-01-01", "1"], ["10-fold", "5"], ["", "–"], ["1.2.3"]],
    ids=["word", "hash", "date", "hyphen", "missing", "version"],
)
def test_anything_else_is_text(cells):
    number, keys = columns([[cell] for cell in cells])[0]
    assert not number
    assert keys == ["" if cell == "–" else cell for cell in cells]


def test_each_column_is_judged_by_itself_and_long_cells_quickly():
    rows = [["9" * 50_000 + "x", "1"], ["1" + "[" * 50_000, "2"]]
    assert [number for number, _ in columns(rows)] == [False, True]
    assert columns([]) == []

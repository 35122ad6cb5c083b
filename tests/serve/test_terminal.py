import io

import pytest
from rich.console import Console
from rich.text import Text

from msl.serve.terminal import flat, print_table


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a red bird", "a red bird"),
        ("\x1b]0;owned\x07", " ]0;owned "),
        ("two\nlines\r\tof it", "two lines  of it"),
        ("\x9b31m\u202e\ud800", " 31m  "),
        ("größer ☃ 鳥", "größer ☃ 鳥"),
    ],
    ids=["plain", "escape", "lines", "controls", "letters"],
)
def test_nothing_is_left_that_a_terminal_obeys(text, shown):
    assert flat(text) == shown


def test_every_cell_of_a_table_is_flattened_and_a_drawing_is_not():
    shown = io.StringIO()
    print_table(Console(file=shown, markup=False), ["x"], [["\x1b[2Jgone"], [Text("two\nlines")]], lines=False)
    assert "\x1b" not in shown.getvalue()
    assert [line.strip() for line in shown.getvalue().splitlines() if line.strip()][2:] == ["[2Jgone", "two", "lines"]

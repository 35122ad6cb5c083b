"""The journal: every epoch's numbers of every stage, as `log.csv` and on the board."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from msl.files import write_text
from msl.report.tracking.board import Board
from msl.types import Sink


class Journal:
    """Keeps `log.csv` whole after every epoch, one line per stage and epoch; an unknown number is an empty cell."""

    def __init__(self, file: Path, board: Board, *, resume: bool) -> None:
        self.file, self.board = file, board
        self.lines: dict[tuple[str, str], dict[str, str]] = _read(file) if resume and file.is_file() else {}
        if board.begins_anew:
            for (stage, epoch), line in self.lines.items():
                self._tell(stage, int(epoch), {name: float(value) for name, value in line.items()})

    def sink(self, stage: str) -> Sink:
        """Takes the epochs of one stage."""

        def take(epoch: int, values: Mapping[str, float]) -> None:
            # a resumed run goes through its last epochs once more, to the same bits
            known = (stage, str(epoch)) in self.lines
            self.lines[stage, str(epoch)] = {name: repr(float(value)) for name, value in values.items()}
            if not known:
                self._tell(stage, epoch, values)
            self._write()

        return take

    def _tell(self, stage: str, epoch: int, values: Mapping[str, float]) -> None:
        self.board.log(epoch, {f"{stage}/{name}": value for name, value in values.items()})

    def _write(self) -> None:
        columns = list(dict.fromkeys(name for line in self.lines.values() for name in line))
        text = io.StringIO()
        writer = csv.DictWriter(text, ["stage", "epoch", *columns], restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows({"stage": stage, "epoch": epoch, **line} for (stage, epoch), line in self.lines.items())
        write_text(self.file, text.getvalue())


def _read(file: Path) -> dict[tuple[str, str], dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        lines = {(line.pop("stage"), line.pop("epoch")): line for line in csv.DictReader(stream)}
    return {key: {name: value for name, value in line.items() if value} for key, line in lines.items()}

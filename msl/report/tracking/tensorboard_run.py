"""TensorBoard: event files in the run's folder; `tensorboard --logdir runs` finds those of all runs."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

from msl.report.tracking.parts import About, Outcome, flat


class TensorBoardRun:
    """One run's event files. A resumed run adds a file to those there."""

    begins_anew = False

    def __init__(self, about: About, *, online: bool) -> None:
        assert not online
        from torch.utils.tensorboard import SummaryWriter

        self.place = about.folder / "tensorboard"
        self.parameters = {name: _scalar(value) for name, value in flat(about.config).items()}
        self.writer = SummaryWriter(str(self.place))
        said = {"name": about.name, "group": about.group, "job type": about.job_type, "tags": ", ".join(about.tags)}
        self._text("run", said)

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """The scalars of one epoch, on disk before the next."""
        for name, value in values.items():
            self._scalar(name, value, epoch)
        self.writer.flush()

    def results(self, outcome: Outcome) -> None:
        """Headline numbers as scalars and beside the settings (HPARAMS), every row as text, pictures."""
        headline = {name: value for name, value in outcome.headline().items() if isinstance(value, (int, float))}
        self.writer.add_hparams(self.parameters, headline, run_name=".")
        self._text("results", {f"row {number}": json.dumps(row) for number, row in enumerate(outcome.rows)})
        for picture in outcome.pictures:
            with Image.open(picture) as image:
                pixels = np.asarray(image.convert("RGB"))
            self.writer.add_image(f"pictures/{picture.stem}", pixels, dataformats="HWC")

    def finish(self, *, exit_code: int) -> None:
        """Write how the run ended and close the file."""
        self._text("state", {"state": "failed" if exit_code else "finished"})
        self.writer.close()

    def _scalar(self, name: str, value: float, epoch: int) -> None:
        self.writer.add_scalar(name, value, epoch)

    def _text(self, tag: str, lines: Mapping[str, Any]) -> None:
        text = "\n\n".join(f"{name}: {value}" for name, value in lines.items())
        self.writer.add_text(tag, text)


def _scalar(value: Any) -> Any:
    """What TensorBoard takes as a setting: numbers, truth values and text."""
    return value if isinstance(value, (bool, int, float, str)) else str(value)

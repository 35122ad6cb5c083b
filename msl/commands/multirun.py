"""What follows `msl train -m`: one table of all its runs."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig


class Summary(Callback):
    """Hydra callback: when the last job of `-m` has ended, aggregate the finished ones."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the table over all runs below the sweep's folder."""
        from msl.commands.table import show
        from msl.evaluation.ledger import runs_below
        from msl.types import InputError

        folder = Path(config.hydra.sweep.dir)
        if not any(folder.rglob("metrics.json")):
            return  # every job failed, and each has said why
        try:
            show(runs_below(folder), metric="map", direction="mean", reference=None)
        except InputError as error:  # Hydra would make a warning of it; the runs themselves are whole
            print(f"no table of all runs: {error}")
            return
        print(f"next: msl table runs={folder}")

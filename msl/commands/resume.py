"""Going on with a stopped run, to the same bits."""

from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from msl.commands.recompose import recomposed
from msl.commands.train import train
from msl.evaluation.run import RunFolder
from msl.types import InputError


def resume(folder: Path) -> list[dict[str, Any]]:
    """Go on with the configuration the run recorded; returns the tidy rows. `InputError` if it is finished or no run."""
    run = RunFolder(folder)
    card = run.card()
    if run.finished():
        raise InputError(f"the run in {folder} is finished; measure it again with msl evaluate run={folder}")
    cfg = recomposed("train", card.overrides, folder / "config.yaml")
    OmegaConf.update(cfg, "resume", str(folder))
    return train(cfg, folder, list(card.overrides))

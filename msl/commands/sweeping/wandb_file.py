"""The same search as a W&B sweep, for agents on several machines: every run of an agent is one trial of `msl sweep`."""

import re
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from msl.commands.next_command import say_next
from msl.commands.settings import Run
from msl.commands.sweeping.plan import OBJECTIVE, Plan
from msl.commands.sweeping.space import Choice, Interval
from msl.files import write_text
from msl.types import InputError

_METHODS = {"tpe": "bayes", "random": "random", "grid": "grid"}

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")


def write_wandb_sweep(plan: Plan, first: Run, file: Path) -> None:
    """Write the definition that `wandb sweep` takes, and say what comes next; `first` is the run of the first values."""
    if not plan.space:
        raise InputError("a W&B sweep wants something to search, as in optimiser.lr=interval(1e-4,1e-2)")
    for key in plan.space:
        if not _NAME.fullmatch(key):
            raise InputError(
                f"{key} cannot be searched by W&B, whose names take no @ + or /; search it with msl sweep itself"
            )
    text = OmegaConf.to_yaml(OmegaConf.create(definition(plan, first)), resolve=False)  # ${...} is for the agent
    write_text(
        file, f"# Written by msl sweep. A run of an agent trains for selection alone and logs {OBJECTIVE}.\n{text}"
    )
    print(
        f"wrote {file}; create the sweep, then start `wandb agent` with the id it prints on as many machines as you like"
    )
    say_next("wandb", "sweep", str(file))


def definition(plan: Plan, first: Run) -> dict[str, Any]:
    """The sweep in W&B's words; the method is W&B's own (bayes for tpe)."""
    options = plan.options
    lists = [f"sweep.{key}={getattr(options, key)}".replace(" ", "") for key in ("splits", "seeds")]
    return {
        "program": "msl",
        "project": first.settings.logger.project,
        "name": f"{first.settings.label}-{first.card.data}",
        "method": _METHODS[options.sampler],
        "metric": {"name": OBJECTIVE, "goal": "maximize"},
        "run_cap": plan.trials,
        "parameters": {key: _parameter(parameter) for key, parameter in plan.space.items()},
        # what was given comes after the defaults, and what W&B suggests after that
        "command": [
            "${program}", "sweep", "logger=wandb", "logger.mode=online", *plan.fixed, *lists, "${args_no_hyphens}",
        ],
    }  # fmt: skip


def _parameter(parameter: Interval | Choice) -> dict[str, Any]:
    if isinstance(parameter, Choice):
        return {"values": list(parameter.values)}
    spread = "log_uniform_values" if parameter.log else "uniform"
    rounded = {"q": 1} if parameter.whole and parameter.log else {}
    kind = f"q_{spread}" if rounded else f"int_{spread}" if parameter.whole else spread
    return {"distribution": kind, "min": parameter.low, "max": parameter.high, **rounded}

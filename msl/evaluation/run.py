"""The run folder: the unit people pass around, and nothing in it is ever executed."""

import json
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from msl import __version__
from msl.data.splits import Split
from msl.evaluation.evaluate import Evaluation
from msl.files import write_bytes, write_json, write_npz, write_text
from msl.methods.method import Method, Sizes
from msl.types import InputError

PACKAGES = ("torch", "pytorch-lightning", "hydra-core", "numpy", "scipy", "scikit-image", "wandb")
_LISTS = ("classes", "encoders", "overrides", "modalities")
_WRITTEN_LAST = "metrics.json"


@dataclass(frozen=True)
class Card:
    """What `card.json` says of a run: enough to build its method again by name, and nothing that could be run."""

    label: str
    method: str
    sizes: Sizes
    classes: tuple[str, ...]
    """The classes trained on, in the classifier's order."""
    data: str
    data_hash: str
    encoders: tuple[str, str]
    embedding: str
    overrides: tuple[str, ...]
    config_hash: str
    chosen: dict[str, Any] = field(default_factory=dict)
    """The searched values that selection chose, by dotted key of the method."""
    epoch: int | None = None
    """How many epochs the final fit took, as selection chose; None for a closed-form method."""
    validation: float | None = None
    """The chosen trial's mAP on the validation rows."""
    modalities: tuple[str, str] = ("image", "text")
    """Names of modality a and b."""
    seconds: float | None = None
    """Processor time of selection and the final fit, over all threads: what else the machine does hardly changes it.

    None if the run was stopped on the way."""


@dataclass(frozen=True)
class RunFolder:
    """A folder with one run's files."""

    path: Path

    def start(self, config: str, card: Card, split: Split) -> None:
        """Write what is known before training: configuration, card, split, environment."""
        write_text(self.path / "config.yaml", config)
        write_json(self.path / "environment.json", _environment())
        split.write(self.path / "split.json")
        self.write_card(card)

    def write_card(self, card: Card) -> None:
        """Write `card.json`."""
        write_json(self.path / "card.json", {"format": 1, "msl": __version__} | asdict(card))

    def card(self) -> Card:
        """Read `card.json`; an `InputError` if the folder is no run's or the card is unreadable."""
        file = self.path / "card.json"
        if not file.is_file():
            raise InputError(
                f"{self.path} is not a run folder: it has no card.json; give the folder that msl train named "
                "(what msl export wrote is for msl.load)"
            )
        try:
            content = json.loads(file.read_text(encoding="utf-8"))
            content = {key: content[key] for key in Card.__dataclass_fields__ if key in content}
            lists = {key: tuple(content[key]) for key in _LISTS if key in content}
            return Card(**content | lists | {"sizes": Sizes(**content["sizes"])})
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{file} is damaged ({error}); restore it or train again") from None

    def finished(self) -> bool:
        """Whether the run came to its end."""
        return (self.path / _WRITTEN_LAST).is_file()

    def write_weights(self, method: Method) -> None:
        """Write `weights.safetensors`."""
        from safetensors.torch import save

        tensors = {name: value.contiguous() for name, value in method.state_dict().items()}
        write_bytes(self.path / "weights.safetensors", save(tensors))

    def load_weights(self, method: Method) -> None:
        """Fill a method of the same sizes; an `InputError` if the run is unfinished or the file does not fit."""
        from safetensors.torch import load_file

        file = self.path / "weights.safetensors"
        if not file.is_file():
            raise InputError(f"the run in {self.path} stopped before its end; go on with msl train resume={self.path}")
        try:
            method.load_state_dict(load_file(file))
        except Exception as error:
            reason = str(error).splitlines()[0]
            raise InputError(
                f"{file} does not fit the method its card names ({reason}); restore it or train again"
            ) from None

    def write_evaluation(self, evaluation: Evaluation, identity: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Write `per_query.npz`, `per_class.json` and, last, `metrics.json`: tidy rows, each with the run's identity. Returns the rows."""
        write_npz(self.path / "per_query.npz", evaluation.per_query)
        per_class = {key: _without_nan(values) for key, values in evaluation.per_class.items()}
        write_json(self.path / "per_class.json", per_class)
        rows = [dict(identity) | row for row in evaluation.rows]
        write_json(self.path / _WRITTEN_LAST, rows)
        return rows


def _without_nan(values: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _environment() -> dict[str, Any]:
    return {"python": platform.python_version(), "platform": platform.platform(), "msl": __version__} | {
        name: _version(name) for name in PACKAGES
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None

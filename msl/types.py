"""Words every module shares: the two modalities, the regimes, and the error a person is shown."""

from collections.abc import Callable, Mapping
from pathlib import Path
from signal import Signals
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from annotated_types import Ge, Gt, Lt
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Ints: TypeAlias = NDArray[np.integer[Any]]

Modality: TypeAlias = Literal["a", "b"]
"""The first and the second modality of a data set; its card names them (image and text, say)."""

Regime: TypeAlias = Literal["standard", "seen", "unseen", "generalised"]


class InputError(ValueError):
    """Something a person gave is wrong: the message is one line saying what was wanted, what came and the remedy."""


class TrainingError(RuntimeError):
    """Training cannot go on; the message names the step and the term."""


class Interrupted(BaseException):
    """A signal (`signum`) asked to stop and the state is saved; no `Exception`, so that nothing swallows it on the way."""

    def __init__(self, signum: int, saved: Path) -> None:
        super().__init__(f"stopped by {Signals(signum).name}; go on with msl train resume={saved.parent}")
        self.signum = signum


Positive: TypeAlias = Annotated[float, Gt(0), Lt(float("inf"))]
NonNegative: TypeAlias = Annotated[float, Ge(0), Lt(float("inf"))]
Fraction: TypeAlias = Annotated[float, Ge(0), Lt(1)]
Count: TypeAlias = Annotated[int, Ge(1)]
"""Ranges of configured numbers; `msl.config` checks every value against the annotation of the parameter it fills."""

Sink: TypeAlias = Callable[[int, Mapping[str, float]], None]
"""Takes an epoch, counted from 1, and its scalars by name."""

"""Words every module shares: the two modalities, the regimes, and the error a person is shown."""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.floating[Any]]
Ints: TypeAlias = NDArray[np.integer[Any]]

Modality: TypeAlias = Literal["a", "b"]
"""The first and the second modality of a data set; its card names them (image and text, say)."""

Regime: TypeAlias = Literal["standard", "seen", "unseen", "generalised"]


class InputError(ValueError):
    """Something a person gave is wrong: the message is one line saying what was wanted, what came and the remedy."""

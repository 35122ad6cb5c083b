"""Zero-shot cross-modal retrieval: train, evaluate and search with classes never seen in training."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from msl.commands.load import load
    from msl.metrics.measure import average_precision, mean_average_precision, measure

__version__ = "0.1.0"
__all__ = ["__version__", "average_precision", "load", "mean_average_precision", "measure"]

_HOMES = {
    "average_precision": "msl.metrics.measure",
    "load": "msl.commands.load",
    "mean_average_precision": "msl.metrics.measure",
    "measure": "msl.metrics.measure",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: `import msl` itself loads nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module 'msl' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

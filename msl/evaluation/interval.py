"""Intervals with the class split as the unit of statistics."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from msl.types import InputError


@dataclass(frozen=True)
class Interval:
    """Mean over `n` units with its two-sided Student-t confidence interval [`low`, `high`]."""

    mean: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half of the interval's width; NaN for a single unit, whose interval is unknown."""
        return (self.high - self.low) / 2


def t_interval(values: Sequence[float], *, confidence: float = 0.95) -> Interval:
    """Student-t interval of the mean of independent units, one value per class split (seeds averaged within it)."""
    sample = np.asarray(values, dtype=np.float64)
    if not sample.size:
        raise InputError("an interval wants at least one value, got none; finish a run first")
    mean = float(sample.mean())
    if sample.size == 1:
        return Interval(mean, float("nan"), float("nan"), 1)
    from scipy.stats import t  # here, because it takes half a second to import

    half = float(t.ppf((1 + confidence) / 2, sample.size - 1) * sample.std(ddof=1) / np.sqrt(sample.size))
    return Interval(mean, mean - half, mean + half, int(sample.size))


def prediction_interval(values: Sequence[float], *, others: int = 1, confidence: float = 0.95) -> Interval:
    """Interval in which the mean of `others` further units of the same kind lies, given these.

    ``mean ± t s sqrt(1/n + 1/others)``, with t of n - 1 degrees: wider than the interval of the mean, because a published
    number is itself a draw of class splits. `n` is the number of `values`; a single one has no interval (NaN).
    """
    known = t_interval(values, confidence=confidence)
    half = known.half_width * (1 + known.n / others) ** 0.5
    return Interval(known.mean, known.mean - half, known.mean + half, known.n)

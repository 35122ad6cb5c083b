"""Two methods on the same class splits: the difference, whether chance explains it, and how large it is."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from msl.evaluation.interval import Interval, t_interval
from msl.types import InputError

LEVEL = 0.05
"""Adjusted p-values below it are called a difference."""
_SAME = 1e-12
"""Differences whose deviation is below this are one number, but for rounding."""


@dataclass(frozen=True)
class Comparison(Interval):
    """Interval of the mean of the paired differences over `n` class splits, with its test and its size."""

    p: float | None
    """Of the two-sided paired t-test; None for one split. Differences that are all one number: 1 if it is 0, else 0."""
    effect: float | None
    """Cohen's d_z with Hedges' correction (`hedges_effect`); None where it is not defined."""
    p_holm: float | None = None
    """`p` adjusted by `holm` over the methods compared with one reference on the same data, protocol and regime."""

    @property
    def significant(self) -> bool:
        """Whether `p_holm` is below `LEVEL`."""
        return self.p_holm is not None and self.p_holm < LEVEL


def compare(ours: Mapping[str, float], theirs: Mapping[str, float], *, confidence: float = 0.95) -> Comparison:
    """Compare ``ours - theirs`` over the splits both have; `InputError` if they share none."""
    shared = sorted(ours.keys() & theirs.keys())
    if not shared:
        raise InputError(
            "a paired difference wants runs on the same class splits, got none in common; run both on the same split.seed"
        )
    differences = [ours[split] - theirs[split] for split in shared]
    known = t_interval(differences, confidence=confidence)
    return Comparison(
        known.mean, known.low, known.high, known.n, p=_p_value(differences), effect=hedges_effect(differences)
    )


def _p_value(differences: Sequence[float]) -> float | None:
    if len(differences) < 2:
        return None
    if np.std(differences) < _SAME:  # t is 0/0, or infinite
        return 1.0 if abs(np.mean(differences)) < _SAME else 0.0
    from scipy.stats import ttest_1samp  # here, because it takes half a second to import

    return float(ttest_1samp(differences, 0.0).pvalue)


def hedges_effect(differences: Sequence[float]) -> float | None:
    """Cohen's d_z, ``mean / deviation`` of paired differences (n,), times Hedges' correction for few pairs.

    The correction (Hedges, J. Educ. Stat. 1981) with m = n - 1 degrees is ``Γ(m/2) / (sqrt(m/2) Γ((m-1)/2))``. None below
    three pairs, where it leaves nothing, and for differences that are all one number other than 0, where d_z has no bound.
    """
    degrees = len(differences) - 1
    if degrees < 2:
        return None
    mean, deviation = float(np.mean(differences)), float(np.std(differences, ddof=1))
    if deviation < _SAME:
        return 0.0 if abs(mean) < _SAME else None
    correction = math.exp(math.lgamma(degrees / 2) - math.lgamma((degrees - 1) / 2)) / math.sqrt(degrees / 2)
    return correction * mean / deviation


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values for their number, in their order (Holm, Scand. J. Stat. 1979).

    The k-th smallest of m is multiplied by m - k + 1, none becomes smaller than one before it, none larger than 1.
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(np.argsort(p_values, kind="stable")):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted

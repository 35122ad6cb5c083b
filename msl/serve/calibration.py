"""From a cosine to a score with a meaning: how often two things so similar have a class in common."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from msl.types import Floats

_BINS = 10


@dataclass(frozen=True)
class Calibration:
    """P(a class in common | cosine) = 1 / (1 + exp(-(slope * cosine + offset))), after Platt (1999).

    Fitted to pairs of held-out items, its value is the share of pairs of this similarity that belong together in such a
    collection. It rises with the cosine, so no ranking is changed.
    """

    slope: float
    offset: float

    @classmethod
    def fit(cls, cosines: Floats, together: NDArray[np.bool_]) -> "Calibration | None":
        """Fit to cosines (n,) and whether each pair belongs together (n,); None if all do, none does or it does not rise."""
        if together.all() or not together.any():
            return None
        from sklearn.linear_model import LogisticRegression

        fitted = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(cosines[:, None], together)
        slope = float(fitted.coef_[0, 0])
        return cls(slope, float(fitted.intercept_[0])) if slope > 0 else None

    def __call__(self, cosines: Floats) -> Floats:
        """Shares, of the cosines' shape."""
        from scipy.special import expit

        shares: Floats = expit(self.slope * np.asarray(cosines, np.float64) + self.offset)
        return shares

    def error(self, cosines: Floats, together: NDArray[np.bool_]) -> float:
        """Expected calibration error: the mean distance, over tenths of the pairs by score, of mean score and true share."""
        scores = self(cosines)
        parts = np.array_split(np.argsort(scores, kind="stable"), _BINS)
        return float(
            sum(len(part) * abs(scores[part].mean() - together[part].mean()) for part in parts if len(part))
            / len(scores)
        )

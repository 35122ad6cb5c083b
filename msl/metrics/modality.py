"""How far apart the two modalities lie in the code space: what a modality adversary is there to close."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from msl.metrics.arrays import to_matrix
from msl.metrics.ranked import Values
from msl.types import InputError


def modality_gap(a: ArrayLike, b: ArrayLike) -> float:
    """The modality gap: the distance between the means of the unit-normalised codes, from 0 to 2.

    ``|| mean_i a_i / |a_i|  -  mean_j b_j / |b_j| ||`` (Liang et al., "Mind the Gap", NeurIPS 2022, section 4.1).
    Codes `a` (n, d) and `b` (m, d), paired or not; a zero code stays zero. Raises `InputError` for codes of two widths.
    """
    units_a, units_b = _units(a, b)
    return float(np.linalg.norm(units_a.mean(axis=0) - units_b.mean(axis=0)))


def modality_probe(a: ArrayLike, b: ArrayLike, *, folds: int, seed: int) -> float:
    """How well a linear probe tells the modalities apart: 0.5 where it cannot, 1 where it always can.

    Balanced accuracy, over `folds` held-out parts drawn by `seed`, of a logistic regression (scikit-learn's, L2 with its
    C of 1) on unit-normalised codes `a` (n, d) and `b` (m, d), each dimension standardised on the other parts. Row i of
    `a` and row i of `b` fall in the same part: the two codes of a pair never stand on both sides, where a probe that
    remembers one would name the other wrongly. Raises `InputError` for codes of two widths, or fewer rows than folds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import balanced_accuracy_score
    from sklearn.model_selection import PredefinedSplit, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    units_a, units_b = _units(a, b)
    if min(len(units_a), len(units_b)) < folds:
        raise InputError(
            f"modality_probe: wanted at least {folds} codes of each modality, one for each fold, got {len(units_a)} and "
            f"{len(units_b)}; give more codes or fewer folds"
        )
    parts = np.concatenate([_parts(len(units), folds, seed) for units in (units_a, units_b)])
    modality = np.repeat([0, 1], [len(units_a), len(units_b)])
    probe = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000))
    named = cross_val_predict(probe, np.concatenate([units_a, units_b]), modality, cv=PredefinedSplit(parts))
    return float(balanced_accuracy_score(modality, named))


def _parts(rows: int, folds: int, seed: int) -> NDArray[np.intp]:
    """The held-out part (rows,) of each row: every run of `folds` rows is dealt out once, so a prefix is fair too."""
    rng = np.random.default_rng(seed)
    dealt = [rng.permutation(folds) for _ in range(-(-rows // folds))]
    return np.concatenate(dealt)[:rows]


def _units(a: ArrayLike, b: ArrayLike) -> tuple[Values, Values]:
    first, second = (_unit_rows(codes, what) for codes, what in ((a, "a"), (b, "b")))
    if first.shape[1] != second.shape[1]:
        raise InputError(
            f"codes: wanted both modalities in one space, got widths {first.shape[1]} and {second.shape[1]}; encode both "
            "with one method"
        )
    return first, second


def _unit_rows(codes: ArrayLike, what: str) -> Values:
    matrix = np.asarray(to_matrix(codes, what, "(items, dimensions)"), dtype=np.float64)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    units: Values = matrix / np.where(lengths > 0, lengths, 1.0)
    return units

"""The canonical correlations of a batch: what deep CCA maximises."""

import torch
from torch import Tensor

from msl.types import Positive


def canonical_correlation(code_a: Tensor, code_b: Tensor, *, ridge: Positive) -> Tensor:
    """Minus the sum of the canonical correlations between the codes of a batch.

    ``corr(A, B) = || T ||_tr``,  ``T = S_aa^-1/2 S_ab S_bb^-1/2``,  ``S_aa = 1/n A'A + r I``

    - A, B -> `code_a`, `code_b` (n, code), centred over the batch; r -> `ridge`
    - || . ||_tr -> the sum of all singular values

    Returns one value per pair (n,), the same for all: the sum is a property of the batch. Computed in float64. Cholesky
    factors stand for the square roots: they whiten as well, T's singular values are the same, and no gradient runs
    through eigenvectors, which has no limit where two eigenvalues meet.
    Source: Andrew, Arora, Bilmes, Livescu, "Deep Canonical Correlation Analysis", ICML 2013, equations 10 to 12, there
    with 1/(n - 1), which a batch of one pair does not have.
    """
    a, b = (code.double() - code.double().mean(dim=0) for code in (code_a, code_b))
    left = torch.linalg.solve_triangular(_factor(a, ridge), a.T @ b / len(a), upper=False)
    whitened = torch.linalg.solve_triangular(_factor(b, ridge), left.T, upper=False)
    correlations: Tensor = torch.linalg.svdvals(whitened)
    return -correlations.sum().to(code_a.dtype).expand(len(code_a))


def _factor(centred: Tensor, ridge: float) -> Tensor:
    """Lower triangular L with ``L L' = 1/n A'A + r I``."""
    identity = torch.eye(centred.shape[1], dtype=centred.dtype, device=centred.device)
    factor: Tensor = torch.linalg.cholesky(centred.T @ centred / len(centred) + ridge * identity)
    return factor

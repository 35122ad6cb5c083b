"""Linear CCA with ridge: the closed-form method to beat."""

import torch
from torch import Tensor

from msl.data.classes import Classes
from msl.data.pairs import Pairs
from msl.methods.method import ClosedForm, Sizes
from msl.methods.moments import span, standardised
from msl.nets.standardise import Standardise
from msl.types import Count, InputError, Modality, NonNegative


class CCA(ClosedForm):
    """Canonical correlation analysis: the linear maps under which the modalities correlate most.

    maximise ``tr(U' S_ab V)`` subject to ``U' (S_aa + ridge I) U = I`` and ``V' (S_bb + ridge I) V = I``

    - S_aa, S_ab, S_bb -> covariances of the standardised features
    - U, V -> `to_code_a` (size_a, code), `to_code_b` (size_b, code), but for the weights of `power`

    Solved by the singular value decomposition of ``(S_aa + ridge I)^-1/2 S_ab (S_bb + ridge I)^-1/2`` in float64. Codes are
    the leading canonical variates, each weighted by its correlation to the power of `power` (0: the textbook's variates).
    References: Hotelling, "Relations between two sets of variates", Biometrika 28, 1936; for the ridge Vinod, "Canonical
    ridge and econometrics of joint production", Journal of Econometrics 4, 1976.

    Differences from the source: 1. The ridge: without one, more features than pairs have no solution. 2. `power`, which is
    ours: 0 leaves the variates as they are. 3. Features are standardised by the training rows, so that a ridge means the
    same for each.
    """

    def __init__(self, sizes: Sizes, *, size: Count, ridge: NonNegative, power: NonNegative) -> None:
        super().__init__(sizes, *(Standardise(width, per="feature", squared_norm=None) for width in (sizes.a, sizes.b)))
        self.size, self.ridge, self.power = min(size, sizes.a, sizes.b), ridge, power
        self.register_buffer("to_code_a", torch.zeros(sizes.a, self.size))
        self.register_buffer("to_code_b", torch.zeros(sizes.b, self.size))
        self.register_buffer("correlations", torch.zeros(self.size))

    def fit(self, pairs: Pairs, classes: Classes) -> None:
        """Solve for the training pairs; classes are not used."""
        self.prepare(pairs)
        basis_a, basis_b = span(self.inputs["a"], pairs.a), span(self.inputs["b"], pairs.b)
        aa, ab, bb = self._covariances(pairs, basis_a, basis_b)
        whiten_a, whiten_b = self._whitening(aa), self._whitening(bb)
        left, correlations, right = torch.linalg.svd(whiten_a @ ab @ whiten_b, full_matrices=False)
        found = min(self.size, len(correlations))  # of fewer pairs than the code is wide, the rest stays 0
        weights = correlations[:found] ** self.power
        self.get_buffer("to_code_a")[:, :found] = (basis_a @ whiten_a @ left[:, :found] * weights).float()
        self.get_buffer("to_code_b")[:, :found] = (basis_b @ whiten_b @ right.T[:, :found] * weights).float()
        self.get_buffer("correlations")[:found] = correlations[:found].float()

    def _covariances(self, pairs: Pairs, basis_a: Tensor, basis_b: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Covariances of a with a, of a with b, and of b with b, summed in float64 stretch by stretch."""
        sums: list[Tensor | float] = [0.0, 0.0, 0.0]
        rows_a, rows_b = (
            standardised(self.inputs["a"], pairs.a, basis_a),
            standardised(self.inputs["b"], pairs.b, basis_b),
        )
        for a, b in zip(rows_a, rows_b, strict=True):
            sums = [total + left.T @ right for total, (left, right) in zip(sums, ((a, a), (a, b), (b, b)), strict=True)]
        aa, ab, bb = (total / len(pairs) for total in sums)
        return torch.as_tensor(aa), torch.as_tensor(ab), torch.as_tensor(bb)

    def _whitening(self, covariance: Tensor) -> Tensor:
        """``(covariance + ridge I)^-1/2``, symmetric."""
        values, vectors = torch.linalg.eigh(covariance)
        values = values.clamp(min=0) + self.ridge
        if values.min() <= 1e-10 * values.max():
            raise InputError(
                "cca: the covariance of the features is singular; give method.ridge a value above 0, such as 0.1"
            )
        whitening: Tensor = vectors * values.rsqrt() @ vectors.T
        return whitening

    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, code): standardise, project."""
        codes: Tensor = self.inputs[modality](features) @ self.get_buffer(f"to_code_{modality}")
        return codes

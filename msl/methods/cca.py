"""Linear CCA with ridge: the closed-form method to beat."""

import torch
from torch import Tensor

from msl.data.classes import Classes
from msl.data.pairs import Pairs
from msl.methods.method import ClosedForm, Sizes
from msl.nets.standardise import Standardise
from msl.types import Count, InputError, Modality, NonNegative


class CCA(ClosedForm):
    """Canonical correlation analysis: the linear maps under which the modalities correlate most (Hotelling, 1936).

    maximise ``tr(U' S_ab V)`` subject to ``U' (S_aa + ridge I) U = I`` and ``V' (S_bb + ridge I) V = I``, where S are the
    covariances of the standardised features (Vinod, 1976, for the ridge). Solved by the singular value decomposition of
    ``(S_aa + ridge I)^-1/2 S_ab (S_bb + ridge I)^-1/2`` in float64. Codes are the leading canonical variates, each
    weighted by its correlation to the power of `power` (0: the textbook's variates).
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
        a: Tensor = self.inputs["a"](torch.from_numpy(pairs.a)).double()
        b: Tensor = self.inputs["b"](torch.from_numpy(pairs.b)).double()
        whiten_a, whiten_b = self._whitening(a), self._whitening(b)
        left, correlations, right = torch.linalg.svd(whiten_a @ (a.T @ b / len(a)) @ whiten_b, full_matrices=False)
        weights = correlations[: self.size] ** self.power
        self.get_buffer("to_code_a").copy_(whiten_a @ left[:, : self.size] * weights)
        self.get_buffer("to_code_b").copy_(whiten_b @ right.T[:, : self.size] * weights)
        self.get_buffer("correlations").copy_(correlations[: self.size])

    def _whitening(self, features: Tensor) -> Tensor:
        """``(covariance + ridge I)^-1/2``, symmetric."""
        values, vectors = torch.linalg.eigh(features.T @ features / len(features))
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

"""Kernel CCA: canonical correlation analysis behind a radial basis function, of any number of pairs."""

import numpy as np
import torch
from torch import Tensor

from msl.data.classes import Classes
from msl.data.pairs import Pairs
from msl.methods.method import ClosedForm, Sizes
from msl.nets.standardise import Standardise
from msl.types import Count, Floats, Modality, Positive

_JITTER = 1e-10
"""Added to diagonals: what float64 needs to factor a Gram matrix, whose own diagonal is 1."""


class KernelCCA(ClosedForm):
    """Kernel canonical correlation analysis: the smooth functions under which the modalities correlate most.

    ``k(x, z) = exp(-gamma ||x - z||^2 / m)``

    ``phi(x) = K_LL^-1/2 k(x, L)``

    maximise ``tr(U' S_ab V)`` subject to ``U' (S_aa + ridge I) U = I`` and ``V' (S_bb + ridge I) V = I``

    - L -> `landmarks_a`, `landmarks_b`, training pairs; K_LL -> the kernel among them
    - m -> the median squared distance of two landmarks; gamma / m -> `gamma_a`, `gamma_b`
    - S_aa, S_ab, S_bb -> covariances of phi; its variances sum to at most 1, which is the scale of `ridge`
    - K_LL^-1/2 U, K_LL^-1/2 V -> `to_code_a`, `to_code_b` (landmarks, code)

    Codes are the leading canonical variates of [linear CCA](cca.md) in the space of phi. With at least as many landmarks
    as pairs that is kernel CCA itself; with fewer, its Nystroem approximation.
    Reference: Hardoon, Szedmak, Shawe-Taylor, "Canonical correlation analysis: an overview with application to learning
    methods", Neural Computation 16, 2004; for the landmarks Williams, Seeger, "Using the Nystroem method to speed up
    kernel machines", NIPS 2001.

    Differences from the source: 1. Nystroem features stand for its partial Gram-Schmidt decomposition: the same purpose,
    one draw of pairs, the same for every seed. 2. A radial basis function on standardised features in both modalities, where
    it has one for images and a linear kernel on counts of words: data sets here bring any features. 3. The ridge is
    relative to the variance of phi and is chosen on held-out classes, not from the gap to randomly paired rows.
    """

    def __init__(self, sizes: Sizes, *, landmarks: Count, size: Count, gamma: Positive, ridge: Positive) -> None:
        super().__init__(sizes, *(Standardise(width, per="feature", squared_norm=None) for width in (sizes.a, sizes.b)))
        self.landmarks, self.size, self.gamma, self.ridge = landmarks, min(size, landmarks), gamma, ridge
        for modality, width in (("a", sizes.a), ("b", sizes.b)):
            self.register_buffer(f"landmarks_{modality}", torch.zeros(landmarks, width))
            self.register_buffer(f"gamma_{modality}", torch.zeros(()))
            self.register_buffer(f"to_code_{modality}", torch.zeros(landmarks, self.size))
            self.register_buffer(f"mean_code_{modality}", torch.zeros(self.size))
        self.register_buffer("correlations", torch.zeros(self.size))

    def fit(self, pairs: Pairs, classes: Classes) -> None:
        """Solve for the training pairs; classes are not used."""
        self.prepare(pairs)
        rows = np.sort(np.random.default_rng(0).permutation(len(pairs))[: self.landmarks])
        gram_a, gram_b = self._place(pairs.a[rows], "a"), self._place(pairs.b[rows], "b")
        mean_a, mean_b, aa, ab, bb = self._moments(pairs, len(rows))
        whiten_a, whiten_b = _whitening(aa + self.ridge * gram_a), _whitening(bb + self.ridge * gram_b)
        left, correlations, right = torch.linalg.svd(whiten_a.T @ ab @ whiten_b, full_matrices=False)
        found = min(self.size, len(correlations))  # of fewer pairs than the code is wide, the rest stays 0
        self.get_buffer("correlations")[:found] = correlations[:found].float()
        self._keep(whiten_a @ left[:, :found], mean_a, "a")
        self._keep(whiten_b @ right.T[:, :found], mean_b, "b")

    def _place(self, rows: Floats, modality: Modality) -> Tensor:
        """Make these rows the landmarks, and their median distance the kernel's unit; gives the kernel among them."""
        placed: Tensor = self.inputs[modality](torch.from_numpy(rows))
        distances = _squared_distances(placed, placed)
        apart = distances[~torch.eye(len(rows), dtype=torch.bool)]
        median = float(apart.median()) if len(apart) else 0.0
        self.get_buffer(f"landmarks_{modality}")[: len(rows)] = placed
        self.get_buffer(f"gamma_{modality}").fill_(self.gamma / (median or 1.0))
        return self._kernel(placed, modality)[:, : len(rows)]

    def _kernel(self, rows: Tensor, modality: Modality) -> Tensor:
        """``k(x, L)`` of standardised rows (n, size): float64 (n, landmarks)."""
        distances = _squared_distances(rows, self.get_buffer(f"landmarks_{modality}"))
        return (-self.get_buffer(f"gamma_{modality}").double() * distances).exp()

    def _moments(self, pairs: Pairs, landmarks: int) -> tuple[Tensor, ...]:
        """Means of ``k(a, L)`` and ``k(b, L)``, and their covariances a with a, a with b, b with b."""
        sums: list[Tensor | float] = [0.0] * 5
        for raw_a, raw_b in zip(pairs.a.stretches(), pairs.b.stretches(), strict=True):
            a = self._kernel(self.inputs["a"](torch.from_numpy(raw_a)), "a")[:, :landmarks]
            b = self._kernel(self.inputs["b"](torch.from_numpy(raw_b)), "b")[:, :landmarks]
            own = (a.sum(dim=0), b.sum(dim=0), a.T @ a, a.T @ b, b.T @ b)
            sums = [total + more for total, more in zip(sums, own, strict=True)]
        mean_a, mean_b, aa, ab, bb = (torch.as_tensor(total) / len(pairs) for total in sums)
        centred = (aa - torch.outer(mean_a, mean_a), ab - torch.outer(mean_a, mean_b), bb - torch.outer(mean_b, mean_b))
        return mean_a, mean_b, *centred

    def _keep(self, directions: Tensor, mean: Tensor, modality: Modality) -> None:
        """Keep the map (landmarks, code) to codes, and the mean code of the training rows."""
        rows, found = directions.shape
        self.get_buffer(f"to_code_{modality}")[:rows, :found] = directions.float()
        self.get_buffer(f"mean_code_{modality}")[:found] = (mean @ directions).float()

    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, code): compare with the landmarks, project, centre."""
        kernel = self._kernel(self.inputs[modality](features), modality)
        codes = kernel @ self.get_buffer(f"to_code_{modality}").double()
        return (codes - self.get_buffer(f"mean_code_{modality}")).float()


def _squared_distances(rows: Tensor, others: Tensor) -> Tensor:
    """``||x - z||^2`` (n, m) of rows (n, size) and others (m, size), float64."""
    x, z = rows.double(), others.double()
    return (x.square().sum(dim=1, keepdim=True) + z.square().sum(dim=1) - 2 * x @ z.T).clamp(min=0)


def _whitening(metric: Tensor) -> Tensor:
    """``P`` with ``P' metric P = I``, upper triangular."""
    identity = torch.eye(len(metric), dtype=metric.dtype)
    factor = torch.linalg.cholesky(metric + _JITTER * identity, upper=True)
    whitening: Tensor = torch.linalg.solve_triangular(factor, identity, upper=True)
    return whitening

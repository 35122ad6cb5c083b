"""ESZSL, the embarrassingly simple approach: a bilinear classifier whose class side is the class embedding, in one line."""

import torch
from torch import Tensor, nn

from msl.data.classes import Classes
from msl.data.pairs import Features, Pairs
from msl.methods.class_space import embedding_size
from msl.methods.method import ClosedForm, Sizes
from msl.methods.moments import class_vectors, memberships, products, span, standardised
from msl.nets.standardise import Standardise
from msl.types import Ints, Modality, Positive


class ESZSL(ClosedForm):
    """Bilinear zero-shot classifier: a score of item and class that is linear in the features and in the class embedding.

    minimise ``||X' V S - Y||^2 + gamma ||V S||^2 + lambda ||X' V||^2 + gamma lambda ||V||^2``

    ``V = (X X' + gamma I)^-1 X Y S' (S S' + lambda I)^-1``

    - X -> standardised features of the training pairs of one modality (size, pairs)
    - S -> class embeddings, of norm 1 (embedding, classes); Y -> 1 where a pair has a class, else -1 (pairs, classes)
    - gamma -> `ridge` times the number of pairs; lambda -> `class_ridge`
    - V -> `to_code_a`, `to_code_b` (size, embedding)

    Codes are ``V' x``: the side of the score that knows no class.
    Reference: Romera-Paredes, Torr, "An embarrassingly simple approach to zero-shot learning", ICML 2015.

    Differences from the source: 1. A V for each modality, where it has images alone: codes of both lie in one space, that
    of class meaning. 2. It scores unseen classes by their embeddings; here queries compare with items, and nothing of an
    unseen class is used. 3. Features are standardised, class embeddings have norm 1, and gamma grows with the
    number of pairs: one grid serves every data set. The source tries 10^-3 to 10^3 for both on held-out classes; here held-out
    classes choose among fewer. 4. Its kernel variant is left out.
    """

    def __init__(self, sizes: Sizes, *, ridge: Positive, class_ridge: Positive) -> None:
        super().__init__(sizes, *(Standardise(width, per="feature", squared_norm=None) for width in (sizes.a, sizes.b)))
        self.ridge, self.class_ridge = ridge, class_ridge
        width = embedding_size(sizes, method="eszsl")
        self.register_buffer("to_code_a", torch.zeros(sizes.a, width))
        self.register_buffer("to_code_b", torch.zeros(sizes.b, width))

    def fit(self, pairs: Pairs, classes: Classes) -> None:
        """Solve for the training pairs."""
        self.prepare(pairs)
        vectors = class_vectors(classes)
        class_side = torch.linalg.solve(_with_ridge(vectors.T @ vectors, self.class_ridge), vectors.T).T
        for modality, features in (("a", pairs.a), ("b", pairs.b)):
            feature_side = self._regressed(self.inputs[modality], features, pairs.labels, len(classes))
            self.get_buffer(f"to_code_{modality}").copy_(feature_side @ class_side)

    def _regressed(self, inputs: nn.Module, features: Features, labels: Ints, classes: int) -> Tensor:
        """``(X X' + gamma I)^-1 X Y`` (size, classes), found among the directions that the rows X' span."""
        basis = span(inputs, features)
        xx = products(standardised(inputs, features, basis), standardised(inputs, features, basis))
        signs = (2 * each - 1 for each in memberships(labels, classes))
        xy = products(standardised(inputs, features, basis), signs)
        regressed: Tensor = basis @ torch.linalg.solve(_with_ridge(xx, self.ridge * len(labels)), xy)
        return regressed

    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, embedding): standardise, project."""
        codes: Tensor = self.inputs[modality](features) @ self.get_buffer(f"to_code_{modality}")
        return codes


def _with_ridge(square: Tensor, ridge: float) -> Tensor:
    return square + ridge * torch.eye(len(square), dtype=square.dtype)

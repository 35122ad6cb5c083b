"""SAE, the semantic autoencoder: one linear map encodes features as class meaning and, transposed, rebuilds them."""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from msl.data.classes import Classes
from msl.data.pairs import Features, Pairs
from msl.methods.class_space import embedding_size
from msl.methods.method import ClosedForm, Sizes
from msl.methods.moments import class_vectors, products, shares, span, standardised
from msl.nets.standardise import Standardise
from msl.types import InputError, Ints, Modality, Positive


class SAE(ClosedForm):
    """Semantic autoencoder: features become class meaning by a map whose transpose rebuilds them.

    minimise ``||X - W' S||^2 + lambda ||W X - S||^2``

    ``A W + W B = C`` with ``A = S S'``, ``B = lambda X X'``, ``C = (1 + lambda) S X'``

    - X -> standardised features of the training pairs of one modality (size, pairs)
    - S -> class embeddings of those pairs (embedding, pairs); lambda -> `weight`
    - W' -> `to_code_a`, `to_code_b` (size, embedding) with `direction` encode
    - W' s_c -> `to_code_a`, `to_code_b` (size, classes), of norm 1, with `direction` decode

    `direction` encode: codes are ``W x``, in the semantic space. decode, the source's other one, from semantics to
    features: codes are the cosines of x with ``W' s_c`` for every class c trained on.
    Reference: Kodirov, Xiang, Gong, "Semantic autoencoder for zero-shot learning", CVPR 2017.

    Differences from the source: 1. A W for each modality, where it has images alone: codes of both lie in one space,
    that of class meaning. 2. It compares with the embeddings of unseen classes; here queries compare with items, and
    nothing of an unseen class is used. 3. X and S are centred, and scaled to a mean squared norm of 1, where it scales
    each feature to norm 1 over the training rows and centres nothing: centring does the work of an intercept, and lambda
    compares two relative errors whatever the data set, where the source needs .2 (CUB) or 5e5 (its demonstration on
    AwA). 4. The Sylvester equation is solved by the eigenvectors of A and B, which are symmetric: the same W, also where
    both are singular (embeddings wider than classes, features wider than pairs), then the one of least norm. 5. An item of
    several classes has the mean of their embeddings; the source has none.
    """

    def __init__(self, sizes: Sizes, *, weight: Positive, direction: Literal["encode", "decode"]) -> None:
        super().__init__(sizes, *(Standardise(width, per="feature", squared_norm=1.0) for width in (sizes.a, sizes.b)))
        self.weight, self.direction = weight, direction
        embedding = embedding_size(sizes, method="sae")
        width = embedding if direction == "encode" else sizes.classes
        self.register_buffer("to_code_a", torch.zeros(sizes.a, width))
        self.register_buffer("to_code_b", torch.zeros(sizes.b, width))

    def fit(self, pairs: Pairs, classes: Classes) -> None:
        """Solve for the training pairs; an `InputError` if all classes have the same embedding."""
        self.prepare(pairs)
        vectors, count = class_vectors(classes), len(classes)
        together = products(shares(pairs.labels, count), shares(pairs.labels, count))
        meaning = _standardised_meaning(vectors, together)
        for modality, features in (("a", pairs.a), ("b", pairs.b)):
            solved = self._solve(self.inputs[modality], features, pairs.labels, meaning, together)
            to_code = solved.T if self.direction == "encode" else normalize(solved.T @ meaning.T, dim=0)
            self.get_buffer(f"to_code_{modality}").copy_(to_code)

    def _solve(self, inputs: nn.Module, features: Features, labels: Ints, meaning: Tensor, together: Tensor) -> Tensor:
        """W (embedding, size) of one modality, found among the directions that its rows span."""
        basis = span(inputs, features)
        xx = products(standardised(inputs, features, basis), standardised(inputs, features, basis))
        sx = meaning.T @ products(shares(labels, len(meaning)), standardised(inputs, features, basis))
        return sylvester(meaning.T @ together @ meaning, self.weight * xx, (1 + self.weight) * sx) @ basis.T

    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, embedding), or with `direction` decode (n, classes)."""
        inputs: Tensor = self.inputs[modality](features)
        rows = inputs if self.direction == "encode" else normalize(inputs)
        return rows @ self.get_buffer(f"to_code_{modality}")


def _standardised_meaning(vectors: Tensor, together: Tensor) -> Tensor:
    """Class embeddings (classes, embedding), centred over the pairs and of mean squared norm 1.

    `together` (classes, classes) sums over pairs the products of their shares in two classes.
    """
    pairs = together.sum()
    centred = vectors - together.sum(dim=0) @ vectors / pairs
    squared_norm = (centred.T @ together @ centred).trace() / pairs
    if not squared_norm > 0:
        raise InputError(
            "sae: the classes trained on all have the same embedding; choose another, such as embedding=words"
        )
    return centred / squared_norm.sqrt()


def sylvester(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """``W`` (k, d) with ``a W + W b = c`` for symmetric positive semi-definite a (k, k) and b (d, d).

    0 in the directions where neither has any extent: c, made of the same rows, has none there either.
    """
    (values_a, vectors_a), (values_b, vectors_b) = torch.linalg.eigh(a), torch.linalg.eigh(b)
    extent = values_a[:, None] + values_b
    inverse = torch.where(extent > 1e-10 * extent.max(), 1 / extent, 0)
    solved: Tensor = vectors_a @ (vectors_a.T @ c @ vectors_b * inverse) @ vectors_b.T
    return solved

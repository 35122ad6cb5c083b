"""The hinge rank loss over class embeddings."""

from torch import Tensor
from torch.nn.functional import normalize, one_hot, relu

from msl.types import NonNegative


def label_ranking(
    code_a: Tensor, code_b: Tensor, label: Tensor, class_embeddings: Tensor, *, margin: NonNegative
) -> Tensor:
    """A code's product with the embedding of its class exceeds that with every other class's, in either modality.

    ``l(x) = sum_{j != y} max(0, m - t_y . x + t_j . x)``,  summed over the two codes of a pair

    - x -> `code_a` or `code_b` (n, size); m -> `margin`
    - t_j -> `class_embeddings` (classes, size), here made of unit length
    - y -> `label` (n,); of several classes, a distribution (n, classes): their mean product stands for ``t_y . x``

    Returns one value per pair (n,).
    Source: Frome et al., "DeViSE: A Deep Visual-Semantic Embedding Model", NIPS 2013, equation 1.
    """
    shares = (one_hot(label, len(class_embeddings)) if label.ndim == 1 else label).to(code_a.dtype)
    targets = normalize(class_embeddings)
    return _hinges(code_a @ targets.T, shares, margin) + _hinges(code_b @ targets.T, shares, margin)


def _hinges(products: Tensor, shares: Tensor, margin: float) -> Tensor:
    own = (shares * products).sum(dim=1, keepdim=True)
    return (relu(margin - own + products) * (shares == 0)).sum(dim=1)

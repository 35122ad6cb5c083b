"""Regression onto class embeddings: what a code says of class meaning is the class embedding itself."""

from torch import Tensor

from msl.functional import squared_distance


def regression(code_a: Tensor, code_b: Tensor, embedding: Tensor) -> Tensor:
    """Half the squared distance of both codes to the class embedding.

    ``1/2 ||w - z_a||^2 + 1/2 ||w - z_b||^2``

    - z_a, z_b -> `code_a`, `code_b` (n, size); w -> `embedding` (n, size)

    Returns one value per pair (n,).
    Reference: Socher, Ganjoo, Manning, Ng, "Zero-shot learning through cross-modal transfer", NIPS 2013.
    """
    return (squared_distance(code_a, embedding) + squared_distance(code_b, embedding)) / 2


def semantic_regression(embedding_from_semantic: Tensor, embedding: Tensor) -> Tensor:
    """Mean square of what the codes of class meaning miss of the class embedding.

    ``1/d ||w - R(s)||^2``

    - R(s) -> `embedding_from_semantic` (n, d); w -> `embedding` (n, d)

    Returns one value per pair (n,).
    """
    return squared_distance(embedding_from_semantic, embedding) / embedding.shape[1]

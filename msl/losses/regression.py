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


def semantic_regression(
    embedding_from_a: Tensor, embedding_from_b: Tensor, embedding_from_semantic: Tensor, embedding: Tensor
) -> Tensor:
    """Half the squared distance of the class embedding to what is made of the codes of a, of b and of class meaning.

    ``1/2 ||w - R(z_a)||^2 + 1/2 ||w - R(z_b)||^2 + 1/2 ||w - R(s)||^2``

    - R(z_a), R(z_b), R(s) -> `embedding_from_a`, `embedding_from_b`, `embedding_from_semantic`; w -> `embedding`, all (n, size)

    Returns one value per pair (n,).
    """
    return (
        regression(embedding_from_a, embedding_from_b, embedding)
        + squared_distance(embedding_from_semantic, embedding) / 2
    )

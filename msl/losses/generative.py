"""What decoders fail to rebuild: from a pair's own latent, from another modality's, from both together."""

from torch import Tensor
from torch.nn.functional import cross_entropy

from msl.functional import squared_distance


def self_reconstruction(errors: Tensor) -> Tensor:
    """Errors of every modality rebuilt from its own latent.

    ``sum_i e_ii``

    - e_ij -> `errors` (n, m, m): how far modality j is from what is rebuilt of it from modality i's latent, in the
      distance that the method chose

    Returns one value per pair (n,).
    """
    return errors.diagonal(dim1=1, dim2=2).sum(dim=1)


def cross_reconstruction(errors: Tensor) -> Tensor:
    """Errors of every modality rebuilt from another one's latent.

    ``sum_i sum_{j != i} e_ij``

    - e_ij -> `errors` (n, m, m), as in `self_reconstruction`

    Returns one value per pair (n,).
    """
    return errors.sum(dim=(1, 2)) - self_reconstruction(errors)


def fused_reconstruction(a: Tensor, b: Tensor, a_from_fused: Tensor, b_from_fused: Tensor) -> Tensor:
    """Squared errors of both modalities rebuilt from the latent made of both together.

    ``||a - a^||_2^2 + ||b - b^||_2^2``

    - a -> `a` (n, size_a), a^ -> `a_from_fused`; b -> `b` (n, size_b), b^ -> `b_from_fused`

    Returns one value per pair (n,).
    """
    return squared_distance(a, a_from_fused) + squared_distance(b, b_from_fused)


def fused_class(fused_logits: Tensor, label: Tensor) -> Tensor:
    """Softmax cross-entropy of the class of a pair, named from both modalities together.

    ``-log p(y | a, b)``

    - p(. | a, b) -> softmax of `fused_logits` (n, classes)
    - y -> `label` (n,), an index of the classes trained on; or (n, classes), a distribution over them

    Returns one value per pair (n,).
    """
    return cross_entropy(fused_logits, label, reduction="none")

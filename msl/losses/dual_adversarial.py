"""Losses of discriminators that tell the true from the made, where the plain one tells modalities apart."""

from torch import Tensor
from torch.nn.functional import softplus

from msl.losses.adversarial import adversarial


def dual_adversarial(
    true_logits_a: Tensor, made_logits_a: Tensor, true_logits_b: Tensor, made_logits_b: Tensor
) -> Tensor:
    """Sigmoid cross-entropy of two discriminators, one per modality.

    ``-1/2 sum_m ( log D_m(true_m) + log(1 - D_m(made_m)) )``

    - D_a(true_a), D_a(made_a) -> sigmoid of `true_logits_a`, `made_logits_a` (n,); likewise for b

    Returns one value per pair (n,). The discriminators minimise it; what lies behind a gradient reversal maximises it.
    """
    return adversarial(true_logits_a, made_logits_a) + adversarial(true_logits_b, made_logits_b)


def embedding_adversarial(
    embedding_logits_a: Tensor,
    own_logits_a: Tensor,
    other_logits_a: Tensor,
    embedding_logits_b: Tensor,
    own_logits_b: Tensor,
    other_logits_b: Tensor,
) -> Tensor:
    """Sigmoid cross-entropy of two discriminators that tell class embeddings from codes, beside the features of an item.

    ``-1/2 sum_m ( log E_m(w, m) + log(1 - E_m(z_m, m)) + log(1 - E_m(z_m', m)) )``,  m' the other modality

    - E_m(w, m) -> sigmoid of `embedding_logits_a`, `embedding_logits_b` (n,)
    - E_m(z_m, m) -> of `own_logits_a`, `own_logits_b` (n,); E_m(z_m', m) -> of `other_logits_a`, `other_logits_b` (n,)

    Returns one value per pair (n,).
    """
    own = dual_adversarial(embedding_logits_a, own_logits_a, embedding_logits_b, own_logits_b)
    return own + (softplus(other_logits_a) + softplus(other_logits_b)) / 2

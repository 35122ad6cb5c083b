"""Losses of discriminators that tell the true from the made, where the plain one tells modalities apart."""

from torch import Tensor

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


def embedding_adversarial(embedding_logits: Tensor, code_logits_a: Tensor, code_logits_b: Tensor) -> Tensor:
    """Sigmoid cross-entropy of one discriminator that tells class embeddings from codes.

    ``-1/2 sum_m ( log D(w) + log(1 - D(z_m)) )``

    - D(w) -> sigmoid of `embedding_logits` (n,); D(z_a), D(z_b) -> of `code_logits_a`, `code_logits_b` (n,)

    Returns one value per pair (n,).
    """
    return dual_adversarial(embedding_logits, code_logits_a, embedding_logits, code_logits_b)

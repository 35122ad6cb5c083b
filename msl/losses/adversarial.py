"""Eq. (4): the modality-adversarial loss."""

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits


def adversarial(modality_logits_a: Tensor, modality_logits_b: Tensor) -> Tensor:
    """Eq. (4). Sigmoid cross-entropy of the modality discriminator.

    ``L_adv = 1/N_s sum f_cross(z, p(z); theta_a)``,  ``f_cross(x, p) = p log p^(x) + [1 - p] log[1 - p^(x)]``

    - p^(z) -> sigmoid of `modality_logits_a` (n,) for the codes of a, of `modality_logits_b` (n,) for those of b
    - p(z) -> 1 for modality a, 0 for modality b

    Returns one value per pair (n,): the mean over its two codes. As written f_cross is a log-likelihood; this is its
    negative, which the discriminator minimises and the encoders, behind the gradient reversal, maximise. The
    source does not say whether N_s counts pairs or codes: with the mean over codes a blind discriminator costs log 2.
    """
    from_a = binary_cross_entropy_with_logits(modality_logits_a, torch.ones_like(modality_logits_a), reduction="none")
    from_b = binary_cross_entropy_with_logits(modality_logits_b, torch.zeros_like(modality_logits_b), reduction="none")
    return (from_a + from_b) / 2

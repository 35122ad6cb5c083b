"""TANSS's pairwise likelihood: inner products with the codes of class meaning say who shares a class."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from msl.functional import sharing


def guidance(code_a: Tensor, code_b: Tensor, semantic: Tensor, label: Tensor) -> Tensor:
    """Negative log-likelihood that items and class meanings of the batch share a class.

    ``sum_z mean_j ( log(1 + exp(t_ij)) - S_ij t_ij )``,  ``t_ij = 1/2 z_i' s_j``

    - z -> each of `code_a`, `code_b` and `semantic` (n, code); s_j -> `semantic` of item j
    - S_ij -> 1 if i and j share a class by `label`, (n,) or (n, classes), else 0

    Returns one value per pair (n,): the batch's mean over j. At codes of zeros it is 3 log 2.
    Reference: Xu, Lu, Song, Yang, Shen, Li, "Ternary adversarial networks with self-supervision for zero-shot
    cross-modal retrieval", IEEE Transactions on Cybernetics 50(6), 2020.
    """
    same = sharing(label).to(semantic.dtype)
    products = torch.stack([codes @ semantic.T / 2 for codes in (code_a, code_b, semantic)])  # (3, n, n)
    return (softplus(products) - same * products).mean(dim=2).sum(dim=0)

"""TANSS's pairwise likelihoods: inner products with what stands for class meaning say who shares a class."""

import torch
from torch import Tensor
from torch.nn.functional import softplus

from msl.functional import sharing


def guidance(code_a: Tensor, code_b: Tensor, semantic: Tensor, guide: Tensor, label: Tensor) -> Tensor:
    """Negative log-likelihood that items share a class, by their codes and those of class meaning.

    ``sum_z mean_j ( log(1 + exp(t_ij)) - S_ij t_ij )``,  ``t_ij = 1/2 z_i' s_j``

    - z -> each of `code_a`, `code_b` and `semantic` (n, code); s_j -> `guide` of item j, the same numbers as `semantic`
    - S_ij -> 1 if i and j share a class by `label`, (n,) or (n, classes), else 0

    Returns one value per pair (n,): the batch's mean over j. At codes of zeros it is 3 log 2.
    Reference: Xu, Lu, Song, Yang, Shen, Li, "Ternary adversarial networks with self-supervision for zero-shot
    cross-modal retrieval", IEEE Transactions on Cybernetics 50(6), 2020.
    """
    return _likelihood((code_a, code_b, semantic), guide, label)


def meaning_guidance(embedding_from_a: Tensor, embedding_from_b: Tensor, embedding: Tensor, label: Tensor) -> Tensor:
    """Negative log-likelihood that items share a class, by the class embeddings made of their codes and the true ones.

    ``sum_m mean_j ( log(1 + exp(t_ij)) - S_ij t_ij )``,  ``t_ij = 1/2 R_m(z_m)_i' w_j``

    - R_m(z_m) -> `embedding_from_a`, `embedding_from_b` (n, size); w_j -> `embedding` of item j
    - S_ij -> as in `guidance`

    Returns one value per pair (n,): the batch's mean over j.
    """
    return _likelihood((embedding_from_a, embedding_from_b), embedding, label)


def _likelihood(views: tuple[Tensor, ...], guide: Tensor, label: Tensor) -> Tensor:
    same = sharing(label).to(guide.dtype)
    products = torch.stack([view @ guide.T / 2 for view in views])  # (views, n, n)
    return (softplus(products) - same * products).mean(dim=2).sum(dim=0)

"""The three losses of deep supervised cross-modal retrieval (Zhen, Hu, Wang, Peng, CVPR 2019)."""

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot, softplus

from msl.functional import sharing


def label_distance(class_logits_a: Tensor, class_logits_b: Tensor, label: Tensor) -> Tensor:
    """How far the shared linear classifier's outputs are from the label vector, in either modality.

    ``J_1 = 1/n sum_i ( || P u_i - y_i ||_2 + || P v_i - y_i ||_2 )``

    - P u_i, P v_i -> `class_logits_a`, `class_logits_b` (n, classes)
    - y_i -> 1 for each class of `label`, (n,) or a distribution (n, classes), else 0

    Returns one value per pair (n,). The paper's ``1/n || P'U - Y ||_F`` is the norm of a whole matrix; its released code,
    as this, takes the mean over pairs. The norm's gradient at 0, where a square root has none, is 0.
    """
    classes = class_logits_a.shape[1]
    members = (one_hot(label, classes) if label.ndim == 1 else label > 0).to(class_logits_a.dtype)
    return _norms(class_logits_a - members) + _norms(class_logits_b - members)


def pairwise_likelihood(code_a: Tensor, code_b: Tensor, label: Tensor) -> Tensor:
    """Whether two items share a class, read off the cosine of their codes: between the modalities and within each.

    ``J_2 = 1/n^2 sum_ij sum_G ( log(1 + exp(G_ij)) - S_ij G_ij )``,  ``G in { cos(u_i, v_j) / 2, cos(u_i, u_j) / 2, cos(v_i, v_j) / 2 }``

    - u, v -> `code_a`, `code_b` (n, code)
    - S_ij -> 1 if i and j share a class by `label`, (n,) or a distribution (n, classes), else 0

    Returns one value per pair (n,): the mean over j.
    """
    u, v = normalize(code_a), normalize(code_b)
    together = sharing(label).to(u.dtype)
    halves = torch.stack([u @ v.T, u @ u.T, v @ v.T]) / 2
    return (softplus(halves) - together * halves).mean(dim=2).sum(dim=0)


def code_distance(code_a: Tensor, code_b: Tensor) -> Tensor:
    """How far the two codes of a pair are apart.

    ``J_3 = 1/n sum_i || u_i - v_i ||_2``

    - u_i, v_i -> `code_a`, `code_b` (n, code)

    Returns one value per pair (n,). Per pair and with gradient 0 at 0, as `label_distance`.
    """
    return _norms(code_a - code_b)


def _norms(rows: Tensor) -> Tensor:
    norms: Tensor = torch.linalg.vector_norm(rows, dim=1)
    return norms

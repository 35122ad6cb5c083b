"""Contrastive losses: a pair's codes belong together, and no other two of the batch do."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid, normalize


def contrastive(code_a: Tensor, code_b: Tensor, scale: Tensor) -> Tensor:
    """Which code of the other modality belongs to it, asked of every code: a symmetric softmax over the batch.

    ``l_i = -1/2 ( log softmax_j(t x_i . y_j)_i + log softmax_j(t x_j . y_i)_i )``

    - x, y -> `code_a`, `code_b` (n, code), of unit length; t -> `scale`, learnt

    Returns one value per pair (n,).
    Source: Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML 2021, figure 3.
    """
    logits = scale * normalize(code_a) @ normalize(code_b).T
    own = torch.arange(len(logits), device=logits.device)
    return (cross_entropy(logits, own, reduction="none") + cross_entropy(logits.T, own, reduction="none")) / 2


def sigmoid_contrastive(code_a: Tensor, code_b: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Whether two codes belong together, asked of every two of the batch: one logistic regression.

    ``l_i = -sum_j log sigmoid( z_ij (t x_i . y_j + b) )``,  ``z_ij = 1 if i = j, else -1``

    - x, y -> `code_a`, `code_b` (n, code), of unit length; t, b -> `scale`, `bias`, learnt

    Returns one value per pair (n,), whose mean is the source's ``1/n sum_ij``.
    Source: Zhai, Mustafa, Kolesnikov, Beyer, "Sigmoid Loss for Language Image Pre-Training", ICCV 2023, section 3.2.
    """
    logits = scale * normalize(code_a) @ normalize(code_b).T + bias
    sign = 2 * torch.eye(len(logits), dtype=logits.dtype, device=logits.device) - 1
    return -logsigmoid(sign * logits).sum(dim=1)

"""ACMR's triplet loss: a pair's codes are close, and far from the codes of the likest item of another class."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from msl.functional import sharing, squared_distance
from msl.types import NonNegative, Positive


def labelled_triplet(
    a: Tensor, b: Tensor, code_a: Tensor, code_b: Tensor, label: Tensor, *, margin: NonNegative, positive: Positive
) -> Tensor:
    """Both codes of a pair against the other modality's code of a hard negative of their own.

    ``max(0, m + alpha d(u_i, v_i) - d(u_i, v_k)) + max(0, m + alpha d(v_i, u_i) - d(v_i, u_l))``,  ``d(x, y) = 1/2 ||x - y||^2``

    - u_i -> `code_a` (n, code), v_i -> `code_b` (n, code); m -> `margin`, alpha -> `positive`
    - k -> of the batch's items that share no class by `label`, (n,) or (n, classes), the one whose features `a` (n, size_a)
      have the highest cosine with those of i; l -> likewise by `b` (n, size_b)

    Returns one value per pair (n,); 0 for a side without any item of another class.
    Reference: Wang, Yang, Xu, Hanjalic, Shen, "Adversarial cross-modal retrieval", ACM Multimedia 2017, as released.
    """
    apart = squared_distance(code_a, code_b)
    return sum(
        (
            _hinge(margin + positive / 2 * apart, features, own, other, label)
            for features, own, other in ((a, code_a, code_b), (b, code_b, code_a))
        ),
        torch.zeros_like(apart),
    )


def _hinge(wanted: Tensor, features: Tensor, own: Tensor, other: Tensor, label: Tensor) -> Tensor:
    unit, same = normalize(features), sharing(label)
    likest = (unit @ unit.T).masked_fill(same, -torch.inf).argmax(dim=1)
    hinge = (wanted - squared_distance(own, other[likest]) / 2).clamp(min=0)
    return hinge.masked_fill(same.all(dim=1), 0)

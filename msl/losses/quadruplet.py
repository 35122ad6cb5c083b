"""DADN's ranking loss: a code is far closer to its class embedding than codes of other classes are."""

import torch
from torch import Tensor

from msl.functional import sharing, squared_distance
from msl.types import Positive


def quadruplet(code_a: Tensor, code_b: Tensor, embedding: Tensor, label: Tensor, *, margin: Positive) -> Tensor:
    """The class embedding of a pair, its code, and the codes of both modalities of other classes.

    ``sum_z max(0, m ||z_i - w_i||^2 - d_a - d_b)``,  ``d_a = mean_j ||u_j - w_i||^2``,  ``d_b = mean_j ||v_j - w_i||^2``

    - u -> `code_a` (n, code), v -> `code_b` (n, code), z -> either; w_i -> `embedding` (n, code); m -> `margin`
    - j -> the batch's items that share no class with i by `label`, (n,) or (n, classes); without any d_a = d_b = 0

    Returns one value per pair (n,).
    Reference: Chi, Peng, "Zero-shot cross-media embedding learning with dual adversarial distribution network", IEEE TCSVT, 2019.
    """
    others = (~sharing(label)).to(code_a.dtype)
    weights = others / others.sum(dim=1, keepdim=True).clamp(min=1)
    wrong = sum((weights * _distances(embedding, codes)).sum(dim=1) for codes in (code_a, code_b))
    hinges = [(margin * squared_distance(codes, embedding) - wrong).clamp(min=0) for codes in (code_a, code_b)]
    return torch.stack(hinges).sum(dim=0)


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """``||x_i - y_j||^2``: (n, d), (n, d) -> (n, n)."""
    return x.square().sum(dim=1)[:, None] - 2 * x @ y.T + y.square().sum(dim=1)

"""DADN's ranking loss: a code is far closer to its class embedding than to codes of other classes."""

import torch
from torch import Tensor

from msl.functional import sharing, squared_distance
from msl.types import Positive


def quadruplet(code_a: Tensor, code_b: Tensor, embedding: Tensor, label: Tensor, *, margin: Positive) -> Tensor:
    """A code, its class embedding, and the codes of both modalities of other classes.

    ``sum_z max(0, m ||z_i - w_i||^2 - mean_j ||z_i - u_j||^2 - mean_j ||z_i - v_j||^2)``

    - u -> `code_a` (n, code), v -> `code_b` (n, code), z -> either; w_i -> `embedding` (n, code); m -> `margin`
    - j -> the batch's items that share no class with i by `label`, (n,) or (n, classes); without any both means are 0

    Returns one value per pair (n,).
    Reference: Chi, Peng, "Zero-shot cross-media embedding learning with dual adversarial distribution network", IEEE
    TCSVT, 2019, and its code.
    """
    others = (~sharing(label)).to(code_a.dtype)
    weights = others / others.sum(dim=1, keepdim=True).clamp(min=1)
    hinges = [
        margin * squared_distance(codes, embedding)
        - (weights * (_distances(codes, code_a) + _distances(codes, code_b))).sum(dim=1)
        for codes in (code_a, code_b)
    ]
    return torch.stack(hinges).clamp(min=0).sum(dim=0)


def _distances(x: Tensor, y: Tensor) -> Tensor:
    """``||x_i - y_j||^2``: (n, d), (n, d) -> (n, n)."""
    return x.square().sum(dim=1)[:, None] - 2 * x @ y.T + y.square().sum(dim=1)

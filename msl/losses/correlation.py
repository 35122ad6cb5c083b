"""Eq. (1): the correlation loss."""

from torch import Tensor

from msl.functional import squared_distance


def correlation(code_a: Tensor, code_b: Tensor) -> Tensor:
    """Eq. (1). Squared distance between the two codes of a pair.

    ``f_corr(v, t) = || f_v(v) - f_t(t) ||_2^2``,  ``L_corr = sum_i f_corr(v_i, t_i)``

    - f_v(v_i) -> `code_a` (n, code)
    - f_t(t_i) -> `code_b` (n, code)

    Returns one value per pair (n,). The source leaves open whether pairs are summed or averaged: the objective averages.
    """
    return squared_distance(code_a, code_b)

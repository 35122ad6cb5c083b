"""Eq. (2) and (3): cross-modal reconstruction conditioned on the class embedding."""

from torch import Tensor

from msl.functional import squared_distance


def branch_reconstruction(a: Tensor, b: Tensor, rebuilt_a: Tensor, rebuilt_b: Tensor) -> Tensor:
    """Eq. (3). One branch rebuilds both modalities from its code joined with the class embedding.

    ``L_I = || v - v^I ||_2^2 + || t - t^I ||_2^2``,  ``L_T = || v - v^T ||_2^2 + || t - t^T ||_2^2``

    - v -> `a` (n, size_a), t -> `b` (n, size_b): the features as the encoders receive them
    - v^I (or v^T) -> `rebuilt_a`, t^I (or t^T) -> `rebuilt_b`: made from that branch's code

    Returns one value per pair (n,). The source leaves the features' scaling open: here they are standardised.
    """
    return squared_distance(a, rebuilt_a) + squared_distance(b, rebuilt_b)


def reconstruction(
    a: Tensor, b: Tensor, a_from_a: Tensor, b_from_a: Tensor, a_from_b: Tensor, b_from_b: Tensor
) -> Tensor:
    """Eq. (2). Both branches' reconstructions of both modalities.

    ``L_rec = L_I + L_T``

    - L_I -> eq. (3) of `a_from_a`, `b_from_a` (made from branch a's code)
    - L_T -> eq. (3) of `a_from_b`, `b_from_b` (made from branch b's code)

    Returns one value per pair (n,).
    """
    return branch_reconstruction(a, b, a_from_a, b_from_a) + branch_reconstruction(a, b, a_from_b, b_from_b)

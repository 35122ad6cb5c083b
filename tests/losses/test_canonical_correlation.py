import numpy as np
import pytest
import torch
from loss_builders import doubles

from msl.losses.canonical_correlation import canonical_correlation


def naive(a, b, ridge):
    """Minus the sum of singular values of the paper's T, its inverse square roots taken from eigenvalues."""

    def inverse_root(covariance):
        values, vectors = np.linalg.eigh(covariance + ridge * np.eye(len(covariance)))
        return vectors / np.sqrt(values) @ vectors.T

    a, b = (x.numpy() - x.numpy().mean(axis=0) for x in (a, b))
    t = inverse_root(a.T @ a / len(a)) @ (a.T @ b / len(a)) @ inverse_root(b.T @ b / len(b))
    return -np.linalg.svd(t, compute_uv=False).sum()


@pytest.mark.parametrize("ridge", [1e-3, 0.5])
@pytest.mark.parametrize(("pairs", "width_a", "width_b"), [(20, 4, 4), (20, 5, 3), (4, 6, 6)])
def test_loss_is_minus_the_sum_of_singular_values(pairs, width_a, width_b, ridge):
    a, b = doubles(pairs, width_a), doubles(pairs, width_b, seed=1)
    values = canonical_correlation(a + 7, b - 3, ridge=ridge)
    assert values.tolist() == pytest.approx([naive(a, b, ridge)] * pairs, abs=1e-10)


def test_codes_that_are_linear_maps_of_each_other_correlate_fully():
    a = doubles(50, 4)
    values = canonical_correlation(a, a @ doubles(4, 4, seed=1) + 2, ridge=1e-12)
    assert values.tolist() == pytest.approx([-4] * 50, abs=1e-6)


def test_codes_of_orthogonal_samples_do_not_correlate():
    basis = torch.linalg.qr(torch.cat([torch.ones(20, 1, dtype=torch.float64), doubles(20, 6)], dim=1)).Q[:, 1:]
    values = canonical_correlation(basis[:, :3], basis[:, 3:], ridge=1e-6)
    assert values.tolist() == pytest.approx([0] * 20, abs=1e-9)


def test_swapping_the_modalities_and_invertible_maps_change_nothing():
    a, b = doubles(30, 4), doubles(30, 4, seed=1)
    plain = canonical_correlation(a, b, ridge=1e-12)
    torch.testing.assert_close(canonical_correlation(b, a, ridge=1e-12), plain, atol=1e-9, rtol=0)
    mapped = canonical_correlation(a @ doubles(4, 4, seed=2), 5 * b, ridge=1e-12)
    torch.testing.assert_close(mapped, plain, atol=1e-6, rtol=0)


@pytest.mark.parametrize("equal", ["variances", "correlations", "one pair"])
def test_gradients_are_finite_where_those_of_eigenvectors_are_not(equal):
    """Repeated eigenvalues of a covariance, repeated singular values of T, and a batch without any variance."""
    codes = torch.linalg.qr(doubles(12, 4)).Q
    codes = codes - codes.mean(dim=0) if equal == "correlations" else codes
    a = (codes[:1] if equal == "one pair" else codes).clone().requires_grad_()
    b = (a.detach() if equal == "correlations" else doubles(len(a), 4, seed=1)).clone().requires_grad_()
    gradients = torch.autograd.grad(canonical_correlation(a, b, ridge=1e-3).mean(), (a, b))
    assert all(gradient.isfinite().all() for gradient in gradients)
    if equal == "one pair":
        assert not any(gradient.any() for gradient in gradients)


def test_single_precision_codes_are_summed_in_double():
    a, b = doubles(40, 4).float(), (doubles(40, 4, seed=1) + 1e4).float()
    values = canonical_correlation(a, b, ridge=1e-3)
    assert values.dtype == torch.float32
    assert values[0].item() == pytest.approx(naive(a.double(), b.double(), 1e-3), abs=1e-5)

"""LCALE: cross-aligned latent embeddings of two modalities and of their classes (Lin et al., AAAI 2020)."""

from collections.abc import Callable
from functools import cached_property
from typing import Unpack

import torch
from torch import Tensor
from torch.nn.functional import normalize

from msl.methods.branches import Branches, Pair
from msl.methods.forward_pass import ForwardPass, one_of
from msl.methods.method import Batch, Sizes
from msl.nets.decoder import Decoder
from msl.nets.encoders import Encoder
from msl.nets.gaussian import Gaussian, drawn, gaussians


class LCALE(Branches):
    """Three variational autoencoders, of both modalities and of class embeddings, whose latents are made to agree.

    Each can be rebuilt from the latent of every other, and the Gaussians of a pair and of its class come to coincide.

    ``min sum_i ( |x_i - D_i(z_i)|_1 + beta KL(N(mu_i, sigma_i^2) || N(0, 1)) ) + gamma sum_{i != j} |x_j - D_j(z_i)|_1``
    ``+ delta sum_{i<j} ( ||mu_i - mu_j||_2^2 + ||sigma_i - sigma_j||_2^2 )^(1/2)``

    ``z_i = mu_i + sigma_i noise``,  ``code = mu_i``

    - x_1, x_2 -> `a` (n, size_a), `b` (n, size_b); x_3 -> `embedding` (n, size) at unit norm
    - mu_i, log sigma_i^2 -> `means`, `log_variances` (n, 3, code), of an encoder and a `Gaussian` for each
    - |x_j - D_j(z_i)|_1 -> `errors` (n, 3, 3), of a decoder for each
    - beta, gamma, delta -> weights of `divergence`, `cross_reconstruction`, `wasserstein`

    Without class embeddings (embedding=none) the sums run over the two modalities.

    Reference: Lin, Xu, Gao, Wang, Shen, "Learning Cross-Aligned Latent Embeddings for Zero-Shot Cross-Modal
    Retrieval", AAAI 2020, doi 10.1609/aaai.v34i07.6817.

    Differences from the source: 1. Of the source we read the abstract only; norms and settings are those of CADA-VAE, the
    same idea for one modality and its class (Schönfeld, Ebrahimi, Sinha, Darrell, Akata, "Generalized Zero- and Few-Shot
    Learning via Aligned Variational Autoencoders", CVPR 2019, and its code). 2. The cycle consistency of rebuilt class
    embeddings, which the source is said to add, is left out: we do not know its form. 3. Weights are constant at the
    values that CADA-VAE's warm-up ends with: an objective here is one function from first to last. 4. The noise is scaled
    by sigma and drawn for every dimension; CADA-VAE's code scales by sigma squared and draws once a row. 5. Features are
    standardised by the training rows. 6. Adam instead of AMSGrad. 7. Hidden layers of 512 instead of 1,450 to 1,660,
    and at most 40 epochs instead of 100, chosen on held-out classes.
    """

    code_layer: Gaussian
    code_layer_b: Gaussian

    def __init__(
        self,
        sizes: Sizes,
        *,
        encoder_class: Callable[[int], Encoder],
        code: Callable[[int], Gaussian],
        decoder: Callable[[int, int], Decoder],
        decoder_class: Callable[[int, int], Decoder],
        **pair: Unpack[Pair],
    ) -> None:
        super().__init__(sizes, code=code, code_b=code, **pair)
        width, size = self.code_layer.size, sizes.embedding
        self.rebuild_a, self.rebuild_b = decoder(width, sizes.a), decoder(width, sizes.b)
        self.encoder_class = encoder_class(size) if size else None
        self.code_class = code(self.encoder_class.size) if self.encoder_class else None
        self.rebuild_class = decoder_class(width, size) if size else None

    def tensors(self, batch: Batch) -> "LatentPass":
        """What the objective's terms may ask for."""
        return LatentPass(self, batch)


class LatentPass(ForwardPass):
    """Adds the Gaussians of m modalities, the class being the third, and what decoders fail to rebuild from draws."""

    _method: LCALE

    @cached_property
    def views(self) -> list[Tensor]:
        """What is encoded and rebuilt: standardised features of a and b, and class embeddings at unit norm."""
        known = [normalize(self.embedding)] if self._method.encoder_class else []
        return [self.a, self.b, *known]

    @cached_property
    def gaussians(self) -> tuple[Tensor, Tensor]:
        """Means and log-variances of every modality's Gaussian, both (n, m, code)."""
        method = self._method
        encoders = (method.encoder_a, method.encoder_b, method.encoder_class)
        layers = (method.code_layer, method.code_layer_b, method.code_class)
        hidden = [encode(view) for encode, view in zip(encoders, self.views, strict=False) if encode]
        return gaussians([layer for layer in layers if layer], hidden)

    means = one_of("gaussians", 0, "Means of every modality's Gaussian (n, m, code).")
    log_variances = one_of("gaussians", 1, "Logarithms of the variances of every modality's Gaussian (n, m, code).")

    @cached_property
    def errors(self) -> Tensor:
        """Sum of absolute errors (n, m, m): [:, i, j] of modality j rebuilt from a draw of modality i's Gaussian."""
        method, latents = self._method, drawn(*self.gaussians)
        decoders = (method.rebuild_a, method.rebuild_b, method.rebuild_class)
        rebuilt = [decode(latents) for decode in decoders if decode]  # each (n, m, size_j)
        errors = [(one - view[:, None]).abs().sum(dim=2) for one, view in zip(rebuilt, self.views, strict=True)]
        return torch.stack(errors, dim=2)

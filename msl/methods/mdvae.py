"""MDVAE: latents that both modalities share, disentangled from those of one modality only (Tian et al., SIGIR 2022)."""

from collections.abc import Callable
from functools import cached_property
from typing import Unpack

import torch
from torch import Tensor

from msl.methods.branches import Branches, Pair
from msl.methods.forward_pass import ForwardPass, one_of
from msl.methods.method import Batch, Sizes
from msl.nets.classifier import Classifier
from msl.nets.decoder import Decoder
from msl.nets.encoders import Encoder
from msl.nets.gaussian import Gaussian, drawn, gaussians


class MDVAE(Branches):
    """Autoencoders whose latents fall into an invariant half, which pairs can exchange and is searched, and a specific half.

    A third autoencoder sees both modalities of a pair; the Gaussian it infers is what both invariant ones are drawn to.

    ``min sum_i ||x_i - D_i(u_i, s_i)||_2^2 + gamma sum_{i != j} ||x_j - D_j(u_i, s_j)||_2^2 + ||x - D(nu)||_2^2``
    ``+ alpha sum_i KL(q(s_i | x_i) || N(0, 1)) + beta sum_i KL(q(u_i | x_i) || N(nu, tau^2)) - lambda log p(y | x)``

    ``u_i = mu_i + sigma_i noise``,  ``code = mu_i``

    - x_1, x_2 -> `a` (n, size_a), `b` (n, size_b); x -> both, joined
    - u_i -> draw of the invariant Gaussian: `means`, `log_variances` (n, 2, code)
    - s_i -> draw of the specific Gaussian: `specific_means`, `specific_log_variances` (n, 2, code)
    - nu, log tau^2 -> `fused_mean`, `fused_log_variance` (n, code), inferred from x
    - ||x_j - D_j(u_i, s_j)||_2^2 -> `errors` (n, 2, 2); D(nu) -> `a_from_fused`, `b_from_fused`
    - p(y | x) -> softmax of `fused_logits` (n, classes)
    - gamma, alpha, beta, lambda -> weights of `cross_reconstruction`, `specific_divergence`, `fused_divergence`,
      `fused_class`

    No class embedding is used.

    Left open: the optimiser and its learning rate, and how the divergences are averaged.

    Reference: Tian, Wang, Xu, Cao, Shen, Shen, "Multimodal Disentanglement Variational AutoEncoders for Zero-Shot
    Cross-Modal Retrieval", SIGIR 2022, doi 10.1145/3477495.3532028.

    Differences from the source: 1. Of the source we read the abstract and the code released for review, which does not
    run; where they are silent the form is ours. 2. What is rebuilt after the exchange is compared with the modality whose
    decoder and specific latent rebuilt it; the code compares it with the other modality ("counter-intuitive"), for which
    both would need features of one width. 3. Errors and divergences are summed over features, as likelihoods are; the
    code weighs the mean of the errors by 10. 4. Weights are constant; the code's grow as 1 - exp(-step / 2500), more steps
    than small data are given here. 5. The classifier and the Gaussian of the joined features share their last hidden
    layer; the code puts another hidden layer below that Gaussian. 6. ReLU without batch normalisation instead of leaky
    ReLU with it. 7. Batches are random pairs instead of one pair of every class. 8. Features are standardised by the
    training rows.
    """

    code_layer: Gaussian
    code_layer_b: Gaussian

    def __init__(
        self,
        sizes: Sizes,
        *,
        specific: Callable[[int], Encoder],
        fusion: Callable[[int], Encoder],
        code: Callable[[int], Gaussian],
        decoder: Callable[[int, int], Decoder],
        fused_decoder: Callable[[int, int], Decoder],
        fused_classifier: Callable[[int, int], Classifier],
        **pair: Unpack[Pair],
    ) -> None:
        super().__init__(sizes, code=code, code_b=code, **pair)
        width = self.code_layer.size
        self.specific_a, self.specific_b = specific(sizes.a), specific(sizes.b)
        self.specific_layer_a, self.specific_layer_b = code(self.specific_a.size), code(self.specific_b.size)
        self.rebuild_a, self.rebuild_b = decoder(2 * width, sizes.a), decoder(2 * width, sizes.b)
        self.fusion = fusion(sizes.a + sizes.b)
        self.fused_layer = code(self.fusion.size)
        self.rebuild_fused = fused_decoder(width, sizes.a + sizes.b)
        self.fused_classifier = fused_classifier(self.fusion.size, sizes.classes)

    def tensors(self, batch: Batch) -> "DisentangledPass":
        """What the objective's terms may ask for."""
        return DisentangledPass(self, batch)


class DisentangledPass(ForwardPass):
    """Adds the invariant, specific and fused Gaussians, and what decoders make of them."""

    _method: MDVAE

    @cached_property
    def invariant(self) -> tuple[Tensor, Tensor]:
        """Means and log-variances of what both modalities share, both (n, 2, code)."""
        method = self._method
        hidden = (method.encoder_a(self.a), method.encoder_b(self.b))
        return gaussians((method.code_layer, method.code_layer_b), hidden)

    @cached_property
    def specific(self) -> tuple[Tensor, Tensor]:
        """Means and log-variances of what one modality has for itself, both (n, 2, code)."""
        method = self._method
        hidden = (method.specific_a(self.a), method.specific_b(self.b))
        return gaussians((method.specific_layer_a, method.specific_layer_b), hidden)

    @cached_property
    def fused(self) -> Tensor:
        """Hidden layer above both modalities, joined (n, hidden)."""
        hidden: Tensor = self._method.fusion(torch.cat([self.a, self.b], dim=1))
        return hidden

    means = one_of("invariant", 0, "Means of the invariant Gaussians (n, 2, code).")
    log_variances = one_of("invariant", 1, "Logarithms of the variances of the invariant Gaussians (n, 2, code).")
    specific_means = one_of("specific", 0, "Means of the specific Gaussians (n, 2, code).")
    specific_log_variances = one_of(
        "specific", 1, "Logarithms of the variances of the specific Gaussians (n, 2, code)."
    )

    @cached_property
    def fused_mean(self) -> Tensor:
        """Mean of the Gaussian inferred from both modalities (n, code)."""
        mean: Tensor = self._method.fused_layer(self.fused)
        return mean

    @property
    def fused_log_variance(self) -> Tensor:
        """Logarithm of the variances of that Gaussian (n, code)."""
        return self._method.fused_layer.log_variance(self.fused)

    @property
    def fused_logits(self) -> Tensor:
        """The classifier's logits for both modalities together (n, classes)."""
        logits: Tensor = self._method.fused_classifier(self.fused)
        return logits

    @cached_property
    def errors(self) -> Tensor:
        """Squared errors (n, 2, 2): [:, i, j] of modality j rebuilt from i's invariant and its own specific draw."""
        method, invariant, specific = self._method, drawn(*self.invariant), drawn(*self.specific)
        rebuilt = (
            decode(torch.cat([invariant, own[:, None].expand_as(invariant)], dim=2))  # (n, 2, size_j)
            for decode, own in zip((method.rebuild_a, method.rebuild_b), specific.unbind(dim=1), strict=True)
        )
        errors = [(x - y[:, None]).square().sum(dim=2) for x, y in zip(rebuilt, (self.a, self.b), strict=True)]
        return torch.stack(errors, dim=2)

    @cached_property
    def rebuilt_from_fused(self) -> tuple[Tensor, Tensor]:
        """Both modalities rebuilt from the fused mean: (n, size_a), (n, size_b)."""
        a, b = self._method.rebuild_fused(self.fused_mean).split([self.a.shape[1], self.b.shape[1]], dim=1)
        return a, b

    a_from_fused = one_of("rebuilt_from_fused", 0, "Modality a rebuilt from the fused mean (n, size_a).")
    b_from_fused = one_of("rebuilt_from_fused", 1, "Modality b rebuilt from the fused mean (n, size_b).")

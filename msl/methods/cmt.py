"""CMT, cross-modal transfer: features are mapped to class embeddings, and what lies far from all of them is novel."""

from typing import Literal, Unpack

import torch
from torch import Tensor
from torch.nn.functional import normalize, one_hot

from msl.data.classes import Classes
from msl.data.pairs import Pairs
from msl.methods.branches import Branches, Pair
from msl.methods.class_space import ClassSpacePass, class_space
from msl.methods.method import Batch, Sizes
from msl.types import Fraction, Modality

_SLACK = 1.0001
"""A radius ends a little beyond the item that sets it, so that no rounding makes that item novel."""

_LEAST = 1e-12
"""A variance at least: of items that all lie on their class embeddings, posteriors stay numbers."""


class CMT(Branches):
    """Features are mapped to their class embedding; items that lie far from every class trained on are taken as novel.

    ``min 1/2 mean_i ||w_i - f_a(a_i)||^2 + 1/2 mean_i ||w_i - f_b(b_i)||^2``,  ``f(x) = V tanh(U x + u) + v``

    ``novel(x) = for all c: N(f(x); w_c, s^2 I) < T_c``, that is, ``||f(x) - w_c||^2 > r_c``

    ``code(x) = [p(c | x) / ||p(. | x)||, 0]`` if not novel, else ``[0, f(x) / ||f(x)||]``

    - f_a, f_b -> `encoder_a`, `encoder_b` with a linear last layer each; w -> class embedding, of norm 1
    - r_c -> `radii_a`, `radii_b` (classes,): at most the share `novelty_quantile` of the training items of c lies farther out
    - s^2 -> `variance_a`, `variance_b`: the mean squared distance of the training items to their w, per dimension
    - p(c | x) -> softmax over the classes trained on of ``-||f(x) - w_c||^2 / (2 s^2)``

    A novel and a seen item have a cosine of 0; two seen ones are compared by their posteriors, two novel ones in the
    space of class meaning. Radii are those of the items that the map was fitted to: the longer it learns, the more new
    items of seen classes lie beyond them too. Without the detector (`novelty` none) codes are f(x), and with it
    (`novelty` gaussian) the method is called [cmt_novelty](cmt_novelty.md).

    Reference: Socher, Ganjoo, Manning, Ng, "Zero-shot learning through cross-modal transfer", NIPS 2013.

    Differences from the source: 1. It classifies images: seen ones by a softmax on their features, novel ones by the
    nearest unseen class embedding. Here nothing of an unseen class is used, items of two modalities are compared, each
    modality has a map of its own, and the code above is our reading of its two ways. 2. Isometric Gaussians share a
    variance for the posterior; for the detector, whose thresholds are set class by class, the variance plays no part.
    3. The threshold is a quantile of the training items' own likelihoods, not swept; its other detector, by local outlier
    probabilities, is left out. 4. Adam with an L2 penalty on all parameters in place of L-BFGS, at most 40 epochs.
    5. Class embeddings are those of the run, of norm 1, not Wikipedia's of 50-d; features are standardised.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        novelty: Literal["none", "gaussian"],
        novelty_quantile: Fraction,
        **pair: Unpack[Pair],
    ) -> None:
        super().__init__(sizes, code=class_space(sizes, method="cmt"), code_b=class_space(sizes, method="cmt"), **pair)
        self.novelty, self.novelty_quantile = novelty, novelty_quantile
        self.register_buffer("class_vectors", torch.zeros(sizes.classes, sizes.embedding))
        for modality in ("a", "b"):
            self.register_buffer(f"radii_{modality}", torch.zeros(sizes.classes))
            self.register_buffer(f"variance_{modality}", torch.ones(()))

    def tensors(self, batch: Batch) -> ClassSpacePass:
        """What the objective's terms may ask for."""
        return ClassSpacePass(self, batch)

    def settle(self, pairs: Pairs, classes: Classes) -> None:
        """Take radii and variance of both modalities from where the training pairs are mapped to."""
        self.get_buffer("class_vectors").copy_(normalize(torch.tensor(classes.vectors)))
        own = self._members(torch.from_numpy(pairs.labels))
        self._settle(self._squared(self.outputs(pairs.a, "a")), own, "a")
        self._settle(self._squared(self.outputs(pairs.b, "b")), own, "b")

    def _members(self, labels: Tensor) -> Tensor:
        """Which items have which class (n, classes)."""
        return (labels if labels.ndim == 2 else one_hot(labels, self.sizes.classes)).bool()

    def _settle(self, squared: Tensor, own: Tensor, modality: Modality) -> None:
        for each in own.any(dim=0).nonzero()[:, 0]:
            radius = squared[own[:, each], each].quantile(1 - self.novelty_quantile, interpolation="higher")
            self.get_buffer(f"radii_{modality}")[each] = radius * _SLACK
        self.get_buffer(f"variance_{modality}").copy_((squared[own].mean() / self.sizes.embedding).clamp(min=_LEAST))

    def _squared(self, mapped: Tensor) -> Tensor:
        """``||f(x) - w_c||^2`` (n, classes), no row's bits depending on the other rows."""
        centres = self.get_buffer("class_vectors")
        return torch.cdist(mapped, centres, compute_mode="donot_use_mm_for_euclid_dist").square()

    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, classes + embedding), or with `novelty` none (n, embedding)."""
        mapped = super().code(features, modality)
        if self.novelty == "none":
            return mapped
        squared = self._squared(mapped)
        posteriors = (squared / (-2 * self.get_buffer(f"variance_{modality}"))).softmax(dim=1)
        novel = (squared > self.get_buffer(f"radii_{modality}")).all(dim=1, keepdim=True)
        return torch.cat([normalize(posteriors) * ~novel, normalize(mapped) * novel], dim=1)

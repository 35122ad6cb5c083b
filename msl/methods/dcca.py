"""DCCA: networks whose codes correlate most (Andrew et al., ICML 2013)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Unpack

from torch import Tensor

from msl.data.classes import Classes
from msl.data.pairs import Features, Pairs
from msl.methods.branches import Branches, Pair
from msl.methods.cca import CCA
from msl.methods.method import Sizes
from msl.nets.code import CodeLayer
from msl.types import Modality


class DCCA(Branches):
    """Deep canonical correlation analysis: a network per modality, and linear CCA of what they give.

    ``max || T ||_tr``,  ``T = S_aa^-1/2 S_ab S_bb^-1/2``,  ``S_aa = 1/n F'F + r I``,  ``code = U' f(a)``, ``V' g(b)``

    - f(a), g(b) -> what `encoder_a`, `code_layer` and `encoder_b`, `code_layer_b` give (n, code); F -> f(a), centred
    - S_aa, S_ab, S_bb -> their covariances over a batch; r -> the ridge of `canonical_correlation`
    - U, V -> `final`, linear CCA on all training pairs, solved for again before codes are asked for

    Left open: widths, ridge and batch were tuned per data set; here 50-d codes (its MNIST experiment's) and 256 pairs.

    Reference: Andrew, Arora, Bilmes, Livescu, "Deep Canonical Correlation Analysis", ICML 2013; for batches in place of all
    pairs at once Wang, Arora, Livescu, Bilmes, "On Deep Multi-View Representation Learning", ICML 2015.

    Differences from the source: 1. Adam on batches, at most 40 epochs chosen on held-out classes, for L-BFGS on all pairs.
    2. One hidden layer of 512 ReLUs, no pretraining, where it stacks layers of cube-root sigmoids that began as denoising
    autoencoders. 3. Covariances are divided by n, not n - 1. 4. Features are standardised by the training rows, and so
    are the networks' outputs before the final CCA, whose ridge is therefore relative to their variance and
    stands where method=cca has it, at 1.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        code: Callable[[int], CodeLayer],
        code_b: Callable[[int], CodeLayer],
        final: Callable[[Sizes], CCA],
        **pair: Unpack[Pair],
    ) -> None:
        super().__init__(sizes, code=code, code_b=code_b, **pair)
        assert self.code_layer_b is not None
        self.final = final(replace(sizes, a=self.code_layer.size, b=self.code_layer_b.size))

    def settle(self, pairs: Pairs, classes: Classes) -> None:
        """Solve for the final CCA on the networks' outputs for the training pairs."""
        a, b = self.outputs(pairs.a, "a"), self.outputs(pairs.b, "b")
        self.final.fit(replace(pairs, a=Features(a.numpy()), b=Features(b.numpy())), classes)

    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, code): the networks' outputs, projected by the final CCA."""
        return self.final.code(super().code(features, modality), modality)

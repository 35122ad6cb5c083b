"""DADN, dual adversarial networks: codes that pass for class embeddings, and rebuilt features that pass for real ones."""

from collections.abc import Callable
from functools import cached_property

from torch import Tensor, nn

from msl.losses.objective import Objective
from msl.methods.adversary import Adversary
from msl.methods.branches import Branches
from msl.methods.class_space import ClassSpacePass, class_space
from msl.methods.method import Batch, Sizes
from msl.nets.code import CodeLayer
from msl.nets.discriminator import Discriminator
from msl.nets.encoders import Encoder
from msl.nets.standardise import Standardise


class DADN(Branches):
    """Two games: codes are to pass for class embeddings, and the features rebuilt from them for real ones.

    ``min over encoders, generators, max over discriminators  L_quad + r L_rec - c L_D - e L_E``

    ``L_quad = sum_z max(0, 20 ||z - w||^2 - d_a - d_b)``,  ``L_rec = ||a - G_a(z_a)||^2 + ||b - G_b(z_b)||^2``

    ``L_D = -1/2 sum_m ( log D_m(m) + log(1 - D_m(G_m(z_m))) )``,  ``L_E = -1/2 sum_m ( log E(w) + log(1 - E(z_m)) )``

    - z_a, z_b -> codes (n, embedding) of `encoder_a`, `encoder_b` with a linear last layer each; w -> class embedding, of norm 1
    - d_a, d_b -> mean squared distance of w to the codes of a, of b, of items of other classes
    - G_a, G_b -> the reverse generators, `generator` for each modality; m -> a or b
    - D_a, D_b -> a `discriminator` for each modality's features; E -> a `discriminator` of class embeddings and codes
    - r, c, e -> weights of the terms rebuilt, dual_adversarial, embedding_adversarial

    Codes alone are searched. Left open here, for want of the source's settings: the weights, all 1 with the
    reconstruction's at .01, since it sums over features.

    References: Chi, Peng, "Dual adversarial networks for zero-shot cross-media retrieval", IJCAI 2018; Chi, Peng,
    "Zero-shot cross-media embedding learning with dual adversarial distribution network", IEEE Transactions on Circuits
    and Systems for Video Technology, 2019, doi 10.1109/TCSVT.2019.2900171.

    Differences from the source: 1. Written from its abstract and reported settings: the ranking term's distances, which its
    code weighs by 20, are read as those of a class embedding to its own code and, on average over the batch, to both
    modalities' codes of other classes. 2. The journal version's maximum mean discrepancy and inter-media loss are left
    out. 3. One optimiser with a gradient reversal plays both games, for the exact gradients at every step. 4. Rebuilt
    features are also held to the real ones by their squared distance: a game alone does not say which item to rebuild.
    5. Hidden layers of 512 for 4,096 and 2,048: the budget of every method here. 6. Class embeddings are those of the
    run, not word2vec's of 300-d; features are standardised by the training rows.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        inputs_a: Callable[[int], Standardise],
        inputs_b: Callable[[int], Standardise],
        encoder_a: Callable[[int], Encoder],
        encoder_b: Callable[[int], Encoder],
        generator: Callable[[int], Encoder],
        discriminator: Callable[[int], Discriminator],
        objective: Objective,
        adversary: Adversary,
    ) -> None:
        super().__init__(
            sizes,
            inputs_a=inputs_a,
            inputs_b=inputs_b,
            encoder_a=encoder_a,
            encoder_b=encoder_b,
            code=class_space(sizes, method="dadn"),
            code_b=class_space(sizes, method="dadn"),
            discriminator=discriminator,
            objective=objective,
            adversary=adversary,
        )
        self.generator_a, self.generator_b = (
            _reverse(generator(sizes.embedding), width) for width in (sizes.a, sizes.b)
        )
        self.discriminator_a, self.discriminator_b = discriminator(sizes.a), discriminator(sizes.b)

    def tensors(self, batch: Batch) -> "DADNPass":
        """What the objective's terms may ask for."""
        return DADNPass(self, batch)


def _reverse(hidden: Encoder, size: int) -> nn.Sequential:
    return nn.Sequential(hidden, CodeLayer(hidden.size, size=size, activation="none"))


class DADNPass(ClassSpacePass):
    """The tensors of one batch, with rebuilt features and the verdicts of both games."""

    _method: DADN

    @cached_property
    def rebuilt_a(self) -> Tensor:
        """Modality a rebuilt from its own code (n, size_a)."""
        rebuilt: Tensor = self._method.generator_a(self.code_a)
        return rebuilt

    @cached_property
    def rebuilt_b(self) -> Tensor:
        """Modality b rebuilt from its own code (n, size_b)."""
        rebuilt: Tensor = self._method.generator_b(self.code_b)
        return rebuilt

    @cached_property
    def _features_a(self) -> tuple[Tensor, ...]:
        return self.judged(self._method.discriminator_a, self.a, self.rebuilt_a)

    @cached_property
    def _features_b(self) -> tuple[Tensor, ...]:
        return self.judged(self._method.discriminator_b, self.b, self.rebuilt_b)

    @cached_property
    def _codes(self) -> tuple[Tensor, ...]:
        return self.judged(self._method.part("discriminator"), self.embedding, self.code_a, self.code_b)

    @property
    def true_logits_a(self) -> Tensor:
        """Verdicts on the features of a (n,)."""
        return self._features_a[0]

    @property
    def made_logits_a(self) -> Tensor:
        """Verdicts on the rebuilt features of a (n,)."""
        return self._features_a[1]

    @property
    def true_logits_b(self) -> Tensor:
        """Verdicts on the features of b (n,)."""
        return self._features_b[0]

    @property
    def made_logits_b(self) -> Tensor:
        """Verdicts on the rebuilt features of b (n,)."""
        return self._features_b[1]

    @property
    def embedding_logits(self) -> Tensor:
        """Verdicts on class embeddings (n,)."""
        return self._codes[0]

    @property
    def code_logits_a(self) -> Tensor:
        """Verdicts on the codes of a (n,)."""
        return self._codes[1]

    @property
    def code_logits_b(self) -> Tensor:
        """Verdicts on the codes of b (n,)."""
        return self._codes[2]

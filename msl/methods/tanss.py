"""TANSS, ternary adversarial networks: a subnetwork that encodes class meaning guides those of both modalities."""

from collections.abc import Callable
from functools import cached_property

import torch
from torch import Tensor, nn

from msl.losses.objective import Objective
from msl.methods.adversary import Adversary
from msl.methods.branches import Branches
from msl.methods.class_space import ClassSpacePass, embedding_size
from msl.methods.method import Batch, Sizes
from msl.nets.code import CodeLayer
from msl.nets.discriminator import Discriminator
from msl.nets.encoders import Encoder
from msl.nets.standardise import Standardise


class TANSS(Branches):
    """Three subnetworks encode image, text and class meaning; the third guides the others, two discriminators tell them apart.

    ``min over subnetworks, max over discriminators  L_guide + r L_reg - c L_adv``

    ``L_guide = sum_z mean_j ( log(1 + exp(t_ij)) - S_ij t_ij )``,  ``t_ij = 1/2 z_i' s_j``

    ``L_reg = 1/2 sum_z ||w - R z||^2``,  ``L_adv = -1/2 sum_m ( log D_m(s) + log(1 - D_m(z_m)) )``

    - s -> code (n, code) of the class embedding w, of norm 1, by `semantic`; z_a, z_b -> of the features by `encoder_a`,
      `encoder_b`; each with a last layer `code` of its own; z in the sums -> z_a, z_b and s
    - S_ij -> 1 if i and j share a class; R -> a linear map to the class embeddings
    - D_a, D_b -> a `discriminator` of codes of class meaning and of a, of b; m -> a or b
    - r, c -> weights of the terms semantic_regression, dual_adversarial

    Codes of features alone are searched: what guides is left aside. A re-implementation gives the weights .01, 1 and 1e-4
    without saying of what: read here as those of the game, the guidance and the regression.

    Reference: Xu, Lu, Song, Yang, Shen, Li, "Ternary adversarial networks with self-supervision for zero-shot cross-modal
    retrieval", IEEE Transactions on Cybernetics 50(6), 2020.

    Differences from the source: 1. Its semantic subnetwork is fed the word vectors of seen and unseen labels; nothing of
    an unseen class is given to any method here. 2. Written from its abstract and reported settings: the likelihood's form is
    that of self-supervised adversarial hashing (Li et al., CVPR 2018), which guides two modalities by labels in the same way.
    3. One optimiser with a gradient reversal plays the game, for the exact gradients at every step. 4. Hidden layers are
    512 wide, codes linear: the source's are not known to us. 5. Class embeddings are those of the run, not
    word2vec's of 300-d; features are standardised by the training rows.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        inputs_a: Callable[[int], Standardise],
        inputs_b: Callable[[int], Standardise],
        encoder_a: Callable[[int], Encoder],
        encoder_b: Callable[[int], Encoder],
        semantic: Callable[[int], Encoder],
        code: Callable[[int], CodeLayer],
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
            code=code,
            code_b=code,
            objective=objective,
            adversary=adversary,
        )
        below = semantic(embedding_size(sizes, method="tanss"))
        self.semantic = nn.Sequential(below, code(below.size))
        width = self.code_layer.size
        self.discriminator_a, self.discriminator_b = discriminator(width), discriminator(width)
        self.regressor = nn.Linear(width, sizes.embedding)

    def tensors(self, batch: Batch) -> "TANSSPass":
        """What the objective's terms may ask for."""
        return TANSSPass(self, batch)


class TANSSPass(ClassSpacePass):
    """The tensors of one batch, with the codes of class meaning and the verdicts on them."""

    _method: TANSS

    @cached_property
    def semantic(self) -> Tensor:
        """Codes of the pairs' class embeddings (n, code)."""
        codes: Tensor = self._method.semantic(self.embedding)
        return codes

    @cached_property
    def _meant(self) -> tuple[Tensor, ...]:
        meant: Tensor = self._method.regressor(torch.cat([self.codes, self.semantic]))
        return meant.chunk(3)

    @cached_property
    def _judged_a(self) -> tuple[Tensor, ...]:
        return self.judged(self._method.discriminator_a, self.semantic, self.code_a)

    @cached_property
    def _judged_b(self) -> tuple[Tensor, ...]:
        return self.judged(self._method.discriminator_b, self.semantic, self.code_b)

    @property
    def embedding_from_a(self) -> Tensor:
        """Class embedding as the codes of a have it (n, size)."""
        return self._meant[0]

    @property
    def embedding_from_b(self) -> Tensor:
        """Class embedding as the codes of b have it (n, size)."""
        return self._meant[1]

    @property
    def embedding_from_semantic(self) -> Tensor:
        """Class embedding as its own codes have it (n, size)."""
        return self._meant[2]

    @property
    def true_logits_a(self) -> Tensor:
        """Verdicts of a's discriminator on codes of class meaning (n,)."""
        return self._judged_a[0]

    @property
    def made_logits_a(self) -> Tensor:
        """Its verdicts on the codes of a (n,)."""
        return self._judged_a[1]

    @property
    def true_logits_b(self) -> Tensor:
        """Verdicts of b's discriminator on codes of class meaning (n,)."""
        return self._judged_b[0]

    @property
    def made_logits_b(self) -> Tensor:
        """Its verdicts on the codes of b (n,)."""
        return self._judged_b[1]

"""TANSS, ternary adversarial networks: a subnetwork that encodes class meaning guides those of both modalities."""

from collections.abc import Callable
from functools import cached_property
from typing import Unpack

from torch import Tensor, nn

from msl.methods.adversary import Adversary
from msl.methods.branches import Branches, Pair
from msl.methods.class_space import TRUE_AND_MADE, ClassSpacePass, embedding_size, topped
from msl.methods.forward_pass import one_of
from msl.methods.method import Batch, Sizes
from msl.nets.code import CodeLayer
from msl.nets.discriminator import Discriminator
from msl.nets.encoders import Encoder


class TANSS(Branches):
    """Three subnetworks encode image, text and class meaning; the third guides the others, two discriminators tell them apart.

    ``min over subnetworks, max over discriminators  g L_code + m L_meaning + r L_reg - c L_adv``

    ``L_code = sum_z l(z, s)``,  ``L_meaning = sum_m l(R_m(z_m), w)``,  ``L_reg = 1/d ||w - R(s)||^2``

    ``l(x, y) = mean_j ( log(1 + exp(t_ij)) - S_ij t_ij )``,  ``t_ij = 1/2 x_i' y_j``

    ``L_adv = -1/2 sum_m ( log D_m(s) + log(1 - D_m(z_m)) )``

    - s -> code (n, code) of the class embedding w (n, d), of norm 1, by `semantic`; z_a, z_b -> of the features by `encoder_a`,
      `encoder_b`; each with a last layer `code` of its own; z -> z_a, z_b and s
    - y and the s of L_adv are constants: class meaning guides the codes of a and b, they do not move it
    - S_ij -> 1 if i and j share a class; R_a, R_b, R -> a `regressor` to class embeddings for a, b and class meaning
    - D_a, D_b -> a `discriminator` of codes of class meaning and of a, of b; m -> a or b
    - g, m, r, c -> weights of the terms guidance, meaning_guidance, semantic_regression, dual_adversarial

    Codes of features alone are searched. The paper we know by its abstract and by a public re-implementation
    (iTomxy/reimpl.TANSS), which reports mAP several points below the paper's. The paper's weights are said to be .01, 1
    and 1e-4; what they weigh is that re-implementation's reading, and so ours: .01 the likelihoods of codes, 1 those of
    class embeddings and the regression, 1e-4 a classification; the game has 1. For unseen classes of Wikipedia it is run with
    .1 in place of 1, as here. It sums likelihoods over a batch of 64 and all training items: .01 and .1 become g = 41 and
    m = 410, where l is a mean over the pairs of two batches of 64.

    Reference: Xu, Lu, Song, Yang, Shen, Li, "Ternary adversarial networks with self-supervision for zero-shot cross-modal
    retrieval", IEEE Transactions on Cybernetics 50(6), 2020.

    Differences from the source, as its re-implementation has it: 1. Its regression is fed the word vectors of seen and
    unseen labels; nothing of an unseen class is given to any method here. 2. The classification, squared errors weighed
    1e-4 beside sums in the thousands, is left out. 3. One optimiser with a gradient reversal plays the game at every
    step, the encoders' share growing from 0 at the start of training to 1 at its end (`adversary.gain`); it trains
    subnetworks and discriminators by turns, with no schedule, and its encoders' part of the game, fed as a number,
    moves nothing. 4. At most 40 epochs, chosen on held-out classes, at a learning rate of 1e-3; it has 16 to 20 epochs
    of up to 27 passes over the data for each subnetwork, at 1e-4 (200 epochs here did not raise the validation mAP of
    emoji's first split: with tens of classes few pairs of a batch share one, and likelihoods gain most from telling
    apart). 5. Likelihoods compare with the batch, not with all training items. 6. Hidden layers of 512 for 4,096 and
    1,024, in discriminators 512 and 256 for 4,096 and 2,048; ReLU for its leaky ReLU and tanh. 7. Class embeddings are
    those of the run, of norm 1, not word2vec's of 300-d; features are standardised by the training rows.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        semantic: Callable[[int], Encoder],
        regressor: Callable[[int], Encoder],
        code: Callable[[int], CodeLayer],
        discriminator: Callable[[int], Discriminator],
        adversary: Adversary,
        **pair: Unpack[Pair],
    ) -> None:
        super().__init__(sizes, code=code, code_b=code, adversary=adversary, **pair)
        below = semantic(embedding_size(sizes, method="tanss"))
        self.semantic = nn.Sequential(below, code(below.size))
        width = self.code_layer.size
        self.discriminator_a, self.discriminator_b = discriminator(width), discriminator(width)
        self.regressor_a, self.regressor_b, self.regressor_semantic = (
            topped(regressor(width), sizes.embedding) for _ in range(3)
        )

    def tensors(self, batch: Batch) -> "TANSSPass":
        """What the objective's terms may ask for."""
        return TANSSPass(self, batch)


class TANSSPass(ClassSpacePass):
    """The tensors of one batch, with the codes of class meaning and the verdicts on them."""

    _method: TANSS
    verdicts = TRUE_AND_MADE

    @cached_property
    def semantic(self) -> Tensor:
        """Codes of the pairs' class embeddings (n, code)."""
        codes: Tensor = self._method.semantic(self.embedding)
        return codes

    @property
    def guide(self) -> Tensor:
        """The same codes as constants (n, code)."""
        return self.semantic.detach()

    @property
    def embedding_from_a(self) -> Tensor:
        """Class embedding made of the codes of a (n, size)."""
        made: Tensor = self._method.regressor_a(self.code_a)
        return made

    @property
    def embedding_from_b(self) -> Tensor:
        """Class embedding made of the codes of b (n, size)."""
        made: Tensor = self._method.regressor_b(self.code_b)
        return made

    @property
    def embedding_from_semantic(self) -> Tensor:
        """Class embedding made of its own codes (n, size)."""
        made: Tensor = self._method.regressor_semantic(self.semantic)
        return made

    @cached_property
    def _judged_a(self) -> tuple[Tensor, ...]:
        return self.judged(self._method.discriminator_a, self.guide, self.code_a)

    @cached_property
    def _judged_b(self) -> tuple[Tensor, ...]:
        return self.judged(self._method.discriminator_b, self.guide, self.code_b)

    true_logits_a = one_of("_judged_a", 0, "Verdicts of a's discriminator on codes of class meaning (n,).")
    made_logits_a = one_of("_judged_a", 1, "Its verdicts on the codes of a (n,).")
    true_logits_b = one_of("_judged_b", 0, "Verdicts of b's discriminator on codes of class meaning (n,).")
    made_logits_b = one_of("_judged_b", 1, "Its verdicts on the codes of b (n,).")

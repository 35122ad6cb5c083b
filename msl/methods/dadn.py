"""DADN, dual adversarial networks: codes that pass for class embeddings, and rebuilt features that pass for real ones."""

from collections.abc import Callable
from functools import cached_property
from typing import Unpack

import torch
from torch import Tensor

from msl.methods.adversary import Adversary
from msl.methods.branches import Branches, Pair
from msl.methods.class_space import TRUE_AND_MADE, ClassSpacePass, class_space, topped
from msl.methods.forward_pass import one_of
from msl.methods.method import Batch, Sizes
from msl.nets.discriminator import Discriminator
from msl.nets.encoders import Encoder


class DADN(Branches):
    """Two games: codes are to pass for class embeddings, and the features rebuilt from them for real ones.

    ``min over encoders, generators, max over discriminators  q L_quad + r L_rec - c L_D - e L_E``

    ``L_quad = sum_z max(0, 20 ||z - w||^2 - d_a - d_b)``,  ``L_rec = ||a - G_a(z_a)||^2 + ||b - G_b(z_b)||^2``

    ``L_D = -1/2 sum_m ( log D_m(m) + log(1 - D_m(G_m(z_m))) )``

    ``L_E = -1/2 sum_m ( log E_m(w, m) + log(1 - E_m(z_a, m)) + log(1 - E_m(z_b, m)) )``

    - z_a, z_b -> codes (n, embedding) of `encoder_a`, `encoder_b` with a linear last layer each; w -> class embedding, of norm 1
    - d_a, d_b -> mean squared distance of the code z to the codes of a, of b, of items of other classes
    - G_a, G_b -> the reverse generators, `generator` for each modality; m -> a or b
    - D_a, D_b -> a `discriminator` of each modality's features; E_a, E_b -> one of class embedding or code, beside the features
    - q, r, c, e -> weights of the terms quadruplet, rebuilt, dual_adversarial, embedding_adversarial

    Codes alone are searched. Ranking and reconstruction are the published code's (PKU-ICST-MIPL/DADN_TCSVT2019), with its
    coefficients 20 and 1 and q = r = 1. Its squares are halved and summed over a batch of 64, where terms here are means over pairs:
    beside them a game of weight 1 has c = e = 1/32.

    References: Chi, Peng, "Dual adversarial networks for zero-shot cross-media retrieval", IJCAI 2018; Chi, Peng,
    "Zero-shot cross-media embedding learning with dual adversarial distribution network", IEEE Transactions on Circuits
    and Systems for Video Technology, 2019, doi 10.1109/TCSVT.2019.2900171.

    Differences from the source, which is its code where the papers leave it open: 1. Encoders and generators play against
    the discriminators' own loss, where its code gives them the root of the maximum mean discrepancy between true
    and made in all of a discriminator's layers. 2. One optimiser and a gradient reversal play both games; it has an
    optimiser step for each of four losses, and two of every three steps of the encoders are for the ranking. The
    encoders' and generators' share of the games grows from 0 at the start of training to 1 at its end (`adversary.gain`);
    its has no schedule. 3. The ranking's hinge is one per code, and its distances to other classes are the batch's means; its code
    has one hinge for the sum over the batch and draws one pair of another class for each. 4. Hidden layers of 512 and 512, in
    discriminators 512 and 256, for 4,096 and 4,096, and 4,096 and 2,048. 5. At most 40 epochs, chosen on held-out classes,
    for 10. 6. Class embeddings are those of the run, of norm 1, not word2vec's of 300-d; features are standardised by the
    training rows.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        generator: Callable[[int], Encoder],
        discriminator: Callable[[int], Discriminator],
        adversary: Adversary,
        **pair: Unpack[Pair],
    ) -> None:
        super().__init__(
            sizes,
            code=class_space(sizes, method="dadn"),
            code_b=class_space(sizes, method="dadn"),
            adversary=adversary,
            **pair,
        )
        self.generator_a, self.generator_b = (topped(generator(sizes.embedding), width) for width in (sizes.a, sizes.b))
        self.discriminator_a, self.discriminator_b = (discriminator(width) for width in (sizes.a, sizes.b))
        self.meaning_discriminator_a, self.meaning_discriminator_b = (
            discriminator(sizes.embedding + width) for width in (sizes.a, sizes.b)
        )

    def tensors(self, batch: Batch) -> "DADNPass":
        """What the objective's terms may ask for."""
        return DADNPass(self, batch)


class DADNPass(ClassSpacePass):
    """The tensors of one batch, with rebuilt features and the verdicts of both games."""

    _method: DADN
    verdicts = (
        *TRUE_AND_MADE,
        ("embedding_logits_a", "own_logits_a"),
        ("embedding_logits_a", "other_logits_a"),
        ("embedding_logits_b", "own_logits_b"),
        ("embedding_logits_b", "other_logits_b"),
    )

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
    def _meaning_a(self) -> tuple[Tensor, ...]:
        seen = [torch.cat([meaning, self.a], dim=1) for meaning in (self.embedding, self.code_a, self.code_b)]
        return self.judged(self._method.meaning_discriminator_a, *seen)

    @cached_property
    def _meaning_b(self) -> tuple[Tensor, ...]:
        seen = [torch.cat([meaning, self.b], dim=1) for meaning in (self.embedding, self.code_b, self.code_a)]
        return self.judged(self._method.meaning_discriminator_b, *seen)

    true_logits_a = one_of("_features_a", 0, "Verdicts on the features of a (n,).")
    made_logits_a = one_of("_features_a", 1, "Verdicts on the rebuilt features of a (n,).")
    true_logits_b = one_of("_features_b", 0, "Verdicts on the features of b (n,).")
    made_logits_b = one_of("_features_b", 1, "Verdicts on the rebuilt features of b (n,).")
    embedding_logits_a = one_of("_meaning_a", 0, "Verdicts on class embeddings beside the features of a (n,).")
    own_logits_a = one_of("_meaning_a", 1, "Verdicts on the codes of a beside the features of a (n,).")
    other_logits_a = one_of("_meaning_a", 2, "Verdicts on the codes of b beside the features of a (n,).")
    embedding_logits_b = one_of("_meaning_b", 0, "Verdicts on class embeddings beside the features of b (n,).")
    own_logits_b = one_of("_meaning_b", 1, "Verdicts on the codes of b beside the features of b (n,).")
    other_logits_b = one_of("_meaning_b", 2, "Verdicts on the codes of a beside the features of b (n,).")

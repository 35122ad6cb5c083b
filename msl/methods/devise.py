"""DeViSE: linear maps into the space of class embeddings (Frome et al., NIPS 2013)."""

from typing import Unpack

from msl.methods.branches import Branches, Pair
from msl.methods.class_space import class_space
from msl.methods.method import Sizes


class DeViSE(Branches):
    """Deep visual-semantic embedding: a linear map takes each modality to where its class's embedding is the nearest.

    ``min 1/n sum_i ( l(M_a a_i) + l(M_b b_i) )``,  ``l(x) = sum_{j != y} max(0, m - t_y . x + t_j . x)``

    - M_a, M_b -> `code_layer`, `code_layer_b`: their codes (n, size) are as wide as class embeddings
    - t_j -> `class_embeddings` (classes, size), made of unit length; y -> `label`; m -> the margin of `label_ranking`

    Left open: the learning rate, here 1e-3, and the scale of features, without which a margin of 0.1 means nothing: their
    mean squared norm is 1 here, as class embeddings have.

    Reference: Frome, Corrado, Shlens, Bengio, Dean, Ranzato, Mikolov, "DeViSE: A Deep Visual-Semantic Embedding Model",
    NIPS 2013.

    Differences from the source: 1. Both modalities are mapped, each by a map of its own: it has images only. 2. All classes
    trained on are ranked, where it stops at the first one, in random order, that violates the margin: the same cause in
    fewer random numbers. 3. Maps have a bias, and features are standardised by the training rows, as every method's here.
    4. The network below the image map is not tuned along: features are given. 5. Adam, at most 40 epochs chosen on held-out
    classes. 6. A search compares codes with codes, by cosine, where it compares codes with class vectors.
    """

    def __init__(
        self,
        sizes: Sizes,
        **pair: Unpack[Pair],
    ) -> None:
        code = class_space(sizes, method="devise")
        super().__init__(sizes, code=code, code_b=code, **pair)

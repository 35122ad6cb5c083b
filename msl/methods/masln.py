"""MASLN: the modal-adversarial semantic learning network (Xu et al., ICMR 2018)."""

from collections.abc import Callable
from typing import Unpack

from msl.methods.adversary import Adversary
from msl.methods.branches import Branches, Pair
from msl.methods.method import Sizes
from msl.nets.classifier import Classifier
from msl.nets.code import CodeLayer
from msl.nets.decoders import Decoders
from msl.nets.discriminator import Discriminator


class MASLN(Branches):
    """Paired encoders and a shared code layer; decoders, discriminator and classifier teach them and are then left aside.

    Only encoders and code layer are used for retrieval: no class embedding of the searched classes is needed.
    Reference: Xu, Song, Lu, Yang, Shen, Huang, "Modal-adversarial Semantic Learning Network for Extendable
    Cross-modal Retrieval", ICMR 2018, doi 10.1145/3206025.3206033, equations (1) to (6).
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        code: Callable[[int], CodeLayer],
        decoders: Callable[[int, int, int, int], Decoders],
        discriminator: Callable[[int], Discriminator],
        classifier: Callable[[int, int], Classifier],
        adversary: Adversary,
        **pair: Unpack[Pair],
    ) -> None:
        super().__init__(
            sizes,
            code=code,
            decoders=decoders,
            discriminator=discriminator,
            classifier=classifier,
            adversary=adversary,
            **pair,
        )

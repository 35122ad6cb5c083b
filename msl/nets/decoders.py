"""The decoders: a code joined with its class embedding rebuilds the features of both modalities."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from msl.nets.mlp import Activation, mlp
from msl.types import Count, Fraction


class Decoders(nn.Module):
    """Rebuild modality a (n, size_a) and b (n, size_b) from a code (n, code) and a class embedding (n, embedding).

    With `shared` one pair of decoders serves the codes of both branches; otherwise each branch has its own pair.
    """

    def __init__(
        self,
        code: int,
        embedding: int,
        size_a: int,
        size_b: int,
        *,
        hidden: Sequence[Count],
        activation: Activation,
        dropout: Fraction,
        shared: bool,
    ) -> None:
        super().__init__()
        pairs = 1 if shared else 2
        self.to_a, self.to_b = (
            nn.ModuleList(
                mlp(code + embedding, hidden, size, activation=activation, dropout=dropout) for _ in range(pairs)
            )
            for size in (size_a, size_b)
        )

    def forward(self, codes: Tensor, embedding: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (2n, code), branch a's rows before branch b's, and embedding (n, embedding) -> (2n, size_a), (2n, size_b)."""
        joined = torch.cat([codes, embedding.repeat(2, 1)], dim=1)  # (2n, code + embedding)
        return self._rebuild(self.to_a, joined), self._rebuild(self.to_b, joined)

    @staticmethod
    def _rebuild(decoders: nn.ModuleList, joined: Tensor) -> Tensor:
        if len(decoders) == 1:  # shared: both branches in one product, and no copy after it
            rebuilt: Tensor = decoders[0](joined)
            return rebuilt
        return torch.cat([decode(branch) for decode, branch in zip(decoders, joined.chunk(2), strict=True)])

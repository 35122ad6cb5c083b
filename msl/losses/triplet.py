"""The triplet loss with the hardest negative of the batch."""

from torch import Tensor
from torch.nn.functional import normalize, relu

from msl.functional import sharing
from msl.types import NonNegative


def triplet(code_a: Tensor, code_b: Tensor, label: Tensor, *, margin: NonNegative) -> Tensor:
    """A pair's codes are nearer to each other than to the nearest code of another class, in both directions.

    ``l(i, c) = max_c' [m + s(i, c') - s(i, c)]_+ + max_i' [m + s(i', c) - s(i, c)]_+``

    - i, c -> `code_a`, `code_b` (n, code); s -> their cosine; m -> `margin`
    - i', c' -> codes of the batch that share no class with the pair by `label`, (n,) or a distribution (n, classes);
      where there are none the value is 0

    Returns one value per pair (n,).
    Source: Faghri, Fleet, Kiros, Fidler, "VSE++: Improving Visual-Semantic Embeddings with Hard Negatives", BMVC 2018,
    equation 6.
    """
    cosines = normalize(code_a) @ normalize(code_b).T
    own, others = cosines.diagonal(), cosines.masked_fill(sharing(label), -float("inf"))
    return relu(margin + others.amax(dim=1) - own) + relu(margin + others.amax(dim=0) - own)

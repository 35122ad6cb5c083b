"""Eq. (5) and (6): the discriminative loss of the shared classifier."""

from torch import Tensor
from torch.nn.functional import cross_entropy


def softmax_term(class_logits: Tensor, label: Tensor) -> Tensor:
    """Eq. (6). The softmax term.

    ``f_softmax(x, y) = sum_k 1{y = k} log p^(x, k)``

    - p^(x, k) -> softmax of `class_logits` (n, classes)
    - y -> `label` (n,), an index of the seen classes; or (n, classes), a distribution over them

    Returns one value per item (n,). As written a log-likelihood; this is its negative.
    """
    return cross_entropy(class_logits, label, reduction="none")


def discriminative(class_logits_a: Tensor, class_logits_b: Tensor, label: Tensor) -> Tensor:
    """Eq. (5). The shared classifier names the class of both codes.

    ``L_dis = 1/N_s sum ( f_softmax(v_i, y_i; theta_d) + f_softmax(t_i, y_i; theta_d) )``

    - f_softmax(v_i, y_i) -> eq. (6) of `class_logits_a` (n, classes)
    - f_softmax(t_i, y_i) -> eq. (6) of `class_logits_b` (n, classes)

    Returns one value per pair (n,).
    """
    return softmax_term(class_logits_a, label) + softmax_term(class_logits_b, label)

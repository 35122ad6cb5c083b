"""Semantic matching: each modality tells the probabilities of the classes, and items meet there."""

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from msl.data.classes import Classes
from msl.data.pairs import Features, Pairs
from msl.methods.method import ClosedForm, Sizes
from msl.nets.standardise import Standardise
from msl.types import Ints, Modality, Positive


class SemanticMatching(ClosedForm):
    """Semantic matching: a logistic regression per modality, whose class posteriors are the codes.

    minimise ``1/2 ||W||^2 + C sum_i -log p(y_i | x_i)`` with ``p(. | x) = softmax(W' x + b)``

    - x -> standardised features; y -> class of a training pair
    - W, b -> `weight_a`, `weight_b` (size, classes), `bias_a`, `bias_b` (classes)
    - C -> `C`

    `of` posterior: codes are ``p(. | x)`` over the classes trained on, the source's semantic space. `of` logit:
    codes are ``W' x + b``, which keep how unlike each class an item is. A class without training pairs stays 0.
    References: Rasiwasia, Costa Pereira, Coviello, Doyle, Lanckriet, Levy, Vasconcelos, "A new approach to cross-modal
    multimedia retrieval", ACM Multimedia 2010; Costa Pereira et al., "On the role of correlation and abstraction in
    cross-modal multimedia retrieval", TPAMI 36, 2014.

    Differences from the source: 1. The posteriors are over seen classes only; those of the items searched are nowhere among
    them in the extendable regimes, which the source does not have. 2. Features are standardised; its histograms are not.
    3. C is scikit-learn's own, 1, or chosen on held-out classes. 4. Codes are compared by the similarity that the protocol
    names; the source tries several. 5. An item of several classes counts for each in equal parts.
    """

    def __init__(self, sizes: Sizes, *, C: Positive, of: Literal["posterior", "logit"]) -> None:
        super().__init__(sizes, *(Standardise(width, per="feature", squared_norm=None) for width in (sizes.a, sizes.b)))
        self.C, self.of = C, of
        for modality, width in (("a", sizes.a), ("b", sizes.b)):
            self.register_buffer(f"weight_{modality}", torch.zeros(width, sizes.classes))
            self.register_buffer(f"bias_{modality}", torch.full((sizes.classes,), -torch.inf))

    def fit(self, pairs: Pairs, classes: Classes) -> None:
        """Solve for the training pairs, by scikit-learn; class embeddings are not used."""
        self.prepare(pairs)
        for modality, features in (("a", pairs.a), ("b", pairs.b)):
            model = self._regression(self.inputs[modality], features, pairs.labels)
            weight, bias = _of_every_class(model)
            self.get_buffer(f"weight_{modality}")[:, model.classes_] = torch.from_numpy(weight.T).float()
            self.get_buffer(f"bias_{modality}")[model.classes_] = torch.from_numpy(bias).float()

    def _regression(self, inputs: nn.Module, features: Features, labels: Ints) -> Any:
        from sklearn.linear_model import LogisticRegression

        rows: Tensor = inputs(torch.from_numpy(features[:])).double()
        model = LogisticRegression(C=self.C, max_iter=10_000)  # as many as it needs: it stops when it has converged
        if labels.ndim == 1:
            return model.fit(rows.numpy(), labels)
        items, carried = np.nonzero(labels)
        return model.fit(rows.numpy()[items], carried, sample_weight=1 / labels.sum(axis=1)[items])

    def code(self, features: Tensor, modality: Modality) -> Tensor:
        """Codes (n, classes)."""
        bias = self.get_buffer(f"bias_{modality}")
        logits: Tensor = self.inputs[modality](features) @ self.get_buffer(f"weight_{modality}") + bias
        return logits.softmax(dim=1) if self.of == "posterior" else logits.masked_fill(bias.isinf(), 0)


def _of_every_class(model: Any) -> tuple[Any, Any]:
    """Weights (classes, size) and biases (classes,); of two classes scikit-learn keeps the difference alone."""
    if len(model.classes_) > 2:
        return model.coef_, model.intercept_
    halves = np.array([[-0.5], [0.5]])
    return halves @ model.coef_, (halves @ model.intercept_[None]).ravel()

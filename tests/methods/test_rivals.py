"""What holds for every trained method alike, whatever its parts."""

import functools

import numpy as np
import pytest
import torch
from method_builders import batch_of, planted_pairs

from msl.commands.searching import build
from msl.commands.settings import sizes
from msl.config import composed, is_kind, resolved
from msl.files import embedded
from msl.methods.method import Sizes, Trained
from msl.metrics.measure import mean_average_precision

NAMES = sorted(path.stem for path in embedded("conf").glob("method/*.yaml"))
PAIRS, KNOWN = planted_pairs(items=3, sizes=Sizes(a=12, b=10, classes=4, embedding=8))


@functools.cache
def configured(name):
    return resolved(composed("train", [f"method={name}"]))["method"]


TRAINED = [name for name in NAMES if is_kind(configured(name), Trained)]


def found(method, labels):
    """mAP of the batch in both directions."""
    method.settle(PAIRS, KNOWN)
    a, b = method.encode(PAIRS.a, "a"), method.encode(PAIRS.b, "b")
    return [mean_average_precision(*sides, labels, labels) for sides in ((a, b), (b, a))]


NOT_CODE_WITH_CODE = {"two_tower", "devise"}
"""Those whose objective compares no code with that of another item: a pair's alone, or a code with class embeddings."""


@pytest.mark.parametrize("name", TRAINED)
def test_one_small_batch_is_overfitted(name):
    """With the terms, weights and networks of its configuration; only the step size is the test's.

    A method that is told no class has to find the pair's other half. One that compares no codes brings its loss to nothing.
    """
    torch.manual_seed(0)
    method = build(configured(name), sizes(PAIRS, KNOWN), {})
    method.prepare(PAIRS)
    terms = method.objective.terms.values()
    told = any({"label", "embedding", "semantic"} & set(term.wants) for term in terms) or name == "lcale"
    labels = PAIRS.labels if told else np.arange(len(PAIRS))
    optimiser, steps, losses = torch.optim.Adam(method.parameters(), lr=0.003), 200, []
    for step in range(steps):
        optimiser.zero_grad(set_to_none=True)
        total = method.loss(batch_of(PAIRS, KNOWN, step=step, progress=step / steps))["total"]
        total.backward()
        optimiser.step()
        losses.append(total.item())
        if name in NOT_CODE_WITH_CODE and losses[-1] < 1e-3 * losses[0]:
            return
        if name not in NOT_CODE_WITH_CODE and step % 25 == 24 and found(method, labels) == [1.0, 1.0]:
            return
    pytest.fail(f"mAP {found(method, labels)}, loss {losses[0]:.3g} to {losses[-1]:.3g}")

"""What holds for every trained method alike, whatever its parts."""

import functools

import numpy as np
import pytest
import torch
from method_builders import batch_of, planted_pairs

from msl.commands.searching import build
from msl.commands.settings import sizes
from msl.config import composed, instantiate, is_kind, resolved
from msl.files import embedded
from msl.methods.method import Sizes, Trained
from msl.metrics.measure import mean_average_precision
from msl.training.loaders import Batches

NAMES = sorted(path.stem for path in embedded("conf").glob("method/*.yaml"))
PAIRS, KNOWN = planted_pairs(items=3, sizes=Sizes(a=12, b=10, classes=4, embedding=8))


@functools.cache
def configured(name):
    return resolved(composed("train", [f"method={name}"]))


TRAINED = [name for name in NAMES if is_kind(configured(name)["method"], Trained)]


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
    method = build(configured(name)["method"], sizes(PAIRS, KNOWN), {})
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


@pytest.mark.parametrize("name", TRAINED)
def test_as_configured_it_learns_to_find_other_pairs_of_its_classes(name):
    """With its own optimiser, rate, batch and epochs; nothing of the test's."""
    wide = Sizes(a=40, b=30, classes=8, embedding=12)
    every, classes = planted_pairs(items=45, sizes=wide, noise=0.6)
    rows = np.arange(len(every))
    train, other = every.take(rows[rows % 3 > 0]), every.take(rows[rows % 3 == 0])
    values = configured(name)
    torch.manual_seed(0)
    method = build(values["method"], wide, {})
    training = instantiate(values["trainer"])
    method.prepare(train)
    batches = Batches(train, classes, size=training.batch, seed=0, epochs=training.epochs)
    optimiser = training.optimiser(method.parameters())
    for _ in range(training.epochs):
        for batch in batches:
            optimiser.zero_grad(set_to_none=True)
            method.loss(batch)["total"].backward()
            optimiser.step()
    method.settle(train, classes)
    a, b = method.encode(other.a, "a"), method.encode(other.b, "b")
    scores = [mean_average_precision(*sides, other.labels, other.labels) for sides in ((a, b), (b, a))]
    assert min(scores) > 0.375  # three times chance

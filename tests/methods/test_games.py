"""The games of every method that has discriminators of its own kind, played by turns."""

from dataclasses import replace

import pytest
import torch
from rivals_builders import PAIRS, WORDS, batch_of, prepared

from msl.methods.adversary import Alternating

TERMS = {
    "acmr": {"adversarial"},
    "dadn": {"dual_adversarial", "embedding_adversarial"},
    "tanss": {"dual_adversarial"},
}
EVERY = pytest.mark.parametrize("name", TERMS)


def by_turns(name):
    method = prepared(name).eval()
    method.adversary = Alternating(strength=1.0, gain=0.0, discriminator_steps=1)
    return method


def reached(method, step):
    """The parts that a step teaches, and its values."""
    values = method.loss(replace(batch_of(PAIRS, WORDS, dtype=torch.float64), step=step))
    values["total"].backward()
    moved = {
        name.split(".")[0] for name, each in method.named_parameters() if each.grad is not None and each.grad.any()
    }
    return moved, values


@EVERY
def test_in_their_turn_discriminators_alone_learn(name):
    method = by_turns(name)
    moved, values = reached(method, step=0)
    assert values.keys() == TERMS[name] | {"total"}
    assert moved == {part for part, _ in method.named_children() if "discriminator" in part}


@EVERY
def test_in_the_encoders_turn_everything_else_learns(name):
    method = by_turns(name)
    moved, values = reached(method, step=1)
    assert values.keys() == method.objective.terms.keys() | {"total"}
    assert moved == {part for part, _ in method.named_children() if "discriminator" not in part} - {"inputs"}


@EVERY
@pytest.mark.parametrize("step", [0, 1])
def test_accuracy_is_the_share_of_verdicts_that_are_right(name, step):
    method = by_turns(name)
    batch = replace(batch_of(PAIRS, WORDS, dtype=torch.float64), step=step)
    method.loss(batch)
    tensors = method.tensors(batch)
    right = [
        verdict
        for true, made in tensors.verdicts
        for verdict in [*(getattr(tensors, true) > 0).tolist(), *(getattr(tensors, made) <= 0).tolist()]
    ]
    assert method.monitors()["discriminator_accuracy"].item() == pytest.approx(sum(right) / len(right))
    assert 0 < sum(right) < len(right)


def test_verdicts_that_no_term_asks_for_are_not_made(monkeypatch):
    method = by_turns("dadn")
    del method.objective.terms["dual_adversarial"]

    def called(*_):
        raise AssertionError("a discriminator of features was called")

    monkeypatch.setattr(method.discriminator_a, "forward", called)
    assert reached(method, step=0)[1].keys() == {"embedding_adversarial", "total"}

"""Rivals as configured, on small planted pairs whose class embeddings are longer than 1."""

import functools

import torch
from method_builders import SIZES, batch_of, planted_pairs

from msl.commands.searching import build
from msl.config import composed, resolved

PAIRS, WORDS = planted_pairs(sizes=SIZES)
__all__ = ["PAIRS", "SIZES", "WORDS", "batch_of", "built", "gradients", "prepared"]


@functools.cache
def configured(name):
    return resolved(composed("train", [f"method={name}"]))["method"]


def built(name, sizes=SIZES, **chosen):
    torch.manual_seed(0)
    return build(configured(name), sizes, chosen)


def prepared(name, pairs=PAIRS, **chosen):
    """In double precision, with the statistics of the pairs."""
    method = built(name, **chosen)
    method.prepare(pairs)
    return method.double()


def gradients(method, loss):
    """Parameter name -> gradient of a scalar, of the parameters it depends on."""
    names, parameters = zip(*method.named_parameters(), strict=True)
    found = torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)
    return {
        name: gradient for name, gradient in zip(names, found, strict=True) if gradient is not None and gradient.any()
    }

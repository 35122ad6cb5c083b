"""Random codes and labels in double precision, and cosines as a loop."""

import math

import torch


def doubles(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def labels(pairs, classes, *, several, seed=0):
    """Classes (n,), or of items with one to `classes` classes each, distributions over them (n, classes)."""
    source = torch.Generator().manual_seed(seed)
    one = torch.randint(classes, (pairs,), generator=source)
    if not several:
        return one
    members = (torch.rand(pairs, classes, generator=source) < 0.3).double()
    members[torch.arange(pairs), one] = 1
    return members / members.sum(dim=1, keepdim=True)


def classes_of(label, i):
    """The classes of item i, a set."""
    return {int(label[i])} if label.ndim == 1 else set(label[i].nonzero().flatten().tolist())


def dot(x, y):
    return sum(one * other for one, other in zip(x.tolist(), y.tolist(), strict=True))


def cosine(x, y):
    return dot(x, y) / math.sqrt(dot(x, x) * dot(y, y))

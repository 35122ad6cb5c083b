import torch
from method_builders import SIZES, batch_of, planted_pairs
from torch.nn.functional import mse_loss

from msl.commands.searching import build
from msl.config import composed, resolved

PAIRS, KNOWN = planted_pairs()


def two_tower():
    torch.manual_seed(0)
    method = build(resolved(composed("train", ["method=two_tower"]))["method"], SIZES, {})
    method.prepare(PAIRS)
    return method


def test_total_is_the_mean_square_between_two_towers_of_relus():
    method, batch = two_tower(), batch_of(PAIRS, KNOWN)
    a, b = method.code(batch.a, "a"), method.code(batch.b, "b")
    assert a.shape == b.shape == (len(PAIRS), 32)
    assert min(a.min(), b.min()) == 0
    torch.testing.assert_close(method.loss(batch)["total"], mse_loss(a, b))


def test_the_towers_share_no_weight():
    method, batch = two_tower(), batch_of(PAIRS, KNOWN)
    method.code(batch.a, "a").sum().backward()
    assert not any(p.grad is not None for part in (method.encoder_b, method.code_layer_b) for p in part.parameters())


def test_towers_that_say_the_same_of_everything_cost_nothing():
    """What the tutorial's objective leaves open: no negative and no class stands against a collapse."""
    method, batch = two_tower(), batch_of(PAIRS, KNOWN)
    with torch.no_grad():
        for last in (method.code_layer, method.code_layer_b):
            last.linear.weight.zero_()
            last.linear.bias.fill_(1)
    assert method.loss(batch)["total"] == 0

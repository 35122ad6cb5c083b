from dataclasses import replace

import pytest
import torch
from method_builders import SIZES, batch_of, planted_pairs
from torch.nn.functional import normalize

from msl.commands.searching import build
from msl.config import composed, resolved
from msl.types import InputError

PAIRS, KNOWN = planted_pairs()
NODE = resolved(composed("train", ["method=devise"]))["method"]


def devise(sizes=SIZES):
    torch.manual_seed(0)
    method = build(NODE, sizes, {})
    method.prepare(PAIRS)
    return method


@pytest.mark.parametrize("embedding", [1, 3, 50])
def test_codes_are_linear_and_as_wide_as_class_embeddings(embedding):
    method = devise(replace(SIZES, embedding=embedding))
    first, second = torch.from_numpy(PAIRS.a[:2])
    codes = method.code(torch.stack([first, second, (first + second) / 2]), "a")
    assert codes.shape == (3, embedding)
    torch.testing.assert_close(codes[2], codes[:2].mean(dim=0), atol=1e-5, rtol=0)


def test_without_class_embeddings_the_remedy_is_named():
    with pytest.raises(InputError, match=r"embedding=none.*embedding=words") as caught:
        devise(replace(SIZES, embedding=0))
    assert "\n" not in str(caught.value)


def test_msl_train_without_class_embeddings_ends_in_one_line(run_msl, small):
    without_code = [override for override in small if not override.startswith("method.code")]
    status, _, error = run_msl("train", *without_code, "method=devise", "embedding=none")
    assert status == 2
    assert "embedding=words" in error
    assert error.count("\n") == 1


def test_one_small_batch_is_learnt_to_a_loss_of_zero_and_its_own_class_is_the_nearest_of_every_code():
    pairs, classes = planted_pairs(items=3, noise=0.05)
    method = devise()
    optimiser, batch = torch.optim.Adam(method.parameters(), lr=0.02), batch_of(pairs, classes)
    for _ in range(400):
        optimiser.zero_grad(set_to_none=True)
        method.loss(batch)["total"].backward()
        optimiser.step()
    assert method.loss(batch)["total"] == 0
    for side in ("a", "b"):
        products = method.code(getattr(batch, side), side) @ normalize(batch.class_embeddings).T
        assert torch.equal(products.argmax(dim=1), batch.label)


def test_the_lengths_of_class_embeddings_do_not_count():
    method, batch = devise(), batch_of(PAIRS, KNOWN)
    longer = replace(batch, class_embeddings=batch.class_embeddings * torch.tensor([[1.0], [2.0], [5.0], [0.1]]))
    torch.testing.assert_close(method.loss(longer)["total"], method.loss(batch)["total"])

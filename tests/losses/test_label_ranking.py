import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loss_builders import classes_of, dot, doubles, labels

from msl.losses.label_ranking import label_ranking


def naive(a, b, label, embeddings, margin):
    def product(code, j):
        return dot(code, embeddings[j]) / math.sqrt(dot(embeddings[j], embeddings[j]))

    def hinges(code, classes):
        own = sum(product(code, y) for y in classes) / len(classes)
        wrong = [j for j in range(len(embeddings)) if j not in classes]
        return sum(max(0, margin - own + product(code, j)) for j in wrong)

    return [hinges(a[i], classes_of(label, i)) + hinges(b[i], classes_of(label, i)) for i in range(len(a))]


@pytest.mark.parametrize("several", [False, True], ids=["one class", "several classes"])
@given(seed=st.integers(0, 10_000), margin=st.floats(0, 2))
@settings(deadline=None, max_examples=20)
def test_loss_is_the_formula_written_as_a_loop(several, seed, margin):
    a, b, embeddings = (doubles(n, 3, seed=seed + k) for k, n in enumerate((6, 6, 4)))
    label = labels(6, 4, several=several, seed=seed)
    expected = naive(a, b, label, embeddings, margin)
    assert label_ranking(a, b, label, embeddings, margin=margin).tolist() == pytest.approx(expected, abs=1e-12)


def test_a_code_of_zero_costs_the_margin_for_every_wrong_class():
    zero = torch.zeros(3, 4, dtype=torch.float64)
    values = label_ranking(zero, zero, torch.arange(3), doubles(5, 4), margin=0.1)
    assert values.tolist() == pytest.approx([2 * 4 * 0.1] * 3)


def test_codes_at_their_classes_cost_nothing_within_the_margin():
    embeddings, label = 3 * torch.eye(4, dtype=torch.float64), torch.arange(4)
    codes = torch.eye(4, dtype=torch.float64)
    assert not label_ranking(codes, codes, label, embeddings, margin=1.0).any()
    assert label_ranking(codes, codes, label, embeddings, margin=1.5).tolist() == [3.0] * 4  # 2 x 3 x 0.5


def test_an_item_of_every_class_costs_nothing():
    every = torch.full((2, 3), 1 / 3, dtype=torch.float64)
    assert not label_ranking(doubles(2, 4), doubles(2, 4, seed=1), every, doubles(3, 4), margin=0.5).any()

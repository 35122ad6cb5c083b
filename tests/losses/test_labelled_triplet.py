import numpy as np
import pytest
import torch

from msl.losses.labelled_triplet import labelled_triplet


def planted(seed, pairs=7, classes=3):
    source = np.random.default_rng(seed)
    a, b, u, v = (source.standard_normal((pairs, width)) for width in (5, 4, 3, 3))
    return a, b, u, v, source.integers(classes, size=pairs)


def by_hand(a, b, u, v, label, margin, positive):
    def half(x, y):
        return sum((one - other) ** 2 for one, other in zip(x, y, strict=True)) / 2

    def cosine(x, y):
        return float(x @ y) / (float(x @ x) * float(y @ y)) ** 0.5

    values = []
    for i in range(len(a)):
        strangers = [k for k in range(len(a)) if label[k] != label[i]]
        text, image = (max(strangers, key=lambda j, x=x: cosine(x[i], x[j])) for x in (a, b))
        to_texts = max(0, margin + positive * half(u[i], v[i]) - half(u[i], v[text]))
        to_images = max(0, margin + positive * half(v[i], u[i]) - half(v[i], u[image]))
        values.append(to_texts + to_images)
    return values


@pytest.mark.parametrize("positive", [5.0, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_loss_is_the_formula_written_as_a_loop(seed, positive):
    given = planted(seed)
    found = labelled_triplet(*map(torch.from_numpy, given), margin=0.1, positive=positive)
    assert found.tolist() == pytest.approx(by_hand(*given, 0.1, positive), abs=1e-12, rel=1e-12)


def test_a_pair_that_is_near_and_far_from_the_others_costs_nothing():
    code, label = torch.tensor([[0.0, 0.0], [5.0, 0.0], [0.0, 0.1]]), torch.tensor([0, 1, 0])
    assert labelled_triplet(code, code, code, code, label, margin=0.1, positive=5.0).tolist() == [0, 0, 0]


def test_a_batch_of_one_class_costs_nothing_and_moves_nothing():
    a, b, u, v, _ = map(torch.from_numpy, planted(0))
    u.requires_grad_()
    value = labelled_triplet(a, b, u, v, torch.zeros(len(a), dtype=torch.long), margin=0.1, positive=5.0)
    assert not value.any()
    value.sum().backward()
    assert not u.grad.any()


def test_items_with_a_class_in_common_are_no_negatives():
    a, b, u, v, _ = map(torch.from_numpy, planted(1, pairs=3))
    several = torch.tensor([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]], dtype=torch.float64)
    found = labelled_triplet(a, b, u, v, several, margin=1.0, positive=5.0)
    half = (u[0] - v[0]).square().sum() / 2
    to_last = (u[0] - v[2]).square().sum() / 2, (v[0] - u[2]).square().sum() / 2
    expected = sum((1 + 5 * half - each).clamp(min=0) for each in to_last)
    torch.testing.assert_close(found[0], expected)
    assert found[1] == 0

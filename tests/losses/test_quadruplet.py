import pytest
import torch

from msl.losses.quadruplet import quadruplet

CODES = torch.randn(3, 6, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
LABEL = torch.tensor([0, 1, 2, 0, 1, 0])


def by_hand(u, v, w, label, margin):
    def distance(x, y):
        return sum((one - other) ** 2 for one, other in zip(x, y, strict=True))

    values = []
    for i in range(len(w)):
        others = [j for j in range(len(w)) if label[j] != label[i]]
        value = 0.0
        for z in (u, v):
            wrong = sum(distance(z[i], u[j]) + distance(z[i], v[j]) for j in others) / max(len(others), 1)
            value += max(0, margin * distance(z[i], w[i]) - wrong)
        values.append(value)
    return values


@pytest.mark.parametrize("margin", [0.5, 2.0, 20.0])
def test_loss_is_the_formula_written_as_a_loop(margin):
    u, v, w = CODES
    found = quadruplet(u, v, w, LABEL, margin=margin)
    assert found.tolist() == pytest.approx(by_hand(*CODES.tolist(), LABEL.tolist(), margin), abs=1e-12, rel=1e-12)


def test_codes_on_their_class_embeddings_cost_nothing():
    w = CODES[2]
    assert not quadruplet(w, w, w, LABEL, margin=20.0).any()


def test_a_code_counts_while_it_is_a_twentieth_as_far_as_from_codes_of_others():
    w = torch.tensor([[0.0], [0.0]])
    for far, cost in ((4.0, 2 * (20 - 18)), (5.0, 0.0)):
        u, v = torch.tensor([[1.0], [far]]), torch.tensor([[1.0], [far]])
        assert quadruplet(u, v, w, torch.tensor([0, 1]), margin=20.0)[0].item() == pytest.approx(cost, abs=1e-5)


def test_a_batch_of_one_class_is_drawn_to_its_embedding():
    u, v, w = CODES
    expected = 20 * ((u - w).square() + (v - w).square()).sum(dim=1)
    torch.testing.assert_close(quadruplet(u, v, w, torch.zeros(6, dtype=torch.long), margin=20.0), expected)


def test_items_with_a_class_in_common_are_no_negatives():
    u, v, w = CODES[:, :3]
    several = torch.tensor([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1]], dtype=torch.float64)
    found = quadruplet(u, v, w, several, margin=20.0)
    pair = quadruplet(u[[0, 2]], v[[0, 2]], w[[0, 2]], torch.tensor([0, 1]), margin=20.0)
    torch.testing.assert_close(found[[0, 2]], pair)

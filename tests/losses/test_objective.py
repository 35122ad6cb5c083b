from functools import partial

import pytest
import torch

from msl.losses.correlation import correlation
from msl.losses.objective import Objective, Term
from msl.types import InputError


class Offered:
    """Offers two tensors, and counts how often each is asked for."""

    def __init__(self):
        self.asked = []

    @property
    def x(self):
        self.asked.append("x")
        return torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64)

    @property
    def y(self):
        self.asked.append("y")
        return torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64)


def gap(x, y):
    return x - y


def size(x):
    return x


def margin(y, *, least):
    return (least - y).clamp(min=0)


def objective(**terms):
    return Objective({name: Term(loss=loss, weight=weight) for name, (loss, weight) in terms.items()})


def test_total_is_the_weighted_sum_of_the_means():
    values = objective(gap=(gap, 0.5), size=(size, 10.0))(Offered())
    assert {name: value.item() for name, value in values.items()} == pytest.approx(
        {"gap": 7 / 3, "size": 3.0, "total": 0.5 * 7 / 3 + 10 * 3.0}, abs=1e-12
    )
    assert all(value.shape == () for value in values.values())


def test_gradient_of_the_total_is_the_weighted_sum_of_the_terms_gradients():
    x, y = (torch.randn(4, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    tensors = type("Tensors", (), {"code_a": x, "code_b": y})()
    total = objective(near=(correlation, 0.3), also=(correlation, 0.2))(tensors)["total"]
    (gradient,) = torch.autograd.grad(total, x)
    torch.testing.assert_close(gradient, 0.5 * 2 * (x - y).detach() / 4, atol=1e-12, rtol=1e-12)


def test_a_dropped_term_adds_nothing_and_its_tensors_are_not_asked_for():
    tensors = Offered()
    values = objective(size=(size, 10.0))(tensors)
    assert values["total"].item() == 30
    assert values.keys() == {"size", "total"}
    assert tensors.asked == ["x"]


def test_an_added_term_adds_its_weighted_mean():
    without, with_ = objective(gap=(gap, 2.0)), objective(gap=(gap, 2.0), size=(size, 0.25))
    assert with_(Offered())["total"] - without(Offered())["total"] == pytest.approx(0.75)


def test_a_term_of_weight_zero_is_reported_and_adds_nothing():
    values = objective(gap=(gap, 0.0), size=(size, 1.0))(Offered())
    assert values["gap"].item() == pytest.approx(7 / 3)
    assert values["total"].item() == 3


def test_only_restricts_the_terms_and_the_total():
    tensors = Offered()
    values = objective(gap=(gap, 2.0), size=(size, 10.0))(tensors, only=["size"])
    assert {name: value.item() for name, value in values.items()} == {"size": 3, "total": 30}
    assert tensors.asked == ["x"]


def test_a_null_term_is_refused_with_the_way_to_drop_it():
    with pytest.raises(InputError) as caught:
        Objective({"gap": Term(loss=gap, weight=1.0), "adversarial": None})
    message = str(caught.value)
    assert "'adversarial'" in message
    assert "~method.objective.terms.adversarial" in message
    assert "\n" not in message


@pytest.mark.parametrize("terms", [{}, {"gap": None}])
def test_an_objective_without_terms_is_refused(terms):
    with pytest.raises(InputError, match=r"objective.*term"):
        Objective(terms)


def test_a_tensor_that_does_not_exist_is_named_with_its_term_in_one_line():
    def lost(x, attention):
        return x + attention

    with pytest.raises(InputError) as caught:
        objective(gap=(gap, 1.0), focus=(lost, 1.0))(Offered())
    message = str(caught.value)
    assert "'focus'" in message
    assert "'attention'" in message
    assert "offers x, y" in message
    assert "\n" not in message


def test_configured_parameters_of_a_partial_are_not_asked_of_the_method():
    term = Term(loss=partial(margin, least=1.5), weight=1.0)
    assert term.wants == ("y",)
    values = Objective({"margin": term})(Offered())
    assert values["margin"].item() == pytest.approx((1.5 + 0.5 + 0.5) / 3)


def test_a_parameter_with_a_default_keeps_it():
    def scaled(x, factor=3.0):
        return factor * x

    term = Term(loss=scaled, weight=1.0)
    assert term.wants == ("x",)
    assert Objective({"scaled": term})(Offered())["scaled"].item() == 9


def test_a_term_named_total_which_would_vanish_behind_the_sum_is_refused():
    with pytest.raises(InputError, match="'total'"):
        objective(total=(size, 2.0))

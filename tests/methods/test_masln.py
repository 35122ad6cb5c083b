from dataclasses import replace

import numpy as np
import pytest
import torch
from method_builders import LOSSES, SIZES, WEIGHTS, batch_of, masln, planted_pairs
from torch import nn
from torch.nn.functional import cross_entropy, softplus

from msl.functional import ramp
from msl.methods import method as method_module
from msl.methods.adversary import Alternating, Reversal
from msl.methods.method import Sizes
from msl.metrics.measure import mean_average_precision

PLAYERS = ("encoder_a", "encoder_b", "code_layer")
TEACHERS = ("decoders", "classifier")


def doubled(**options):
    """A prepared method in float64 and a batch."""
    pairs, classes = planted_pairs()
    method = masln(**options)
    method.prepare(pairs)
    return method.double(), batch_of(pairs, classes, dtype=torch.float64)


def by_hand(method, batch):
    """Every loss from the equations, both modalities apart, no reversal: (name -> mean, codes of a and b)."""
    a, b = method.inputs["a"](batch.a), method.inputs["b"](batch.b)
    z_a, z_b = method.code_layer(method.encoder_a(a)), method.code_layer(method.encoder_b(b))
    rebuilt = 0
    for z in (z_a, z_b):
        joined = torch.cat([z, batch.embedding], dim=1)
        rebuilt += (method.decoders.to_a[0](joined) - a).square().sum(1)
        rebuilt += (method.decoders.to_b[0](joined) - b).square().sum(1)
    judged_a, judged_b = method.discriminator(z_a), method.discriminator(z_b)
    classified = [cross_entropy(method.classifier(z), batch.label) for z in (z_a, z_b)]
    return {
        "correlation": (z_a - z_b).square().sum(1).mean(),
        "reconstruction": rebuilt.mean(),
        "adversarial": (softplus(-judged_a) + softplus(judged_b)).mean() / 2,
        "discriminative": sum(classified),
    }


def gradients(method, loss):
    """Parameter name -> gradient of a scalar, zero where it does not reach."""
    names, parameters = zip(*method.named_parameters(), strict=True)
    found = torch.autograd.grad(loss, parameters, allow_unused=True, retain_graph=True)
    return {
        name: torch.zeros_like(parameter) if gradient is None else gradient
        for name, parameter, gradient in zip(names, parameters, found, strict=True)
    }


def backward(method, batch):
    method.zero_grad(set_to_none=True)
    method.loss(batch)["total"].backward()
    return {name: parameter.grad for name, parameter in method.named_parameters()}


def of(part, names):
    return [name for name in names if name.split(".")[0] == part]


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, expected[name], atol=1e-12, rtol=1e-10, msg=f"gradient of {name}")


def test_every_term_is_its_equation_and_total_their_weighted_sum():
    method, batch = doubled()
    values, expected = method.loss(batch), by_hand(method, batch)
    for name, weight_free in expected.items():
        torch.testing.assert_close(values[name], weight_free, atol=1e-12, rtol=1e-12)
    total = sum(WEIGHTS[name] * value for name, value in expected.items())
    torch.testing.assert_close(values["total"], total, atol=1e-12, rtol=1e-12)


@pytest.mark.equation(4)
@pytest.mark.parametrize(("strength", "gain"), [(1.0, 0.0), (0.3, 0.0), (0.0, 0.0), (2.0, 10.0)])
@pytest.mark.parametrize("progress", [0.0, 0.1, 1.0])
def test_one_backward_pass_gives_the_gradients_of_the_explicit_min_max_game(strength, gain, progress):
    method, batch = doubled(adversary=Reversal(strength=strength, gain=gain))
    batch = replace(batch, progress=progress)
    losses = by_hand(method, batch)
    scale = strength * (ramp(progress, gain) if gain else 1.0)
    task = sum(WEIGHTS[name] * value for name, value in losses.items() if name != "adversarial")
    game = WEIGHTS["adversarial"] * losses["adversarial"]
    minimised, descended = gradients(method, task - scale * game), gradients(method, game)
    expected = {n: descended[n] if n.startswith("discriminator") else minimised[n] for n in minimised}
    assert_same(backward(method, batch), expected)


@pytest.mark.equation(4)
def test_a_step_of_the_discriminator_lowers_the_adversarial_loss_and_one_of_the_encoders_raises_it():
    for mover, better in (("discriminator", torch.lt), ("encoder_a", torch.gt), ("code_layer", torch.gt)):
        method, batch = doubled(terms={"adversarial": 1.0}, adversary=Reversal(strength=1.0, gain=0.0))
        before = method.loss(batch)["adversarial"]
        found = backward(method, batch)
        with torch.no_grad():
            for name in of(mover, found):
                method.get_parameter(name).sub_(1e-3 * found[name])
        assert better(method.loss(batch)["adversarial"], before)


@pytest.mark.equation(4)
@pytest.mark.parametrize("discriminator_steps", [1, 2, 3])
def test_players_take_turns_the_encoders_last(discriminator_steps):
    game = Alternating(strength=1.0, gain=0.0, discriminator_steps=discriminator_steps)
    round_ = ["discriminator"] * discriminator_steps + ["encoders"]
    assert [game.turn(step) for step in range(3 * len(round_))] == 3 * round_


@pytest.mark.equation(4)
def test_in_its_turn_only_the_discriminator_gets_gradients_and_it_descends():
    method, batch = doubled(adversary=Alternating(strength=0.4, gain=0.0, discriminator_steps=1))
    expected = gradients(method, WEIGHTS["adversarial"] * by_hand(method, batch)["adversarial"])
    values = method.loss(replace(batch, step=0))
    assert values.keys() == {"adversarial", "total"}
    found = backward(method, replace(batch, step=0))
    reached = {name for name, gradient in found.items() if gradient is not None}
    assert reached == set(of("discriminator", found))
    assert_same({name: found[name] for name in reached}, {name: expected[name] for name in reached})


@pytest.mark.equation(4)
def test_in_the_encoders_turn_all_but_the_discriminator_get_the_gradients_of_the_reversal():
    method, batch = doubled(adversary=Alternating(strength=0.4, gain=10.0, discriminator_steps=2))
    found = backward(method, replace(batch, step=2))
    assert all(found[name] is None for name in of("discriminator", found))
    method.adversary = Reversal(strength=0.4, gain=10.0)
    reversal = backward(method, batch)
    others = [name for name in found if name not in of("discriminator", found)]
    assert_same({name: found[name] for name in others}, {name: reversal[name] for name in others})


@pytest.mark.parametrize(
    ("dropped", "idle"),
    [("reconstruction", "decoders"), ("adversarial", "discriminator"), ("discriminative", "classifier")],
)
def test_a_dropped_term_costs_nothing_its_network_is_never_called(dropped, idle, monkeypatch):
    method, batch = doubled(terms={name: weight for name, weight in WEIGHTS.items() if name != dropped})

    def called(*_):
        raise AssertionError(f"{idle} was called")

    monkeypatch.setattr(getattr(method, idle), "forward", called)
    values = method.loss(batch)
    assert dropped not in values
    found = backward(method, batch)
    assert all(found[name] is None for name in of(idle, found))
    assert all(found[name] is not None for name in found if name not in of(idle, found))


def test_without_the_adversarial_term_the_alternating_game_has_no_turns():
    terms = {name: weight for name, weight in WEIGHTS.items() if name != "adversarial"}
    method, batch = doubled(terms=terms, adversary=Alternating(strength=1.0, gain=0.0, discriminator_steps=1))
    assert method.loss(replace(batch, step=0)).keys() == terms.keys() | {"total"}
    assert method.monitors() == {}


def test_a_term_left_out_leaves_the_others_values_alone():
    method, batch = doubled()
    full = method.loss(batch)
    for name in LOSSES:
        other, _ = doubled(terms={name: WEIGHTS[name]})
        torch.testing.assert_close(other.loss(batch)[name], full[name])


def test_the_code_layer_is_shared_by_both_modalities():
    method, batch = doubled()
    assert len(of("code_layer", dict(method.named_parameters()))) == 2
    before = [method.code(batch.a, "a"), method.code(batch.b, "b")]
    with torch.no_grad():
        method.code_layer.linear.bias += torch.arange(6)
    after = [method.code(batch.a, "a"), method.code(batch.b, "b")]
    for old, new in zip(before, after, strict=True):
        torch.testing.assert_close(new, old + torch.arange(6))


def test_each_modality_has_an_encoder_of_its_own():
    method, batch = doubled()
    for own, other, modality in (("encoder_a", "encoder_b", "a"), ("encoder_b", "encoder_a", "b")):
        found = gradients(method, method.code(getattr(batch, modality), modality).sum())
        assert any(found[name].any() for name in of(own, found))
        assert not any(found[name].any() for name in of(other, found))


def test_permuting_the_pairs_of_a_batch_changes_no_term():
    method, batch = doubled()
    order = torch.randperm(len(batch.label), generator=torch.Generator().manual_seed(0))
    moved = {name: getattr(batch, name)[order] for name in ("a", "b", "label", "embedding")}
    values, permuted = method.loss(batch), method.loss(replace(batch, **moved))
    for name, value in values.items():
        torch.testing.assert_close(permuted[name], value, atol=1e-12, rtol=1e-12)


class Verdicts(nn.Module):
    def __init__(self, logits):
        super().__init__()
        self.logits = logits

    def forward(self, codes):
        return torch.tensor(self.logits, dtype=codes.dtype) + 0 * codes.sum(dim=1)


@pytest.mark.equation(4)
@pytest.mark.parametrize(
    ("of_a", "of_b", "accuracy"),
    [
        ([2, 1, 0.1, 5], [-1, -1, -3, -0.1], 1.0),
        ([-2, -1, -0.1, -5], [1, 1, 3, 0.1], 0.0),
        ([0, 0, 0, 0], [0, 0, 0, 0], 0.5),
        ([1, 1, 1, 1], [1, 1, 1, 1], 0.5),
        ([1, 1, -1, 1], [-1, 1, 1, 1], 0.5),
        ([1, 1, 1, 1], [-1, 1, 1, 1], 0.625),
    ],
)
def test_discriminators_accuracy_counts_the_codes_it_names_rightly(of_a, of_b, accuracy):
    pairs, classes = planted_pairs(items=1)
    method = masln()
    assert method.monitors() == {}
    method.discriminator = Verdicts([*of_a, *of_b])
    method.loss(batch_of(pairs, classes))
    (value,) = method.monitors().values()
    assert method.monitors().keys() == {"discriminator_accuracy"}
    assert value.item() == pytest.approx(accuracy)
    assert not value.requires_grad


def test_only_encoders_code_layer_and_input_statistics_make_the_codes():
    pairs, _ = planted_pairs()
    method = masln()
    method.prepare(pairs)
    before = [method.encode(pairs.a, "a"), method.encode(pairs.b, "b")]
    with torch.no_grad():
        for part in (*TEACHERS, "discriminator"):
            for parameter in getattr(method, part).parameters():
                parameter.fill_(torch.nan)
    assert np.array_equal(method.encode(pairs.a, "a"), before[0])
    assert np.array_equal(method.encode(pairs.b, "b"), before[1])


def test_encoding_leaves_dropout_out_and_the_method_as_it_was():
    pairs, _ = planted_pairs()
    method = masln(dropout=0.5)
    for training in (True, False):
        method.train(training)
        assert np.array_equal(method.encode(pairs.a, "a"), method.encode(pairs.a, "a"))
        assert all(part.training == training for part in method.modules())


def test_rows_are_encoded_in_chunks_that_change_no_value(monkeypatch):
    pairs, _ = planted_pairs()
    method = masln()
    method.prepare(pairs)
    whole = method.encode(pairs.a, "a")
    monkeypatch.setattr(method_module, "STRETCH", 3)
    np.testing.assert_allclose(method.encode(pairs.a, "a"), whole, atol=1e-6)


@pytest.mark.parametrize("convert", [np.float64, np.float16, np.asfortranarray, lambda x: np.repeat(x, 2, 0)[::2]])
def test_features_of_any_layout_and_precision_are_encoded(convert):
    pairs, _ = planted_pairs()
    method = masln()
    codes = method.encode(convert(pairs.a[:]), "a")
    assert codes.dtype == np.float32
    np.testing.assert_allclose(codes, method.encode(pairs.a, "a"), atol=5e-3)


def test_no_row_gives_no_code():
    codes = masln().encode(np.empty((0, SIZES.a), np.float32), "a")
    assert codes.shape == (0, 6)


@pytest.mark.parametrize(
    "adversary", [Reversal(strength=1.0, gain=10.0), Alternating(strength=1.0, gain=10.0, discriminator_steps=1)]
)
def test_one_small_batch_is_overfitted_to_map_one(adversary):
    sizes = Sizes(a=12, b=10, classes=4, embedding=8)
    pairs, classes = planted_pairs(items=3, sizes=sizes)
    terms = {"correlation": 1.0, "reconstruction": 0.01, "adversarial": 0.1, "discriminative": 1.0}
    method = masln(terms=terms, size=8, sizes=sizes, adversary=adversary)
    method.prepare(pairs)

    def score():
        a, b = method.encode(pairs.a, "a"), method.encode(pairs.b, "b")
        return [mean_average_precision(*sides, pairs.labels, pairs.labels) for sides in ((a, b), (b, a))]

    assert max(score()) < 0.6
    optimiser, steps = torch.optim.Adam(method.parameters(), lr=0.02), 150
    for step in range(steps):
        optimiser.zero_grad(set_to_none=True)
        method.loss(batch_of(pairs, classes, step=step, progress=step / steps))["total"].backward()
        optimiser.step()
    assert score() == [1.0, 1.0]


@pytest.mark.equation(4)
def test_behind_the_reversal_codes_hide_the_modality_that_a_discriminator_alone_would_find():
    pairs, classes = planted_pairs(items=10)
    losses = {}
    for strength in (0.0, 1.0):
        method = masln(terms={"adversarial": 1.0}, adversary=Reversal(strength=strength, gain=0.0))
        method.prepare(pairs)
        with torch.no_grad():
            method.encoder_a.layers[0].bias += 1
        optimiser = torch.optim.SGD(method.parameters(), lr=0.1)
        tail = []
        for step in range(200):
            optimiser.zero_grad(set_to_none=True)
            values = method.loss(batch_of(pairs, classes, step=step))
            values["total"].backward()
            optimiser.step()
            tail.append(values["adversarial"].item())
        losses[strength] = np.mean(tail[-50:])
    assert losses[0.0] < 0.2
    assert losses[1.0] > 0.5

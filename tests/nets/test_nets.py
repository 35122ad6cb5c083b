import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from msl.nets.classifier import Classifier
from msl.nets.code import CodeLayer
from msl.nets.decoders import Decoders
from msl.nets.discriminator import Discriminator
from msl.nets.encoders import Encoder
from msl.nets.mlp import mlp
from msl.nets.standardise import Standardise

ROWS, INPUTS, CODE, EMBEDDING, SIZE_A, SIZE_B, CLASSES = 5, 7, 4, 3, 6, 2, 8
PLAIN = {"activation": "tanh", "dropout": 0.0}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def random(*shape):
    return torch.randn(shape, dtype=torch.float64)


def decoders(**options):
    options = {"hidden": [9], "shared": True} | PLAIN | options
    return Decoders(CODE, EMBEDDING, SIZE_A, SIZE_B, **options).double()


def close(x, y):
    torch.testing.assert_close(x, y, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize(("hidden", "width"), [([], INPUTS), ([9], 9), ([9, 5], 5)])
def test_encoder_gives_its_last_hidden_width(hidden, width):
    encoder = Encoder(INPUTS, hidden=hidden, **PLAIN).double()
    assert encoder.size == width
    assert encoder(random(ROWS, INPUTS)).shape == (ROWS, width)


def test_encoder_without_hidden_layers_passes_features_through():
    features = random(ROWS, INPUTS)
    assert torch.equal(Encoder(INPUTS, hidden=[], **PLAIN)(features), features)


@pytest.mark.parametrize(("activation", "low", "high"), [("none", -np.inf, np.inf), ("tanh", -1, 1)])
def test_code_layer_bounds_the_code_only_if_told(activation, low, high):
    layer = CodeLayer(INPUTS, size=CODE, activation=activation).double()
    hidden = 100 * random(ROWS, INPUTS)
    codes = layer(hidden)
    linear = hidden @ layer.linear.weight.T + layer.linear.bias
    assert layer.size == CODE
    close(codes, linear if activation == "none" else torch.tanh(linear))
    assert ((codes >= low) & (codes <= high)).all()


@pytest.mark.parametrize("hidden", [[], [9], [9, 5]])
def test_discriminator_gives_one_logit_per_code(hidden):
    assert Discriminator(CODE, hidden=hidden, **PLAIN).double()(random(ROWS, CODE)).shape == (ROWS,)
    assert Discriminator(CODE, hidden=hidden, **PLAIN).double()(random(1, CODE)).shape == (1,)


@pytest.mark.parametrize("hidden", [[], [9], [9, 5]])
def test_classifier_gives_one_logit_per_class(hidden):
    assert Classifier(CODE, CLASSES, hidden=hidden, **PLAIN).double()(random(ROWS, CODE)).shape == (ROWS, CLASSES)


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_stack_is_linear_activation_linear(activation):
    functions = {"relu": torch.relu, "tanh": torch.tanh, "gelu": nn.functional.gelu}
    stack = mlp(INPUTS, [9], CODE, activation=activation, dropout=0.0).double()
    x = random(ROWS, INPUTS)
    first, last = stack[0], stack[-1]
    hidden = functions[activation](x @ first.weight.T + first.bias)
    close(stack(x), hidden @ last.weight.T + last.bias)


def test_dropout_follows_every_hidden_layer_and_acts_in_training_only():
    stack = mlp(INPUTS, [9, 5], CODE, activation="relu", dropout=0.5).double()
    assert [type(layer).__name__ for layer in stack] == ["Linear", "ReLU", "Dropout"] * 2 + ["Linear"]
    x = random(ROWS, INPUTS)
    assert not torch.equal(stack(x), stack(x))
    stack.eval()
    assert torch.equal(stack(x), stack(x))


@pytest.mark.equation(3)
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("hidden", [[], [9]])
def test_each_branch_rebuilds_both_modalities(shared, hidden):
    to_a, to_b = decoders(shared=shared, hidden=hidden)(random(2 * ROWS, CODE), random(ROWS, EMBEDDING))
    assert to_a.shape == (2 * ROWS, SIZE_A)
    assert to_b.shape == (2 * ROWS, SIZE_B)


@pytest.mark.equation(3)
@pytest.mark.parametrize("shared", [True, False])
def test_one_product_for_both_branches_equals_a_product_for_each(shared):
    net, z_a, z_b, embedding = decoders(shared=shared), random(ROWS, CODE), random(ROWS, CODE), random(ROWS, EMBEDDING)
    first, last = 0, len(net.to_a) - 1
    assert (last == 0) == shared
    together = net(torch.cat([z_a, z_b]), embedding)
    apart = [
        torch.cat([decode[first](torch.cat([z_a, embedding], 1)), decode[last](torch.cat([z_b, embedding], 1))])
        for decode in (net.to_a, net.to_b)
    ]
    close(together[0], apart[0])
    close(together[1], apart[1])


@pytest.mark.equation(3)
@pytest.mark.parametrize("shared", [True, False])
def test_shared_decoders_treat_both_branches_alike_and_others_do_not(shared):
    net, codes, embedding = decoders(shared=shared), random(ROWS, CODE), random(ROWS, EMBEDDING)
    for rebuilt in net(torch.cat([codes, codes]), embedding):
        of_a, of_b = rebuilt.chunk(2)
        assert torch.allclose(of_a, of_b) == shared


@pytest.mark.equation(3)
@pytest.mark.parametrize("shared", [True, False])
def test_reconstruction_is_conditioned_on_the_class_embedding_of_its_own_pair(shared):
    net, codes, embedding = decoders(shared=shared), random(2 * ROWS, CODE), random(ROWS, EMBEDDING)
    changed = embedding.clone()
    changed[2] += 1
    for before, after in zip(net(codes, embedding), net(codes, changed), strict=True):
        differs = (before - after).abs().amax(dim=1) > 1e-6
        assert differs.nonzero().flatten().tolist() == [2, 2 + ROWS]


def standardise(width=INPUTS, *, per="feature", squared_norm=None, fit=None):
    net = Standardise(width, per=per, squared_norm=squared_norm).double()
    if fit is not None:
        net.fit([fit])
    return net


KINDS = pytest.mark.parametrize("kind", [{}, {"per": "modality"}, {"squared_norm": 5.0}, {"per": "modality", "squared_norm": 5.0}])  # fmt: skip


@KINDS
def test_before_fit_standardise_is_the_identity(kind):
    x = random(ROWS, INPUTS)
    assert torch.equal(standardise(**kind)(x), x)


def test_training_rows_come_out_with_mean_zero_and_deviation_one():
    x = 3 * random(50, INPUTS) + 10 * random(1, INPUTS)
    out = standardise(fit=x)(x)
    close(out.mean(0), torch.zeros(INPUTS, dtype=torch.float64))
    close(out.std(0, correction=0), torch.ones(INPUTS, dtype=torch.float64))


def test_one_deviation_per_modality_keeps_the_proportions_of_the_features():
    x = random(50, INPUTS) * torch.arange(1, INPUTS + 1) + 10 * random(1, INPUTS)
    out = standardise(per="modality", fit=x)(x)
    close(out.mean(0), torch.zeros(INPUTS, dtype=torch.float64))
    close(out.var(0, correction=0).mean(), torch.tensor(1.0, dtype=torch.float64))
    ratio = out.std(0) / x.std(0)
    close(ratio, ratio[:1].expand(INPUTS))


@pytest.mark.parametrize("per", ["feature", "modality"])
@pytest.mark.parametrize("squared_norm", [0.25, 1.0, 40.0])
def test_training_rows_come_out_with_the_mean_squared_norm_asked_for(per, squared_norm):
    x = 3 * random(50, INPUTS) + 10 * random(1, INPUTS)
    out, plain = (standardise(per=per, squared_norm=norm, fit=x)(x) for norm in (squared_norm, None))
    close(out.square().sum(1).mean(), torch.tensor(squared_norm, dtype=torch.float64))
    close(out / plain, (out / plain)[:1, :1].expand_as(out))


@KINDS
def test_a_query_is_treated_with_the_statistics_of_the_training_rows(kind):
    train, query = random(20, INPUTS), random(4, INPUTS)
    net = standardise(**kind, fit=train)
    deviation = train.numpy().std(0)
    if "per" in kind:
        deviation = np.sqrt((deviation**2).mean())
    if "squared_norm" in kind:
        norms = (((train.numpy() - train.numpy().mean(0)) / deviation) ** 2).sum(1)
        deviation = deviation * np.sqrt(norms.mean() / 5)
    close(net(query), torch.from_numpy((query.numpy() - train.numpy().mean(0)) / deviation))
    close(net(query[[2]]), net(query)[[2]])


@pytest.mark.parametrize("constant", [0.0, 0.1, -7.3, 12_345.678])
def test_a_constant_feature_is_centred_and_left_unscaled(constant):
    x = random(20, 3)
    x[:, 1] = constant
    net = standardise(3, fit=x)
    assert net.deviation[1] == 1
    assert net(x)[:, 1].abs().max() < 1e-9
    assert net(x + 2)[:, 1].tolist() == pytest.approx([2] * 20, abs=1e-9)


@KINDS
def test_a_modality_whose_rows_are_all_alike_gives_moderate_values_for_a_query(kind):
    x = torch.ones(20, 3, dtype=torch.float64)
    net = standardise(3, **kind, fit=x)
    assert not net(x).any()
    assert net(x + 1).abs().max() < 100


@KINDS
@pytest.mark.parametrize("unit", [1e-9, 1e-3, 1e3, 1e9])
def test_the_unit_the_features_are_measured_in_changes_nothing(unit, kind):
    x = random(20, 3) + 1
    close(standardise(3, **kind, fit=x * unit)(x * unit), standardise(3, **kind, fit=x)(x))


@KINDS
@given(seed=st.integers(0, 10_000), shift=st.floats(-5, 5), scale=st.floats(0.1, 10))
@settings(deadline=None, max_examples=15)
def test_shifting_and_scaling_the_features_changes_nothing(kind, seed, shift, scale):
    x = torch.randn(12, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    assume((x.std(0, correction=0) > 0.1).all())
    moved = x * scale + shift
    torch.testing.assert_close(
        standardise(3, **kind, fit=moved)(moved), standardise(3, **kind, fit=x)(x), atol=1e-9, rtol=1e-9
    )


@KINDS
def test_statistics_are_buffers_not_parameters_and_survive_a_round_trip(kind):
    net, other = standardise(**kind, fit=random(20, INPUTS)), standardise(**kind)
    assert not list(net.parameters())
    other.load_state_dict(net.state_dict())
    x = random(4, INPUTS)
    assert torch.equal(other(x), net(x))


@KINDS
def test_fitting_again_forgets_the_rows_before(kind):
    first, second = random(20, INPUTS), 5 * random(20, INPUTS) + 3
    twice = standardise(**kind, fit=first)
    twice.fit([second])
    x = random(4, INPUTS)
    assert torch.equal(twice(x), standardise(**kind, fit=second)(x))

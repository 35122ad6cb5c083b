import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from msl.nets.sequence import LSTM, AttentionPooling

ROWS, STEPS, WIDTH, HIDDEN = 5, 4, 3, 6
ENCODERS = pytest.mark.parametrize("kind", [LSTM, AttentionPooling])


def encoder(kind, inputs=STEPS * WIDTH, *, dropout=0.0, seed=0):
    torch.manual_seed(seed)
    return kind(inputs, width=WIDTH, hidden=HIDDEN, dropout=dropout).double()


def random(*shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def close(x, y):
    torch.testing.assert_close(x, y, atol=1e-12, rtol=1e-12)


def reordered(features, order):
    return features.reshape(-1, STEPS, WIDTH)[:, list(order)].reshape(len(features), -1)


def test_lstm_is_its_equations_step_by_step():
    net, features = encoder(LSTM), random(ROWS, STEPS * WIDTH)
    from_step, from_state, *biases = net.cells.parameters()
    state, cell = torch.zeros(2, ROWS, HIDDEN, dtype=torch.float64)
    for step in features.split(WIDTH, dim=1):
        gates = step @ from_step.T + state @ from_state.T + sum(biases)
        enter, keep, new, leave = gates.chunk(4, dim=1)
        cell = keep.sigmoid() * cell + enter.sigmoid() * new.tanh()
        state = leave.sigmoid() * cell.tanh()
    close(net(features), state)


def test_attention_is_the_weighted_mean_of_its_formula():
    net, features = encoder(AttentionPooling), random(ROWS, STEPS * WIDTH)
    w, v, dense = net.score[0], net.score[2].weight[0], net.layers[0]
    for row, found in zip(features, net(features), strict=True):
        steps = row.split(WIDTH)
        shares = [torch.exp(v @ torch.tanh(w.weight @ step + w.bias)) for step in steps]
        mean = sum(share * step for share, step in zip(shares, steps, strict=True)) / sum(shares)
        close(found, torch.relu(dense.weight @ mean + dense.bias))


def test_attention_weighs_steps_apart():
    net, features = encoder(AttentionPooling), random(ROWS, STEPS * WIDTH)
    plain = net.layers(features.reshape(ROWS, STEPS, WIDTH).mean(dim=1))
    assert (net(features) - plain).abs().max() > 1e-3


@given(order=st.permutations(range(STEPS)), seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=25)
def test_attention_does_not_see_the_order_of_the_steps(order, seed):
    net, features = encoder(AttentionPooling, seed=seed), random(ROWS, STEPS * WIDTH, seed=seed)
    close(net(reordered(features, order)), net(features))


@pytest.mark.parametrize("order", [(1, 0, 2, 3), (0, 1, 3, 2), (3, 2, 1, 0)])
def test_lstm_sees_the_order_of_the_steps(order):
    net, features = encoder(LSTM), random(ROWS, STEPS * WIDTH)
    assert ((net(reordered(features, order)) - net(features)).abs().amax(dim=1) > 1e-4).all()


@ENCODERS
def test_a_step_of_zeros_counts_as_any_other(kind):
    net, without = encoder(kind), encoder(kind, (STEPS - 1) * WIDTH)
    without.load_state_dict(net.state_dict())
    features = random(ROWS, STEPS * WIDTH)
    features[:, :WIDTH] = 0
    assert ((net(features) - without(features[:, WIDTH:])).abs().amax(dim=1) > 1e-4).all()


@ENCODERS
@pytest.mark.parametrize(("inputs", "steps"), [(WIDTH, 1), (2 * WIDTH, 2), (WIDTH - 1, 1), (2 * WIDTH + 1, 1), (1, 1)])
def test_features_that_are_no_whole_number_of_steps_are_one_step(kind, inputs, steps):
    net = encoder(kind, inputs)
    assert net.shape == (steps, inputs // steps)
    assert net.size == HIDDEN
    assert net(random(ROWS, inputs)).shape == (ROWS, HIDDEN)


@ENCODERS
def test_a_row_depends_on_no_other(kind):
    net, features = encoder(kind), random(ROWS, STEPS * WIDTH)
    close(torch.cat([net(row[None]) for row in features]), net(features))
    assert net(features[:0]).shape == (0, HIDDEN)


@ENCODERS
def test_dropout_acts_in_training_only(kind):
    net, features = encoder(kind, dropout=0.5), random(ROWS, STEPS * WIDTH)
    full = encoder(kind)(features)
    trained = net(features)
    kept = trained != 0
    assert 0 < np.count_nonzero(kept) < kept.numel()
    close(trained[kept], 2 * full[kept])
    close(net.eval()(features), full)

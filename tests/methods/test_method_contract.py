"""Every method there is, found by walking `msl.methods` and `conf/method`: a new file and its YAML are tested unasked."""

import importlib
import inspect
import pkgutil
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from method_builders import batch_of, planted_pairs
from rivals_builders import configured
from safetensors.torch import load, save

import msl.methods
from msl.commands.searching import build
from msl.commands.settings import sizes
from msl.data.pairs import Features
from msl.files import embedded
from msl.methods.method import ClosedForm, Method, Trained

NAMES = sorted(path.stem for path in embedded("conf").glob("method/*.yaml"))
EVERY = pytest.mark.parametrize("name", NAMES)
PAIRS, KNOWN = planted_pairs(items=6)


def concrete_methods():
    modules = [importlib.import_module(f"msl.methods.{m.name}") for m in pkgutil.iter_modules(msl.methods.__path__)]
    return {
        member
        for module in modules
        for _, member in inspect.getmembers(module, inspect.isclass)
        if issubclass(member, Method) and not inspect.isabstract(member) and member.__module__ == module.__name__
    }


def built(name, seed=0):
    torch.manual_seed(seed)
    return build(configured(name), sizes(PAIRS, KNOWN), {})


def learnt(name, pairs=PAIRS, classes=KNOWN, seed=0):
    """The method, solved for or three steps into its training."""
    method = built(name, seed)
    if isinstance(method, ClosedForm):
        method.fit(pairs, classes)
        return method
    method.prepare(pairs)
    optimiser = torch.optim.SGD(method.parameters(), lr=1e-3)
    for step in range(3):
        optimiser.zero_grad(set_to_none=True)
        method.loss(batch_of(pairs, classes, step=step, progress=step / 3))["total"].backward()
        optimiser.step()
    method.settle(pairs, classes)
    return method


def same_state(one, other):
    state, rest = one.state_dict(), other.state_dict()
    return state.keys() == rest.keys() and all(torch.equal(value, rest[name]) for name, value in state.items())


@pytest.fixture(scope="module")
def methods():
    return {name: learnt(name) for name in NAMES}


def test_every_method_has_a_yaml_of_its_own():
    assert {type(built(name)) for name in NAMES} == concrete_methods()


@EVERY
def test_a_method_is_either_trained_or_solved(name, methods):
    assert isinstance(methods[name], Trained) != isinstance(methods[name], ClosedForm)


@EVERY
def test_both_modalities_are_encoded_to_finite_single_precision_codes_of_one_width(name, methods):
    a, b = methods[name].encode(PAIRS.a, "a"), methods[name].encode(PAIRS.b[:5], "b")
    assert len(a) == len(PAIRS)
    assert len(b) == 5
    assert a.shape[1:] == b.shape[1:]
    assert a.ndim == 2
    for codes in (a, b):
        assert codes.dtype == np.float32
        assert np.isfinite(codes).all()
        assert codes.std(axis=0).max() > 0


@EVERY
def test_state_survives_being_written_and_read(name, methods):
    method, other = methods[name], built(name, seed=1)
    other.load_state_dict(load(save({key: value.contiguous() for key, value in method.state_dict().items()})))
    assert same_state(method, other)
    for modality in ("a", "b"):
        features = getattr(PAIRS, modality)[:]
        assert np.array_equal(other.encode(features, modality), method.encode(features, modality))


@EVERY
def test_a_seed_gives_one_method_to_the_bit(name, methods):
    assert same_state(learnt(name), methods[name])


@EVERY
def test_a_trained_methods_weights_depend_on_the_seed(name, methods):
    if isinstance(methods[name], ClosedForm):
        assert same_state(learnt(name, seed=1), methods[name])
    else:
        assert not same_state(learnt(name, seed=1), methods[name])


@EVERY
@pytest.mark.parametrize("modality", ["a", "b"])
def test_a_code_depends_on_no_other_row_and_on_no_order(name, modality, methods):
    features = getattr(PAIRS, modality)[:]
    codes = methods[name].encode(features, modality)
    alone = np.concatenate([methods[name].encode(features[[row]], modality) for row in range(len(features))])
    order = np.random.default_rng(0).permutation(len(features))
    beside = features.copy()
    beside[1:] = 1e6  # other rows, absurd ones
    # how a product is cut depends on the number of rows: rounding in float32, which dcca's final whitening enlarges
    rounding = 1e-5 if name == "dcca" else 1e-6
    tolerance = {"atol": rounding * max(1, np.abs(codes).max()), "rtol": 0}
    np.testing.assert_allclose(alone, codes, **tolerance)
    np.testing.assert_allclose(methods[name].encode(features[order], modality), codes[order], **tolerance)
    np.testing.assert_allclose(methods[name].encode(beside, modality)[0], codes[0], **tolerance)


@EVERY
@pytest.mark.parametrize("modality", ["a", "b"])
def test_encoding_twice_gives_the_same_bits_and_changes_no_state(name, modality, methods):
    features = getattr(PAIRS, modality)[:]
    before = {key: value.clone() for key, value in methods[name].state_dict().items()}
    assert np.array_equal(methods[name].encode(features, modality), methods[name].encode(features, modality))
    assert all(torch.equal(value, before[key]) for key, value in methods[name].state_dict().items())


@EVERY
def test_learning_changes_neither_pairs_nor_class_vectors(name):
    copies = [np.array(array) for array in (PAIRS.a, PAIRS.b, PAIRS.labels, KNOWN.vectors)]
    learnt(name)
    for array, copy in zip((PAIRS.a, PAIRS.b, PAIRS.labels, KNOWN.vectors), copies, strict=True):
        assert np.array_equal(array, copy)


@EVERY
def test_learning_sees_the_rows_it_is_given_and_no_others(name, methods):
    """The pairs are taken from a larger set in which every other row is NaN and has no class."""
    rows = np.arange(len(PAIRS)) * 2
    a, b = (np.full((2 * len(PAIRS), x.shape[1]), np.nan, np.float32) for x in (PAIRS.a, PAIRS.b))
    labels, ids = np.full(2 * len(PAIRS), -1), np.full(2 * len(PAIRS), "hidden", object)
    a[rows], b[rows], labels[rows], ids[rows] = PAIRS.a[:], PAIRS.b[:], PAIRS.labels, PAIRS.ids
    whole = replace(PAIRS, ids=tuple(ids), a=Features(a), b=Features(b), labels=labels)
    assert same_state(learnt(name, pairs=whole.take(rows)), methods[name])


@EVERY
def test_input_statistics_are_those_of_the_training_rows(name, methods):
    for modality in ("a", "b"):
        features, inputs = torch.from_numpy(getattr(PAIRS, modality)[:]), methods[name].inputs[modality]
        torch.testing.assert_close(inputs.mean, features.mean(dim=0))
        again = deepcopy(inputs)
        again.fit([features])
        assert same_state(inputs, again)


@EVERY
def test_training_offers_finite_scalars_whose_total_has_gradients(name):
    method = built(name)
    if isinstance(method, ClosedForm):
        assert not hasattr(method, "loss")
        return
    method.prepare(PAIRS)
    values = method.loss(batch_of(PAIRS, KNOWN))
    assert "total" in values
    assert len(values) > 1
    for value in (*values.values(), *method.monitors().values()):
        assert value.shape == ()
        assert value.isfinite()
    values["total"].backward()
    reached = [parameter.grad for parameter in method.parameters() if parameter.grad is not None]
    assert any(gradient.any() for gradient in reached)
    assert all(gradient.isfinite().all() for gradient in reached)

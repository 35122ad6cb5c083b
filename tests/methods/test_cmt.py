from dataclasses import replace

import numpy as np
import pytest
import torch
from method_builders import planted_pairs
from rivals_builders import PAIRS, SIZES, WORDS, batch_of, built, prepared
from torch.nn.functional import normalize

from msl.data.classes import Classes
from msl.methods.method import Sizes
from msl.types import InputError

ALL = Sizes(a=12, b=10, classes=12, embedding=8)
EVERY, NAMED = planted_pairs(items=20, sizes=ALL, seed=1, noise=0.15)
KNOWN = replace(ALL, classes=6)
SEEN, UNSEEN = (EVERY.take(np.flatnonzero(keep)) for keep in (EVERY.labels < 6, EVERY.labels >= 6))
SIX = Classes(NAMED.names[:6], NAMED.vectors[:6])
TRAIN, TEST = SEEN.take(np.arange(0, len(SEEN), 2)), SEEN.take(np.arange(1, len(SEEN), 2))


@pytest.fixture(scope="module")
def learnt():
    """CMT as configured but for its step size, trained on half the items of six classes of twelve."""
    method = built("cmt_novelty", KNOWN)
    method.prepare(TRAIN)
    batch = batch_of(TRAIN, SIX)
    optimiser = torch.optim.Adam(method.parameters(), lr=0.003)
    for _ in range(20):
        optimiser.zero_grad(set_to_none=True)
        method.loss(batch)["total"].backward()
        optimiser.step()
    method.settle(TRAIN, SIX)
    return method


def novel(codes):
    """Which items' codes lie in the space of class meaning."""
    return ~codes[:, : KNOWN.classes].any(axis=1)


@pytest.mark.parametrize("modality", ["a", "b"])
def test_the_flag_tells_items_of_unseen_classes_from_other_items_of_seen_ones(learnt, modality):
    shares = [novel(learnt.encode(getattr(pairs, modality), modality)).mean() for pairs in (TRAIN, TEST, UNSEEN)]
    assert shares[0] <= 0.05
    assert shares[2] > shares[1] + 0.4


@pytest.mark.parametrize("modality", ["a", "b"])
def test_codes_are_posteriors_beside_zeros_or_zeros_beside_mapped_vectors(learnt, modality):
    features = np.concatenate([getattr(pairs, modality)[:] for pairs in (TEST, UNSEEN)])
    mapped = learnt.branch(learnt.inputs[modality](torch.from_numpy(features)), modality).detach().double()
    centres = normalize(torch.from_numpy(NAMED.vectors[:6]).double())
    own = learnt.branch(learnt.inputs[modality](torch.from_numpy(getattr(TRAIN, modality)[:])), modality).detach()
    apart = (own.double() - centres[TRAIN.labels]).square().sum(dim=1)
    variance = apart.mean() / KNOWN.embedding
    squared = (mapped[:, None] - centres).square().sum(dim=2)
    nearest = squared.min(dim=1, keepdim=True).values
    posteriors = torch.exp((nearest - squared) / (2 * variance))
    posteriors = normalize(posteriors / posteriors.sum(dim=1, keepdim=True))
    # fewer than 20 items: none is left out
    farthest = torch.stack([apart[TRAIN.labels == each].max() for each in range(6)])
    far = (squared > farthest).all(dim=1, keepdim=True)
    assert 0 < far.float().mean() < 1
    expected = torch.cat([posteriors * ~far, normalize(mapped) * far], dim=1)
    np.testing.assert_allclose(learnt.encode(features, modality), expected, atol=1e-4)


def test_cosines_between_a_seen_and_a_novel_item_are_zero(learnt):
    codes = learnt.encode(np.concatenate([TEST.a[:], UNSEEN.a[:]]), "a")
    assert not (codes[novel(codes)] @ codes[~novel(codes)].T).any()
    np.testing.assert_allclose(np.linalg.norm(codes, axis=1), 1, atol=1e-5)


def test_a_larger_quantile_calls_more_items_novel(learnt):
    shares = []
    for quantile in (0.0, 0.3, 0.8):
        learnt.novelty_quantile = quantile
        learnt.settle(TRAIN, SIX)
        shares.append(novel(learnt.encode(TRAIN.b, "b")).mean())
    learnt.novelty_quantile = 0.05
    learnt.settle(TRAIN, SIX)
    assert shares[0] == 0 < shares[1] <= 0.3 < shares[2] <= 0.8


def test_without_the_detector_codes_are_the_mapped_vectors():
    method = built("cmt")
    method.prepare(PAIRS)
    mapped = method.branch(method.inputs["a"](torch.from_numpy(PAIRS.a[:])), "a")
    np.testing.assert_allclose(method.encode(PAIRS.a, "a"), mapped.detach(), atol=1e-6)


def test_a_class_without_training_items_takes_no_item_in():
    method = prepared("cmt_novelty").float()
    method.settle(PAIRS.take(np.flatnonzero(PAIRS.labels != 2)), WORDS)
    assert method.radii_a[2] == 0
    assert (method.radii_a[[0, 1, 3]] > 0).all()


def test_items_of_several_classes_count_for_each():
    method = prepared("cmt_novelty").float()
    method.settle(PAIRS, WORDS)
    alone = {name: value.clone() for name, value in method.named_buffers()}
    indicators = np.eye(4, dtype=np.uint8)[PAIRS.labels]
    method.settle(replace(PAIRS, labels=indicators), WORDS)
    assert all(torch.equal(value, alone[name]) for name, value in method.named_buffers())
    indicators[:, 0] = 1
    method.settle(replace(PAIRS, labels=indicators), WORDS)
    assert method.radii_a[0] > alone["radii_a"][0]
    assert torch.equal(method.radii_a[1:], alone["radii_a"][1:])


def test_settling_draws_no_random_number_and_leaves_training_on():
    method = prepared("cmt_novelty").float()
    before = torch.random.get_rng_state()
    method.settle(PAIRS, WORDS)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert method.training


def test_without_class_embeddings_the_remedy_is_named():
    with pytest.raises(InputError, match=r"cmt learns from class embeddings .*embedding=words"):
        built("cmt", replace(SIZES, embedding=0))

from dataclasses import replace

import numpy as np
import pytest
import torch
from rivals_builders import PAIRS, SIZES, WORDS, batch_of, built, gradients, prepared
from torch.nn.functional import normalize

from msl.functional import ramp
from msl.losses.guidance import guidance
from msl.types import InputError


def test_without_class_embeddings_the_remedy_is_named():
    with pytest.raises(InputError, match=r"tanss learns from class embeddings .*embedding=words"):
        built("tanss", replace(SIZES, embedding=0))


def test_three_subnetworks_of_their_own_and_two_discriminators_of_class_meaning_play():
    method = prepared("tanss").eval()
    batch = replace(batch_of(PAIRS, WORDS, dtype=torch.float64), progress=0.2)
    semantic = method.semantic(normalize(batch.embedding)).detach()
    loss = 0
    for modality, discriminator in (("a", method.discriminator_a), ("b", method.discriminator_b)):
        codes = method.branch(method.inputs[modality](getattr(batch, modality)), modality)
        loss -= (discriminator(semantic).sigmoid().log() + (1 - discriminator(codes).sigmoid()).log()).mean() / 2
    value = method.loss(batch)["dual_adversarial"]
    torch.testing.assert_close(value, loss)
    plain, played = gradients(method, loss), gradients(method, value)
    parts = {"encoder_a", "encoder_b", "code_layer", "code_layer_b", "discriminator_a", "discriminator_b"}
    assert {name.split(".")[0] for name in played} == parts
    for name, gradient in played.items():
        scale = 1 if name.startswith("discriminator") else -ramp(0.2, 10)
        torch.testing.assert_close(gradient, scale * plain[name], atol=1e-12, rtol=1e-8)


ENCODERS = {"encoder_a", "encoder_b", "code_layer", "code_layer_b"}


@pytest.mark.parametrize(
    ("term", "parts"),
    [
        ("guidance", ENCODERS | {"semantic"}),
        ("meaning_guidance", ENCODERS | {"regressor_a", "regressor_b"}),
        ("semantic_regression", {"semantic", "regressor_semantic"}),
    ],
)
def test_a_term_teaches_its_own_subnetworks(term, parts):
    method, batch = prepared("tanss"), batch_of(PAIRS, WORDS, dtype=torch.float64)
    assert {name.split(".")[0] for name in gradients(method, method.loss(batch)[term])} == parts


def test_class_meaning_is_moved_by_its_own_likelihood_alone():
    method, batch = prepared("tanss"), batch_of(PAIRS, WORDS, dtype=torch.float64)
    guided = method.tensors(batch)
    alone = guidance(
        torch.zeros_like(guided.code_a), torch.zeros_like(guided.code_b), guided.semantic, guided.guide, batch.label
    )
    expected, found = gradients(method, alone.mean()), gradients(method.eval(), method.loss(batch)["guidance"])
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-12, rtol=1e-8)
    assert any(name.startswith("semantic") for name in expected)


def test_what_guides_is_left_aside_when_searching():
    method = prepared("tanss").float()
    before = method.encode(PAIRS.a, "a")
    others = [part for name, part in method.named_children() if name not in ENCODERS | {"inputs"}]
    assert len(others) == 6
    with torch.no_grad():
        for part in others:
            for parameter in part.parameters():
                parameter.fill_(torch.nan)
    assert np.array_equal(method.encode(PAIRS.a, "a"), before)

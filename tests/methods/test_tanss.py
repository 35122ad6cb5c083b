from dataclasses import replace

import numpy as np
import pytest
import torch
from rivals_builders import PAIRS, SIZES, WORDS, batch_of, built, gradients, prepared
from torch.nn.functional import normalize

from msl.functional import ramp
from msl.types import InputError


def test_without_class_embeddings_the_remedy_is_named():
    with pytest.raises(InputError, match=r"tanss learns from class embeddings .*embedding=words"):
        built("tanss", replace(SIZES, embedding=0))


def test_three_subnetworks_of_their_own_and_two_discriminators_of_class_meaning_play():
    method = prepared("tanss")
    batch = replace(batch_of(PAIRS, WORDS, dtype=torch.float64), progress=0.2)
    semantic = method.semantic(normalize(batch.embedding))
    loss = 0
    for modality, discriminator in (("a", method.discriminator_a), ("b", method.discriminator_b)):
        codes = method.branch(method.inputs[modality](getattr(batch, modality)), modality)
        loss -= (discriminator(semantic).sigmoid().log() + (1 - discriminator(codes).sigmoid()).log()).mean() / 2
    value = method.loss(batch)["dual_adversarial"]
    torch.testing.assert_close(value, loss)
    plain, played = gradients(method, loss), gradients(method, value)
    parts = {"encoder_a", "encoder_b", "code_layer", "code_layer_b", "semantic", "discriminator_a", "discriminator_b"}
    assert {name.split(".")[0] for name in played} == parts
    for name, gradient in played.items():
        scale = 1 if name.startswith("discriminator") else -ramp(0.2, 10)
        torch.testing.assert_close(gradient, scale * plain[name], atol=1e-12, rtol=1e-8)


def test_class_meaning_guides_the_encoders_and_is_guided_by_itself():
    method, batch = prepared("tanss"), batch_of(PAIRS, WORDS, dtype=torch.float64)
    reached = {name.split(".")[0] for name in gradients(method, method.loss(batch)["guidance"])}
    assert reached == {"encoder_a", "encoder_b", "code_layer", "code_layer_b", "semantic"}


def test_what_guides_is_left_aside_when_searching():
    method = prepared("tanss").float()
    before = method.encode(PAIRS.a, "a")
    with torch.no_grad():
        for part in (method.semantic, method.regressor, method.discriminator_a, method.discriminator_b):
            for parameter in part.parameters():
                parameter.fill_(torch.nan)
    assert np.array_equal(method.encode(PAIRS.a, "a"), before)

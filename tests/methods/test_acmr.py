from dataclasses import replace

import pytest
import torch
from rivals_builders import PAIRS, WORDS, batch_of, gradients, prepared

from msl.functional import ramp

ENCODERS = ("encoder_a", "encoder_b", "code_layer", "code_layer_b")


@pytest.mark.parametrize("progress", [0.1, 0.5, 1.0])
def test_the_discriminators_gradient_reaches_the_encoders_reversed_by_the_schedule(progress):
    method = prepared("acmr")
    batch = replace(batch_of(PAIRS, WORDS, dtype=torch.float64), progress=progress)
    codes = torch.cat([method.branch(method.inputs[m](getattr(batch, m)), m) for m in ("a", "b")])
    logits_a, logits_b = method.discriminator(codes).chunk(2)
    plain = gradients(method, -(logits_a.sigmoid().log() + (1 - logits_b.sigmoid()).log()).mean() / 2)
    played = gradients(method, method.loss(batch)["adversarial"])
    assert {name.split(".")[0] for name in played} == {*ENCODERS, "discriminator"}
    for name, gradient in played.items():
        scale = 1 if name.startswith("discriminator") else -ramp(progress, 10)
        assert gradient.any()
        torch.testing.assert_close(gradient, scale * plain[name], atol=1e-12, rtol=1e-8)


def test_each_modality_has_a_last_layer_of_its_own():
    method, batch = prepared("acmr"), batch_of(PAIRS, WORDS, dtype=torch.float64)
    assert method.code_layer is not method.code_layer_b
    before = method.code(batch.a, "a"), method.code(batch.b, "b")
    with torch.no_grad():
        method.code_layer_b.linear.bias += 1
    assert torch.equal(method.code(batch.a, "a"), before[0])
    assert not torch.equal(method.code(batch.b, "b"), before[1])
    assert all(codes.abs().max() <= 1 for codes in before)

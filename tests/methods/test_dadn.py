from dataclasses import replace

import pytest
import torch
from rivals_builders import PAIRS, SIZES, WORDS, batch_of, built, gradients, prepared
from torch.nn.functional import normalize

from msl.functional import ramp
from msl.types import InputError


def test_codes_lie_in_the_space_of_class_embeddings():
    method = prepared("dadn")
    assert method.encode(PAIRS.a, "a").shape[1] == method.encode(PAIRS.b, "b").shape[1] == SIZES.embedding


def test_without_class_embeddings_the_remedy_is_named():
    with pytest.raises(InputError, match=r"dadn learns from class embeddings .*embedding=words"):
        built("dadn", replace(SIZES, embedding=0))


def test_class_embeddings_have_norm_one_whatever_their_length():
    method, batch = prepared("dadn").eval(), batch_of(PAIRS, WORDS, dtype=torch.float64)
    longer = replace(batch, embedding=7 * batch.embedding, class_embeddings=7 * batch.class_embeddings)
    torch.testing.assert_close(method.loss(longer)["total"], method.loss(batch)["total"])


def test_discriminators_descend_on_their_games_and_what_they_judge_ascends_by_the_schedule():
    method = prepared("dadn").eval()
    batch = replace(batch_of(PAIRS, WORDS, dtype=torch.float64), progress=0.2)
    a, b = method.inputs["a"](batch.a), method.inputs["b"](batch.b)
    z_a, z_b, w = method.branch(a, "a"), method.branch(b, "b"), normalize(batch.embedding)

    def game(discriminator, true, made):
        return -(discriminator(true).sigmoid().log() + (1 - discriminator(made).sigmoid()).log()).mean() / 2

    def meaning(discriminator, features, *codes):
        beside = [torch.cat([one, features], dim=1) for one in (w, *codes)]
        verdicts = [discriminator(one).sigmoid() for one in beside]
        return -(verdicts[0].log() + sum((1 - made).log() for made in verdicts[1:])).mean() / 2

    expected = {
        "dual_adversarial": game(method.discriminator_a, a, method.generator_a(z_a))
        + game(method.discriminator_b, b, method.generator_b(z_b)),
        "embedding_adversarial": meaning(method.meaning_discriminator_a, a, z_a, z_b)
        + meaning(method.meaning_discriminator_b, b, z_b, z_a),
    }
    values = method.loss(batch)
    for name, loss in expected.items():
        torch.testing.assert_close(values[name], loss)
        plain, played = gradients(method, loss), gradients(method, values[name])
        assert played.keys() == plain.keys()
        assert {"encoder_a", "encoder_b"} < {each.split(".")[0] for each in played}
        for each, gradient in played.items():
            scale = 1 if "discriminator" in each else -ramp(0.2, 10)
            torch.testing.assert_close(gradient, scale * plain[each], atol=1e-12, rtol=1e-8)


def test_each_modality_is_rebuilt_from_its_own_code():
    method, batch = prepared("dadn"), batch_of(PAIRS, WORDS, dtype=torch.float64)
    reached = {name.split(".")[0] for name in gradients(method, method.tensors(batch).rebuilt_a.sum())}
    assert reached == {"encoder_a", "code_layer", "generator_a"}
    reached = {name.split(".")[0] for name in gradients(method, method.tensors(batch).rebuilt_b.sum())}
    assert reached == {"encoder_b", "code_layer_b", "generator_b"}

"""What every method of shared parts does alike: refuse what cannot work before anything is written, and give its outputs."""

import pytest
import torch
from rivals_builders import PAIRS, prepared

from msl.methods.forward_pass import MADE_BY, ForwardPass

IMPOSSIBLE = [
    ("triplet", ["+loss@method.objective.terms.t=discriminative"], ["'t'", "+net@method.classifier=classifier"]),
    ("triplet", ["+loss@method.objective.terms.t=adversarial"], ["'t'", "+net@method.discriminator=discriminator"]),
    (
        "triplet",
        ["+loss@method.objective.terms.t=adversarial", "+net@method.discriminator=discriminator"],
        ["'t'", "+adversary@method.adversary=reversal"],
    ),
    ("triplet", ["+loss@method.objective.terms.t=reconstruction"], ["'t'", "+net@method.decoders=decoders"]),
    ("triplet", ["+loss@method.objective.terms.t=contrastive"], ["'t'", "+net@method.scale=scale"]),
    ("triplet", ["+method.searched=posterior"], ["method.searched=posterior", "+net@method.classifier=classifier"]),
]


@pytest.mark.parametrize(("name", "overrides", "expected"), IMPOSSIBLE, ids=lambda value: str(value)[:60])
def test_a_part_that_is_wanted_and_not_there_is_refused_in_one_line_before_anything_is_written(
    name, overrides, expected, run_msl, planted, tmp_path
):
    folder = tmp_path / "run"
    status, _, error = run_msl(
        "train",
        f"method={name}",
        "data=folder",
        f"data.path={planted}",
        f"hydra.run.dir={folder}",
        "logger=none",
        *overrides,
    )
    assert status == 2
    assert error.count("\n") == 1
    assert all(each in error for each in expected)
    assert not (folder / "card.json").exists()
    assert ("the objective's term" in error) == ("+method.searched=posterior" not in overrides)


@pytest.mark.parametrize("name", ["cmt", "dadn", "devise", "eszsl", "sae", "tanss"])
def test_without_class_embeddings_nothing_is_written(name, run_msl, planted, tmp_path):
    folder = tmp_path / "run"
    status, _, error = run_msl(
        "train", f"method={name}", "data=folder", f"data.path={planted}", f"hydra.run.dir={folder}", "logger=none",
        "embedding=none",
    )  # fmt: skip
    assert status == 2
    assert f"{name} learns from class embeddings" in error
    assert error.count("\n") == 1
    assert not (folder / "card.json").exists()


def test_what_parts_make_is_on_offer():
    assert all(isinstance(getattr(ForwardPass, name), property) for name in MADE_BY)


@pytest.mark.parametrize("training", [True, False])
def test_outputs_are_codes_without_dropout_and_leave_the_method_as_it_was(training):
    method = prepared("dadn").float().train(training)
    random = torch.get_rng_state()
    found = method.outputs(PAIRS.a, "a")
    assert torch.equal(found, torch.from_numpy(method.encode(PAIRS.a, "a")))
    assert not found.requires_grad
    assert method.training is training
    assert torch.equal(torch.get_rng_state(), random)

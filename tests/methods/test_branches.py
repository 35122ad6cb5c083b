"""What every method of shared parts does alike: refuse what cannot work before anything is written, and give its outputs."""

import pytest
import torch
from rivals_builders import PAIRS, built, prepared

from msl.commands.searching import build
from msl.config import composed, resolved
from msl.files import embedded
from msl.methods.forward_pass import MADE_BY, ForwardPass
from msl.methods.method import Sizes

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


@pytest.fixture
def refused(run_msl, planted, tmp_path):
    """What `msl train` says, in one line and before anything is written, of overrides that cannot work."""

    def said(name, *overrides):
        folder = tmp_path / "run"
        where = (f"data.path={planted}", f"hydra.run.dir={folder}", "logger=none")
        status, _, error = run_msl("train", f"method={name}", "data=folder", *where, *overrides)
        assert status == 2
        assert error.count("\n") == 1
        assert not (folder / "card.json").exists()
        return error

    return said


@pytest.mark.parametrize(("name", "overrides", "expected"), IMPOSSIBLE, ids=lambda value: str(value)[:60])
def test_a_part_that_is_wanted_and_not_there_is_refused(name, overrides, expected, refused):
    error = refused(name, *overrides)
    assert all(each in error for each in expected)
    assert ("the objective's term" in error) == ("+method.searched=posterior" not in overrides)


WIDTHS = [
    ("dscmr", "method.encoder_b.hidden=[64]", "method.encoder_a, 512 wide, and method.encoder_b, 64 wide, share the code"),
    ("masln", "method.encoder_a.hidden=[]", "method.encoder_a, 16 wide, and method.encoder_b, 1024 wide, share the code"),
    ("triplet", "method.code_b.size=32", "method.code, 256 wide, and method.code_b, 32 wide, are searched in one space"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "override", "expected"), WIDTHS, ids=lambda value: str(value)[:30])
def test_widths_that_cannot_meet_are_refused(name, override, expected, refused):
    assert expected in refused(name, override)


@pytest.mark.parametrize(
    "name", sorted(file.stem for file in (embedded("conf") / "method").glob("*.yaml") if "code_b" in file.read_text())
)
def test_one_key_says_how_wide_codes_are(name):
    method = resolved(composed("train", [f"method={name}", "method.code.size=7"]))["method"]
    wide = build(method, Sizes(a=9, b=8, classes=3, embedding=4), {})
    assert {wide.code_layer.size, wide.code_layer_b.size, getattr(wide, "final", wide.code_layer).size} == {7}


@pytest.mark.parametrize("name", ["cmt", "dadn", "devise", "eszsl", "sae", "tanss"])
def test_without_class_embeddings_nothing_is_written(name, refused):
    assert f"{name} learns from class embeddings" in refused(name, "embedding=none")


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


@pytest.mark.parametrize("modality", ["a", "b"])
def test_deep_semantic_matching_searches_the_classifiers_posteriors(modality):
    method = prepared("deepsm").eval()
    features = torch.from_numpy(getattr(PAIRS, modality)[:]).double()
    logits = method.classifier(method.branch(method.inputs[modality](features), modality))
    odds = logits.exp()
    torch.testing.assert_close(method.code(features, modality), odds / odds.sum(dim=1, keepdim=True))
    codes = built("deepsm", searched="code").double().eval()
    codes.load_state_dict(method.state_dict())
    torch.testing.assert_close(codes.classifier(codes.code(features, modality)), logits)

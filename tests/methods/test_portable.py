"""Every method as ONNX computes what it computes in torch."""

import logging
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from method_builders import SIZES
from test_method_contract import NAMES, PAIRS, learnt
from torch import nn

from msl.methods.method import Method
from msl.serve.share.portable import difference, to_onnx


class Every(Method):
    """All methods beside each other: converted together in a tenth of the time."""

    def __init__(self):
        super().__init__(SIZES, nn.Identity(), nn.Identity())
        self.methods = nn.ModuleDict({name: learnt(name) for name in NAMES})

    def code(self, features, modality):
        return torch.cat([method.code(features, modality) for method in self.methods.values()], dim=1)


@pytest.fixture(scope="module")
def every():
    return Every()


@pytest.fixture(scope="module", params=["a", "b"])
def codes(request, every):
    """Codes by onnxruntime of one row and of all, by method; with the modality."""
    made = to_onnx(every, request.param)
    session = onnxruntime.InferenceSession(made, providers=["CPUExecutionProvider"])
    features = getattr(PAIRS, request.param)[:]
    widths = [every.methods[name].encode(features[:1], request.param).shape[1] for name in NAMES]
    found = [session.run(None, {"features": features[:rows]})[0] for rows in (1, len(features))]
    parts = zip(*(np.split(each, np.cumsum(widths)[:-1], axis=1) for each in found), strict=True)
    return request.param, dict(zip(NAMES, parts, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_a_method_as_onnx_gives_its_codes(name, codes, every):
    modality, found = codes
    for part, rows in zip(found[name], (1, len(PAIRS)), strict=True):
        wanted = every.methods[name].encode(getattr(PAIRS, modality)[:rows], modality)
        assert part.shape == wanted.shape
        assert part.dtype == np.float32
        apart = np.linalg.norm(part - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
        assert apart.max() < 1e-5


def test_a_model_says_what_it_takes_and_gives(capfd):
    before = list(warnings.filters), logging.root.manager.disable
    method = learnt("sae").train()
    made = onnx.load_from_string(to_onnx(method, "a"))
    onnx.checker.check_model(made, full_check=True)
    shapes = [[each.dim_param or each.dim_value for each in value.type.tensor_type.shape.dim]
              for value in (*made.graph.input, *made.graph.output)]  # fmt: skip
    assert shapes == [["n", SIZES.a], ["n", SIZES.embedding]]
    assert [value.name for value in (*made.graph.input, *made.graph.output)] == ["features", "codes"]
    assert method.training
    assert (list(warnings.filters), logging.root.manager.disable) == before
    assert capfd.readouterr() == ("", "")


def test_a_difference_is_relative_to_the_codes_length_and_of_the_worst_row():
    method = learnt("sae")
    made = to_onnx(method, "a")
    assert difference(made, method, PAIRS.a[:], "a") < 1e-5
    codes = method.encode(PAIRS.a, "a")
    method.inputs["a"].deviation[0] *= 1.001
    changed = method.encode(PAIRS.a, "a")
    worst = max(np.linalg.norm(old - new) / np.linalg.norm(new) for old, new in zip(codes, changed, strict=True))
    assert difference(made, method, PAIRS.a[:], "a") == pytest.approx(worst, rel=1e-2)

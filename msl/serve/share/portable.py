"""A method as ONNX: features of one modality to codes, standardisation included, checked against torch."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from msl.encode.encoders.loading import unwarned
from msl.methods.method import Method
from msl.types import Floats, InputError, Modality


class _Coder(nn.Module):
    def __init__(self, method: Method, modality: Modality) -> None:
        super().__init__()
        self.method, self.modality = method, modality

    def forward(self, features: Tensor) -> Tensor:
        return self.method.code(features, self.modality)


def to_onnx(method: Method, modality: Modality) -> bytes:
    """A model ``features`` (n, size) -> ``codes`` (n, code), both float32, for any n of 1 or more.

    Raises:
        InputError: the extra ``export`` is not installed.
    """
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        raise InputError("ONNX wants the packages of the extra: pip install 'msl[export]'") from None
    size = method.sizes.a if modality == "a" else method.sizes.b
    was_training = method.training
    with unwarned(), torch.no_grad():  # of packages the exporter could make use of, and of its own deprecations
        found = torch.onnx.export(
            _Coder(method, modality).eval(),
            (torch.zeros(2, size),),
            input_names=["features"],
            output_names=["codes"],
            dynamic_shapes=({0: torch.export.Dim("n")},),
            custom_translation_table={torch.ops.aten._cdist_forward.default: _distances},
            dynamo=True,
            verbose=False,
        )
    method.train(was_training)
    assert found is not None
    return bytes(found.model_proto.SerializeToString())


def difference(model: bytes, method: Method, features: Floats, modality: Modality) -> float:
    """The largest distance of a code by onnxruntime from torch's, relative to its length, over features (n, size)."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (codes,) = session.run(["codes"], {"features": np.ascontiguousarray(features, np.float32)})
    wanted = method.encode(features, modality)
    lengths = np.linalg.norm(wanted, axis=1)
    return float((np.linalg.norm(codes - wanted, axis=1) / np.where(lengths > 0, lengths, 1)).max())


def _distances(x1: Any, x2: Any, p: float, compute_mode: int | None) -> Any:
    """`torch.cdist` of rows (n, d) and (m, d), for which the exporter has no translation: Euclidean, (n, m)."""
    from onnxscript import opset20

    assert p == 2
    op: Any = opset20
    apart = op.Sub(op.Unsqueeze(x1, [1]), op.Unsqueeze(x2, [0]))
    return op.ReduceL2(apart, [-1], keepdims=0)

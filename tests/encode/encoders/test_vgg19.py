"""A narrow network in VGG-19's layout stands in for the published one; torch's own layers are the oracle."""

import io

import numpy as np
import pytest
import torch
from built import built
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from msl.encode.encoders.vgg19 import _pixels
from msl.types import InputError

WIDTHS = [2, 3, "M", 3, 4, "M", 4, 3, 4, 5, "M", 5, 4, 5, 6, "M", 6, 5, 6, 8, "M"]  # torchvision's list, narrow
RNG = np.random.default_rng(0)
PICTURES = [
    Image.fromarray(RNG.integers(0, 256, (high, wide, 3), dtype=np.uint8))
    for high, wide in ((256, 256), (300, 411), (50, 31))
]


def network():
    """VGG-19 as torchvision builds it: `features` and `classifier`, whose last layer names ImageNet's classes."""
    torch.manual_seed(0)
    layers, width = [], 3
    for size in WIDTHS:
        if size == "M":
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(width, size, 3, padding=1), nn.ReLU()]
            width = size
    dense = [
        nn.Linear(width * 49, 16),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(16, 12),
        nn.ReLU(),
        nn.Dropout(),
        nn.Linear(12, 5),
    ]
    whole = nn.Sequential()
    whole.features, whole.classifier = nn.Sequential(*layers), nn.Sequential(*dense)
    for tensor in whole.parameters():
        tensor.data = 0.5 * torch.randn_like(tensor)
    return whole.eval()


NETWORK = network()
STATE = {key: tensor.detach().clone() for key, tensor in NETWORK.state_dict().items()}


@pytest.fixture
def weights(tmp_path):
    torch.save(STATE, tmp_path / "vgg19.pth")
    return tmp_path / "vgg19.pth"


def test_features_are_fc7_of_the_network_itself(weights):
    one = built("vgg19", "image", path=str(weights), batch=2)
    found = one.encode(PICTURES)
    assert one.size == 12
    assert found.dtype == np.float32
    with torch.inference_mode():
        maps = NETWORK.features(torch.from_numpy(np.stack([_pixels(picture) for picture in PICTURES])))
        assert maps.shape[2:] == (7, 7)
        wanted = NETWORK.classifier[:5](maps.flatten(1)).numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    assert (found == 0).any()
    assert np.abs(found[0] - found[1]).max() > 1e-3
    assert one.encode([]).shape == (0, 12)


def test_no_row_depends_on_another(weights):
    one = built("vgg19", "image", path=str(weights), batch=3)
    alone = np.vstack([one.encode([picture]) for picture in PICTURES])
    np.testing.assert_allclose(one.encode(PICTURES), alone, rtol=1e-5, atol=1e-5)


def unscaled(picture):
    """Its pixels after the preparation, brought back to [0, 255]."""
    mean, std = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    return (_pixels(picture).transpose(1, 2, 0) * std + mean) * 255


def test_a_picture_of_256_pixels_is_only_cut():
    np.testing.assert_allclose(unscaled(PICTURES[0]), np.asarray(PICTURES[0])[16:240, 16:240], atol=1e-3)


@pytest.mark.parametrize(
    ("size", "scaled"), [((411, 300), (350, 256)), ((31, 50), (256, 412)), ((300, 600), (256, 512))]
)
def test_the_shorter_side_becomes_256_antialiased_and_the_centre_is_cut(size, scaled):
    ramp = np.linspace(0, 1, size[0])[None, :, None] * np.linspace(0, 255, size[1])[:, None, None]
    picture = np.repeat(ramp, 3, axis=2).round().astype(np.uint8)
    tensor = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None]
    resized = nn.functional.interpolate(tensor, scaled[::-1], mode="bilinear", antialias=True)[0].permute(1, 2, 0)
    left, top = (round((length - 224) / 2) for length in scaled)
    np.testing.assert_allclose(
        unscaled(Image.fromarray(picture)), resized[top : top + 224, left : left + 224], atol=1.01
    )


def test_transparency_is_white_and_a_narrow_picture_refused(weights):
    one = built("vgg19", "image", path=str(weights))
    hidden = Image.new("RGBA", (30, 30), (200, 30, 30, 0))
    np.testing.assert_array_equal(one.encode([hidden]), one.encode([Image.new("RGB", (30, 30), "white")]))
    with pytest.raises(InputError, match="1 x 300 pixels"):
        one.encode([Image.new("RGB", (1, 300))])


def test_both_kinds_of_files_are_one_network_and_the_classes_none_of_its_business(weights, tmp_path):
    save_file(STATE, tmp_path / "vgg19.safetensors")
    torch.save({key: STATE[key] for key in STATE if not key.startswith("classifier.6")}, tmp_path / "headless.pth")
    files = (weights, tmp_path / "vgg19.safetensors", tmp_path / "headless.pth")
    seen = [built("vgg19", "image", path=str(file), batch=batch).identity for batch, file in enumerate(files, start=1)]
    assert seen[0] == seen[1] == seen[2]
    torch.save(STATE | {"classifier.3.bias": STATE["classifier.3.bias"] + 1e-3}, tmp_path / "other.pth")
    assert built("vgg19", "image", path=str(tmp_path / "other.pth")).identity["weights"] != seen[0]["weights"]


def test_texts_are_not_for_it(weights):
    with pytest.raises(InputError, match="encoder=vgg19 reads images, not texts"):
        built("vgg19", "text", path=str(weights))


class Harmful:
    def __reduce__(self):
        return print, ("code of the file was run",)


def pickled(content):
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def changed(**tensors):
    return pickled(STATE | {key.replace("_", "."): tensor for key, tensor in tensors.items()})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read .*No such file"),
        (b"", "cannot be read"),
        (b"none of it", "cannot be read"),
        (changed()[:3000], "cannot be read"),
        (pickled(STATE | {"more": Harmful()}), "cannot be read"),
        (pickled([1, 2]), "holds a list, not tensors by name"),
        (pickled({key: STATE[key] for key in STATE if key != "features.30.bias"}), r"has no tensor features\.30\.bias"),
        (changed(features_0_weight=torch.zeros(2, 1, 3, 3)), r"features\.0\.weight is .*\(2, 1, 3, 3\), wanted floats of \(any, 3, 3, 3\)"),
        (changed(features_2_bias=torch.zeros(7)), r"features\.2\.bias is .*\(7,\), wanted floats of \(3\)"),
        (changed(classifier_0_weight=torch.zeros(16, 8)), r"classifier\.0\.weight is .*\(16, 8\), wanted floats of \(any, 392\)"),
        (changed(classifier_3_weight=torch.zeros(12, 16, dtype=torch.int64)), r"classifier\.3\.weight is torch\.int64"),
    ],
    ids=["absent", "empty", "text", "cut", "code", "list", "key", "first", "bias", "fc6", "integers"],
)  # fmt: skip
def test_a_wrong_file_is_named_with_its_key(content, message, tmp_path, capfd):
    if content is not None:
        (tmp_path / "w.pth").write_bytes(content)
    with pytest.raises(InputError, match=rf"w\.pth: {message}.*; give VGG-19's weights as torchvision") as caught:
        built("vgg19", "image", path=str(tmp_path / "w.pth"))
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_damaged_safetensors_is_named(tmp_path):
    (tmp_path / "w.safetensors").write_bytes(b"none of it")
    with pytest.raises(InputError, match=r"w\.safetensors: cannot be read"):
        built("vgg19", "image", path=str(tmp_path / "w.safetensors"))

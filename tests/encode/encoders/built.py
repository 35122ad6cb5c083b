from omegaconf import OmegaConf

from msl.config import check, instantiate
from msl.files import embedded


def built(name, kind, **values):
    """An encoder as the commands build it: from its YAML, checked."""
    node = OmegaConf.to_container(OmegaConf.load(embedded("conf") / "encoder" / f"{name}.yaml")) | values
    check(node, "encoder")
    assert node["name"] == name
    return instantiate(node)(kind)

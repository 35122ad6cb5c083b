"""XMedia: image, text, video, audio and 3D model in twenty classes, of which two modalities are chosen."""

from pathlib import Path

from msl.data.dataset import Card, DataSet
from msl.data.finding.choose import Wanted
from msl.data.published import read_published

CARD = Card(
    name="xmedia",
    title="XMedia: image, text, video, audio, 3D model; 20 classes, two modalities by data.modalities",
    modalities=("image", "text"),
    features=("CNN, 4096", "bag of words, 3000; video CNN, audio MFCC, 3D light field"),
    embedding="none of its own",
    source="Peng, Huang and Zhao, An overview of cross-media retrieval, TCSVT 2018",
    licence="for research only, on request",
    obtain="ask for it at Peking University's MIPL lab (www.icst.pku.edu.cn/mipl/XMedia): it holds XMediaFeatures.mat",
)
PUBLISHED = ((4000, 0, 1000), (4000, 500, 500))
"""Rows of image and text; the other modalities are fewer and not paired with them."""


def load(*, path: str, modalities: tuple[str, str], class_names: str | None) -> DataSet:
    """Two modalities out of `path`, ``XMediaFeatures.mat`` or a folder of such arrays; paired where they are equally many.

    Args:
        path: the file or folder.
        modalities: two of image, text, video, audio and 3d.
        class_names: a file of the 20 names in label order, which the published files do not hold.
    """
    return read_published(Path(path), CARD, Wanted(modalities=modalities, class_names=class_names), None)

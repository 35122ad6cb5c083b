"""XMediaNet: image, text, video, audio and 3D model in two hundred classes, of which two modalities are chosen."""

from pathlib import Path

from msl.data.dataset import Card, DataSet
from msl.data.finding.choose import Wanted
from msl.data.published import read_published

CARD = Card(
    name="xmedianet",
    title="XMediaNet: image, text, video, audio, 3D model; 200 classes, two modalities by data.modalities",
    modalities=("image", "text"),
    features=("VGG-19 fc7, 4096", "doc2vec, 300"),
    embedding="none of its own",
    source="Peng, Huang and Zhao, An overview of cross-media retrieval, TCSVT 2018",
    licence="for research only, on request",
    obtain=(
        "ask for it at Peking University's MIPL lab (www.icst.pku.edu.cn/mipl/XMediaNet), or take xmedianet_deep_doc2vec_data.h5py "
        "of those who published features; XMediaNet5View_Doc2Vec.mat holds cells of matrices: write each as .npy first"
    ),
)
PUBLISHED = ((32_000, 4_000, 4_000), (32_000, 0, 8_000))


def load(*, path: str, modalities: tuple[str, str], class_names: str | None) -> DataSet:
    """Two modalities out of `path`, a file or a folder; paired where they are equally many and say the same labels.

    Args:
        path: the file or folder.
        modalities: two of image, text, video, audio and 3d.
        class_names: a file of the 200 names in label order, which the published files do not hold.
    """
    return read_published(Path(path), CARD, Wanted(modalities=modalities, class_names=class_names), None)

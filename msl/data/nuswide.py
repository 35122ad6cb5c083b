"""NUS-WIDE: pictures of Flickr with their tags; single-label features, multi-label hashing sets, or the original files."""

from pathlib import Path

from msl.data.dataset import Card, DataSet
from msl.data.finding.choose import Wanted
from msl.data.nuswide_files import GROUNDTRUTH, read_original
from msl.data.published import read_published
from msl.types import Count

CARD = Card(
    name="nuswide",
    title="NUS-WIDE: Flickr picture and tags; 10 classes of one label, or 10, 21 or 81 concepts an item may share",
    modalities=("image", "text"),
    features=("as the files have them: VGG-19, or low-level features of the original", "doc2vec, or 1,000 tags"),
    embedding="none of its own",
    source="Chua et al., NUS-WIDE: a real-world web image database from National University of Singapore, CIVR 2009",
    licence="for research only; the pictures belong to their Flickr authors",
    obtain=(
        "the original labels, tags and low-level features are at the National University of Singapore's lms lab (NUS-WIDE); "
        "VGG features are other people's files: nus_wide_deep_doc2vec-*.h5py, nus-wide-tc21-*.mat, nuswide_features.mat"
    ),
)
PUBLISHED = ((8_000, 1_000, 1_000), (8_000, 0, 2_000))
"""Train, validation and test rows of NUS-WIDE-10k, the single-label set; the multi-label sets have no agreed sizes."""


def load(*, path: str, concepts: Count, class_names: str | None) -> DataSet:
    """The items at `path`, a file or a folder; those without any class are left out, and the card says how many.

    Any layout that msl recognises is read: train and test halves of one label each, or multi-label arrays whose test rows
    are marked. A folder with ``Groundtruth`` is the original: its TrainTestLabels, 1,000 tags and low-level features.

    Args:
        path: the file or folder.
        concepts: how many classes of the original 81 are kept, the most frequent ones; other files have their own.
        class_names: a file of names in label order, which feature files do not hold; the original does.
    """
    folder = Path(path)
    if (folder / GROUNDTRUTH).is_dir():
        return read_original(folder, CARD, concepts=concepts)
    return read_published(folder, CARD, Wanted(class_names=class_names), None)

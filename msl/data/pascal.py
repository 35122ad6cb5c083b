"""Pascal Sentence: a thousand pictures of twenty things, five captions each; in the .mat files of DSCMR."""

from pathlib import Path

from msl.data.dataset import Card, DataSet
from msl.data.finding.choose import Wanted
from msl.data.published import read_published
from msl.types import InputError

CARD = Card(
    name="pascal",
    title="Pascal Sentence: picture and captions, the 20 classes of Pascal VOC",
    modalities=("image", "text"),
    features=("VGG-19 fc7, 4096", "sentence CNN, 300"),
    embedding="none of its own; word vectors of the class names, by embedding=words",
    source=(
        "Rashtchian et al., Collecting image annotations using Amazon's Mechanical Turk, NAACL HLT 2010 workshop; features by "
        "Zhen et al., Deep supervised cross-modal retrieval, CVPR 2019"
    ),
    licence="unstated",
    obtain=(
        "five of the six .mat files lie in github.com/penghu-cs/DSCMR under data/pascal; ask its authors for train_img.mat "
        "(800 x 4096), and keep all six in one folder"
    ),
)
PUBLISHED = ((800, 0, 100), (800, 100, 100))
"""Train, validation and test rows; DSCMR's files have no validation part."""

VOC = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable", "dog", "horse",
    "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""Pascal VOC's classes in their official order."""
DSCMR_NAMES = (*VOC[1:], VOC[0])
"""Class names in the order of DSCMR's labels, which nobody states: 0 is bicycle, 18 tvmonitor and 19 aeroplane.

Of all assignments of names to the labels, this one makes the classes' mean text features most alike where their captions
(tf-idf) are most alike: rank correlation .87 over the 190 pairs of classes, next best .77, alphabetical order -.01.
A search that knew nothing of alphabets found it. The order of the items within a class stays unknown, so that captions
cannot be told to rows: there are no texts.
"""
FILES = tuple(f"{part}_{what}.mat" for part in ("train", "test") for what in ("img", "txt", "img_lab"))


def load(*, path: str, class_names: str | None) -> DataSet:
    """The pairs in the folder `path`: DSCMR's six files, or any others that msl recognises with the same 20 classes.

    `class_names` is a file of names in label order for files that are not DSCMR's, whose label order may be another.

    Raises:
        InputError: one line naming the file that is missing or wrong.
    """
    folder = Path(path)
    there = [name for name in FILES if (folder / name).is_file()]
    lacking = [name for name in FILES if name not in there]
    if there and lacking:
        raise InputError(f"{folder} lacks {lacking[0]} of DSCMR's six files ({', '.join(FILES)}); {CARD.obtain}")
    names = DSCMR_NAMES if there and class_names is None else None
    return read_published(folder, CARD, Wanted(class_names=class_names), names)

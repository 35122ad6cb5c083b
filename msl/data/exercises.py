"""Physical exercises: pictures and instructions, the muscle trained as the class, with deep features."""

from pathlib import Path

from msl.data.dataset import Card, DataSet
from msl.data.formats import read_dataset
from msl.types import InputError

CARD = Card(
    name="exercises",
    title="physical exercises: picture and instructions, 15 muscles; a hard case, pictures hardly show the class",
    modalities=("image", "text"),
    features=("SqueezeNet 1.0 (ImageNet), mean of the last feature map", "all-MiniLM-L6-v2 of the instructions"),
    embedding="all-MiniLM-L6-v2 of the class name",
    source="free-exercise-db, github.com/yuhonas/free-exercise-db",
    licence="Unlicense",
    obtain="nowhere to fetch: keep features.npz, texts.jsonl and images in a folder and give data.path=FOLDER",
)


def load(*, path: str) -> DataSet:
    """The 852 exercises in the folder `path`, features 512-d and 384-d; equal texts or pictures never straddle the parts."""
    if not Path(path).exists():
        raise InputError(f"{path} is not there: {CARD.obtain}")
    return read_dataset(Path(path), CARD)

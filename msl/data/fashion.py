"""Fashion products: pictures and product names in 30 product types, with deep features."""

from pathlib import Path

from msl.data.dataset import Card, DataSet
from msl.data.formats import read_dataset
from msl.types import InputError

CARD = Card(
    name="fashion",
    title="fashion products: picture and product name, 30 product types",
    modalities=("image", "text"),
    features=("SqueezeNet 1.0 (ImageNet), mean of the last feature map", "all-MiniLM-L6-v2 of the product's name"),
    embedding="all-MiniLM-L6-v2 of the class name",
    source="the public set fashion-product-images; most product names contain the class's word, so texts are easy",
    licence="unstated",
    obtain="nowhere to fetch: keep features.npz and texts.jsonl in a folder and give data.path=FOLDER",
)


def load(*, path: str) -> DataSet:
    """The 4,893 products in the folder `path`, features 512-d and 384-d; equal names or pictures never straddle the parts."""
    if not Path(path).exists():
        raise InputError(f"{path} is not there: {CARD.obtain}")
    return read_dataset(Path(path), CARD)

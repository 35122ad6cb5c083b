"""Anyone's features in the `features.npz` layout of `msl.data.formats`."""

from pathlib import Path

from msl.data.dataset import Card, DataSet
from msl.data.formats import read_dataset


def load(*, path: str, name: str) -> DataSet:
    """Read the data set at `path`; `name` stands beside every number measured on it."""
    card = Card(
        name=name,
        title=f"features from {Path(path).name}",
        modalities=("image", "text"),
        features=("as given", "as given"),
        embedding="as given",
        source=f"the user's own file {Path(path).name}",
        licence="unstated",
        obtain="the user's own",
    )
    return read_dataset(Path(path), card)

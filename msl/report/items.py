"""One item of a data set as a person is shown it: its classes by name, its text, whether it is a right find."""

import numpy as np

from msl.data.dataset import DataSet
from msl.data.labels import classes_of


def class_names(data: DataSet, row: int) -> str:
    """The names of an item's classes, joined by commas."""
    return ", ".join(data.classes.names[label] for label in classes_of(data.pairs.labels[row]))


def share_a_class(data: DataSet, row: int, other: int) -> bool:
    """Whether two items have a class in common: what makes one a right find for the other."""
    first, second = (classes_of(data.pairs.labels[each]) for each in (row, other))
    return bool(np.isin(first, second).any())


def words(data: DataSet, row: int, *, picture: bool) -> str:
    """What stands for an item without a picture: its text, or its id where the data set has none or the other modality is meant."""
    return data.pairs.ids[row] if picture or not data.texts else data.texts[row]

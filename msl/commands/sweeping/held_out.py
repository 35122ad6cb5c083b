"""What a validation mAP is over: rows of one trial must be those of every other, or their mAPs cannot be compared."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from msl.commands.settings import Run, Settings
from msl.commands.sweeping.space import Value, written
from msl.types import InputError


def held_out(run: Run) -> str:
    """Digest of the split's rows and classes and of the held-out rows' labels and modalities, features left out.

    Raises:
        InputError: if no rows are held out.
    """
    split, data = run.split, run.data
    if run.settings.select_on == "nothing" or not split.rows["validation"]:
        raise InputError(
            f"class split {split.seed} with select_on={run.settings.select_on} holds no rows out of training, and a sweep "
            "chooses by them; leave select_on=validation and give the split a share for validation"
        )
    rows = split.positions("validation", data)
    # other features of the same rows may carry another name
    named = (replace(split, data="").hash, data.card.modalities, data.classes.names)
    digest = hashlib.sha256(repr(named).encode())
    for array in (data.pairs.labels, data.pairs.a.present, data.pairs.b.present):
        digest.update(np.ascontiguousarray(array[rows]).data)
    return digest.hexdigest()


def rows_from(settings: Settings) -> tuple[Any, ...]:
    """The settings that decide which rows validate."""
    return settings.data, settings.split, settings.select_on


def check_same_rows(run: Run, wanted: str, values: Mapping[str, Value]) -> None:
    """An `InputError` naming `values` unless the run, which has them, validates on the rows of the digest `wanted`."""
    if held_out(run) != wanted:
        raise other_rows(" ".join(written(values)))


def other_rows(key: str) -> InputError:
    """The refusal of a key, or of values of it, that cannot be searched."""
    return InputError(
        f"{key} changes which rows validate, and mAPs on other rows cannot be compared; give it one value per sweep"
    )

"""Published models: from this machine if they are there, else from the hub, and without a word on the terminal."""

import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from msl.types import InputError

Model = TypeVar("Model")

SAFE: dict[str, Any] = {"trust_remote_code": False}
"""No code that comes with a model is run."""
WEIGHTS: dict[str, Any] = {"use_safetensors": True}
"""The older format is a pickle, which can run code."""
_PATIENCE = 10  # seconds


def local_first(load: Callable[..., Model], model: str, *, what: str, revision: str | None = None) -> Model:
    """``load(local_files_only=True)``, and if the model is not here ``load()``.

    The hub is asked once whether it has the model: its own client asks for half a minute where there is no network.

    Args:
        load: loads the model.
        model: a folder, of which the hub is never asked, or a name on the Hugging Face hub.
        what: what it is, for the error.
        revision: branch, tag or commit; None for the main branch.

    Raises:
        InputError: there is no such model, or it cannot be loaded.
    """
    from huggingface_hub import HfApi

    # else transformers has a service convert older weights: with the user's token, by a public proposal to the model
    os.environ.setdefault("DISABLE_SAFETENSORS_CONVERSION", "1")
    try:
        with quiet():
            try:
                return load(local_files_only=True)
            except Exception:
                if Path(model).is_dir():
                    raise
            HfApi().model_info(model, revision=revision, timeout=_PATIENCE)
            return load()
    except Exception as error:  # the hub, the tokeniser and the weights each raise their own
        raise InputError(
            f"there is no {what} {model!r} to load ({gist(error)}); give a folder or a hub's name"
        ) from None


def gist(error: Exception) -> str:
    """One line of an error."""
    lines = (line.strip() for line in str(error).splitlines())
    return f"{type(error).__name__}: {next(filter(None, lines), 'no reason given')}"


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings, and none of transformers' and the hub's progress bars."""
    from transformers import utils

    bars: Any = utils.logging  # untyped
    shown = bars.is_progress_bar_enabled()
    bars.disable_progress_bar()
    try:
        with unwarned():
            yield
    finally:
        if shown:
            bars.enable_progress_bar()


@contextmanager
def unwarned() -> Iterator[None]:
    """No warnings, neither Python's nor logged ones."""
    disabled = logging.root.manager.disable
    logging.disable(max(disabled, logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)

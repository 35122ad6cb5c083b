"""The Hugging Face hub: models of ours fetched from it and given to it; of a stranger's, nothing but the files we know."""

import re
from pathlib import Path
from typing import Any

from msl.serve.share.packed import FILES
from msl.serve.share.shared import CARD, CONFIG, INDEX, WEIGHTS
from msl.types import InputError

WANTED = (CARD, CONFIG, WEIGHTS, *(f"{INDEX}/{name}" for name in FILES))
"""All that is fetched: no pickle, no code."""
_PATIENCE = 10  # seconds


def is_name(name: str) -> bool:
    """Whether it could be ``user/model``."""
    return re.fullmatch(r"\w[\w.-]*/\w[\w.-]*", name) is not None


def fetch(name: str) -> Path:
    """The folder of a model on the hub, as it is now; without the hub, as it was fetched last.

    Raises:
        InputError: huggingface_hub is not installed, there is no such model, or no way to the hub.
    """
    client = _client(f"{name} is no folder here, and to look for it on the hub")
    wanted = {"allow_patterns": list(WANTED)}
    try:
        found = client.HfApi().model_info(name, timeout=_PATIENCE)
        return Path(client.snapshot_download(name, revision=found.sha, **wanted))
    except Exception as error:  # of the network, the hub and the disk each layer has its own
        try:
            return Path(client.snapshot_download(name, local_files_only=True, **wanted))
        except Exception:
            raise InputError(
                f"there is no folder {name}, and no model of that name could be fetched from the hub ({_gist(error)}); "
                "correct the name, or fetch it where there is a network"
            ) from None


def push(folder: Path, name: str, *, private: bool) -> str:
    """Upload a folder as the model ``user/model``; its address.

    Raises:
        InputError: huggingface_hub is not installed, or the hub refuses.
    """
    client = _client("to give a model to the hub")
    if not is_name(name):
        raise InputError(f"{name!r} is no name of a model on the hub; give one as user/model")
    try:
        api = client.HfApi()
        address = api.create_repo(name, private=private, exist_ok=True)
        api.upload_folder(repo_id=name, folder_path=folder, commit_message="Model of msl")
        return str(address)
    except Exception as error:
        raise InputError(f"the hub did not take {name} ({_gist(error)}); log in with hf auth login") from None


def _client(purpose: str) -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise InputError(f"{purpose} huggingface_hub is wanted: pip install huggingface_hub") from None
    return huggingface_hub


def _gist(error: Exception) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return f"{type(error).__name__}: {next(filter(None, lines), 'no reason given')}"

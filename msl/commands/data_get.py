"""`msl data get NAME` and `msl data convert FILE out=FOLDER`: how data sets come here."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from msl.data.dataset import Card
from msl.data.fetching.archives import unpack
from msl.data.fetching.download import Remote, fetch
from msl.data.pickles import convert_pickle
from msl.files import data_home, sha256
from msl.types import InputError

console = Console()

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def get(card: Card, name: str) -> None:
    """Fetch every file of a data set's card into the folder of its name, and unpack the archives among them.

    Raises:
        InputError: the set has no address, with how to obtain it; or whatever fetching and unpacking say.
    """
    if not card.remotes:
        raise InputError(f"data set {name!r} has no address to fetch from; {card.obtain}")
    folder = data_home() / name
    console.print(f"writes in {folder}; licence: {card.licence}", soft_wrap=True)
    for remote in card.remotes:
        file = _fetched(remote, folder)
        if remote.sha256 is None:
            console.print(f"{remote.file}: sha256 {sha256(file)} (its card names none to compare with)", soft_wrap=True)
        if file.name.lower().endswith(_ARCHIVES):
            console.print(f"{remote.file}: unpacked {len(unpack(file, folder))} files")
    console.print(f"next: msl data describe {name}")


def convert(file: Path, out: Path) -> None:
    """Take the arrays out of a pickle without running what is in it."""
    for written in convert_pickle(file, out):
        console.print(f"wrote {written}", soft_wrap=True)
    console.print(f"next: msl data check {out}", soft_wrap=True)


def _fetched(remote: Remote, folder: Path) -> Path:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(remote.file, total=remote.size)
        return fetch(remote, folder, progress=lambda done, wanted: bar.update(task, completed=done, total=wanted))

""".npz: a zip archive of .npy members. Each is inflated into the handover, which checks the sum the archive keeps."""

import zipfile
from typing import BinaryIO

from msl.data.parsing.handover import Handover
from msl.types import InputError

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # what numpy writes


def parse(stream: BinaryIO, stem: str, handover: Handover) -> None:
    """Every member by its name without ".npy"; the sizes that the directory declares are checked before any is inflated."""
    with zipfile.ZipFile(stream) as archive:
        members = archive.infolist()
        for member in members:
            if not member.filename.endswith(".npy") or member.compress_type not in _METHODS:
                raise InputError(f"its member {member.filename!r} is no numpy array; write it with numpy.savez")
            handover.declare(_name(member), member.file_size)
        for member in members:
            with archive.open(member) as content:
                handover.copy(_name(member), content)


def _name(member: zipfile.ZipInfo) -> str:
    return member.orig_filename.removesuffix(".npy")

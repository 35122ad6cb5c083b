"""Pictures decoded in a few threads ahead of their encoder, in order, each checked, named by its pixels and made small."""

import hashlib
import io
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from msl.data.collection.item import Item
from msl.data.collection.tree import inside
from msl.encode.pictures import header_size, on_white, read_picture
from msl.files import write_bytes
from msl.types import InputError

_QUALITY = 85  # of a preview's JPEG


@dataclass(frozen=True)
class Decoded:
    """A picture, RGB, with the digest of its pixels; or the reason why there is none."""

    picture: Image.Image | None
    digest: str = ""
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """Reads the pictures below `root` of at most `pixels` pixels; with `side`, leaves a small copy in `previews`."""

    root: Path
    pixels: int
    previews: Path
    side: int | None

    def __call__(self, item: Item) -> Decoded:
        """The item's picture, or why there is none."""
        if item.refused:
            return Decoded(None, reason=item.refused)
        try:
            picture = on_white(read_picture(inside(self.root, item.image), pixels=self.pixels))
        except InputError as error:
            return Decoded(None, reason=str(error))
        digest = _digest(picture)
        if self.side is not None:
            _preview(picture, self.previews / preview_name(digest), self.side)
        return Decoded(picture, digest)

    def size(self, item: Item) -> int:
        """Pixels of the item's picture by its header; 0 where it will not be decoded."""
        if item.refused:
            return 0
        try:
            width, height = header_size(inside(self.root, item.image))
        except InputError:
            return 0
        return width * height if width * height <= self.pixels else 0


def preview_name(digest: str) -> str:
    """The file of a picture's small copy: equal pictures share it."""
    return f"{digest}.jpg"


def _digest(picture: Image.Image) -> str:
    """Equal for pictures of one size and the same pixels, whatever files they came from."""
    digest = hashlib.sha256(str(picture.size).encode())
    digest.update(picture.tobytes())
    return digest.hexdigest()[:32]


def _preview(picture: Image.Image, file: Path, side: int) -> None:
    if file.exists():
        return
    scale = min(1, side / max(picture.size))
    width, height = (max(1, round(length * scale)) for length in picture.size)
    small = picture.resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2)
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=_QUALITY)
    write_bytes(file, stream.getvalue())


def ahead(
    work: Callable[[Item], Decoded], items: Iterable[Item], *, threads: int, size: Callable[[Item], int], at_once: int
) -> Generator[Decoded, None, None]:
    """``work(item)`` of each in order, done by `threads` threads at most ``2 * threads`` items ahead.

    Of these pictures, each of ``size(item)`` pixels, there are at most `at_once` pixels, or a single picture.
    """
    waiting: deque[tuple[Future[Decoded], int]] = deque()
    pixels = 0
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            coming = size(item)
            while waiting and (len(waiting) >= 2 * threads or pixels + coming > at_once):
                done, gone = waiting.popleft()
                yield done.result()
                pixels -= gone
            waiting.append((pool.submit(work, item), coming))
            pixels += coming
        while waiting:
            yield waiting.popleft()[0].result()

"""Wikipedia: pictures and section texts of featured articles in ten categories (Rasiwasia et al., ACM MM 2010)."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np

from msl.data.classes import Classes
from msl.data.dataset import Card, DataSet
from msl.data.fetching.download import Remote
from msl.data.pairs import Features, Pairs, checked_features
from msl.data.wikipedia_files import CATEGORIES, CLASS_VECTORS, CLASSES, IMAGES, LABELS, TEXTS, Images, Source, Texts
from msl.data.wikipedia_folder import Folder
from msl.types import InputError, Ints

CARD = Card(
    name="wikipedia",
    title="Wikipedia featured articles: picture and section text, ten categories",
    modalities=("image", "text"),
    features=("SIFT or VGG, by data.images", "doc2vec, LDA or raw texts, by data.texts"),
    embedding="GoogleNews word2vec of the category's name",
    source="Rasiwasia et al., A new approach to cross-modal multimedia retrieval, ACM MM 2010; doi 10.1145/1873951.1873987",
    licence="texts CC BY-SA / GFDL (Wikipedia), pictures by Wikimedia Commons' own licences, features unstated",
    obtain="msl data get wikipedia brings SIFT, LDA and the texts; VGG, doc2vec and class vectors are other people's files",
    remotes=(
        Remote(
            url="http://www.svcl.ucsd.edu/projects/crossmodal/wikipedia_dataset.zip",
            file="wikipedia_dataset.zip",
            sha256=None,
            size=None,
        ),
    ),
)

_TEXT = re.compile("<text>(.*)</text>", re.DOTALL)
_EMPHASIS = re.compile("''+")


def load(*, path: str, images: Images, texts: Texts, verify: bool, name: str) -> DataSet:
    """Read the 2,866 pairs from the files at `path`, in whichever of the layouts of `msl.data.wikipedia_files` they are.

    Where the two lists are there, a pair's id is that of its text, and the raw texts and the pictures are shown if all
    of them lie in ``texts`` and ``images``.

    Args:
        path: folder of the files.
        images: which image features; `auto` takes VGG-19 if it is there, else ACMR's, else SIFT.
        texts: which text features; `raw` gives none (size 0), only the texts to make some of.
        verify: whether a file with other bytes than the published one is refused.
        name: what the data set's name begins with; the kinds of features follow.

    Raises:
        InputError: one line, for what is missing, altered, of wrong size, or at odds with another file.
    """
    folder = Folder(Path(path), verify=verify)
    image, text = _sources(folder, images, texts)
    labels = _labels(folder, image)
    listed = image.published_order and folder.holds(LABELS[0])
    sections = _sections(folder) if listed else None
    if text.kind == "raw" and sections is None:
        raise InputError(f"data.texts=raw wants {LABELS[0].files}, and {folder.path} lacks it; put it there")
    a = folder.features(image)
    b = np.empty((len(a), 0), np.float32) if text.kind == "raw" else folder.features(text)
    classes = _classes(folder)
    return DataSet(
        card=_card(name, image, text, embedded=classes.vectors.size > 0),
        pairs=Pairs(folder.ids("text") if listed else _numbered(image), Features(a), Features(b), labels),
        classes=classes,
        part=image.part,
        texts=sections,
        pictures=_pictures(folder, labels) if listed else None,
    )


def _card(name: str, image: Source, text: Source, *, embedded: bool) -> Card:
    kinds = [source.kind for source in (image, text) if source.kind != "raw"]
    return replace(
        CARD,
        name="-".join([name, *kinds]),
        features=(f"{image.said} ({image.files})", f"{text.said} ({text.files})"),
        embedding=CARD.embedding if embedded else f"none: {CLASS_VECTORS[0]} is not there",
    )


def _numbered(image: Source) -> tuple[str, ...]:
    """Ids for rows without any, different for different orders, lest a split of one be taken for the other."""
    word = "row" if image.published_order else "row of corr_ae"
    return tuple(f"{word} {number}" for number in range(len(image.part)))


def _sources(folder: Folder, images: Images, texts: Texts) -> tuple[Source, Source]:
    """Images and texts in the same order of rows; the first such pair."""
    some_images = folder.held(IMAGES, images, key="data.images")
    some_texts = folder.held(TEXTS, texts, key="data.texts")
    found = [(a, b) for a in some_images for b in some_texts if a.published_order == b.published_order]
    if not found:
        raise InputError(
            f"{folder.path}: the rows of {some_images[0].files} and of {some_texts[0].files} are in different orders; "
            "choose other data.images or data.texts"
        )
    return found[0]


def _labels(folder: Folder, image: Source) -> Ints:
    """What all files say that have labels in the images' order of rows; they must agree."""
    fitting = [source for source in LABELS if source.published_order == image.published_order]
    found = [(source, folder.labels(source)) for source in fitting if folder.holds(source)]
    if not found:
        ways = ", or ".join(source.files for source in fitting)
        raise InputError(f"there are no labels in {folder.path}: wanted {ways}; put them there")
    first, labels = found[0]
    for source, others in found[1:]:
        odd = np.flatnonzero(labels != others)
        if len(odd):
            raise InputError(
                f"{folder.path}: {first.said} of {first.files} and {source.said} of {source.files} differ in {len(odd)} rows, "
                f"row {odd[0]} the first; take both from one place, or move the wrong one away"
            )
    return labels


def _classes(folder: Folder) -> Classes:
    names = tuple(CLASSES)
    if folder.find(CATEGORIES):
        file = folder.read(CATEGORIES)
        found = tuple(file.read_text(encoding="utf-8", errors="replace").split())
        if found != names:
            raise InputError(
                f"{file} names {', '.join(found)}; wanted {', '.join(names)}: get the published file again"
            )
    file_name, key = CLASS_VECTORS
    place = folder.find(file_name)
    if place is None:
        return Classes(names, np.empty((len(names), 0), np.float32))
    vectors = checked_features(folder.array(file_name, key), what=f"{place}: {key}", rows=len(names))
    return Classes(names, vectors)


def _sections(folder: Folder) -> tuple[str, ...] | None:
    """The raw texts, in the published order; None without their folder."""
    place = folder.find("texts")
    return tuple(_section(place / f"{name}.xml") for name in folder.ids("text")) if place else None


def _section(file: Path) -> str:
    """A section's plain text, its entities resolved and its marks of emphasis gone.

    Cut out and not parsed: a third of the files are no well-formed XML, and what is not parsed expands no entities.
    """
    try:
        found = _TEXT.search(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "no UTF-8"
        raise InputError(f"{file} cannot be read ({reason}); get the published texts again") from None
    if found is None:
        raise InputError(f"{file} has no <text>...</text>; get the published texts again")
    return " ".join(_EMPHASIS.sub("", unescape(found[1])).split())


def _pictures(folder: Folder, labels: Ints) -> tuple[Path, ...] | None:
    """Where the original archive has the pictures, in the published order; None unless all are there."""
    place, names = folder.find("images"), tuple(CLASSES)
    if place is None:
        return None
    images = zip(folder.ids("image"), labels, strict=True)
    pictures = tuple(place / names[label] / f"{image}.jpg" for image, label in images)
    return pictures if all(picture.is_file() for picture in pictures) else None

"""What people call the files and arrays of a data set: the words that say what an array is, and of which rows."""

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

from msl.data.dataset import TEST, TRAIN, VALIDATION

Role: TypeAlias = Literal["features", "label", "split", "ids", "class_names", "class_vectors"]

DATABASE = 3
"""The part of rows that are only searched; taken for `TRAIN` where no other rows are."""

MODALITIES: dict[str, tuple[str, ...]] = {
    "image": ("image", "img", "im", "i", "picture", "photo", "visual", "vis", "vgg", "iall", "alexnet", "resnet", "sift", "gist"),
    "video": ("video", "vid", "c3d", "i3d"),
    "sketch": ("sketch", "drawing"),
    "audio": ("audio", "aud", "sound", "speech", "mfcc"),
    "3d": ("3d", "d3", "mesh", "pointcloud"),
    "text": (
        "text", "txt", "t", "tag", "doc2vec", "word2vec", "bow", "lda", "caption", "sentence", "sent", "bert", "word", "yall",
        "sentencecnn",
    ),
}  # fmt: skip
"""Kinds of modality and their synonyms, in the order in which two of them become modality a and b; others come before text."""
_KIND = {word: kind for kind, words in MODALITIES.items() for word in words}
PARTS = {
    **dict.fromkeys(("train", "tr", "trn", "training", "trainset"), TRAIN),
    **dict.fromkeys(("test", "te", "tst", "testing", "query", "queries", "testset"), TEST),
    **dict.fromkeys(("val", "valid", "validation", "validate"), VALIDATION),
    **dict.fromkeys(("database", "db", "retrieval", "ret", "gallery"), DATABASE),
}
_LABEL = {"label", "lab", "l", "cat", "category", "class", "target", "gnd", "lall"}
_OWN_ROLE: dict[str, Role] = {
    **dict.fromkeys(("split", "part", "partition", "subset"), "split"),
    **dict.fromkeys(("id", "ids", "key", "index", "filename", "name", "uid"), "ids"),
    **dict.fromkeys(("names", "classes", "categories", "classnames", "labelnames"), "class_names"),
}
_VECTOR = {"vector", "vec", "emb", "embedding", "attribute", "att", "attributes", "glove", "w2v", "word2vec"}
_NOISE = {
    "feature",
    "feat",
    "features",
    "feats",
    "data",
    "dataset",
    "all",
    "raw",
    "matrix",
    "array",
    "mat",
    "fea",
    "set",
    "vectors",
    "embeddings",
    "emb",
}
_JOINED = re.compile(r"3[dD](?![a-z])|[dD]ata[bB]ase")
"""Words that the cuts at digits and capitals would tear apart, as in ``te3dCat`` and ``ImgDataBase``."""
_LETTERS = {"v": "video", "a": "audio"}
"""Initials that name a modality only beside a part: ``A_tr``; alone they name anything."""
_WORD = re.compile(r"3d|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z][a-z0-9]*|[A-Z]+[0-9]*|[0-9]+")


@dataclass(frozen=True)
class Meaning:
    """What a name says: the array's `role` and `part`, None where it is silent, and the modality it belongs to.

    `hint` holds what is left of each name when all other words are gone, the nearest first; `kind` is the sort of
    modality that one of them is a word for.
    """

    role: Role | None = None
    part: int | None = None
    hint: tuple[str, ...] = ()
    kind: str | None = None


def words(name: str) -> list[str]:
    """The words of a name in lower case: ``train_img_lab`` and ``trainImgLab`` are train, img, lab."""
    return [word.lower() for word in _WORD.findall(_JOINED.sub(lambda found: f" {found[0].lower()} ", name))]


def meaning(levels: list[str]) -> Meaning:
    """What the names of an array say, the nearest first: its key, its file, the folders above.

    Of each sort the nearest word counts. An array of no other role that has a word for a modality is its features.
    """
    read = [_read(words(level)) for level in levels]
    return Meaning(
        next((each.role for each in read if each.role is not None), None),
        next((each.part for each in read if each.part is not None), None),
        tuple(word for each in read for word in each.hint),
        next((each.kind for each in read if each.kind is not None), None),
    )


def _read(found: list[str]) -> Meaning:
    part = next((PARTS[word] for word in found if word in PARTS), None)
    role, used = _role(found)
    rest = [word for word in found if word not in PARTS and word not in used and word not in _NOISE]
    kind = next((kind for word in rest if (kind := _kind(word))), None)
    if kind is None and part is not None and rest:
        kind = _LETTERS.get(rest[0])
    if role is None and kind:
        role = "features"
    return Meaning(role, part, (" ".join(rest),) if rest else (), kind)


def _role(found: list[str]) -> tuple[Role | None, set[str]]:
    """The role, and the words that said so."""
    labels = [word for word in found if _singular(word) in _LABEL]
    vectors = {word for word in found if _singular(word) in _VECTOR}
    own = [word for word in found if word in _OWN_ROLE]
    if (labels or "classes" in found) and vectors:
        return "class_vectors", {*labels, "classes", *vectors}
    if labels and {"name", "names"} & set(found):
        return "class_names", {*labels, "name", "names"}
    if own:  # before labels: "classes" and "categories" are lists of classes
        return _OWN_ROLE[own[-1]], set(own)
    if labels and (labels != ["l"] or len(found) <= _FEW):
        return "label", set(labels)
    return None, set()


_FEW = 3
"""Words of a name in which a lone "l" is a label; in a longer one it is an initial."""


def _singular(word: str) -> str:
    return word.removesuffix("s") if word not in _LABEL | {"class"} else word


def _kind(word: str) -> str | None:
    """A word is of a kind as it stands, without its plural s, or without the number of a model: vgg19."""
    plain = word if word in _KIND else word.rstrip("0123456789")
    return _KIND.get(plain) or _KIND.get(plain.removesuffix("s"))

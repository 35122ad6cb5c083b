"""The files people hold the Wikipedia data set in: the arrays each gives, their order of rows, and its checksum."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from msl.data.dataset import TEST, TRAIN, VALIDATION
from msl.types import Ints

Images: TypeAlias = Literal["auto", "vgg19", "acmr", "sift"]
Texts: TypeAlias = Literal["doc2vec", "lda", "acmr", "raw"]

CLASSES = {
    "art": 172, "biology": 360, "geography": 340, "history": 333, "literature": 267,
    "media": 236, "music": 237, "royalty": 185, "sport": 285, "warfare": 451,
}  # fmt: skip
"""Class names in label order, and how many of the 2,866 items each has: no two as many, so wrong numbering shows."""

CHECKSUMS = {
    "raw_features.mat": "ca628f765a69575e168ab29eb97f5ade12fadf47b31de1328c7ff631c7f225ae",
    "trainset_txt_img_cat.list": "30c1ba8afbe90da5986de9b12496b6dd2e4680d3876b79ab7aae2e437d5819a3",
    "testset_txt_img_cat.list": "ec3123ee31cc89dd95fbeb23eb73b2ecfd1d8909bba863723471aad99408c1eb",
    "categories.list": "4929f3ee00e9de9ffe11f9ab18fc8919b0f6182cc801309409df2f2d05e2b0f5",
    "texts.wiki.doc2vec.300.mat": "730b89a4e9dbfbcd5884b72960cf88f6df57be08e89a1b5201933dd007189c64",
    "labels.wiki.mat": "8c5d94a78bec804f0833ffc63121f1c629d16742322dc2d886058f7aba6b9634",
    "class_emb.wikipedia.Gnews-300d.mat": "27d077e1c6685decca9b30f85394d2b59fb3008ec6deb69bc827acf43c267fe5",
}
"""sha256 of the files as they are published; of the others none is known."""

_PUBLISHED = ((TRAIN, 2173), (TEST, 693))
_PARTS = {1: _PUBLISHED, 2: _PUBLISHED, 3: ((TRAIN, 2173), (VALIDATION, 231), (TEST, 462))}
"""By the number of pieces: the parts the rows belong to, in order, and how many rows each part has."""
VALIDATION_ROWS = 231


@dataclass(frozen=True)
class Source:
    """One way to hold images, texts or labels: what it is `said` to be, and its `pieces`, each a file and an array in it.

    A single piece has all 2,866 rows in the published order; two are its train and its test rows. Three are train,
    validation and test rows of a file that keeps an order of its own.
    """

    kind: str
    said: str
    pieces: tuple[tuple[str, str], ...]

    @property
    def files(self) -> str:
        """The names of the files, in words."""
        return " with ".join(dict.fromkeys(file for file, _ in self.pieces))

    @property
    def published_order(self) -> bool:
        """Whether the rows stand in the order of the two lists, in which split files count."""
        return len(self.pieces) < 3

    @property
    def rows(self) -> tuple[int, ...]:
        """How many rows each piece has."""
        rows = tuple(rows for _, rows in _PARTS[len(self.pieces)])
        return rows if len(self.pieces) > 1 else (sum(rows),)

    @property
    def part(self) -> Ints:
        """`TRAIN`, `VALIDATION` or `TEST` for each row (2866,)."""
        parts, rows = np.transpose(_PARTS[len(self.pieces)])
        return np.repeat(parts, rows)


LISTS = ("trainset_txt_img_cat.list", "testset_txt_img_cat.list")
"""Text id, image id and category of every row: the published order."""
HDF5 = "wiki_deep_doc2vec_data_corr_ae.h5py"
_TWO = ("train", "test")
_THREE = ("train", "valid", "test")
_VGG_OF_SDML = "VGG-19; the first 231 test rows are validation, as SDML and MRL take them"
_DOC2VEC = "doc2vec, its training texts unstated"
_BAG = "bag of words as in ACMR's pickles, its vocabulary unstated"
_TOPICS = "LDA topics, which texts of unseen classes may have shaped"

IMAGES = (
    Source("vgg19", "VGG-19", (("images.vgg19.mat", "images"),)),
    Source("vgg19", "VGG-19", tuple((f"wiki_{part}_img_vgg19.mat", f"{part}_img") for part in _TWO)),
    Source("vgg19", _VGG_OF_SDML, tuple((HDF5, f"{part}_imgs_deep") for part in _THREE)),
    Source("acmr", "VGG as in ACMR's pickles", tuple((f"{part}_img_feats.npy", f"{part}_img_feats") for part in _TWO)),
    Source("sift", "SIFT bag of visual words", (("raw_features.mat", "I_tr"), ("raw_features.mat", "I_te"))),
)
TEXTS = (
    Source("doc2vec", _DOC2VEC, (("texts.wiki.doc2vec.300.mat", "texts"),)),
    Source("doc2vec", _DOC2VEC, tuple((HDF5, f"{part}_text") for part in _THREE)),
    Source("acmr", _BAG, tuple((f"{part}_txt_vecs.npy", f"{part}_txt_vecs") for part in _TWO)),
    Source("lda", _TOPICS, (("raw_features.mat", "T_tr"), ("raw_features.mat", "T_te"))),
    Source("lda", _TOPICS, (("texts.wiki.lda.10.mat", "texts"),)),
    Source("raw", "none yet, to be made of the raw texts", (("texts", "*.xml"),)),
)
LABELS = (
    Source("lists", "categories", tuple((file, "category") for file in LISTS)),
    Source("labels", "labels", (("labels.wiki.mat", "labels"),)),
    Source("acmr", "labels", tuple((f"{part}_labels.npy", f"{part}_labels") for part in _TWO)),
    Source("images", "labels of the images", tuple((HDF5, f"{part}_imgs_labels") for part in _THREE)),
    Source("texts", "labels of the texts", tuple((HDF5, f"{part}_texts_labels") for part in _THREE)),
)
"""The most trusted first; those that are there must agree."""
CATEGORIES = "categories.list"
CLASS_VECTORS = ("class_emb.wikipedia.Gnews-300d.mat", "class_emb")

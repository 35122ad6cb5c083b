"""Unicode's emoji: glyphs, names with keywords, subgroups as classes. The embedded data set, no download needed."""

from msl.data.dataset import Card, DataSet
from msl.data.formats import read_dataset
from msl.files import embedded

CARD = Card(
    name="emoji",
    title="Unicode emoji: glyph, name and keywords, subgroup",
    modalities=("image", "text"),
    features=("HOG and CIELAB colour layout of the glyph", "idf-weighted mean of WordNet word vectors"),
    embedding="WordNet word vectors of the subgroup's name",
    source="Noto Color Emoji (glyphs), Unicode emoji-test.txt (subgroups), CLDR English annotations (texts)",
    licence="OFL 1.1 (glyphs), Unicode licence (names, keywords, subgroups); see data/README.md",
    obtain="ships with msl; rebuild it with python data/build.py",
)


def load() -> DataSet:
    """The embedded emoji: their fixed train and test part never share variants of one emoji."""
    return read_dataset(embedded("emoji"), CARD)

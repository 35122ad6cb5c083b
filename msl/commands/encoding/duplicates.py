"""Items that are the same, by their pictures' pixels or by a text, and a split that never parts them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from msl.data.dataset import TEST
from msl.types import Ints


@dataclass(frozen=True)
class Same:
    """Items, by position, that share a picture or the text `what`."""

    kind: str
    what: str
    items: tuple[int, ...]


def duplicates(pictures: Sequence[str], texts: Sequence[Iterable[str]]) -> list[Same]:
    """What several items share: the digest of the picture, or a text but for spaces at its ends and between words."""
    holders: dict[tuple[str, str], list[int]] = defaultdict(list)
    for item, (picture, said) in enumerate(zip(pictures, texts, strict=True)):
        holders["picture", picture].append(item)
        for text in dict.fromkeys(" ".join(each.split()) for each in said):
            holders["text", text].append(item)
    return [Same(*key, tuple(items)) for key, items in holders.items() if len(items) > 1]


def groups(count: int, same: Sequence[Same]) -> Ints:
    """The number of each item's group (count,): items that share something, directly or through others, are one group."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = [(each.items[0], other) for each in same for other in each.items[1:]]
    first, other = np.array(ends, np.int64).reshape(-1, 2).T
    links = coo_array((np.ones(len(ends)), (first, other)), shape=(count, count))
    numbers: Ints = connected_components(links, directed=False)[1]
    return numbers


def grouped(same: Sequence[Same], classes: Sequence[str], *, share: float) -> Ints:
    """The number of each item's group (n,): equal pictures are in one, and equal texts unless the group gets too large.

    That is, larger than the test items there may be of a class of its own: if all pictures of a class are "a photo of a
    cat", none could be a test item.
    """
    count = len(classes)
    alone = groups(count, [each for each in same if each.kind == "picture"])
    joined = groups(count, same)
    sizes = Counter(classes)
    fewest = np.full(count, count)
    np.minimum.at(fewest, joined, [round(share * sizes[name]) for name in classes])
    large = np.bincount(joined, minlength=count) > fewest
    found: Ints = np.unique(np.where(large[joined], count + alone, joined), return_inverse=True)[1]
    return found


def drawn(group: Ints, classes: Sequence[str], *, share: float, seed: int) -> Ints:
    """A part for each item (n,): of each class whole groups, drawn by `seed`, are test items, up to `share` of it.

    A group belongs to the class of its first item.
    """
    _, first, sizes = np.unique(group, return_index=True, return_counts=True)
    members: dict[str, list[int]] = defaultdict(list)
    for number in np.random.default_rng(seed).permutation(len(first)):
        members[classes[first[number]]].append(number)
    tested = np.zeros(len(first), dtype=bool)
    for numbers in members.values():
        room = round(share * sum(sizes[numbers]))
        for number in numbers:
            if sizes[number] <= room:
                tested[number] = True
                room -= sizes[number]
    return np.where(tested[group], TEST, 0)


def straddling(same: Sequence[Same], part: Ints) -> int:
    """How many things are shared by items of different parts."""
    return sum(len({int(part[item]) for item in each.items}) > 1 for each in same)

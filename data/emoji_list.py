"""Which emoji, what they are called, which are variants of one thing, and which side of the split they lie on."""

import hashlib
import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from msl.encode.words import tokens

SMALLEST_CLASS = 8
LEFT_OUT = {"country-flag"}  # 258 rectangles that differ in a few stripes, named after countries: no test of meaning
RENAMED = {"alphanum": "alphanumeric"}  # a name no dictionary has
_LINE = re.compile(r"(?P<points>[0-9A-F ]+?) *; fully-qualified +# \S+ E[0-9.]+ (?P<name>.+)")
_VARIATION_SELECTOR = "\ufe0f"
_VARIED = {  # words in which the names of variants differ: sides, sizes, genders, hair
    *("left", "right", "up", "down", "leftwards", "rightwards", "upwards", "downwards", "facing", "pointing"),
    *("pointed", "oncoming", "clockwise", "counterclockwise", "large", "medium", "small"),
    *("man", "woman", "person", "men", "women", "people", "and", "mrs", "mx", "santa"),
    *("hair", "bald", "beard", "blond"),
}
_HAIR = {"hair", "bald", "beard"}
_PERSONS = {"man", "woman", "person"}
_SAME = {"boy": "child", "girl": "child", "older": "old", "merman": "merperson", "mermaid": "merperson"}
_SAME |= {"princess": "prince"}


@dataclass(frozen=True)
class Emoji:
    """One emoji: hexadecimal code points joined by dashes, its class and its name in CLDR."""

    id: str
    label: str
    text: str
    variant: str

    @property
    def points(self) -> tuple[int, ...]:
        """Its code points."""
        return tuple(int(point, 16) for point in self.id.split("-"))


def read(test: Path, annotations: list[Path]) -> list[Emoji]:
    """Emoji of every class with at least `SMALLEST_CLASS`, in the order of Unicode's chart, no skin tones."""
    names, keywords = _annotations(annotations)
    members: dict[str, list[Emoji]] = defaultdict(list)
    for label, points, spare in _chart(test):
        key = "".join(chr(int(point, 16)) for point in points).replace(_VARIATION_SELECTOR, "")
        name = names.get(key, spare)
        members[label].append(Emoji("-".join(points).lower(), label, text(name, keywords.get(key, [])), variant(name)))
    return [emoji for found in members.values() if len(found) >= SMALLEST_CLASS for emoji in found]


def _chart(test: Path) -> list[tuple[str, list[str], str]]:
    """(class, code points, name) of every fully qualified emoji without a skin tone."""
    found, label = [], ""
    for line in test.read_text(encoding="utf-8").splitlines():
        if line.startswith("# subgroup: "):
            label = line.removeprefix("# subgroup: ").strip()
        match = _LINE.match(line)
        if match and "skin tone" not in match["name"] and label not in LEFT_OUT:
            found.append((RENAMED.get(label, label), match["points"].split(), match["name"]))
    return found


def _annotations(paths: list[Path]) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Emoji -> its name, and emoji -> its keywords."""
    names, keywords = {}, {}
    for path in paths:
        for entry in ElementTree.parse(path).iter("annotation"):
            if entry.get("type") == "tts":
                names[entry.get("cp")] = entry.text
            else:
                keywords[entry.get("cp")] = entry.text.split(" | ")
    return names, keywords


def text(name: str, keywords: list[str]) -> str:
    """Name and keywords, as in "parrot: bird, talk": the name, then the keywords that are not the name again."""
    others = [word for word in keywords if word.casefold() != name.casefold()]
    return f"{name}: {', '.join(others)}" if others else name


def variant(name: str) -> str:
    """What stays of a name without side, size, gender and hair: equal for variants of one thing."""
    head, _, rest = name.partition(": ")
    words = [_SAME.get(word, word) for word in tokens(head if _HAIR & set(tokens(rest)) else name)]
    if words[0] in ("family", "kiss", "couple"):
        return words[0]
    kept = [word for word in words if word not in _VARIED]
    return " ".join(kept) or ("person" if _PERSONS & set(words) else name)


def groups(emoji: list[Emoji], pictures: list[bytes]) -> list[int]:
    """Number of each one's group: variants of one thing in a class, or equal texts or pictures, share it."""
    number = list(range(len(emoji)))
    first: dict[object, int] = {}
    for place, (one, picture) in enumerate(zip(emoji, pictures, strict=True)):
        for key in ((one.label, one.variant), one.text, picture):
            earlier = number[first.setdefault(key, place)]
            number = [min(earlier, number[place]) if n in (earlier, number[place]) else n for n in number]
    order = {old: new for new, old in enumerate(sorted(set(number)))}
    return [order[n] for n in number]


def split(emoji: list[Emoji], group: list[int]) -> list[str]:
    """Side of each, "train" or "test": of every class, whole groups go to test by their hashes, up to a fifth."""
    side = {}
    members: dict[int, list[Emoji]] = defaultdict(list)
    for one, number in zip(emoji, group, strict=True):
        members[number].append(one)
    for label in dict.fromkeys(one.label for one in emoji):
        inside = [number for number in members if members[number][0].label == label]
        room = round(sum(len(members[number]) for number in inside) / 5)
        for number in sorted(inside, key=lambda number: _hash(members[number])):
            tested = len(members[number]) <= room
            side[number] = "test" if tested else "train"
            room -= len(members[number]) * tested
    return [side[number] for number in group]


def _hash(members: list[Emoji]) -> str:
    return hashlib.sha256(" ".join(sorted(one.id for one in members)).encode()).hexdigest()

"""WordNet's database files, as wndb(5WN) describes them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_FILES = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}


@dataclass(frozen=True)
class Synset:
    """A meaning: its words, how common the meaning is among those of each word (1 = commonest), links and gloss."""

    key: tuple[str, str]
    lemmas: tuple[str, ...]
    ranks: tuple[int, ...]
    links: tuple[tuple[str, tuple[str, str]], ...]
    definition: str
    examples: str


@dataclass(frozen=True)
class Wordnet:
    """All synsets, in the files' order, the irregular inflections, and the nouns in the texts its makers tagged."""

    synsets: list[Synset]
    exceptions: dict[str, str]
    attested: frozenset[str] = frozenset()

    @cached_property
    def places(self) -> dict[tuple[str, str], int]:
        """Place of each synset by its key."""
        return {synset.key: place for place, synset in enumerate(self.synsets)}

    def pointers(self) -> Iterator[tuple[int, str, int]]:
        """(from, kind, to) of every pointer; one between two words counts as one between their synsets."""
        for place, synset in enumerate(self.synsets):
            for kind, target in synset.links:
                yield place, kind, self.places[target]


def read(folder: Path) -> Wordnet:
    """Read the whole database.

    Raises:
        FileNotFoundError: the folder lacks one of its files.
    """
    synsets = [synset for name, pos in _FILES.items() for synset in _synsets(folder, name, pos)]
    exceptions = {"does": "do", "soles": "sole"}  # else "doe", since WordNet's lists lack it, and the sun's "sol"
    for name in _FILES:
        for line in _lines(folder / f"{name}.exc"):
            form, lemma = line.split()[:2]
            exceptions.setdefault(form, lemma)
    return Wordnet(synsets, exceptions, _attested(folder))


def _attested(folder: Path) -> frozenset[str]:
    """Nouns that occur in the texts WordNet's makers tagged with meanings: the common ones."""
    entries = (line.split() for line in _lines(folder / "index.noun"))
    return frozenset(fields[0] for fields in entries if int(fields[-int(fields[2]) - 1]))


def _lines(path: Path) -> list[str]:
    """Lines without the licence at the head, which is indented."""
    return [line for line in path.read_text(encoding="ascii").splitlines() if not line.startswith("  ")]


def _ranks(folder: Path, name: str) -> dict[tuple[str, str], int]:
    """(lemma, offset) -> 1 for the lemma's commonest sense, and so on: the order of the index file."""
    ranks = {}
    for line in _lines(folder / f"index.{name}"):
        fields = line.split()
        offsets = fields[-int(fields[2]) :]
        ranks.update({(fields[0], offset): rank for rank, offset in enumerate(offsets, 1)})
    return ranks


def _synsets(folder: Path, name: str, pos: str) -> Iterator[Synset]:
    ranks = _ranks(folder, name)
    for line in _lines(folder / f"data.{name}"):
        data, gloss = line.split("|", 1)
        yield _synset(data.split(), gloss, pos, ranks)


def _synset(fields: list[str], gloss: str, pos: str, ranks: dict[tuple[str, str], int]) -> Synset:
    offset, count = fields[0], int(fields[3], 16)
    names = [field.split("(")[0] for field in fields[4 : 4 + 2 * count : 2]]  # "galore(ip)": a syntactic marker
    first = 5 + 2 * count
    pointers = [fields[at : at + 3] for at in range(first, first + 4 * int(fields[first - 1]), 4)]
    definition, _, examples = gloss.partition('"')
    return Synset(
        key=(pos, offset),
        lemmas=tuple(names),
        ranks=tuple(ranks.get((name.lower(), offset), 1) for name in names),
        links=tuple((kind, (target_pos, target)) for kind, target, target_pos in pointers),
        definition=definition,
        examples=examples,
    )

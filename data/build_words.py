"""Word vectors from WordNet: weighted co-occurrence -> positive PMI -> truncated SVD.

Positive PMI, context distribution smoothing (0.75) and singular values to the power 1/2 follow Levy, Goldberg and
Dagan, "Improving distributional similarity with lessons learned from word embeddings", TACL 3, 2015. Nothing here
sees an emoji: the data set these vectors are measured on has no part in making them.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import svds
from stable import array_bytes
from wordnet import Synset, Wordnet, read

from msl.encode.words import lemmas, tokens
from msl.files import write_bytes, write_text

SIZE, DIMENSIONS = 28_000, 120
SMOOTHING = 0.75
COMMON = 1_500
"""A compound none of the tagged texts holds has a place among the hypernyms if its words are this frequent."""
SYNONYM, SISTERS, DEFINITION, PARENT_DEFINITION, EXAMPLES, TOGETHER = 4.0, 12.0, 6.0, 1.0, 1.0, 0.5
"""What weighs: a synonym; all sisters together (a family of four hundred must not drown the rest); all words of the
own gloss's definition together, of the hypernym's, of the usage examples; two words of one gloss."""
RELATIONS = {
    **dict.fromkeys(("@", "~"), 2.0),  # hypernyms and hyponyms
    **dict.fromkeys(("@i", "~i"), 0.4),  # instances: many are people's names, which tell little about the word
    **dict.fromkeys(("#m", "#s", "#p", "%m", "%s", "%p"), 1.4),  # wholes and parts
    **dict.fromkeys(("&", "$", "+", "\\", "<"), 2.0),  # similar adjectives, verb groups, derivations, pertainyms
    **dict.fromkeys(("^", "=", "*", ">"), 1.0),  # see also, attributes, entailments, causes
    **dict.fromkeys((";c", "-c", "!"), 0.6),  # topics; opposites, which share their company too
}
UPWARD = ("@", "@i", "&", "\\", "+", "<")  # where to look for a rare word's stand-in


class Lemmatiser:
    """Inflected form -> lemma, as WordNet's own rules have it: a lemma stays, then exceptions, then endings."""

    def __init__(self, wordnet: Wordnet) -> None:
        self.known = {part for synset in wordnet.synsets for lemma in synset.lemmas for part in tokens(lemma)}
        self.exceptions = wordnet.exceptions

    def __call__(self, word: str) -> str:
        """The lemma, or the word itself when no rule leads to a known one."""
        if word in self.known:
            return word
        forms = (self.exceptions.get(word, word), *lemmas(word))
        return next((form for form in forms if form in self.known), word)


def bags(texts: Iterable[str], lemma: Lemmatiser) -> list[list[str]]:
    """Lemmas of each text."""
    return [[lemma(word) for word in tokens(text)] for text in texts]


def described(synset: Synset) -> str:
    """The definition, and the synset's compounds: "bass guitar" tells about both words but is a synonym of neither."""
    return " ".join([synset.definition, *(name for name in synset.lemmas if tokens(name) != [name.lower()])])


def vocabulary(wordnet: Wordnet, glosses: list[list[str]]) -> list[str]:
    """The SIZE most frequent words of glosses and lemmas; of equally frequent ones, common nouns and the like first."""
    counts = Counter(word for gloss in glosses for word in gloss)
    names = [name for synset in wordnet.synsets for name in synset.lemmas]
    counts.update(part for name in names for part in tokens(name))
    common = {name for name in names if name.islower()}
    return sorted(counts, key=lambda word: (-counts[word], word not in common, word))[:SIZE]


def rarity(glosses: list[list[str]], words: list[str]) -> np.ndarray:
    """(V,) float32, idf = log((1 + glosses) / (1 + glosses with the word)), never 0 or infinite."""
    having = Counter(word for gloss in glosses for word in set(gloss))
    return np.log([(1 + len(glosses)) / (1 + having[word]) for word in words]).astype(np.float32)


def counts_matrix(documents: list[list[str]], rows: dict[str, int]) -> sp.csr_array:
    """Documents x words: how often each word occurs."""
    cells = [(i, rows[word]) for i, document in enumerate(documents) for word in document if word in rows]
    at = np.array(cells, dtype=np.int64).reshape(-1, 2).T
    return sp.csr_array((np.ones(len(cells)), (at[0], at[1])), shape=(len(documents), len(rows)))


def lemma_matrix(synsets: list[Synset], rows: dict[str, int]) -> sp.csr_array:
    """Synsets x words: how far a single word stands for the synset; a rarer sense of it does so less."""
    cells = [
        (i, rows[name.lower()], 1 / rank)
        for i, synset in enumerate(synsets)
        for name, rank in zip(synset.lemmas, synset.ranks, strict=True)
        if name.lower() in rows
    ]
    i, j, weight = (np.array(column) for column in zip(*cells, strict=True))
    return sp.csr_array((weight, (i, j)), shape=(len(synsets), len(rows)))


def relation_matrix(wordnet: Wordnet, weights: dict[str, float]) -> sp.csr_array:
    """Synsets x synsets: the weight of the pointer from one to the other."""
    cells = [(i, j, weights[kind]) for i, kind, j in wordnet.pointers() if kind in weights]
    i, j, weight = (np.array(column) for column in zip(*cells, strict=True))
    return sp.csr_array((weight, (i, j)), shape=(len(wordnet.synsets),) * 2)


def shares(matrix: sp.csr_array) -> sp.csr_array:
    """Rows scaled to sum one; empty ones stay empty."""
    totals = matrix.sum(axis=1)
    return sp.diags_array(1 / np.where(totals > 0, totals, 1)) @ matrix


def cooccurrence(wordnet: Wordnet, rows: dict[str, int], lemma: Lemmatiser) -> sp.csr_array:
    """Words x words, symmetric, empty diagonal: how much two words keep company in WordNet."""
    names = lemma_matrix(wordnet.synsets, rows)
    definitions = counts_matrix(bags(map(described, wordnet.synsets), lemma), rows)
    examples = counts_matrix(bags((synset.examples for synset in wordnet.synsets), lemma), rows)
    parents = relation_matrix(wordnet, {"@": 1.0})
    up, down = shares(parents), shares(parents.T.tocsr())
    synsets = SYNONYM * sp.eye_array(len(wordnet.synsets)) + relation_matrix(wordnet, RELATIONS) + SISTERS * (up @ down)
    gloss = shares(definitions)
    texts = DEFINITION * gloss + PARENT_DEFINITION * (up @ gloss) + EXAMPLES * shares(examples)
    half = names.T @ (synsets @ names) + names.T @ texts + TOGETHER * (definitions.T @ gloss)
    both = half + half.T
    return (both - sp.diags_array(both.diagonal())).tocsr()


def positive_pmi(company: sp.csr_array) -> sp.csr_array:
    """max(0, log p(i, j) / (p(i) p(j)^0.75 / sum_j p(j)^0.75)): company beyond what two words' frequencies explain."""
    totals = company.sum(axis=1)
    smooth = totals**SMOOTHING / (totals**SMOOTHING).sum()
    cells = company.tocoo()
    i, j = cells.coords
    positive = cells.data > 0  # the diagonal was taken away and is zero
    i, j = i[positive], j[positive]
    values = np.log(cells.data[positive] / (totals[i] * smooth[j]))
    kept = values > 0
    return sp.csr_array((values[kept], (i[kept], j[kept])), shape=company.shape)


def reduce(matrix: sp.csr_array) -> np.ndarray:
    """(V, DIMENSIONS), rows of unit length: U S^1/2 of the truncated SVD.

    The start vector and each column's sign (largest entry positive) are pinned, so that the same input gives the
    same output; arithmetic is float64 to convergence, so that float16 hides what rounding differs between machines.
    """
    start = np.ones(matrix.shape[0]) / np.sqrt(matrix.shape[0])
    left, strengths, _ = svds(matrix, k=DIMENSIONS, v0=start, tol=0, solver="arpack")
    order = np.argsort(-strengths, kind="stable")
    left, strengths = left[:, order], strengths[order]
    left = left * np.sign(left[np.abs(left).argmax(axis=0), np.arange(DIMENSIONS)])
    vectors = left * np.sqrt(strengths)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def inflections(exceptions: dict[str, str], rows: dict[str, int]) -> dict[str, str]:
    """Form -> word of the inflections no rule of the encoder undoes: geese -> goose."""
    wanted = {form: word for form, word in exceptions.items() if form not in rows and word in rows}
    found = {form: next((simple for simple in lemmas(form) if simple in rows), None) for form in wanted}
    return {form: word for form, word in wanted.items() if found[form] != word and tokens(form) == [form]}


def stand_in(wordnet: Wordnet, place: int, rows: dict[str, int]) -> str | None:
    """A word of the vocabulary for a meaning: a synonym, else one of the nearest meaning above (or beside) it."""
    level, seen = [place], {place}
    while level:
        names = [name.lower() for at in level for name in wordnet.synsets[at].lemmas]
        known = next((name for name in names if name in rows), None)
        if known is not None:
            return known
        links = [(kind, wordnet.places[key]) for at in level for kind, key in wordnet.synsets[at].links]
        level = list(dict.fromkeys(to for kind, to in links if kind in UPWARD and to not in seen))
        seen.update(level)
    return None


def rare(wordnet: Wordnet, rows: dict[str, int]) -> dict[str, str]:
    """Rare word -> the word that stands for its commonest meaning: donut -> doughnut, kimono -> robe."""
    places = {
        name: place
        for place, synset in reversed(list(enumerate(wordnet.synsets)))  # the first, a noun's, wins
        for name, rank in zip(synset.lemmas, synset.ranks, strict=True)
        if rank == 1 and name.islower() and name not in rows and tokens(name) == [name]
    }
    found = {name: stand_in(wordnet, place, rows) for name, place in places.items()}
    return {name: word for name, word in found.items() if word is not None}


class Kinds:
    """WordNet's nouns as a graph of kinds, whose nodes are meanings."""

    def __init__(self, wordnet: Wordnet) -> None:
        self.wordnet = wordnet
        self.senses = {
            (name.lower(), synset.key[0], rank): place
            for place, synset in enumerate(wordnet.synsets)
            for name, rank in zip(synset.lemmas, synset.ranks, strict=True)
        }

    def meaning(self, word: str) -> int | None:
        """The commonest meaning of a word as a noun; of another word, the nearest noun above or beside it.

        An irregular form ("media", "children") has the meaning of its lemma, unless it has one of its own.
        """
        lemma = self.wordnet.exceptions.get(word, word)
        places = [
            self.senses[key] for name in (word, lemma) for pos in "nvar" if (key := (name, pos, 1)) in self.senses
        ]
        return next((noun for place in places if (noun := self._noun(place)) is not None), None)

    def _noun(self, place: int) -> int | None:
        level, seen = [place], {place}
        while level:
            noun = next((at for at in level if self.wordnet.synsets[at].key[0] == "n"), None)
            if noun is not None:
                return noun
            level = [to for to in dict.fromkeys(self._linked(level, UPWARD)) if to not in seen]
            seen.update(level)
        return None

    def above(self, place: int) -> list[int]:
        """What a meaning is a kind, or an instance, of."""
        return self._linked([place], ("@", "@i"))

    def _linked(self, level: list[int], kinds: tuple[str, ...]) -> list[int]:
        links = [link for at in level for link in self.wordnet.synsets[at].links]
        return [self.wordnet.places[key] for kind, key in links if kind in kinds]

    def name(self, place: int) -> str:
        """The word of which this is the commonest meaning, as a noun; else "table.2", a word's second meaning."""
        synset = self.wordnet.synsets[place]
        rank, _, name = min(
            (rank, at, name) for at, (name, rank) in enumerate(zip(synset.lemmas, synset.ranks, strict=True))
        )
        return name.lower() if rank == 1 else f"{name.lower()}.{rank}"


def phrases(wordnet: Wordnet, words: list[str]) -> list[str]:
    """Compounds, such as "dining_table", that are common or made of common words."""
    frequent = set(words[:COMMON])
    names = {name for synset in wordnet.synsets for name in synset.lemmas if synset.key[0] == "n" and name.islower()}
    compounds = (name for name in names if tokens(name) != [name])
    return sorted(name for name in compounds if name in wordnet.attested or frequent.issuperset(tokens(name)))


def hypernyms(wordnet: Wordnet, words: list[str]) -> dict[str, set[str]]:
    """Parent -> children, from the words' meanings up to the root; a word that names no meaning is a child of its own."""
    kinds = Kinds(wordnet)
    meanings = {word: kinds.meaning(word) for word in [*words, *phrases(wordnet, words)]}
    families: dict[str, set[str]] = {}
    waiting = sorted({place for place in meanings.values() if place is not None})
    seen = set(waiting)
    while waiting:
        place = waiting.pop()
        for parent in kinds.above(place):
            families.setdefault(kinds.name(parent), set()).add(kinds.name(place))
        fresh = [parent for parent in kinds.above(place) if parent not in seen]
        seen.update(fresh)
        waiting += fresh
    for word, place in meanings.items():
        if place is not None and kinds.name(place) != word:
            families.setdefault(kinds.name(place), set()).add(word)
    return families


def lines(words: Iterable[str]) -> str:
    """One a line."""
    return "".join(f"{word}\n" for word in words)


def build(source: Path, folder: Path) -> None:
    """Write words.txt, aliases.txt, hypernyms.txt, idf.npy and vectors.npy."""
    wordnet = read(source)
    lemma = Lemmatiser(wordnet)
    glosses = bags((f"{synset.definition} {synset.examples}" for synset in wordnet.synsets), lemma)
    words = vocabulary(wordnet, glosses)
    rows = {word: row for row, word in enumerate(words)}
    vectors = reduce(positive_pmi(cooccurrence(wordnet, rows, lemma)))
    aliases = rare(wordnet, rows) | inflections(wordnet.exceptions, rows)
    write_text(folder / "words.txt", lines(words))
    write_text(folder / "aliases.txt", lines(f"{form} {word}" for form, word in sorted(aliases.items())))
    families = sorted(hypernyms(wordnet, words).items())
    write_text(folder / "hypernyms.txt", lines(" ".join([parent, *sorted(names)]) for parent, names in families))
    write_bytes(folder / "idf.npy", array_bytes(rarity(glosses, words)))
    write_bytes(folder / "vectors.npy", array_bytes(vectors.astype(np.float16)))

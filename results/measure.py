"""Measure the numbers of the README and of the pages in this folder again.

`python results/measure.py` fills `ledger.jsonl` (rows that are there already are replaced) and writes the pages and the
README's result from it; `python results/measure.py STUDY ...` measures those studies only, `render` none. Emoji need
nothing else; the other data sets are read from $MSL_DATA, and left out with a word where they are not there.
"""

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from msl.cli import main
from msl.evaluation.ledger import Summary, read_rows, summarise
from msl.files import data_home, write_text
from msl.report.table import interval, markdown, protocols_markdown

HERE = Path(__file__).parent
LEDGER, VIEWS, README = HERE / "ledger.jsonl", HERE / "protocols.json", HERE.parent / "README.md"
SHARED = (f"ledger={LEDGER}", "evaluation.metrics=[map]", "report.queries=0", "logger=none", "progress=false")
TERMS = ("correlation", "reconstruction", "adversarial", "discriminative")
TEN = "split.seed=" + ",".join(map(str, range(10)))
SEVEN = "split.seed=" + ",".join(map(str, range(7)))
FIVE = "seed=0,1,2,3,4"
WIKIPEDIA = {
    "doc2vec": ["data=wikipedia", "data.texts=doc2vec"],
    "lda": ["data=wikipedia", "data.texts=lda"],
    "words": ["data=wikipedia", "data.texts=raw", "texts=words"],
}
STUDIES: Mapping[str, list[list[str]]] = {
    "emoji": [
        [TEN],
        *([TEN, f"experiment=without_{term}"] for term in TERMS),
        [TEN, "method=cca"],
    ],
    "fashion": [["data=fashion", TEN], ["data=fashion", TEN, "method=cca"]],
    "exercises": [["data=exercises", TEN], ["data=exercises", TEN, "method=cca"]],
    "wikipedia": [
        [*texts, *protocol, *method]
        for texts in WIKIPEDIA.values()
        for protocol in (["protocol=files", SEVEN], ["protocol=standard"])
        for method in ([FIVE], ["method=cca"])
    ],
}
HEADS = {
    "fashion": "Fashion: ten class splits, half of the 30 product types unseen",
    "exercises": "Exercises: ten class splits, half of the 15 muscles unseen",
    "wikipedia": "Wikipedia: seven published class splits, and the standard one",
}
SHOWN = {
    "emoji": "emoji",
    "fashion": "fashion",
    "exercises": "exercises",
    "Wikipedia, SIFT and doc2vec, DADN's protocol": "wikipedia-sift-doc2vec",
}
NOTES = {
    "fashion": "Texts are product names, most of which hold the class's word. MASLN's settings are those searched on the emoji.",
    "exercises": "The muscle is hardly visible in the pictures. MASLN's settings are those searched on the emoji.",
    "wikipedia": "Images are SIFT histograms: a like-for-like comparison of methods, not comparable with published tables, whose "
    "images are VGG-19. `from_file`: the seven split files of DADN's authors in DADN's way, MASLN with seeds 0 to 4; `standard`: "
    "2,173 / 693. The LDA may have been fitted to texts of unseen classes; `words` are features of the raw texts whose weights "
    "come from the seen training texts alone. MASLN's settings are those searched on the emoji; linear CCA's ridge and exponent "
    "are chosen per split.",
}
HOW = (
    "Generated from `ledger.jsonl` by `make results`. mAP over the full ranking; ± is the half-width of the 95 % t-interval "
    "over class splits, seeds averaged within a split (a single class split has none); differences are of the mean of both "
    "directions, paired by split."
)


def measure(names: list[str]) -> int:
    """Run every sweep of some studies; the exit status of the first that fails."""
    for name in names:
        if name != "emoji" and not (data_home() / name).is_dir():
            print(f"{name} is left out: {data_home() / name} is not there (MSL_DATA names the folder above it)")
            continue
        for sweep in STUDIES[name]:
            status = main(["train", *(["-m"] if any("," in text for text in sweep) else []), *SHARED, *sweep])
            if status:
                return status
        if name == "wikipedia" and (status := views()):
            return status
    return 0


def views() -> int:
    """The codes of one run of MASLN on Wikipedia, scored under every protocol."""
    with tempfile.TemporaryDirectory() as folder:
        run = ["protocol=files", "split.seed=6", *WIKIPEDIA["doc2vec"], *SHARED[1:], f"hydra.run.dir={folder}/run"]
        return main(["train", *run]) or main(["evaluate", f"run={folder}/run", "protocols=true", f"out={VIEWS}"])


def pages() -> dict[Path, str]:
    """Every page of this folder, from the ledger alone."""
    rows = read_rows(LEDGER)
    known = {row["data"].partition("-")[0] for row in rows}
    found = {HERE / "emoji.md": emoji([row for row in rows if row["data"] == "emoji"])}
    for name, head in HEADS.items():
        if name in known:
            part = [row for row in rows if row["data"].partition("-")[0] == name]
            found[HERE / f"{name}.md"] = "\n\n".join([f"# {head}", HOW, NOTES[name], table(part, "cca")])
    if VIEWS.is_file():
        found[HERE / "protocols.md"] = protocols()
    return found


def emoji(rows: list[dict[str, object]]) -> str:
    """The page of the embedded data: MASLN beside CCA, and the ablation."""
    ablation = [row for row in rows if row["regime"] == "unseen" and row["method"] != "cca"]
    return "\n\n".join(
        [
            "# Emoji: ten class splits, half of the 68 classes unseen",
            HOW,
            "## MASLN and linear CCA",
            table([row for row in rows if row["method"] in ("masln", "cca")], "cca"),
            "## Ablation: MASLN without one term of its objective",
            table(ablation, "masln"),
        ]
    )


def protocols() -> str:
    """The page on what the protocol alone does to a number."""
    rows = read_rows(VIEWS)
    return "\n\n".join(
        [
            "# The same codes under every protocol",
            f"One run of {rows[0]['method']} on {rows[0]['data']} (published class split file {rows[0]['split_seed']}), its "
            "codes scored in every way of [docs/protocols.md](../docs/protocols.md). Mean of both directions. Generated from "
            "`protocols.json` by `make results`.",
            protocols_markdown(rows),
        ]
    )


def headline() -> str:
    """The README's result, from the ledger alone."""
    rows = read_rows(LEDGER)
    lines = [f"- {_said(name, data, ours, cca)}" for name, data in SHOWN.items() for ours, cca in _unseen(rows, data)]
    return (
        "**mAP on unseen classes**, full ranking, mean of both directions, with 95 % t-intervals over class splits, beside "
        "linear CCA, whose ridge and exponent are chosen per split on the same held-out classes:\n\n"
        + "\n".join(lines)
        + "\n\nThe ablation of each term stands in [results/emoji.md](results/emoji.md): on the emoji reconstruction and the "
        "classifier help; the adversary and the correlation loss change nothing that ten class splits could tell."
    )


def _unseen(rows: list[dict[str, object]], data: str) -> Iterator[tuple[Summary, Summary]]:
    own = [row for row in rows if row["data"] == data and row["regime"] == "unseen"]
    if own:
        found = {each.method: each for each in summarise(own, metric="map", direction="mean", reference="cca")}
        yield found["masln"], found["cca"]


def _said(name: str, data: str, ours: Summary, cca: Summary) -> str:
    page = data.partition("-")[0]
    return (
        f"[{name}](results/{page}.md), {ours.value.n} class splits: **{interval(ours.value)}**, "
        f"{ours.value.mean / ours.chance:.1f} x chance ({ours.chance:.3f}); CCA {interval(cca.value)}, paired difference "
        f"{interval(ours.difference, sign=True)}"
    )


def with_headline(readme: str) -> str:
    """The README with its result written anew."""
    return re.sub(
        r"(<!-- result:[^\n]*-->\n).*?(<!-- /result -->)", rf"\g<1>{headline()}\n\g<2>", readme, flags=re.DOTALL
    )


def table(rows: list[dict[str, object]], reference: str) -> str:
    """Both directions and their mean, a line per data set, protocol, regime and method."""
    names = [name for name in dict.fromkeys(str(row["direction"]) for row in rows) if name != "mean"]
    found, *each = (
        summarise(rows, metric="map", direction=direction, reference=reference) for direction in ("mean", *names)
    )
    lines = markdown(found, reference=reference, directions=dict(zip(names, each, strict=True)))
    protocols = {summary.protocol for summary in found}  # one for all lines has no column
    return f"Protocol: {protocols.pop()}.\n\n{lines}" if len(protocols) == 1 else lines


if __name__ == "__main__":
    chosen = sys.argv[1:] or list(STUDIES)
    status = 0 if chosen == ["render"] else measure(chosen)
    if status == 0:
        for page, text in pages().items():
            write_text(page, text)
        write_text(README, with_headline(README.read_text(encoding="utf-8")))
    sys.exit(status)

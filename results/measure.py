"""Measure the numbers of the README and of the pages in this folder again.

`python results/measure.py` runs `msl reproduce` for every experiment of `conf/experiment`, with `ledger.jsonl` (what is
there already is not run again), then writes the pages and the README's result from it; `python results/measure.py NAME ...`
runs those only, `render` none. Emoji need nothing else; the other data sets are read from $MSL_DATA, and left out with a
word where they are not there.
"""

import re
import sys
import tempfile
from pathlib import Path

from msl.cli import main
from msl.commands.reproduce import Reproduction
from msl.commands.reproducing.render import studied
from msl.config import composed, resolved, validated
from msl.evaluation.ledger import read_rows
from msl.files import embedded, write_text
from msl.report.study.pages import conclusions, highest, markdown_page
from msl.report.study.study import Study
from msl.report.table import interval, markdown_lines, protocols_markdown
from msl.types import InputError

HERE = Path(__file__).parent
LEDGER, VIEWS, README = HERE / "ledger.jsonl", HERE / "protocols.json", HERE.parent / "README.md"
EXPERIMENTS = tuple(sorted(file.stem for file in (embedded("conf") / "experiment").glob("*.yaml")))
SHOWN = {
    "emoji": "emoji_extendable",
    "fashion": "fashion_extendable",
    "exercises": "exercises_extendable",
    "Wikipedia, SIFT and doc2vec, DADN's protocol": "wikipedia_extendable",
}


def measure(names: list[str]) -> int:
    """Run the experiments, all of them whatever happens to one; the worst exit status."""
    status = max(main(["reproduce", f"experiment={name}", f"ledger={LEDGER}"]) for name in names)
    return max(status, views()) if "wikipedia_extendable" in names else status


def views() -> int:
    """The codes of one run of MASLN on Wikipedia, scored under every protocol."""
    with tempfile.TemporaryDirectory() as folder:
        run = ["protocol=files", "split.seed=6", "data=wikipedia", "logger=none", f"hydra.run.dir={folder}/run"]
        return main(["train", *run]) or main(["evaluate", f"run={folder}/run", "protocols=true", f"out={VIEWS}"])


def study(name: str, rows: list[dict[str, object]]) -> Study:
    """An experiment as the ledger has it; an `InputError` if that has none of its runs."""
    wanted = validated(Reproduction, resolved(composed("reproduce", [f"experiment={name}"])))
    return studied(wanted.experiment, wanted.cells(), rows, near=wanted.near)


def pages() -> dict[Path, str]:
    """Every page of this folder, from the ledger alone."""
    rows = read_rows(LEDGER)
    found = {HERE / "protocols.md": protocols()}
    for name in EXPERIMENTS:
        try:
            found[HERE / f"{name}.md"] = markdown_page(study(name, rows))
        except InputError:  # not measured yet
            continue
    return found


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
    lines = [f"- {_said(title, name, study(name, rows))}" for title, name in SHOWN.items()]
    *_, which = next(conclusions(study("ablation", rows))).split("\n\n")
    return (
        "**mAP on unseen classes**, full ranking, mean of both directions, with 95 % t-intervals over class splits, beside "
        "linear CCA, whose ridge and exponent are chosen per split on the same held-out classes (splits of one data set share "
        "classes: the intervals speak of these classes, not of classes at large):\n\n"
        + "\n".join(lines)
        + f"\n\nWhat leaving a term out does to unseen classes ([ablation](results/ablation.md)): {which}\n\n"
        + _beside_rivals(study("rivals", rows), study("limits", rows))
    )


def _beside_rivals(found: Study, limits: Study) -> str:
    lifted = "; ".join(f"{data} {unseen}".replace("**", "") for data, unseen, *_ in (highest(limits) or ([], []))[1])
    return (
        f"**Beside every rival under the same rules** ([results/rivals.md](results/rivals.md): {len(found.labels)} rows, each "
        f"method with its source's settings and tuned, by the best of eight trials on held-out classes): the highest mAP, and the "
        f"place of {found.reference} where that is another. The highest of so many rows is a flattered number.\n\n"
        f"{markdown_lines(*highest(found) or ([], []))}\n{next(conclusions(found))}\n\nAll are held to 40 epochs and rivals to a width of 512, which "
        f"two cores allow. With this lifted for some ([results/limits.md](results/limits.md)), highest on unseen classes: {lifted}."
    )


def _said(title: str, name: str, found: Study) -> str:
    unseen = {each.method: each for each in found.summaries("map") if each.regime == "unseen"}
    ours, cca = unseen["masln"], unseen["cca"]
    return (
        f"[{title}](results/{name}.md), {ours.value.n} class splits: **{interval(ours.value)}**, "
        f"{ours.value.mean / ours.chance:.1f} x chance ({ours.chance:.3f}); CCA {interval(cca.value)}, paired difference "
        f"{interval(ours.difference, sign=True)}"
    )


def with_headline(readme: str) -> str:
    """The README with its result written anew."""
    return re.sub(
        r"(<!-- result:[^\n]*-->\n).*?(<!-- /result -->)", rf"\g<1>{headline()}\n\g<2>", readme, flags=re.DOTALL
    )


if __name__ == "__main__":
    chosen = sys.argv[1:] or list(EXPERIMENTS)
    status = 0 if chosen == ["render"] else measure(chosen)
    for page, text in pages().items():
        write_text(page, text)
    write_text(README, with_headline(README.read_text(encoding="utf-8")))
    sys.exit(status)

"""Measure the numbers of the README again: MASLN, its ablation and linear CCA over ten class splits of the emoji.

`python results/measure.py` fills `ledger.jsonl` (runs whose rows are there already are replaced by equal ones) and
writes `emoji.md` from it. Only `render` is needed to write the tables again from the ledger.
"""

import sys
from pathlib import Path

from msl.cli import main
from msl.evaluation.ledger import read_rows, summarise
from msl.files import write_text
from msl.report.table import markdown

HERE = Path(__file__).parent
LEDGER, TABLES = HERE / "ledger.jsonl", HERE / "emoji.md"
SPLITS = "split.seed=" + ",".join(map(str, range(10)))
TERMS = ("correlation", "reconstruction", "adversarial", "discriminative")
SHARED = ("-m", SPLITS, f"ledger={LEDGER}", "evaluation.metrics=[map]", "report.queries=0", "logger=none")


def measure() -> int:
    """Run every sweep; the exit status of the first that fails."""
    sweeps = [[], *([f"experiment=without_{term}"] for term in TERMS), ["method=cca"]]
    return next((status for sweep in sweeps if (status := main(["train", *SHARED, *sweep]))), 0)


def render() -> str:
    """The tables, from the ledger alone."""
    rows = read_rows(LEDGER)
    reference = {"masln": "masln", "cca": "cca"}
    parts = [
        "# Emoji: ten class splits, half of the 68 classes unseen",
        "Generated from `ledger.jsonl` by `make results`. mAP over the full ranking, mean of both directions, cosine, test "
        "gallery; ± is the half-width of the 95 % t-interval over class splits; differences are paired by split.",
        "## MASLN and linear CCA",
        _table([row for row in rows if row["method"] in reference], "cca"),
        "## Ablation: MASLN without one term of its objective",
        _table([row for row in rows if row["regime"] == "unseen" and row["method"] != "cca"], "masln"),
    ]
    return "\n\n".join(parts)


def _table(rows: list[dict[str, object]], reference: str) -> str:
    found = summarise(rows, metric="map", direction="mean", reference=reference)
    return markdown(found, reference=reference)


if __name__ == "__main__":
    status = measure()
    if status == 0:
        write_text(TABLES, render())
    sys.exit(status)

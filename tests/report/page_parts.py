"""Made-up parts of every kind for a page, and texts that try to break out of it."""

import math
from pathlib import Path

import numpy as np
from PIL import Image

from msl.report import drawings
from msl.report.page.parts import Drawing, Gallery, Grid, Item, Prose, Section
from msl.report.page.write import write_page

HOSTILE = (
    '<script>alert(1)</script>"\'><img src=x onerror=alert(1)> $\\frac{1}$ & \x00\x1b\ud800 id="x" url(#y) {{ 7*7 }}'
)
CLASSES = ["cat", "hot beverage", "red-crowned crane and other very large wading birds", "musical instrument", HOSTILE]
METHODS = ["MASLN", "CCA", "MASLN without adversary", "deep canonical correlation analysis", "chance", "SAE", "DADN"]


def sections(folder: Path) -> list[Section]:
    rng = np.random.default_rng(0)
    return [
        Section("Results", (Prose(("Mean of both directions. " * 9, HOSTILE)), results(), Grid("Nothing", ("a", "b"), []))),
        Section("Comparison", comparison(rng)),
        Section("Curves", curves(rng)),
        Section("Code space", space(rng)),
        Section("What was found", (gallery(folder, rng),)),
    ]  # fmt: skip


def results() -> Grid:
    heads = ("method", "regime", "mAP ± 95 %", "difference", "chance", "p (Holm)", "queries", "note")
    rows = [
        ("MASLN", "unseen", "0.135 ± 0.010", "−0.006", "0.049", "< 0.001", "1,240", "trained"),
        ("CCA", "unseen", "0.125 ± 0.008", "", "0.049", "0.04 †", "1,240", "closed form"),
        ("chance", "unseen", "0.049", "+0.011", "0.049", "–", "980", ""),
        (HOSTILE, "unseen", "0.131", "−0.100", "0.049", "0.2", "10", "split 10"),
    ]
    return Grid("Unseen classes, mAP with 95 % intervals over 10 class splits", heads, rows)


def comparison(rng: np.random.Generator) -> tuple[Drawing, ...]:
    rows = [(name, mean, mean - 0.01, mean + 0.012) for name, mean in zip(METHODS, rng.normal(0, 0.02, 7), strict=True)]
    rows[4] = (HOSTILE, 0.02, math.nan, math.nan)
    ranks = [2.1, 3.4, 2.3, 3.9, 6.8, 4.7, 4.8]
    cliques = [METHODS[:4:2] + METHODS[1:2], [METHODS[1], METHODS[3], METHODS[5], METHODS[6]]]
    return (
        Drawing("differences", "Paired differences to CCA.", "MASLN lies above CCA by 0.011.",
                drawings.intervals(rows, xlabel="difference in mAP, 95 % interval", zero=True), results()),
        Drawing("ranks", "Critical difference.", "MASLN has the best mean rank.",
                drawings.critical_difference(METHODS, ranks, 1.9, cliques)),
    )  # fmt: skip


def curves(rng: np.random.Generator) -> tuple[Drawing, ...]:
    recall = np.linspace(0, 1, 11).tolist()
    series: dict[str, drawings.Series] = {}
    for height, name in enumerate(["seen/i2t", "seen/t2i", "unseen/i2t", "generalised/t2i: queries of unseen classes"]):
        y = 0.9 * np.exp(-np.linspace(0, 2, 11)) / (1 + height)
        series[name] = (recall, y.tolist(), (y - 0.03).tolist(), (y + 0.03).tolist())
    epochs = list(range(1, 81))
    losses = {name: (epochs, (1 / (1 + slope * np.arange(80)) + 0.02 * rng.random(80)).tolist(), None, None)
              for name, slope in (("correlation", 0.1), ("reconstruction", 0.02), ("adversarial", 0.001))}  # fmt: skip
    values = rng.uniform(0.02, 0.5, len(CLASSES)).tolist()
    return (
        Drawing("precision-recall", "Precision and recall.", "Precision falls with recall.",
                drawings.lines(series, xlabel="recall", ylabel="interpolated precision", levels={"chance": 0.049})),
        Drawing("losses", "Losses by epoch.", "All terms fall.",
                drawings.lines(losses, xlabel="epoch", ylabel="loss", marks={"chosen epoch": 44})),
        Drawing("budget", "Labels.", HOSTILE,
                drawings.lines({HOSTILE: ([1, 10, 100, 1000], [0.1, math.nan, 0.3, 0.4], None, None)},
                               xlabel="labelled items per class", ylabel="mAP", log_x=True)),
        Drawing("classes", HOSTILE, "Average precision of each class.",
                drawings.bars(CLASSES, values, xlabel="mAP, mean of both directions", reference=0.049)),
    )  # fmt: skip


def space(rng: np.random.Generator) -> tuple[Drawing, ...]:
    number = np.repeat(np.arange(10), 24)
    names = [f"class number {each}" for each in number]
    kinds = ["image", "text"] * 120
    after = rng.normal(0, 4, (10, 2))[number] + rng.normal(0, 0.8, (240, 2))
    return (
        Drawing("before", "Before training.", "The modalities lie apart.", drawings.scatter(rng.normal(0, 3, (240, 2)), names, kinds)),
        Drawing("after", "After training.", "Classes lie together.", drawings.scatter(after, names, kinds)),
    )  # fmt: skip


def gallery(folder: Path, rng: np.random.Generator) -> Gallery:
    folder.mkdir(parents=True, exist_ok=True)
    pictures = [folder / f"{each}.png" for each in range(3)]
    for file, mode in zip(pictures, ("RGB", "RGBA", "L"), strict=True):
        noise = rng.integers(0, 255, (12, 8, 4), dtype=np.uint8)
        Image.fromarray(noise).convert(mode).resize((400, 600)).save(file)
    text = (
        "The red-crowned crane, also called the Manchurian crane, is a large East Asian crane among the rarest cranes. "
        * 3
    )
    seen = [Item(CLASSES[each % 5], each % 3 == 0, pictures[each % 3]) for each in range(8)]
    read = [Item(CLASSES[each % 5], each % 3 != 0, text=(text, HOSTILE, "short")[each % 3]) for each in range(8)]
    rows = ((Item("cat", None, text=text), tuple(seen)), (Item(CLASSES[2], None, pictures[1]), tuple(read)))
    return Gallery("The queries of highest average precision, best first", rows)


def write(folder: Path, *, only: slice = slice(None)) -> list[Path]:
    lead = ("MASLN finds texts with images of classes never seen: 0.135 ± 0.010 mAP.", "10 class splits.", HOSTILE)
    parts = sections(folder / "pictures")[only]
    return write_page(folder / "report.html", title="Zero-shot retrieval: MASLN on emoji", lead=lead, sections=parts)

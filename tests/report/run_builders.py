"""Finished runs on planted data, trained in a second."""

from pathlib import Path

from msl.cli import main

SIZES = [
    "method.encoder_a.hidden=[16]",
    "method.encoder_b.hidden=[16]",
    "method.code.size=8",
    "trainer.epochs=4",
    "trainer.batch=16",
]
SHOWN = {
    "seed": 0, "best": 2, "worst": 2, "random": 1, "finds": 3, "classes": 3, "points": 40, "perplexity": 10.0, "items": 50,
    "folds": 5, "tolerance": 1e-4,
}  # fmt: skip


def trained(data: Path, folder: Path, *overrides: str, method: str = "masln") -> Path:
    """A finished run in `folder` on the data in `data`."""
    sizes = SIZES if method == "masln" else ["method.search={ridge:[1.0,10.0],power:[0.0]}"]
    what = ["data=folder", f"data.path={data}", "data.name=planted", f"method={method}", f"hydra.run.dir={folder}"]
    assert main(["train", *what, "logger=none", "progress=false", "report.queries=0", *sizes, *overrides]) == 0
    return folder

"""Two tiny runs over pictures and captions made here, trained and indexed once by the commands, as a person would."""

import functools
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
from PIL import Image

HOSTILE = "<img src=x onerror=alert(1)>"
WORDS = ("bird", "fish", "horse", "tree", "boat", "dog", "house", "chair", "river", f"{HOSTILE} apple")
EACH = 5
FAST = [
    "data=folder", "logger=none", "progress=false", "report.queries=0", "trainer.batch=16", "trainer.epochs=4",
    "method.encoder_a.hidden=[16]", "method.encoder_b.hidden=[16]", "method.code.size=8",
]  # fmt: skip


@contextmanager
def inside(folder):
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def msl(*arguments):
    from msl.cli import main

    assert main([str(argument) for argument in arguments]) == 0


def collect(root, words=WORDS, *, seed=0):
    """A folder for each class: pictures of its colour, a caption with its word beside each."""
    rng = np.random.default_rng(seed)
    for word in words:
        (root / word).mkdir(parents=True)
        colour = rng.integers(0, 256, 3)
        for number in range(EACH):
            pixels = np.clip(colour + rng.normal(0, 20, (24, 24, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(root / word / f"{number}.png")
            caption = f'{HOSTILE} a {word.split()[-1]} & "{WORDS[number % 4]}" number {number}'
            (root / word / f"{number}.txt").write_text(caption)
    return root


@functools.cache
def made_once(place):
    """A folder with two indexed runs, `first` and `second`, and the features in `out`."""
    root = place / "served"
    root.mkdir()
    with inside(root):
        msl("encode", f"path={collect(root / 'pictures')}", "out=out", "layout=classes", "progress=false")
        for run, settings in (("first", FAST), ("second", ["method=cca", *FAST[:4]])):
            msl("train", *settings, f"data.path={root / 'out'}", f"hydra.run.dir={root / run}")
            msl("index", f"run={root / run}", "made.fewest_texts=2")
    return root


PREVIEW, SECONDS = 64, 4
LIMITS = [f"limits.preview={PREVIEW}", f"limits.seconds={SECONDS}"]


@contextmanager
def serving(made):
    """A server of both runs in a process of its own; gives its address, and sees that it ends well."""
    command = [
        sys.executable,
        "-m",
        "msl",
        "serve",
        f"runs=[{made / 'first'},{made / 'second'}]",
        "port=0",
        "k=6",
        *LIMITS,
    ]
    with (made / "said.txt").open("w") as said:
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, cwd=made, text=True)
    line = running.stdout.readline()
    found = re.fullmatch(r"first and second at (http://127\.0\.0\.1:\d+)/ .*\n", line)
    assert found, line + (made / "said.txt").read_text()
    yield found[1]
    running.send_signal(signal.SIGTERM)
    assert running.wait(10) == 128 + signal.SIGTERM
    running.stdout.close()
    assert set((made / "said.txt").read_text().splitlines()) <= {"msl: Invalid HTTP request received."}

"""Time one epoch of MASLN at the paper's sizes: `python tests/benchmarks/training.py [--pairs 6144] [--rounds 5]`.

4096-d and 300-d features, code 200, batch 64. In one run, taking turns: the trainer (`msl.training.fit`), a plain torch
loop over the same method and batches, and a naive loop as it is mostly written (a `DataLoader` that fetches item by
item, each branch on its own, one optimiser kernel per tensor). The matrix rate is the machine's own, measured beside.
"""

import argparse
import contextlib
import io
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from msl.commands.searching import build
from msl.commands.settings import sizes
from msl.config import composed, instantiate, resolved
from msl.data.classes import Classes
from msl.data.pairs import Features, Pairs
from msl.losses.adversarial import adversarial
from msl.losses.correlation import correlation
from msl.losses.reconstruction import reconstruction
from msl.losses.semantic import discriminative
from msl.training.fit import train
from msl.training.loaders import Batches

A, B, CODE, BATCH, EMBEDDING, CLASSES = 4096, 300, 200, 64, 300, 20


def data(pairs: int) -> tuple[Pairs, Classes]:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((pairs, width), dtype=np.float32) for width in (A, B))
    labels = np.arange(pairs) % CLASSES
    vectors = rng.standard_normal((CLASSES, EMBEDDING), dtype=np.float32)
    return Pairs(tuple(map(str, range(pairs))), Features(a), Features(b), labels), Classes(
        tuple(map(str, range(CLASSES))), vectors
    )


def settings() -> dict:
    return resolved(composed("train", [f"trainer.batch={BATCH}", f"method.code.size={CODE}", "trainer.epochs=1"]))


def the_method(pairs: Pairs, classes: Classes):
    torch.manual_seed(0)
    return build(settings()["method"], sizes(pairs, classes), {})


def trainer(pairs: Pairs, classes: Classes) -> Callable[[], None]:
    training, method = instantiate(settings()["trainer"]), the_method(pairs, classes)
    training = replace(training, save_seconds=1e9)

    def epoch() -> None:
        with tempfile.TemporaryDirectory() as folder:
            train(
                method, pairs, classes, training, seed=0, stop=1, score=None, sinks=[],
                checkpoint=Path(folder, "last.ckpt"), resume=False, progress=False,
            )  # fmt: skip

    return epoch


def plain(pairs: Pairs, classes: Classes) -> Callable[[], None]:
    method = the_method(pairs, classes)
    optimiser = instantiate(settings()["trainer"]).optimiser(method.parameters())

    def epoch() -> None:
        method.prepare(pairs)
        for batch in Batches(pairs, classes, size=BATCH, seed=0, epochs=1):
            optimiser.zero_grad()
            method.loss(batch)["total"].backward()
            optimiser.step()

    return epoch


class Items(Dataset):
    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int):
        return torch.tensor(self.pairs.a[index]), torch.tensor(self.pairs.b[index]), int(self.pairs.labels[index])


def naive(pairs: Pairs, classes: Classes) -> Callable[[], None]:
    method = the_method(pairs, classes)
    optimiser = torch.optim.AdamW(method.parameters(), lr=5e-4, foreach=False, fused=False)
    vectors, weights = torch.from_numpy(classes.vectors), {n: term.weight for n, term in method.objective.terms.items()}

    def branch(features: torch.Tensor, modality: str, embedding: torch.Tensor):
        x = method.inputs[modality](features)
        code = method.code_layer((method.encoder_a if modality == "a" else method.encoder_b)(x))
        joined = torch.cat([code, embedding], dim=1)
        logits = method.adversary.judge(method.discriminator, code, step=0, progress=0.5)
        return (
            x,
            code,
            method.decoders.to_a[0](joined),
            method.decoders.to_b[0](joined),
            logits,
            method.classifier(code),
        )

    def epoch() -> None:
        method.prepare(pairs)
        for a, b, label in DataLoader(Items(pairs), batch_size=BATCH, shuffle=True):
            x, code_a, aa, ab, judged_a, named_a = branch(a, "a", vectors[label])
            y, code_b, ba, bb, judged_b, named_b = branch(b, "b", vectors[label])
            loss = weights["correlation"] * correlation(code_a, code_b).mean()
            loss = loss + weights["reconstruction"] * reconstruction(x, y, aa, ab, ba, bb).mean()
            loss = loss + weights["adversarial"] * adversarial(judged_a, judged_b).mean()
            loss = loss + weights["discriminative"] * discriminative(named_a, named_b, label).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()

    return epoch


def flops(pairs: Pairs, classes: Classes) -> int:
    """Multiplications and additions of the matrix products of one step, forward and backward."""
    method = the_method(pairs, classes)
    batch = next(iter(Batches(pairs, classes, size=BATCH, seed=0, epochs=1)))
    with FlopCounterMode(display=False) as counter:
        method.loss(batch)["total"].backward()
    return counter.get_total_flops()


def matrix_rate() -> float:
    """The machine's float32 matrix product in GFLOP/s, best of five."""
    x = torch.randn(3000, 3000)
    times = []
    for _ in range(5):
        started = time.perf_counter()
        x @ x
        times.append(time.perf_counter() - started)
    return 2 * 3000**3 / min(times) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=6144)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    pairs, classes = data(chosen.pairs)
    contenders = {"trainer": trainer, "plain loop": plain, "naive loop": naive}
    epochs = {name: make(pairs, classes) for name, make in contenders.items()}
    times: dict[str, list[float]] = {name: [] for name in epochs}
    for number in range(chosen.rounds + 1):
        for name, epoch in epochs.items():
            started = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):
                epoch()
            if number:  # the first round warms up
                times[name].append(time.perf_counter() - started)
    steps = len(Batches(pairs, classes, size=BATCH, seed=0, epochs=1))
    rate, work = matrix_rate(), flops(pairs, classes) * steps / 1e9
    base = statistics.median(times["plain loop"])
    print(
        f"{chosen.pairs} pairs, {A}-d and {B}-d, code {CODE}, batch {BATCH}: {steps} steps, {work:.0f} GFLOP an epoch"
    )
    print(f"matrix product alone: {rate:.0f} GFLOP/s, so an epoch takes at least {work / rate:.2f} s")
    print(f"{'':12}{'s / epoch':>10}{'/ plain':>9}{'of matrix rate':>16}")
    for name, taken in times.items():
        median = statistics.median(taken)
        print(f"{name:12}{median:10.2f}{median / base:9.2f}{work / rate / median:15.0%}")


if __name__ == "__main__":
    main()

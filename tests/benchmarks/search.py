"""Search a million codes by every kind of index: `python tests/benchmarks/search.py [--size 1000000] [--noise 0.7]`.

The codes are planted, 128-d: 10,000 centres drawn evenly from the sphere, and around each some hundred codes, the centre
plus normal noise of length `--noise`; queries are drawn in the same way. So two codes of one centre have a cosine of
about 1 / (1 + noise**2), two others one of 0 ± 0.09, and the ten nearest of a query are the nearest of its hundred:
neighbours exist, as they do among learned codes, and telling the ten from the ninety is not trivial.

Each kind of conf/index, with the settings there, is built in one process and searched in another; exact search of the
same queries runs in the latter too, right after, so "x exact" is a ratio within one moment of the machine. "one query"
is the median of 50 queries asked one by one. Memory is what a process takes for itself, for codes stay mapped files: at
most while building ("peak"), once the index is opened ("held"), at most while 1000 queries are searched ("search").
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from msl.config import composed, instantiate, resolved
from msl.index.exact import nearest
from msl.index.recall import measure_recall
from msl.index.search import Exact
from msl.index.store import Store

WIDTH, CENTRES, QUERIES, K = 128, 10_000, 1000, 10
KINDS = ("exact", "flat", "hnsw", "ivf", "pq")


def planted(rows, noise, seed):
    """Codes (rows, WIDTH) around the same centres, whatever the seed."""
    centres = np.random.default_rng(0).standard_normal((CENTRES, WIDTH), dtype=np.float32)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    rng = np.random.default_rng(seed)
    spread = noise / WIDTH**0.5 * rng.standard_normal((rows, WIDTH), dtype=np.float32)
    return centres[rng.integers(CENTRES, size=rows)] + spread


def plant(folder, size, noise):
    store = Store.create(folder, {"noise": noise})
    for start in range(0, size, 250_000):
        rows = min(250_000, size - start)
        store = store.add([str(start + row) for row in range(rows)], planted(rows, noise, seed=1 + start))


def own_bytes():
    """Memory of this process that is no mapped file."""
    return 1024 * int(Path("/proc/self/status").read_text().partition("RssAnon:")[2].split()[0])


class Peak:
    """The most own memory while it runs."""

    def __enter__(self):
        self.start = self.most = own_bytes()
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def watch(self):
        while not self.done.wait(0.02):
            self.most = max(self.most, own_bytes())

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    @property
    def added(self):
        return (max(self.most, own_bytes()) - self.start) / 1e6


def configured(options):
    kind = resolved(composed("index", ["run=none", f"index={options.kind}"]))["index"]
    return instantiate(kind | {"threads": options.threads})


def build(options):
    """A child: make the index of the codes."""
    store = Store.open(Path(options.folder))
    with Peak() as memory:
        started = time.perf_counter()
        configured(options).build(store)
        spent = time.perf_counter() - started
    size = sum(file.stat().st_size for file in store.place.glob(f"{options.kind}-*"))
    return {"build": spent, "peak": memory.added, "disk": size / 1e6}


def search(options):
    """Another child: open the index and search."""
    store, queries = Store.open(Path(options.folder)), planted(QUERIES, options.noise, seed=2**32 - 1)
    measure_recall(Exact(threads=options.threads).open(store), queries[:9], K)  # loads libraries and the mapped file
    with Peak() as memory:
        index = configured(options).open(store)
        held = memory.added
        found = measure_recall(index, queries, K)
    singles = []
    for query in queries[:50]:
        started = time.perf_counter()
        index.search(query[None], K)
        singles.append(1e3 * (time.perf_counter() - started))
    return {
        "held": held, "search": memory.added, "recall": found.recall, "throughput": found.throughput, "faster": found.faster,
        "one": statistics.median(singles),
    }  # fmt: skip


def product_floor(options):
    """Another child: exact search beside the float32 matrix product that is left when all else is free."""
    from threadpoolctl import threadpool_limits

    codes, queries = Store.open(Path(options.folder)).codes, planted(QUERIES, options.noise, seed=2**32 - 1)
    room, times = np.empty((2048, QUERIES), np.float32), {"product": [], "exact": []}
    for _ in range(3):  # the first loads libraries and the mapped file
        started = time.process_time()
        with threadpool_limits(options.threads, user_api="blas"):
            for start in range(0, len(codes), len(room)):
                part = codes[start : start + len(room)]
                np.matmul(part, queries.T, out=room[: len(part)])
        times["product"].append(time.process_time() - started)
        started = time.process_time()
        nearest(queries, codes, K, unit=True, threads=options.threads)
        times["exact"].append(time.process_time() - started)
    return {name: min(spent) for name, spent in times.items()}


COLUMNS = {
    "build s": ("build", ".1f"), "peak MB": ("peak", ".0f"), "disk MB": ("disk", ".0f"), "held MB": ("held", ".0f"),
    "search MB": ("search", ".0f"), "recall@10": ("recall", ".4f"), "queries/s": ("throughput", ".0f"),
    "x exact": ("faster", ".1f"), "one query ms": ("one", ".2f"),
}  # fmt: skip


def child(folder, part, kind="exact"):
    command = [sys.executable, *sys.argv, "--folder", str(folder), "--kind", kind, "--part", part]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main(options):
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "codes")
        plant(folder, options.size, options.noise)
        print(
            f"{options.size:,} codes of {WIDTH}-d, {options.size * WIDTH * 4 / 1e6:.0f} MB; {QUERIES} queries, k = {K}"
        )
        floor = child(folder, part="product_floor")
        print(
            f"exact search: {floor['exact']:.1f} processor seconds, {floor['exact'] / floor['product']:.2f} x the float32 product alone"
        )
        print(f"{'':8}" + "".join(f"{title:>14}" for title in COLUMNS), flush=True)
        for kind in options.kinds:
            row = child(folder, part="build", kind=kind) | child(folder, part="search", kind=kind)
            print(f"{kind:8}" + "".join(f"{row[key]:>14{form}}" for key, form in COLUMNS.values()), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--noise", type=float, default=0.7)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--threads", type=int, help="of every search; all cores if not given")
    for hidden in ("--part", "--kind", "--folder"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.part:
        print(json.dumps({"build": build, "search": search, "product_floor": product_floor}[given.part](given)))
    else:
        main(given)

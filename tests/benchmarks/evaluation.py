"""Time mAP@all from codes, against what people otherwise run: `python tests/benchmarks/evaluation.py [--size 20000]`.

Every contender runs in a child process of its own, so that its peak memory is its own, and the contenders take turns
(`--rounds` times), so that a busy machine is busy for all; the best of the rounds is shown. "ratio" is the time divided
by ours. The floors are not evaluators: they are the work that is left when all else is free, the float64 product and a
sort of 32-bit whole numbers; the sort of float64 is there to compare.

A second table has a gallery of 200,000, and with `--million` that table alone is made, of 10,000 queries and a gallery
of 1,000,000: there "added MB", what a contender takes beside the codes, is the number to look at.
"""

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np

ENOUGH = 10_000_000
"""Similarities given to the contenders that would take minutes; their times are scaled up, and marked with ~."""


def problem(queries, gallery, dimensions, classes):
    """Codes of a half-trained model: classes overlap. The pairs of two modalities, float32; the first are queries."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, gallery)
    centres = (0.3 * rng.standard_normal((classes, dimensions))).astype(np.float32)
    sides = []
    for size in (queries, gallery):
        codes = rng.standard_normal((size, dimensions), dtype=np.float32)
        for start in range(0, size, 10_000):  # without a second array, which would count as used before
            codes[start : start + 10_000] += centres[labels[start : min(start + 10_000, size)]]
        sides.append(codes)
    return *sides, labels


def ours(queries, gallery, labels):
    from msl.metrics.measure import average_precision

    return average_precision(queries, gallery, labels[: len(queries)], labels)


def ours_with_torch(queries, gallery, labels):
    import torch

    return ours(torch.from_numpy(queries), torch.from_numpy(gallery), torch.from_numpy(labels))


def product_floor(queries, gallery, labels):
    """The matrix product alone, float64."""
    queries, gallery = queries.astype(np.float64), gallery.astype(np.float64)
    room = np.empty((256, len(gallery)))
    for start in range(0, len(queries), 256):
        rows = queries[start : start + 256]
        np.matmul(rows, gallery.T, out=room[: len(rows)])


def sort_floor(queries, gallery, labels):
    """The sort alone, of 32-bit whole numbers."""
    sort_only(queries, gallery, np.int32)


def float64_sort_floor(queries, gallery, labels):
    """The sort alone, of float64."""
    sort_only(queries, gallery, np.float64)


def sort_only(queries, gallery, dtype):
    from concurrent.futures import ThreadPoolExecutor

    scores = (2**20 * gallery[:64].astype(np.float64) @ gallery.T.astype(np.float64)).astype(dtype)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda start: scores.copy().sort(axis=1), range(0, len(queries), 64)))


def torch_sort(queries, gallery, labels):
    """What most projects write: scores by chunks, a descending sort with indices, relevance gathered, float32."""
    import torch

    rows, columns = (torch.nn.functional.normalize(torch.from_numpy(codes)) for codes in (queries, gallery))
    classes, places = torch.from_numpy(labels), torch.arange(1, len(gallery) + 1)
    values, step = [], max(1, ENOUGH // len(gallery))
    for start in range(0, len(rows), step):
        order = torch.sort(rows[start : start + step] @ columns.T, dim=1, descending=True).indices
        relevant = (classes[order] == classes[start : start + len(order), None]).float()
        values.append((relevant.cumsum(1) / places * relevant).sum(1) / relevant.sum(1))
    return torch.cat(values).double().numpy()


def unit(codes):
    codes = codes.astype(np.float64)
    return codes / np.linalg.norm(codes, axis=1, keepdims=True)


def numpy_argsort(queries, gallery, labels):
    rows, columns = unit(queries), unit(gallery)
    values, places = [], np.arange(1, len(gallery) + 1)
    for start in range(0, len(rows), 256):
        order = np.argsort(-(rows[start : start + 256] @ columns.T), axis=1)
        relevant = labels[order] == labels[start : start + len(order), None]
        values.append((relevant.cumsum(axis=1) / places * relevant).sum(axis=1) / relevant.sum(axis=1))
    return np.concatenate(values)


def scikit_learn(queries, gallery, labels):
    from sklearn.metrics import average_precision_score

    rows, columns = unit(queries), unit(gallery)
    pairs = zip(rows, labels[: len(rows)], strict=True)
    return np.array([average_precision_score(label == labels, columns @ row) for row, label in pairs])


CONTENDERS = {
    "ours": ours,
    "ours, torch tensors": ours_with_torch,
    "floor: matrix product": product_floor,
    "floor: sort of int32": sort_floor,
    "floor: sort of float64": float64_sort_floor,
    "torch sort, float32": torch_sort,
    "numpy argsort, float64": numpy_argsort,
    "scikit-learn, float64": scikit_learn,
}
ON_A_SUBSET = ("numpy argsort, float64", "scikit-learn, float64")
AT_SCALE = ("ours", "floor: matrix product", "torch sort, float32", "scikit-learn, float64")
SLOW_AT_SCALE = ("torch sort, float32", "scikit-learn, float64")


def run_one(name, options):
    """The child: one contender once, after a warm-up that loads its libraries."""
    queries, gallery, labels = problem(options.queries, options.gallery, options.dimensions, options.classes)
    contender = CONTENDERS[name]
    contender(queries[:64], gallery[:64], labels[:64])
    idle = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    asked = queries[: ENOUGH // len(gallery)] if options.subset else queries
    spent, values = timed(contender, asked, gallery, labels)
    if options.subset:  # what does not grow with the queries is not scaled up
        once, _ = timed(contender, queries[:1], gallery, labels)
        spent = once + (spent - once) * (len(queries) - 1) / (len(asked) - 1)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # only what the float64 reference covers is sent back
    sample = None if values is None else [float(value) for value in values[: ENOUGH // len(gallery)]]
    print(json.dumps({"seconds": spent[0], "busy": spent[1], "idle": idle, "peak": peak, "sample": sample}))


def timed(contender, *problem):
    start, busy = time.perf_counter(), time.process_time()
    values = contender(*problem)
    return np.array([time.perf_counter() - start, time.process_time() - busy]), values


def run_all(sizes, contenders, on_a_subset, rounds):
    """Let the contenders take turns at a problem of `sizes` (queries, gallery, dimensions, classes); print a table."""
    names = ("--queries", "--gallery", "--dimensions", "--classes")
    given = [str(part) for pair in zip(names, sizes, strict=True) for part in pair]
    runs = {name: [] for name in contenders}
    for done in range(rounds):
        for name in contenders:
            print(f"round {done + 1} of {rounds}: {name}", file=sys.stderr)
            command = [sys.executable, __file__, *given, "--contender", name, *["--subset"] * (name in on_a_subset)]
            child = subprocess.run(command, check=True, capture_output=True, text=True)
            runs[name].append(json.loads(child.stdout))
    report(runs, sizes, on_a_subset)


def report(runs, sizes, on_a_subset):
    best = {name: min(found, key=lambda run: run["seconds"]) for name, found in runs.items()}
    reference = np.array(best["scikit-learn, float64"]["sample"])
    queries, gallery, dimensions, classes = sizes
    print(f"{queries:,} x {gallery:,}, {dimensions}-d float32, {classes} classes, one direction")
    print(f"{'':24}{'seconds':>10}{'ratio':>8}{'cpu s':>8}{'peak MB':>9}{'added MB':>10}{'max error':>12}")
    for name, run in best.items():
        error = "" if run["sample"] is None else f"{np.abs(np.array(run['sample']) - reference).max():.1e}"
        shown = ("~" if name in on_a_subset else "") + f"{run['seconds']:.2f}"
        ratio = run["seconds"] / best["ours"]["seconds"]
        memory = f"{run['peak'] / 1024:9.0f}{(run['peak'] - run['idle']) / 1024:10.0f}"
        print(f"{name:24}{shown:>10}{ratio:8.2f}{run['busy']:8.1f}{memory}{error:>12}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=20_000, help="queries, and gallery items, of the first table")
    parser.add_argument("--dimensions", type=int, default=128)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--million", action="store_true", help="only the second table, of 10,000 x 1,000,000")
    for hidden in ("--queries", "--gallery"):
        parser.add_argument(hidden, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--subset", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.contender:
        run_one(given.contender, given)
    elif given.million:
        run_all((10_000, 1_000_000, 200, 100), AT_SCALE, SLOW_AT_SCALE, 1)
    else:
        run_all((given.size, given.size, given.dimensions, given.classes), CONTENDERS, ON_A_SUBSET, given.rounds)
        run_all((1_000, 200_000, 200, 100), AT_SCALE, SLOW_AT_SCALE, given.rounds)

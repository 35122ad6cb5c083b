"""Small data sets as other people's programs write them: two modalities of one meaning, classes 0.. in turn."""

import numpy as np

NAMES = ["dog", "cat", "horse", "bird", "car", "bus", "train", "boat", "sheep", "bottle", "chair", "sofa"]
SIZES = (7, 5)


def planted(rows=96, *, classes=12, seed=0, sizes=SIZES):
    """Features of both modalities (rows, size) and labels (rows,): what a class means, seen twice."""
    rng = np.random.default_rng(seed)
    meaning, maps = np.random.default_rng(99).standard_normal((classes, 6)), np.random.default_rng(7)
    label = np.arange(rows) % classes
    hidden = meaning[label] + 0.3 * rng.standard_normal((rows, 6))
    a, b = (hidden @ maps.standard_normal((6, size)) + 0.05 * rng.standard_normal((rows, size)) for size in sizes)
    return a.astype(np.float32), b.astype(np.float32), label


def items(folder, modalities=("audio", "image"), *, labelled=True, rows=96):
    """One .npy per item and modality, in folders of their classes."""
    a, b, label = planted(rows)
    for name, matrix in zip(modalities, (a, b), strict=True):
        for row, vector in enumerate(matrix):
            place = folder / name / NAMES[label[row]] if labelled else folder / name
            place.mkdir(parents=True, exist_ok=True)
            np.save(place / f"item{row:03}.npy", vector)
    return folder


def halves(rows=96, share=0.75):
    """The planted rows as (train, test) of a, b and label."""
    cut = int(rows * share)
    return [(array[:cut], array[cut:]) for array in planted(rows)]

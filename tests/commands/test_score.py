import numpy as np
import pytest

import msl


@pytest.fixture
def codes():
    rng = np.random.default_rng(0)
    labels, others = rng.integers(4, size=30), rng.integers(4, size=50)
    centres = rng.standard_normal((4, 8))
    return {
        "queries": centres[labels] + rng.standard_normal((30, 8)),
        "gallery": centres[others] + rng.standard_normal((50, 8)),
        "query_labels": labels,
        "gallery_labels": others,
    }


def test_score_prints_value_chance_and_definition(run_msl, codes):
    np.savez("codes.npz", **codes)
    status, out, _ = run_msl("score", "codes=codes.npz", "out=values.npz")
    assert status == 0
    assert f"{msl.mean_average_precision(*codes.values()):.4f}" in out
    assert all(words in out for words in ("min(R, 50)", "the hits in the first 50", "chance", "cosine", "one group"))
    assert np.allclose(np.load("values.npz")["map"], msl.average_precision(*codes.values()))


def test_score_takes_single_files_and_multi_label_indicators(run_msl, codes):
    for name, array in codes.items():
        np.save(f"{name}.npy", np.eye(4, dtype=int)[array] if "labels" in name else array)
    status, out, _ = run_msl("score", *(f"{name}={name}.npy" for name in codes), "metrics=[map]")
    assert status == 0
    assert f"{msl.mean_average_precision(*codes.values()):.4f}" in out


def test_gallery_labels_default_to_those_of_the_queries(run_msl, codes):
    np.savez("codes.npz", queries=codes["queries"], gallery=codes["queries"], query_labels=codes["query_labels"])
    status, out, _ = run_msl("score", "codes=codes.npz", "metrics=[map]")
    assert status == 0
    assert "gallery of 30" in out


def test_queries_with_nothing_relevant_are_counted(run_msl, codes):
    codes["query_labels"][:3] = 9
    np.savez("codes.npz", **codes)
    _, out, _ = run_msl("score", "codes=codes.npz")
    assert "left out of every mean: 3" in " ".join(out.split())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"queries": np.full((30, 8), np.nan)}, "queries"),
        ({"gallery": np.zeros((50, 7))}, "dimension"),
        ({"query_labels": np.arange(29)}, "30"),
        ({"queries": np.array([{}] * 30)}, "without pickled objects"),
    ],
    ids=["nan", "width", "labels", "pickle"],
)
def test_wrong_codes_are_one_line(run_msl, codes, change, says):
    np.savez("codes.npz", **codes | change)
    status, _, err = run_msl("score", "codes=codes.npz")
    assert status == 2
    assert len(err.strip().splitlines()) == 1
    assert says in err

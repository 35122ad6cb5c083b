"""Every metric against a naive loop and against scikit-learn, and the properties a ranking metric must have."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_oracle import by_name, share_a_class
from sklearn.metrics import average_precision_score, ndcg_score

from msl.metrics.measure import measure_scores

NAMES = ["map", "ndcg"] + [
    f"{family}@{k}{divisor}"
    for k in (1, 3, 7, 50)
    for family, divisor in [
        ("map", ""), ("map", ":min"), ("map", ":hits"), ("map", ":relevant"), ("precision", ""), ("recall", ""),
        ("ndcg", ""),
    ]
]  # fmt: skip

COMMON = settings(max_examples=60, deadline=None)


@st.composite
def problems(draw, levels=(2, 5, 10**6)):
    """Scores with few or many ties, and labels that leave some queries without anything relevant."""
    queries, gallery = draw(st.integers(1, 6)), draw(st.integers(1, 14))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    steps, classes = draw(st.sampled_from(levels)), draw(st.integers(1, 6))
    # centred, so that zero, whose two signs are equal, occurs
    scores = (rng.integers(0, steps, (queries, gallery)) - steps // 2) / 7
    return scores, rng.integers(0, classes, queries), rng.integers(0, classes, gallery), rng


@COMMON
@given(problems())
def test_equals_the_naive_loop(problem):
    scores, q, g, _ = problem
    relevance = share_a_class(q, g)
    for name, values in measure_scores(scores, q, g, NAMES).items():
        np.testing.assert_allclose(values, by_name(name, scores, relevance), rtol=0, atol=1e-12, err_msg=name)


@COMMON
@given(problems())
def test_equals_the_naive_loop_with_several_labels_per_item(problem):
    scores, q, g, rng = problem
    q, g = rng.integers(0, 2, (len(q), 3)), rng.integers(0, 2, (len(g), 3))
    for name, values in measure_scores(scores, q, g, NAMES).items():
        np.testing.assert_allclose(values, by_name(name, scores, share_a_class(q, g)), rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("steps", [2, 3, 20, 10**7])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.int8, np.uint16])
def test_equals_scikit_learn_given_the_same_scores(steps, dtype):
    rng = np.random.default_rng(steps)
    scores = rng.integers(0, min(steps, np.iinfo(np.int8).max if dtype is np.int8 else 60000), (40, 300)).astype(dtype)
    scores = scores / dtype(7) if np.issubdtype(dtype, np.floating) else scores
    q, g = rng.integers(0, 4, 40), rng.integers(0, 4, 300)
    ours = measure_scores(scores, q, g, ["map", "ndcg", "ndcg@10"])
    relevance, scores = (q[:, None] == g).astype(int), scores.astype(np.float64)  # it cannot rank unsigned numbers
    theirs = [average_precision_score(*row) for row in zip(relevance, scores, strict=True)]
    np.testing.assert_allclose(ours["map"], theirs, rtol=0, atol=1e-12)
    for name, k in (("ndcg", None), ("ndcg@10", 10)):
        theirs = [ndcg_score([r], [s], k=k) for r, s in zip(relevance, scores, strict=True)]
        np.testing.assert_allclose(ours[name], theirs, rtol=0, atol=1e-12)


def test_neighbouring_floats_are_not_tied_and_are_ranked_rightly():
    """The fast sort borrows the lowest bit; scores that differ in nothing else must survive it."""
    rng = np.random.default_rng(0)
    for base in (1.0, -1.0, 1e-300, -3.7e200):
        ladder = [base]
        for _ in range(30):
            ladder.append(np.nextafter(ladder[-1], np.inf))
        scores = rng.permuted(np.tile(ladder, (50, 1)), axis=1)
        q, g = rng.integers(0, 3, 50), rng.integers(0, 3, 31)
        ours = measure_scores(scores, q, g, ["map"])["map"]
        np.testing.assert_allclose(ours, by_name("map", scores, q[:, None] == g), rtol=0, atol=1e-12)


def test_zeros_of_both_signs_and_the_smallest_floats():
    tiny = 5e-324
    scores = np.array([[0.0, -0.0, tiny, -tiny, -0.0, 0.0, 2 * tiny, -2 * tiny]])
    for labels in np.ndindex(*[2] * 8):
        g = np.array(labels)
        ours = measure_scores(scores, [1], g, ["map", "ndcg"])
        for name, values in ours.items():
            np.testing.assert_allclose(values, by_name(name, scores, g[None] == 1), rtol=0, atol=1e-12)


@COMMON
@given(problems())
def test_the_order_of_the_files_changes_nothing(problem):
    scores, q, g, rng = problem
    items, rows = rng.permutation(len(g)), rng.permutation(len(q))
    before = measure_scores(scores, q, g, NAMES)
    after = measure_scores(scores[rows][:, items], q[rows], g[items], NAMES)
    for name in NAMES:
        np.testing.assert_array_equal(after[name], before[name][rows], err_msg=name)


@COMMON
@given(problems())
def test_class_names_and_increasing_maps_of_the_scores_change_nothing(problem):
    scores, q, g, rng = problem
    names = rng.permutation([f"class {number}" for number in range(6)])
    before = measure_scores(scores, q, g, NAMES)
    after = measure_scores(np.arctan(scores * 1e-4) * 1e6, names[q], names[g], NAMES)
    for name in NAMES:
        np.testing.assert_array_equal(after[name], before[name], err_msg=name)


@COMMON
@given(problems())
def test_moving_a_relevant_item_up_never_hurts(problem):
    scores, q, g, rng = problem
    relevance = q[:, None] == g
    better = scores + relevance * rng.integers(0, 2, scores.shape) * 1e9
    names = [name for name in NAMES if ":hits" not in name]
    before, after = (measure_scores(s, q, g, names) for s in (scores, better))
    for name in names:
        assert np.all((after[name] >= before[name] - 1e-12) | np.isnan(before[name])), name


@pytest.mark.parametrize("name", NAMES)
def test_a_perfect_ranking_is_worth_one_or_what_the_definition_allows(name):
    g = np.array([0] * 4 + [1] * 8)
    values = measure_scores((g == 0)[None] * 1.0, [0], g, [name])[name]
    k = int(name.partition("@")[2].partition(":")[0] or 12)
    allowed = {"precision": min(4, k) / k, "recall": min(4, k) / 4}.get(name.partition("@")[0], 1.0)
    assert values == pytest.approx(min(4, k) / 4 if name.endswith(":relevant") else allowed)


def test_the_three_meanings_of_map_at_k_by_hand():
    """One hit at place 2 of 2, three relevant in all: precision there is 1/2."""
    scores, g = np.array([[9.0, 8.0, 7.0, 6.0]]), ["b", "a", "a", "a"]
    values = measure_scores(scores, ["a"], g, ["map@2", "map@2:hits", "map@2:relevant"])
    assert {name: float(v[0]) for name, v in values.items()} == {
        "map@2": 0.25, "map@2:hits": 0.5, "map@2:relevant": pytest.approx(1 / 6),
    }  # fmt: skip


def test_one_item_galleries():
    values = measure_scores([[0.3], [0.3]], ["a", "b"], ["a"], NAMES)
    for name in NAMES:
        assert np.isnan(values[name][1])
        assert values[name][0] == pytest.approx(1 / 50 if name == "precision@50" else values[name][0])
    assert values["map"][0] == values["ndcg"][0] == values["recall@1"][0] == 1.0

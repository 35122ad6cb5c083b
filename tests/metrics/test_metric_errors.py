"""What a person may get wrong: one line saying what was wanted, what came and what to do."""

import numpy as np
import pytest

from msl.metrics.average_precision import average_precision_at
from msl.metrics.means import class_means, mean
from msl.metrics.measure import average_precision, mean_average_precision, measure, measure_scores, rank_scores
from msl.metrics.names import FAMILIES, metric
from msl.types import InputError

CODES, LABELS = np.eye(3), [0, 1, 2]


def test_the_first_bad_row_is_named():
    for bad in (np.nan, np.inf, -np.inf):
        codes = np.ones((5, 4), dtype=np.float32)
        codes[3, 2] = codes[4, 0] = bad
        with pytest.raises(InputError, match=r"gallery: .* row 3"):
            mean_average_precision(CODES.repeat(2, 1)[:, :4], codes, LABELS, [0] * 5)
        with pytest.raises(InputError, match=r"scores: .* row 3"):
            rank_scores(codes, [0] * 5, [0] * 4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.ones((3, 2)), np.ones((3, 5)), LABELS, LABELS), "one dimension, got 2 and 5"),
        ((CODES, CODES, LABELS[:2], LABELS), "query_labels: .* 3 query items, got 2"),
        ((CODES, CODES, LABELS, [0, 1, 2, 3]), "gallery_labels: .* 3 gallery items, got 4"),
        ((CODES[0], CODES, LABELS, LABELS), "queries: wanted a matrix"),
        ((CODES, CODES[:0], LABELS, []), "gallery: wanted at least one row"),
        ((CODES * 1j, CODES, LABELS, LABELS), "real numbers"),
        (([[1.0], [1.0, 2.0]], CODES, LABELS, LABELS), "rectangular"),
        ((CODES, CODES * 1e200, LABELS, LABELS), "rescale"),
        ((CODES, CODES, ["0", "1", "2"], LABELS), "one kind"),
        ((CODES, CODES, [0.0, np.nan, 1.0], LABELS), "NaN in row 1"),
        ((CODES, CODES, np.array([1, "a", None], dtype=object), LABELS), "sorted"),
        ((CODES, CODES, np.eye(3, 4), LABELS), "both 1-d"),
        ((CODES, CODES, np.eye(3, 4), np.eye(3)), "got 4 and 3 columns"),
        ((CODES, CODES, np.eye(3) * 2, np.eye(3)), "0 or 1"),
        ((CODES, CODES, LABELS, [7, 8, 9]), "at least one relevant"),
    ],
)
def test_inputs_that_do_not_fit(arguments, message):
    with pytest.raises(InputError, match=message) as caught:
        mean_average_precision(*arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("choice", "message"),
    [({"k": 0}, "k:"), ({"k": 2.0}, "k:"), ({"k": True}, "k:"), ({"divisor": "max"}, "min, hits, relevant"),
     ({"similarity": "cos"}, "cosine, dot, euclidean")],
)  # fmt: skip
def test_choices_that_do_not_exist(choice, message):
    with pytest.raises(InputError, match=message):
        average_precision(CODES, CODES, LABELS, LABELS, **choice)


@pytest.mark.parametrize("name", ["mAP", "map@", "map@0", "map@5:", "map@5:best", "map:hits", "precision", "recall@x",
                                  "precision@5:min", "", "map @5", "map@5\n"])  # fmt: skip
def test_unknown_metrics_are_answered_with_the_known_ones(name):
    with pytest.raises(InputError, match="metric: wanted"):
        metric(name)


def test_every_family_is_listed_and_titled():
    with pytest.raises(InputError) as caught:
        metric("mrr")
    assert all(name in str(caught.value) for name in FAMILIES)
    assert metric("map@50").title == "mAP@50 / min(R, 50)"
    assert metric("map@50:hits").title == "mAP@50 / the hits in the first 50"
    assert metric("map").title == "mAP"
    assert metric("ndcg@10").title == "NDCG@10"


def test_no_metrics_asked_for_gives_none():
    assert measure(CODES, CODES, LABELS, LABELS, []) == {}


def test_scores_beyond_exact_numbers_are_refused():
    with pytest.raises(InputError, match=r"2\*\*53"):
        rank_scores(np.array([[2**60, 1]]), [0], [0, 1])
    assert measure_scores(np.array([[True, False]]), [0], [0, 1], ["map"])["map"] == 1.0


def test_means_skip_queries_with_nothing_relevant():
    values = average_precision(CODES, CODES[:2], LABELS, LABELS[:2])
    assert values.tolist()[:2] == [1.0, 1.0]
    assert np.isnan(values[2])
    assert mean(values) == mean_average_precision(CODES, CODES[:2], LABELS, LABELS[:2]) == 1.0


def test_class_means():
    values = np.array([1.0, 0.5, np.nan, 0.0])
    means = class_means(values, ["b", "a", "c", "b"])
    assert list(means) == ["a", "b", "c"]
    assert (means["a"], means["b"]) == (0.5, 0.5)
    assert np.isnan(means["c"])
    assert class_means(values, [[1, 0], [1, 1], [0, 1], [0, 1]]) == {0: 0.75, 1: 0.25}
    with pytest.raises(InputError, match="4 values"):
        class_means(values, ["a"])


def test_the_record_of_a_ranking():
    """Scores 3 2 2 1, relevant: the first, one of the two tied, not the last."""
    ranked = rank_scores([[2, 3, 2, 1], [0, 0, 0, 1]], [1, 2], [1, 1, 0, 0])
    assert ranked.query.tolist() == [0, 0]
    assert (ranked.start.tolist(), ranked.size.tolist()) == ([0, 1], [1, 2])
    assert (ranked.before.tolist(), ranked.hits.tolist()) == ([0, 1], [1, 1])
    assert (ranked.relevant.tolist(), ranked.gallery) == ([2, 0], 4)
    # half of the tied hit falls within the first two places: (1 * 1 + .5 * 1.5 / 2) / 2
    assert average_precision_at(ranked, 2)[0] == pytest.approx(0.6875)

import numpy as np
import pytest
from scipy.stats import friedmanchisquare, rankdata

from msl.evaluation.interval import t_interval
from msl.evaluation.ledger import Summary
from msl.evaluation.ranking import friedman, rank
from msl.types import InputError

# Demšar (JMLR 2006), Table 6: AUC of C4.5, with m, with cf, with both, on 14 data sets. The paper ranks the two .975 of the
# 13th apart, as they were before they were rounded.
DEMSAR = """
.763 .768 .771 .798 | .599 .591 .590 .569 | .954 .971 .968 .967 | .628 .661 .654 .657 | .882 .888 .886 .898
.936 .931 .916 .931 | .661 .668 .609 .685 | .583 .583 .563 .625 | .775 .838 .866 .875 | 1.00 1.00 1.00 1.00
.940 .962 .965 .962 | .619 .666 .614 .669 | .972 .981 .9751 .975 | .957 .978 .946 .970
"""
METHODS = ("C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf")
SCORES = np.array([line.split() for part in DEMSAR.strip().splitlines() for line in part.split("|")], dtype=float)


def summaries(scores, methods, *, regime="unseen"):
    return [
        Summary(method, f"data {number}", "extendable", regime, t_interval([value]), 1, 0.1, 0.1, None)
        for number, line in enumerate(scores)
        for method, value in zip(methods, line, strict=True)
    ]


def test_the_papers_example():
    found = rank(summaries(SCORES, METHODS), methods=METHODS, regime="unseen")
    assert found.methods == ("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")
    assert found.ranks == pytest.approx((1.964, 2.000, 2.893, 3.143), abs=5e-4)
    assert found.critical_difference == pytest.approx(1.25, abs=5e-3)
    assert found.cliques == (found.methods,)  # "the post-hoc test is not powerful enough"
    assert len(found.blocks) == 14


def test_the_papers_example_at_ten_per_cent():
    found = rank(summaries(SCORES, METHODS), methods=METHODS, regime="unseen", confidence=0.9)
    assert found.critical_difference == pytest.approx(1.12, abs=5e-3)
    assert found.cliques == (("C4.5+m+cf", "C4.5+m", "C4.5+cf"), ("C4.5+cf", "C4.5"))


@pytest.mark.parametrize(("methods", "expected"), [(2, 1.960), (3, 2.343), (4, 2.569), (10, 3.164)])
def test_critical_values_are_those_of_the_papers_table_5(methods, expected):
    scores = np.random.default_rng(0).random((6, methods))
    names = [f"method {number}" for number in range(methods)]
    found = rank(summaries(scores, names), methods=names, regime="unseen").critical_difference
    assert found / np.sqrt(methods * (methods + 1) / (6 * 6)) == pytest.approx(expected, abs=1e-3)


def test_friedman_is_that_of_scipy_with_ties():
    rng = np.random.default_rng(1)
    for _ in range(20):
        scores = rng.integers(0, 4, (8, 5)).astype(float)
        assert friedman(rankdata(scores, axis=1)) == pytest.approx(friedmanchisquare(*scores.T).pvalue, abs=1e-12)


def test_friedman_of_two_methods_is_the_sign_test_and_of_ties_only_is_one():
    assert friedman(np.array([[1.0, 2.0]] * 9 + [[2.0, 1.0]])) == pytest.approx(0.0114120, abs=1e-6)  # chi² = 6.4
    assert friedman(np.full((5, 3), 2.0)) == 1.0


def test_methods_far_apart_share_no_clique():
    scores = np.tile([0.1, 0.2, 0.3], (40, 1))
    found = rank(summaries(scores, "abc"), methods="abc", regime="unseen")
    assert (found.methods, found.ranks, found.cliques) == (("c", "b", "a"), (1.0, 2.0, 3.0), ())
    assert found.p < 1e-10


def test_only_blocks_with_every_method_and_only_the_regime_count():
    known = summaries([[0.1, 0.2], [0.3, 0.1]], "ab")
    more = [*known, *summaries([[0.9, 0.1]] * 5, "ab", regime="seen"), *summaries([[0.5]] * 4, "c"), known[0]]
    assert rank(more, methods="ab", regime="unseen") == rank(known, methods="ab", regime="unseen")


@pytest.mark.parametrize("methods", ["a", "abd"])
def test_too_little_to_rank_is_refused_with_what_to_do(methods):
    with pytest.raises(InputError, match=r"two or more methods .* two or more data sets, got .*; measure") as caught:
        rank(summaries([[0.1, 0.2], [0.3, 0.1]], "ab"), methods=methods, regime="unseen")
    assert "\n" not in str(caught.value)


def test_one_data_set_is_refused():
    with pytest.raises(InputError, match="1 data sets"):
        rank(summaries([[0.1, 0.2]], "ab"), methods="ab", regime="unseen")

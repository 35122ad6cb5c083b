import pytest

from msl.evaluation.comparison import Comparison
from msl.evaluation.interval import t_interval
from msl.evaluation.ledger import Summary
from msl.report.study.conclusions import ablation, standing
from msl.types import InputError

HELPS = Comparison(-0.010, -0.017, -0.003, 10, p=0.01, effect=-1.24, p_holm=0.012)
HURTS = Comparison(0.020, 0.015, 0.025, 10, p=1e-5, effect=2.0, p_holm=0.0004)
NOTHING = Comparison(-0.001, -0.003, 0.0012, 10, p=0.3, effect=-0.2, p_holm=0.6)
LOST_TO_HOLM = Comparison(-0.006, -0.012, -0.001, 10, p=0.04, effect=-0.7, p_holm=0.12)
ONE_SPLIT = Comparison(-0.01, float("nan"), float("nan"), 1, p=None, effect=None)
ALL_ALIKE = Comparison(-0.01, -0.01, -0.01, 4, p=0.0, effect=None, p_holm=0.0)


def summary(method, difference, *, data="emoji", regime="unseen", protocol="extendable"):
    return Summary(method, data, protocol, regime, t_interval([0.1, 0.2]), 2, 0.05, 0.1, difference)


def without(term, difference, **changes):
    return summary(f"masln without {term}", difference, **changes)


def said(*summaries):
    return ablation([summary("masln", None), *summaries], reference="masln", regime="unseen", metric="mAP")


@pytest.mark.parametrize(
    ("difference", "sentence"),
    [
        (HELPS, "it helps: leaving it out costs .010 [.003, .017] mAP, p_Holm = .012, d = 1.2, 10 class splits."),
        (HURTS, "it hurts: leaving it out gains .020 [.015, .025] mAP, p_Holm < .001, d = 2.0, 10 class splits."),
        (NOTHING, "no difference that 10 class splits can tell after Holm: leaving it out changes mAP by −.001 [−.003, .001], p_Holm = .600."),
        (LOST_TO_HOLM, "no difference that 10 class splits can tell after Holm: leaving it out changes mAP by −.006 [−.012, −.001], p_Holm = .120."),
        (ONE_SPLIT, "a single class split, which no test can judge; leaving it out changes mAP by −.010."),
        (ALL_ALIKE, "it helps: leaving it out costs .010 [.010, .010] mAP, p_Holm < .001, 4 class splits."),
    ],
    ids=["helps", "hurts", "nothing", "lost to Holm", "one split", "all alike"],
)  # fmt: skip
def test_a_sentence_says_what_the_numbers_say(difference, sentence):
    assert said(without("reconstruction", difference)).splitlines()[0] == f"- emoji, reconstruction: {sentence}"


def test_the_closing_says_which_terms_help_where():
    text = said(
        *(without("reconstruction", change, data=data) for data, change in (("emoji", HELPS), ("fashion", HELPS), ("exercises", NOTHING))),
        *(without("adversarial", change, data=data) for data, change in (("emoji", NOTHING), ("fashion", HURTS), ("exercises", HELPS))),
        without("correlation", NOTHING),
    )  # fmt: skip
    *lines, nothing, closing = text.splitlines()
    assert (len(lines), nothing) == (7, "")
    assert closing == (
        "Reconstruction helps on emoji and fashion and cannot be told to matter on exercises. "
        "Adversarial helps on exercises, hurts on fashion and cannot be told to matter on emoji. "
        "Correlation cannot be told to matter on emoji."
    )


def test_other_regimes_and_other_methods_are_left_out():
    text = said(without("reconstruction", HELPS), without("adversarial", HELPS, regime="seen"), summary("cca", HELPS))
    assert "adversarial" not in text
    assert "cca" not in text


def test_two_protocols_of_one_data_set_are_told_apart():
    text = said(without("reconstruction", HELPS), without("reconstruction", NOTHING, protocol="even_odd"))
    assert text.endswith(
        "Reconstruction helps on emoji (extendable) and cannot be told to matter on emoji (even_odd).\n"
    )


def test_no_ablation_is_refused_with_what_to_do():
    with pytest.raises(
        InputError, match=r"'masln without TERM' .* regime 'unseen', got none; run the ablation"
    ) as caught:
        said(summary("cca", HELPS))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ([("emoji", HELPS), ("emoji", NOTHING), ("fashion", NOTHING)], "above 1 of 2 on emoji and 0 of 1 on fashion and below none"),
        ([("emoji", HURTS), ("emoji", LOST_TO_HOLM), ("emoji", ALL_ALIKE)], "above 1 of 3 on emoji and below 1 of 3 on emoji"),
        ([("emoji", NOTHING), ("fashion", ONE_SPLIT)], "above none and below none"),
    ],
    ids=["above", "both", "neither"],
)  # fmt: skip
def test_a_sentence_counts_what_is_significant_after_holm(changes, sentence):
    others = [summary("sae", change, data=data) for data, change in changes]
    said = standing([summary("masln", None), *others], reference="masln", regime="unseen")
    assert said == f"Unseen: masln is significantly {sentence} (paired by class split, after Holm)."


def test_without_a_test_nothing_is_counted():
    found = [summary("masln", None), summary("sae", ONE_SPLIT), summary("cca", HELPS, regime="seen")]
    assert standing(found, reference="masln", regime="unseen") is None

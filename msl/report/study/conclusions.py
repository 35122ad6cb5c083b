"""What a table says, in words: how a method stands among others; which part of it helps on which data, and which nobody can tell."""

from collections.abc import Iterable, Mapping, Sequence

from msl.evaluation.comparison import Comparison
from msl.evaluation.ledger import Summary
from msl.types import InputError


def ablation(summaries: Sequence[Summary], *, reference: str, regime: str, metric: str) -> str:
    """Sentences on every ``REFERENCE without TERM``, a line per data set and term, and a paragraph over all data sets.

    A term helps (or hurts) where leaving it out lowers (or raises) the value significantly after Holm; everything else is
    a difference that so many class splits cannot tell. `metric` is how the value is called in print. An `InputError` if
    nothing was left out of `reference` in that regime.
    """
    start = f"{reference} without "
    left_out = [
        each for each in summaries if each.regime == regime and each.method.startswith(start) and each.difference
    ]
    if not left_out:
        raise InputError(
            f"conclusions want rows of '{start}TERM' beside {reference!r} on the same class splits, regime {regime!r}, got "
            "none; run the ablation first"
        )
    named = [(each.method.removeprefix(start), each) for each in left_out]
    lines = [f"- {_place(each, left_out)}, {term}: {_sentence(each.difference, metric)}" for term, each in named if each.difference]  # fmt: skip
    return "\n".join(lines) + "\n\n" + _closing(named, left_out) + "\n"


def standing(summaries: Sequence[Summary], *, reference: str, regime: str) -> str | None:
    """A sentence: how many others the reference is significantly above and below, by data set; None where nothing is tested."""
    tested: dict[str, list[Comparison]] = {}
    for each in summaries:
        if each.regime == regime and each.difference and each.difference.p_holm is not None:
            tested.setdefault(each.data, []).append(each.difference)
    if not tested:
        return None
    above, below = (_counted(tested, sign) for sign in (-1, 1))
    return f"{regime.capitalize()}: {reference} is significantly above {above} and below {below} (paired by class split, after Holm)."


def _counted(tested: Mapping[str, Sequence[Comparison]], sign: int) -> str:
    """On how many others, data set by data set, the difference to the reference has that sign and is significant."""
    found = {
        data: sum(change.significant and change.mean * sign > 0 for change in some) for data, some in tested.items()
    }
    if not any(found.values()):
        return "none"
    return _listed([f"{count} of {len(tested[data])} on {data}" for data, count in found.items()])


def _place(summary: Summary, among: Iterable[Summary]) -> str:
    """The data set, with its protocol where there are several."""
    several = len({each.protocol for each in among if each.data == summary.data}) > 1
    return f"{summary.data} ({summary.protocol})" if several else summary.data


def _sentence(change: Comparison, metric: str) -> str:
    if change.p_holm is None:
        return (
            f"a single class split, which no test can judge; leaving it out changes {metric} by {_number(change.mean)}."
        )
    tested = f"p_Holm {_p(change.p_holm)}{_effect(change)}, {change.n} class splits"
    if not change.significant:
        return (
            f"no difference that {change.n} class splits can tell after Holm: leaving it out changes {metric} by {_number(change.mean)} "
            f"[{_number(change.low)}, {_number(change.high)}], p_Holm {_p(change.p_holm)}."
        )
    if change.mean < 0:
        span = f"{_number(-change.mean)} [{_number(-change.high)}, {_number(-change.low)}] {metric}"
        return f"it helps: leaving it out costs {span}, {tested}."
    span = f"{_number(change.mean)} [{_number(change.low)}, {_number(change.high)}] {metric}"
    return f"it hurts: leaving it out gains {span}, {tested}."


def _closing(named: Sequence[tuple[str, Summary]], among: Sequence[Summary]) -> str:
    """Term by term: where it helps, where it hurts, where nothing can be told."""
    found: dict[str, dict[str, list[str]]] = {}
    for term, each in named:
        found.setdefault(term, {}).setdefault(_kind(each), []).append(_place(each, among))
    sentences = []
    for term, places in found.items():
        parts = [f"{kind} on {_listed(places[kind])}" for kind in ("helps", "hurts", "cannot be told to matter") if kind in places]  # fmt: skip
        sentences.append(f"{term[0].upper()}{term[1:]} {_listed(parts)}.")
    return " ".join(sentences)


def _kind(summary: Summary) -> str:
    change = summary.difference
    if change is None or not change.significant:
        return "cannot be told to matter"
    return "helps" if change.mean < 0 else "hurts"


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _effect(change: Comparison) -> str:
    return "" if change.effect is None else f", d = {abs(change.effect):.1f}"


def _p(value: float) -> str:
    return "< .001" if value < 0.001 else f"= {_number(value)}"


def _number(value: float) -> str:
    """To three decimals, without the zero before the point."""
    text = f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"
    return text.replace("-", "−").replace("−.000", ".000")

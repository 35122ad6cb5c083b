from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from msl.data.classes import Classes
from msl.data.dataset import Card, DataSet
from msl.data.pairs import Features, Pairs
from msl.data.splits import Split, extendable
from msl.evaluation.evaluate import evaluate
from msl.evaluation.protocol import Protocol, directions, regimes, validation_map
from msl.metrics.curves import LEVELS
from msl.metrics.means import harmonic_mean
from msl.types import InputError

CARD = Card(
    name="toy", title="toy", modalities=("image", "text"), features=("x", "y"), embedding="z",
    source="made up", licence="none", obtain="here",
)  # fmt: skip
LABELS = np.array([0, 0, 1, 1, 0, 2, 2, 3, 3, 1, 2, 3])
ROWS = {
    "train": (2,), "validation": (0,), "seen_train": (0, 2), "seen_test": (1, 3, 4, 9),
    "unseen_train": (5, 7, 11), "unseen_test": (6, 8, 10),
}  # fmt: skip
QUERIES = {"seen": ["seen_test"], "unseen": ["unseen_test"], "generalised": ["seen_test", "unseen_test"]}


class Given:
    """A method whose codes are the features; remembers what it was shown."""

    def __init__(self):
        self.shown = []

    def encode(self, features, modality):
        self.shown.append((modality, len(features)))
        return features[:]


def dataset(seed=0, width=2):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, len(LABELS), width)).astype(np.float32)
    ids = tuple(f"row {number}" for number in range(len(LABELS)))
    names = ("c0", "c1", "c2", "c3")
    return DataSet(
        card=CARD,
        pairs=Pairs(ids, Features(a), Features(b), LABELS),
        classes=Classes(names, np.eye(4, dtype=np.float32)),
        part=LABELS * 0,
    )


def spoilt(pairs, rows):
    """The pairs, NaN in some rows."""
    a, b = pairs.a[:].copy(), pairs.b[:].copy()
    a[rows], b[rows] = np.nan, np.nan
    return replace(pairs, a=Features(a), b=Features(b))


def split_of(rows=ROWS, **changes):
    named = {group: tuple(f"row {row}" for row in numbers) for group, numbers in rows.items()}
    parts = {"kind": "extendable", "seen": ("c0", "c1"), "pseudo_unseen": (), "unseen": ("c2", "c3")} | changes
    return Split(data="toy", seed=0, rows=named, **parts)


STANDARD = split_of(
    ROWS | {"seen_train": (0, 2, 5, 7, 11), "seen_test": (1, 3, 4, 9, 6, 8, 10), "unseen_train": (), "unseen_test": ()},
    kind="standard", seen=("c0", "c1", "c2", "c3"), unseen=(),
)  # fmt: skip


def protocol_of(**changes):
    plain = {"gallery": "test", "standardise": "train", "similarity": "cosine", "regimes": tuple(QUERIES)}
    return Protocol(**plain | changes)


def measured(data=None, split=None, *, metrics=("map",), method=None, **changes):
    data, split, protocol = data or dataset(), split or split_of(), protocol_of(**changes)
    return evaluate(directions(method or Given(), data, split, protocol), data, split, protocol, metrics=metrics)


def row_of(evaluation, regime, direction, metric="map"):
    (found,) = [
        row
        for row in evaluation.rows
        if (row["regime"], row["direction"], row["metric"]) == (regime, direction, metric)
    ]
    return found


def ranking(query, gallery, similarity):
    if similarity == "euclidean":
        scores = [-np.linalg.norm(query - item) for item in gallery]
    else:
        scores = [query @ item / np.linalg.norm(query) / np.linalg.norm(item) for item in gallery]
    return sorted(range(len(gallery)), key=lambda i: -scores[i])


def average_precision(relevant):
    """Of a ranking's list of 0 and 1; None if nothing is relevant."""
    found = [sum(relevant[: i + 1]) / (i + 1) for i in range(len(relevant)) if relevant[i]]
    return sum(found) / len(found) if found else None


def chance_of(relevant, gallery):
    """Mean average precision over all the ways the relevant items can stand."""
    ways = [[int(place in chosen) for place in range(gallery)] for chosen in combinations(range(gallery), relevant)]
    return np.mean([average_precision(way) for way in ways]) if relevant else None


def naive(data, query_rows, gallery_rows, direction, similarity="cosine"):
    """Per query: average precision and its expectation by chance (None without anything relevant)."""
    x, y = (data.pairs.a, data.pairs.b) if direction == "i2t" else (data.pairs.b, data.pairs.a)
    values, chances = [], []
    for row in query_rows:
        order = ranking(x[row].astype(float), y[list(gallery_rows)].astype(float), similarity)
        relevant = [int(LABELS[gallery_rows[place]] == LABELS[row]) for place in order]
        values.append(average_precision(relevant))
        chances.append(chance_of(sum(relevant), len(relevant)))
    return values, chances


def mean_known(values):
    return np.mean([value for value in values if value is not None])


def rows_searched(regime, gallery):
    queries = [row for group in QUERIES[regime] for row in ROWS[group]]
    found = [row for group in QUERIES[regime] for row in ROWS[group.replace("test", gallery)]]
    return queries, found


@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
@pytest.mark.parametrize("gallery", ["test", "train"])
@pytest.mark.parametrize("regime", ["seen", "unseen", "generalised"])
@pytest.mark.parametrize("direction", ["i2t", "t2i"])
def test_value_chance_and_lift_are_those_computed_by_hand(regime, direction, gallery, similarity):
    data = dataset()
    evaluation = measured(data, gallery=gallery, similarity=similarity)
    row = row_of(evaluation, regime, direction)
    values, chances = naive(data, *rows_searched(regime, gallery), direction, similarity)
    value, chance = mean_known(values), mean_known(chances)
    assert row["value"] == pytest.approx(value, abs=1e-12)
    assert row["chance"] == pytest.approx(chance, abs=1e-12)
    assert row["lift"] == pytest.approx((value - chance) / (1 - chance), abs=1e-12)
    assert evaluation.per_query[f"{regime}/{direction}/map"].tolist() == pytest.approx(values, abs=1e-12)
    assert (row["queries"], row["queries_without_relevant"]) == (len(values), 0)
    assert (row["gallery"], row["gallery_side"]) == (len(rows_searched(regime, gallery)[1]), gallery)


def test_a_case_small_enough_to_be_done_in_the_head():
    angles, labels = np.radians([0, 10, 20, 30]), np.array([1, 0, 1, 0])
    codes = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    east = np.tile(np.array([[1, 0]], np.float32), (4, 1))  # every query finds the gallery in the order it is written
    data = replace(dataset(), pairs=Pairs(("p", "q", "r", "s"), Features(east), Features(codes), labels))
    split = replace(STANDARD, rows=dict.fromkeys(ROWS, ()) | {"seen_test": ("p", "q", "r", "s")})
    row = row_of(measured(data, split), "standard", "i2t")
    # the two queries of c1 find it at places 1 and 3, those of c0 at places 2 and 4
    assert row["value"] == pytest.approx(((1 + 2 / 3) / 2 + (1 / 2 + 2 / 4) / 2) / 2)
    # two relevant items can stand at 12, 13, 14, 23, 24, 34
    orders = [1, (1 + 2 / 3) / 2, (1 + 2 / 4) / 2, (1 / 2 + 2 / 3) / 2, (1 / 2 + 2 / 4) / 2, (1 / 3 + 2 / 4) / 2]
    assert row["chance"] == pytest.approx(sum(orders) / 6)


def test_an_extendable_split_has_three_regimes_and_a_standard_one_its_own():
    assert regimes(split_of(), protocol_of()) == ("seen", "unseen", "generalised")
    assert regimes(split_of(), protocol_of(regimes=("generalised", "unseen"))) == ("unseen", "generalised")
    assert regimes(STANDARD, protocol_of()) == ("standard",)
    assert {row["regime"] for row in measured().rows} == {"seen", "unseen", "generalised"}
    assert {row["regime"] for row in measured(split=STANDARD).rows} == {"standard"}


@pytest.mark.parametrize("gallery", ["test", "train"])
def test_each_regime_searches_its_own_rows_in_both_directions(gallery):
    data = dataset()
    found = list(directions(Given(), data, split_of(), protocol_of(gallery=gallery)))
    assert [(each.regime, each.name) for each in found] == [
        (regime, name) for name in ("i2t", "t2i") for regime in QUERIES
    ]
    for each in found:
        queries, searched = rows_searched(each.regime, gallery)
        assert each.query_rows.tolist() == queries
        assert each.gallery_rows.tolist() == searched
        assert each.query_labels.tolist() == LABELS[queries].tolist()
        assert each.gallery_labels.tolist() == LABELS[searched].tolist()
        asked, shown = (data.pairs.a, data.pairs.b) if each.name == "i2t" else (data.pairs.b, data.pairs.a)
        assert np.array_equal(each.queries, asked[queries])
        assert np.array_equal(each.gallery, shown[searched])


def test_the_generalised_gallery_holds_seen_and_unseen_classes():
    for gallery in ("test", "train"):
        for each in directions(Given(), dataset(), split_of(), protocol_of(gallery=gallery)):
            if each.regime == "generalised":
                assert set(each.gallery_labels.tolist()) == {0, 1, 2, 3}


def test_queries_that_stand_in_the_train_gallery_are_dropped():
    """Where every row of an unseen class is a query, its train rows are the gallery: no row searches for itself."""
    every = split_of(ROWS | {"unseen_test": (5, 6, 7, 8, 10, 11)})
    for each in directions(Given(), dataset(), every, protocol_of(gallery="train")):
        assert not set(each.query_rows.tolist()) & set(each.gallery_rows.tolist())
        if each.regime == "unseen":
            assert each.query_rows.tolist() == [6, 8, 10]
            assert each.gallery_rows.tolist() == [5, 7, 11]
    kept, dropped = (measured(split=split, gallery="train") for split in (split_of(), every))
    assert dropped.rows == kept.rows
    for each in directions(Given(), dataset(), every, protocol_of()):
        if each.regime == "unseen":
            assert each.query_rows.tolist() == each.gallery_rows.tolist() == [5, 6, 7, 8, 10, 11]


@pytest.mark.parametrize("gallery", ["test", "train"])
@pytest.mark.parametrize("direction", ["i2t", "t2i"])
def test_generalised_queries_are_told_apart_and_joined_by_the_harmonic_mean(gallery, direction):
    data = dataset()
    evaluation = measured(data, gallery=gallery)
    queries, found = rows_searched("generalised", gallery)
    values, chances = (np.array(each) for each in naive(data, queries, found, direction))
    unseen = np.isin(queries, ROWS["unseen_test"])
    expected = {"of_seen": ~unseen, "of_unseen": unseen}
    for part, chosen in expected.items():
        row = row_of(evaluation, "generalised", direction, f"map_{part}")
        assert row["value"] == pytest.approx(values[chosen].mean(), abs=1e-12)
        assert row["chance"] == pytest.approx(chances[chosen].mean(), abs=1e-12)
        assert row["queries"] == chosen.sum()
    together = row_of(evaluation, "generalised", direction, "map_harmonic")
    for key, each in (("value", values), ("chance", chances)):
        s, u = each[~unseen].mean(), each[unseen].mean()
        assert together[key] == pytest.approx(2 * s * u / (s + u), abs=1e-12)
    lift = (together["value"] - together["chance"]) / (1 - together["chance"])
    assert together["lift"] == pytest.approx(lift, abs=1e-12)
    assert together["queries"] == len(queries)


def test_only_the_generalised_regime_has_parts():
    parted = [row for row in measured().rows if "_" in row["metric"]]
    assert {row["regime"] for row in parted} == {"generalised"}
    assert {row["metric"] for row in parted} == {"map_of_seen", "map_of_unseen", "map_harmonic"}


@pytest.mark.parametrize("gallery", ["test", "train"])
def test_the_mean_direction_averages_every_number_of_both(gallery):
    evaluation = measured(metrics=["map", "precision@2"], gallery=gallery)
    means = [row for row in evaluation.rows if row["direction"] == "mean"]
    assert len(means) * 3 == len(evaluation.rows)
    for row in means:
        one, other = (row_of(evaluation, row["regime"], name, row["metric"]) for name in ("i2t", "t2i"))
        for key in ("value", "chance", "lift"):
            assert row[key] == pytest.approx((one[key] + other[key]) / 2, abs=1e-15)
        assert row["queries"] == one["queries"] + other["queries"]
        assert (row["gallery"], row["gallery_side"]) == (one["gallery"], gallery)


WITHOUT_C3 = split_of(ROWS | {"unseen_train": (5,)})


def test_queries_with_nothing_relevant_are_left_out_and_counted():
    data = dataset()
    row = row_of(measured(data, WITHOUT_C3, gallery="train"), "unseen", "i2t")
    values, _ = naive(data, ROWS["unseen_test"], (5,), "i2t")
    assert values.count(None) == 1
    assert row["value"] == 1  # one item in the gallery, and it is relevant
    assert row["queries"] == 2
    assert row["queries_without_relevant"] == 1
    generalised = row_of(measured(data, WITHOUT_C3, gallery="train"), "generalised", "i2t")
    values, chances = naive(data, rows_searched("generalised", "train")[0], (0, 2, 5), "i2t")
    assert generalised["value"] == pytest.approx(mean_known(values), abs=1e-12)
    assert generalised["chance"] == pytest.approx(mean_known(chances), abs=1e-12)
    assert (generalised["queries"], generalised["queries_without_relevant"]) == (6, 1)


def test_the_mean_direction_counts_the_queries_without_relevant_of_both_too():
    evaluation = measured(split=WITHOUT_C3, gallery="train")
    row = row_of(evaluation, "unseen", "mean")
    assert row["queries"] == 4
    assert row["queries_without_relevant"] == 2


def test_a_gallery_where_everything_is_relevant_has_no_lift():
    row = row_of(measured(split=WITHOUT_C3, gallery="train"), "unseen", "t2i")
    assert (row["value"], row["chance"], row["lift"]) == (1, 1, 0)


def test_a_regime_in_which_no_query_has_anything_relevant_is_refused():
    with pytest.raises(InputError, match="at least one relevant"):
        measured(split=split_of(ROWS | {"unseen_train": (0,)}), gallery="train")


@pytest.mark.parametrize("empty", ["seen_test", "unseen_test"])
def test_a_regime_without_queries_is_refused(empty):
    with pytest.raises(InputError, match=r"without queries or gallery; change") as caught:
        measured(split=split_of(ROWS | {empty: ()}))
    assert "\n" not in str(caught.value)


def test_a_regime_whose_queries_all_stand_in_the_gallery_is_refused():
    with pytest.raises(InputError):
        measured(split=split_of(ROWS | {"unseen_train": ROWS["unseen_test"]}), gallery="train")


@pytest.mark.parametrize(("gallery", "unused"), [("test", (0, 2, 5, 7, 11)), ("train", ())])
def test_rows_no_regime_needs_are_not_looked_at(gallery, unused):
    data = dataset()
    poisoned = replace(data, pairs=spoilt(data.pairs, list(unused)))
    assert measured(poisoned, gallery=gallery).rows == measured(data, gallery=gallery).rows


def test_every_row_is_encoded_once_in_each_modality():
    for gallery, rows in (("test", 7), ("train", 12)):
        method = Given()
        measured(method=method, gallery=gallery)
        for modality in ("a", "b"):
            assert sum(count for name, count in method.shown if name == modality) == rows


def test_curves_and_classes_are_those_of_the_same_queries():
    data = dataset()
    evaluation = measured(data, metrics=["map", "precision@2"])
    assert evaluation.curves.keys() == {f"{regime}/{name}" for regime in QUERIES for name in ("i2t", "t2i")}
    for curve in evaluation.curves.values():
        assert curve.shape == (len(LEVELS),)
        assert (np.diff(curve) <= 1e-12).all()
        assert ((curve > 0) & (curve <= 1)).all()
    values, _ = naive(data, *rows_searched("generalised", "test"), "t2i")
    labels = LABELS[rows_searched("generalised", "test")[0]]
    expected = {f"c{label}": np.mean(np.array(values)[labels == label]) for label in range(4)}
    assert evaluation.per_class["generalised/t2i/map"] == pytest.approx(expected, abs=1e-12)


def test_every_metric_asked_for_has_a_row_and_a_value_per_query():
    metrics = ["map", "precision@2", "recall@1", "ndcg@3"]
    evaluation = measured(metrics=metrics)
    for regime in QUERIES:
        for name in ("i2t", "t2i"):
            for metric in metrics:
                per_query = evaluation.per_query[f"{regime}/{name}/{metric}"]
                assert row_of(evaluation, regime, name, metric)["value"] == pytest.approx(np.nanmean(per_query))


def test_perfect_codes_reach_one_and_a_lift_of_one():
    data = dataset()
    codes = np.eye(4, dtype=np.float32)[LABELS]
    perfect = replace(data, pairs=replace(data.pairs, a=Features(codes), b=Features(codes)))
    for gallery in ("test", "train"):
        for row in measured(perfect, gallery=gallery).rows:
            assert (row["value"], row["lift"]) == (1, 1)


def test_relabelling_the_classes_changes_no_number():
    data = dataset()
    order = np.array([2, 0, 3, 1])
    names = tuple(np.array(data.classes.names)[np.argsort(order)].tolist())
    renamed = replace(data, pairs=replace(data.pairs, labels=order[LABELS]), classes=replace(data.classes, names=names))
    assert measured(renamed, metrics=["map", "ndcg@2"]).rows == measured(data, metrics=["map", "ndcg@2"]).rows


def test_directions_are_named_after_the_modalities():
    data = dataset()
    spoken = replace(data, card=replace(CARD, modalities=("audio", "video")))
    alike = replace(data, card=replace(CARD, modalities=("text", "tags")))
    assert {row["direction"] for row in measured(spoken).rows} == {"a2v", "v2a", "mean"}
    assert {row["direction"] for row in measured(alike).rows} == {"a2b", "b2a", "mean"}


def test_a_drawn_split_is_measured_with_both_galleries():
    data = replace(dataset(), part=np.array([0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0]))
    split = extendable(data, seed=0, seen_share=0.5, pseudo_unseen_share=0.0, unseen_rows="all")
    for gallery in ("test", "train"):
        rows = measured(data, split, gallery=gallery).rows
        assert all(0 <= row["value"] <= 1 for row in rows)


@pytest.mark.parametrize("similarity", ["cosine", "euclidean"])
def test_validation_map_is_the_mean_of_both_directions_among_the_rows_given(similarity):
    data, rows = dataset(), np.array([1, 3, 4, 9, 6])
    both = [mean_known(naive(data, rows, rows, direction, similarity)[0]) for direction in ("i2t", "t2i")]
    split, protocol = split_of(ROWS | {"validation": rows}), protocol_of(similarity=similarity)
    assert validation_map(Given(), data, split, protocol) == pytest.approx(np.mean(both), abs=1e-12)
    others = np.setdiff1d(np.arange(len(LABELS)), rows)
    labels = LABELS.copy()
    labels[others] = -1
    poisoned = replace(data, pairs=replace(spoilt(data.pairs, others), labels=labels))
    assert validation_map(Given(), poisoned, split, protocol) == pytest.approx(np.mean(both), abs=1e-12)


@given(seen=st.floats(0, 1), unseen=st.floats(0, 1))
def test_harmonic_mean_is_symmetric_and_between_its_arguments(seen, unseen):
    value = harmonic_mean(seen, unseen)
    assert value == harmonic_mean(unseen, seen)
    assert min(seen, unseen) - 1e-12 <= value <= (seen + unseen) / 2 + 1e-12


def test_harmonic_mean_of_known_values():
    assert harmonic_mean(0.0, 0.0) == 0
    assert harmonic_mean(0.0, 1.0) == 0
    assert harmonic_mean(0.6, 0.3) == pytest.approx(0.4)
    assert harmonic_mean(0.7, 0.7) == pytest.approx(0.7)


def naive_z_scores(matrix):
    return (matrix.astype(float) - matrix.mean(axis=0, dtype=float)) / matrix.std(axis=0, dtype=float)


class Standardised(Given):
    """Standardises by the mean and deviation of the rows it was fitted to, as every method does."""

    def __init__(self, fitted):
        super().__init__()
        self.fitted = fitted

    def encode(self, features, modality):
        own = self.fitted[modality]
        return (super().encode(features, modality) - own.mean(axis=0, dtype=float)) / own.std(axis=0, dtype=float)


@pytest.mark.parametrize("gallery", ["test", "train"])
def test_per_matrix_a_method_that_standardises_sees_each_matrix_z_scored_on_its_own(gallery):
    data, split = dataset(seed=3, width=4), split_of()
    a, b = data.pairs.a[:], data.pairs.b[:]
    rows = split.positions("seen_train", data)
    method = Standardised({"a": a[rows], "b": b[rows]})
    for each in directions(method, data, split, protocol_of(standardise="per_matrix", gallery=gallery)):
        asked, shown = (a, b) if each.name == "i2t" else (b, a)
        groups = QUERIES[each.regime]
        queries = [naive_z_scores(asked[list(ROWS[group])]) for group in groups]
        found = [naive_z_scores(shown[list(ROWS[group.replace("test", gallery)])]) for group in groups]
        np.testing.assert_allclose(each.queries, np.concatenate(queries), atol=1e-5)
        np.testing.assert_allclose(each.gallery, np.concatenate(found), atol=1e-5)


def test_the_rows_say_how_features_were_scaled():
    for standardise in ("train", "per_matrix"):
        assert {row["standardise"] for row in measured(standardise=standardise).rows} == {standardise}
    assert measured(standardise="per_matrix").rows != measured().rows


def test_a_constant_feature_is_no_obstacle_per_matrix():
    data = dataset()
    a = data.pairs.a[:].copy()
    a[:, 0] = 3
    flat = replace(data, pairs=replace(data.pairs, a=Features(a)))
    assert all(np.isfinite(row["value"]) for row in measured(flat, standardise="per_matrix").rows)


def test_items_of_one_modality_are_queries_or_gallery_but_not_both():
    data = dataset()
    index = np.arange(len(LABELS))
    only_a = np.isin(index, (1, 4, 6, 7, 0, 5))  # the others have modality b alone
    pairs = replace(
        data.pairs,
        a=Features(data.pairs.a.matrix, np.where(only_a, index, -1)),
        b=Features(data.pairs.b.matrix, np.where(only_a, -1, index)),
    )
    unpaired = replace(data, pairs=pairs)
    for each in directions(Given(), unpaired, split_of(), protocol_of()):
        rows = rows_searched(each.regime, "test")[0]
        first, second = ([row for row in rows if only_a[row] == has] for has in (True, False))
        expected = (first, second) if each.name == "i2t" else (second, first)
        assert (each.query_rows.tolist(), each.gallery_rows.tolist()) == expected


def test_items_of_several_classes_are_relevant_if_they_share_one():
    data = dataset()
    labels = np.eye(4, dtype=np.uint8)[LABELS]
    same = replace(data, pairs=replace(data.pairs, labels=labels))
    assert measured(same).rows == measured(data).rows
    assert measured(same).per_class == measured(data).per_class
    labels = labels.copy()
    labels[:, 0] = 1
    everything = replace(data, pairs=replace(data.pairs, labels=labels))
    assert {row["value"] for row in measured(everything).rows} == {1}


def test_only_the_regimes_asked_for_are_measured():
    assert {row["regime"] for row in measured(regimes=("generalised",)).rows} == {"generalised"}
    generalised = [row for row in measured().rows if row["regime"] == "generalised"]
    assert measured(regimes=("generalised",)).rows == generalised

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from msl.evaluation.comparison import compare, holm
from msl.evaluation.interval import t_interval
from msl.evaluation.ledger import append, by_split, read_rows, runs_below, summarise
from msl.types import InputError


def row(value=0.5, **changes):
    identity = {
        "method": "masln", "data": "emoji", "regime": "unseen", "direction": "mean", "metric": "map",
        "split_seed": 0, "seed": 0, "config_hash": "aaa", "data_hash": "ddd", "gallery_side": "test",
        "standardise": "train", "similarity": "cosine", "split_rule": "extendable", "split_hash": "sss", "embedding": "words",
    }  # fmt: skip
    numbers = {"value": value, "chance": 0.1, "lift": (value - 0.1) / 0.9}
    return identity | numbers | {"class_split": f"classes {changes.get('split_seed', 0)}"} | changes


def runs(values, **changes):
    """Rows of several runs: (split, seed) -> value."""
    return [
        row(value, split_seed=split, seed=seed, config_hash=f"{changes}{split}{seed}", **changes)
        for (split, seed), value in values.items()
    ]


def test_rows_come_back_as_they_were_appended(tmp_path):
    rows = [row(), row(regime="seen"), row(metric="ndcg@10", value=0.123456789012345)]
    append(tmp_path / "ledger.jsonl", rows)
    assert read_rows(tmp_path / "ledger.jsonl") == rows


def test_a_ledger_has_one_json_object_per_run_which_says_what_its_rows_share_once(tmp_path):
    append(tmp_path / "ledger.jsonl", [row(), row(regime="seen"), row(config_hash="bbb")])
    text = (tmp_path / "ledger.jsonl").read_text()
    assert text.endswith("\n")
    lines = list(map(json.loads, text.splitlines()))
    assert [line["run"]["config_hash"] for line in lines] == ["aaa", "bbb"]
    regime = lines[0]["columns"].index("regime")
    assert [numbers[regime] for numbers in lines[0]["rows"]] == ["unseen", "seen"]


def test_a_ledger_of_one_row_a_line_is_read_too(tmp_path):
    rows = [row(), row(regime="seen")]
    (tmp_path / "ledger.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in rows))
    assert read_rows(tmp_path / "ledger.jsonl") == rows


@pytest.mark.parametrize("damage", [{"rows": [[1]]}, {"columns": ["value"]}, {"run": None}])
def test_a_damaged_line_is_refused_in_one_line(tmp_path, damage):
    append(tmp_path / "ledger.jsonl", [row()])
    line = json.loads((tmp_path / "ledger.jsonl").read_text()) | damage
    (tmp_path / "ledger.jsonl").write_text(json.dumps(line) + "\n")
    with pytest.raises(InputError, match=r"ledger\.jsonl is not a ledger") as error:
        read_rows(tmp_path / "ledger.jsonl")
    assert "\n" not in str(error.value)


def test_a_row_of_the_same_identity_replaces_the_earlier_one_in_its_place(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    append(ledger, [row(0.1), row(0.2, regime="seen")])
    append(ledger, [row(0.9), row(0.3, config_hash="bbb")])
    assert [(each["regime"], each["config_hash"], each["value"]) for each in read_rows(ledger)] == [
        ("unseen", "aaa", 0.9), ("seen", "aaa", 0.2), ("unseen", "bbb", 0.3)
    ]  # fmt: skip


@pytest.mark.parametrize(
    "key",
    [
        "config_hash",
        "data_hash",
        "split_hash",
        "embedding",
        "regime",
        "direction",
        "metric",
        "gallery_side",
        "standardise",
        "similarity",
        "split_rule",
    ],
)
def test_a_row_that_differs_in_identity_is_added(key, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    append(ledger, [row(0.1)])
    append(ledger, [row(0.2, **{key: "other"})])
    assert [each["value"] for each in read_rows(ledger)] == [0.1, 0.2]


def test_appending_twice_changes_nothing(tmp_path):
    ledger, rows = tmp_path / "ledger.jsonl", runs({(0, 0): 0.1, (1, 0): 0.2})
    append(ledger, rows)
    once = ledger.read_bytes()
    append(ledger, rows)
    assert ledger.read_bytes() == once


@pytest.mark.parametrize("label", ["method é", "two\nlines", "line\u2028separator", "next\u0085line", '"quoted" \\'])
def test_a_label_may_hold_any_character(label, tmp_path):
    append(tmp_path / "ledger.jsonl", [row(method=label)])
    append(tmp_path / "ledger.jsonl", [row(method=label, regime="seen")])
    assert [each["method"] for each in read_rows(tmp_path / "ledger.jsonl")] == [label, label]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_json_has_not_is_refused_and_the_ledger_stays(value, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    append(ledger, [row(0.1)])
    with pytest.raises(ValueError, match="JSON"):
        append(ledger, [row(value, regime="seen")])
    assert [each["value"] for each in read_rows(ledger)] == [0.1]


def test_blank_lines_are_skipped(tmp_path):
    file = tmp_path / "ledger.jsonl"
    file.write_text(json.dumps(row()) + "\n\n" + json.dumps(row(regime="seen")) + "\n\n")
    assert len(read_rows(file)) == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [("ledger.jsonl", "{"), ("ledger.jsonl", "3\n"), ("metrics.json", "{"), ("metrics.json", "3"), ("metrics.json", "[3]"),
     ("metrics.json", "null"), ("ledger.jsonl", b"\xff\xfe")],
)  # fmt: skip
def test_what_is_no_ledger_is_refused_in_one_line(name, content, tmp_path):
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=rf"{name}.*; ") as caught:
        read_rows(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_missing_ledger_is_named(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*ledger\.jsonl; give"):
        read_rows(tmp_path / "ledger.jsonl")


def test_rows_of_every_finished_run_below_a_folder_are_found(tmp_path):
    for name, regime in (("one", "seen"), ("deep/er/two", "unseen")):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "metrics.json").write_text(json.dumps([row(regime=regime)]))
    assert {each["regime"] for each in runs_below(tmp_path)} == {"seen", "unseen"}
    with pytest.raises(InputError, match="no finished run"):
        runs_below(tmp_path / "deep" / "nowhere")


def test_seeds_are_averaged_within_a_split_before_the_interval():
    values = {(0, 0): 0.1, (0, 1): 0.3, (0, 2): 0.8, (1, 0): 0.6, (2, 0): 0.2, (2, 1): 0.4}
    (summary,) = summarise(runs(values), metric="map", direction="mean", reference=None)
    expected = t_interval([0.4, 0.6, 0.3])
    assert (summary.value.mean, summary.value.low, summary.value.high) == pytest.approx(
        (expected.mean, expected.low, expected.high)
    )
    assert (summary.value.n, summary.runs) == (3, 6)
    assert summary.chance == pytest.approx(0.1)
    assert summary.lift == pytest.approx((expected.mean - 0.1) / 0.9)
    assert summary.difference is None


def test_by_split_averages_seeds():
    rows = runs({(3, 0): 0.1, (1, 0): 0.5, (3, 1): 0.2})
    assert by_split(rows, "value") == pytest.approx({"classes 1": 0.5, "classes 3": 0.15})


def test_many_seeds_on_one_split_do_not_outweigh_the_others():
    values = {(0, seed): 0.0 for seed in range(20)} | {(1, 0): 1.0}
    (summary,) = summarise(runs(values), metric="map", direction="mean", reference=None)
    assert summary.value.mean == 0.5


def test_more_seeds_do_not_make_more_units():
    values = {(0, seed): value for seed, value in enumerate(np.linspace(0, 1, 10))}
    (summary,) = summarise(runs(values), metric="map", direction="mean", reference=None)
    assert summary.value.n == 1
    assert np.isnan(summary.value.half_width)


def test_what_selection_draws_makes_no_further_class_split():
    """DADN's rule and the standard protocol have one class split, whatever `split.seed` holds out for selection."""
    rows = runs({(0, 0): 0.1, (1, 0): 0.2, (2, 0): 0.6}, class_split="even and odd")
    (summary,) = summarise(rows, metric="map", direction="mean", reference=None)
    assert (summary.value.n, summary.value.mean) == (1, pytest.approx(0.3))


@pytest.mark.parametrize("key", ["config_hash", "data_hash", "split_hash", "embedding"])
def test_two_configurations_of_one_label_are_not_averaged(key):
    with pytest.raises(InputError, match=rf"share the label 'masln' .*{key} \w+ and other\); give each"):
        summarise([row(), row(**{key: "other"})], metric="map", direction="mean", reference=None)


def test_there_is_a_summary_for_each_data_set_regime_and_method_in_order_of_appearance():
    rows = [row(method="cca"), row(regime="seen"), row(data="fashion"), row(method="cca", split_seed=1)]
    found = summarise(rows, metric="map", direction="mean", reference=None)
    assert [(each.data, each.regime, each.method) for each in found] == [
        ("emoji", "unseen", "cca"), ("emoji", "seen", "masln"), ("fashion", "unseen", "masln")
    ]  # fmt: skip


def test_only_rows_of_the_metric_and_the_direction_count():
    rows = [row(0.5), row(0.9, metric="ndcg@10"), row(0.1, direction="i2t")]
    (summary,) = summarise(rows, metric="map", direction="mean", reference=None)
    assert summary.value.mean == 0.5


def test_differences_to_the_reference_are_paired_by_split():
    ours, theirs = {(0, 0): 0.5, (1, 0): 0.7, (2, 0): 0.6}, {(0, 0): 0.4, (0, 1): 0.2, (1, 0): 0.6, (5, 0): 0.9}
    rows = runs(ours) + runs(theirs, method="cca")
    mine, reference = summarise(rows, metric="map", direction="mean", reference="cca")
    assert reference.difference is None
    expected = compare({0: 0.5, 1: 0.7}, {0: 0.3, 1: 0.6})
    assert (mine.difference.mean, mine.difference.low) == pytest.approx((expected.mean, expected.low))
    assert mine.difference.n == 2


def test_p_values_are_adjusted_over_the_methods_of_one_data_set_protocol_and_regime():
    rng = np.random.default_rng(0)
    cells = [
        {"method": method, "regime": regime}
        for regime in ("seen", "unseen")
        for method in ("cca", "one", "two", "three")
    ]
    rows = [each for cell in cells for each in runs({(split, 0): rng.random() for split in range(6)}, **cell)]
    rows += runs({(0, 0): 0.5}, method="one split", regime="seen")
    found = summarise(rows, metric="map", direction="mean", reference="cca")
    for regime in ("seen", "unseen"):
        family = [each.difference for each in found if each.regime == regime and each.method in ("one", "two", "three")]
        assert [each.p_holm for each in family] == pytest.approx(holm([each.p for each in family]))
    (single,) = (each.difference for each in found if each.method == "one split")
    assert (single.p, single.p_holm) == (None, None)  # and is none of the family


def test_where_the_reference_was_not_run_there_is_no_difference():
    rows = [row(method="cca"), row(), row(regime="seen")]
    found = {each.regime: each for each in summarise(rows, metric="map", direction="mean", reference="cca")[1:]}
    assert found["unseen"].difference is not None
    assert found["seen"].difference is None


def test_an_unknown_metric_direction_or_reference_is_refused_with_those_there_are():
    for wrong in ({"metric": "mpa"}, {"direction": "t2t"}, {"reference": "ccca"}):
        with pytest.raises(InputError, match=r"there are .*(map|masln)"):
            summarise([row()], **{"metric": "map", "direction": "mean", "reference": None} | wrong)


def test_numbers_of_two_galleries_are_never_averaged():
    """`msl evaluate evaluation.gallery=train` of a run gives rows that differ from the run's own in their gallery only."""
    rows = [row(0.2), row(0.8, gallery_side="train")]
    try:
        found = summarise(rows, metric="map", direction="mean", reference=None)
    except InputError:
        return
    assert {each.value.mean for each in found} <= {0.2, 0.8}


@pytest.mark.parametrize("key", ["config_hash", "metric", "method", "class_split", "split_seed", "value"])
@pytest.mark.parametrize("name", ["ledger.jsonl", "metrics.json"])
def test_a_row_without_one_of_its_keys_is_refused_with_the_keys_name(name, key, tmp_path):
    rows = [row(), {other: value for other, value in row().items() if other != key}]
    text = json.dumps(rows) if name.endswith(".json") else "\n".join(map(json.dumps, rows))
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=rf"{name}.*{key}.*; ") as caught:
        read_rows(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_two_configurations_of_one_label_are_not_taken_for_seeds():
    rows = [row(0.2), row(0.8, config_hash="bbb")]
    with pytest.raises(InputError, match=r"two configurations share the label 'masln'.*aaa and bbb.*label") as caught:
        summarise(rows, metric="map", direction="mean", reference=None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["split_rule", "gallery_side", "standardise", "similarity"])
def test_protocols_stand_in_lines_of_their_own(key):
    found = summarise([row(0.2), row(0.8, **{key: "other"})], metric="map", direction="mean", reference=None)
    assert [each.value.mean for each in found] == [0.2, 0.8]
    assert "other" in found[1].protocol


def test_processes_that_append_at_once_lose_no_row(tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    with ThreadPoolExecutor(8) as pool:  # each opens the lock file for itself, as processes do
        list(pool.map(lambda seed: append(ledger, [row(seed=seed, config_hash=str(seed))]), range(40)))
    assert sorted(each["seed"] for each in read_rows(ledger)) == list(range(40))


def consistent():
    """Rows of two methods on one split, as an evaluation gives them: both directions, their mean, seen and unseen queries."""
    rows = []
    for method, better in (("masln", 0.05), ("cca", 0.0)):
        for number, direction in enumerate(("i2t", "t2i")):
            seen, unseen = 0.4 + better + 0.01 * number, 0.2 + better
            values = {
                "map": 0.3 + better,
                "map_of_seen": seen,
                "map_of_unseen": unseen,
                "map_harmonic": 2 * seen * unseen / (seen + unseen),
            }
            chances = {
                "map": 0.1,
                "map_of_seen": 0.12,
                "map_of_unseen": 0.08,
                "map_harmonic": 2 * 0.12 * 0.08 / (0.12 + 0.08),
            }
            for metric, value in values.items():
                lift = (value - chances[metric]) / (1 - chances[metric])
                numbers = {"metric": metric, "chance": chances[metric], "lift": lift}
                rows.append(
                    row(value, method=method, config_hash=method, regime="generalised", direction=direction, **numbers)
                )
        for one, other in zip(rows[-8:-4], rows[-4:], strict=True):
            rows.append(
                one | {key: (one[key] + other[key]) / 2 for key in ("value", "chance", "lift")} | {"direction": "mean"}
            )
    return rows


def written(rows, tmp_path):
    file = tmp_path / "ledger.jsonl"
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def test_rows_that_follow_from_each_other_are_read(tmp_path):
    assert read_rows(written(consistent(), tmp_path)) == consistent()


@pytest.mark.parametrize("change", [0.01, -0.01, 1e-6])
@pytest.mark.parametrize("key", ["value", "chance", "lift"])
def test_a_number_changed_in_any_row_is_found(key, change, tmp_path):
    for place, own in enumerate(consistent()):
        rows = consistent()
        rows[place] = own | {key: own[key] + change}
        with pytest.raises(InputError, match=r"ledger\.jsonl: row \d+ \(.*\) has \w+=.*; restore") as caught:
            read_rows(written(rows, tmp_path))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("metric", ["map", "map_of_seen", "map_harmonic"])
def test_a_direction_whose_lift_was_changed_with_it_is_found_by_the_mean(metric, tmp_path):
    rows = consistent()
    own = next(each for each in rows if (each["direction"], each["metric"]) == ("i2t", metric))
    own |= {"value": own["value"] + 0.01, "lift": (own["value"] + 0.01 - own["chance"]) / (1 - own["chance"])}
    with pytest.raises(InputError, match=r"the mean of both directions|2 S U"):
        read_rows(written(rows, tmp_path))


def test_a_chance_that_is_another_for_another_method_is_found(tmp_path):
    rows = [row(), row(method="cca", config_hash="bbb", chance=0.2, lift=(0.5 - 0.2) / 0.8)]
    with pytest.raises(InputError, match=r"row 2 \(cca .*chance=0\.2, .* 0\.100000000 as in an earlier row"):
        read_rows(written(rows, tmp_path))
    rows[1]["split_hash"] = "another split"
    assert len(read_rows(written(rows, tmp_path))) == 2


@pytest.mark.parametrize(
    ("key", "wrong"),
    [("value", 1.2), ("value", -0.1), ("value", None), ("chance", -0.1), ("chance", "0.1"), ("lift", 1.1)],
)
def test_a_number_that_none_can_be_is_found(key, wrong, tmp_path):
    with pytest.raises(InputError, match=rf"row 1 .* has {key}="):
        read_rows(written([row() | {key: wrong}], tmp_path))


def test_the_tracked_ledger_is_consistent():
    file = Path(__file__).resolve().parents[2] / "results" / "ledger.jsonl"
    if not file.is_file():
        pytest.skip("results/ledger.jsonl is not in this copy")
    assert len(read_rows(file)) > 1000

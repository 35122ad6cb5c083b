import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from msl.evaluation.claims import DIRECTIONS, read_claims, verdict
from msl.evaluation.interval import prediction_interval, t_interval
from msl.evaluation.published import Line
from msl.files import embedded
from msl.types import InputError

CLAIMS = embedded("conf") / "claims"
DATA = {"wikipedia": "Wikipedia", "pascal": "Pascal", "nuswide": "NUS-WIDE", "xmedianet": "XMediaNet"}
FEATURES = ["VGG-19 (a.mat)", "doc2vec (b.mat)"]


COMPARABLE = {
    "features": ["VGG-19", "doc2vec"], "split_rule": ["from_file", "even_odd"], "gallery_side": "train",
    "standardise": "per_matrix", "similarity": "cosine",
}  # fmt: skip


def content():
    """A source with one row, as YAML gives it."""
    table = {
        "table": "Table 1", "regime": "unseen", "metric": "map", "draws": None, "protocol": "DADN's",
        "features": {"images": "VGG-19", "texts": "doc2vec"}, "comparable": dict(COMPARABLE),
        "rows": [{"data": "wikipedia", "method": "MASLN", "i2t": 0.3, "t2i": 0.26, "mean": 0.28}],
    }  # fmt: skip
    return {"citation": "Somebody, 2020", "doi": None, "unstated": [], "tables": [table]}


def written(folder, **sources):
    for name, source in sources.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(source))
    return folder


def the_claim(folder, *, draws=None, labels=None, comparable=None, **line):
    source = content() | {"labels": labels or {}}
    source["tables"][0]["draws"] = draws
    source["tables"][0]["comparable"] |= comparable or {}
    source["tables"][0]["rows"][0] |= line
    (claim,) = read_claims(written(folder, paper=source))
    return claim


def row(value, **changes):
    return {
        "method": "masln", "data": "wikipedia-vgg19-doc2vec", "features": FEATURES, "regime": "unseen", "direction": "mean",
        "metric": "map", "split_seed": 0, "seed": 0, "class_split": f"classes {changes.get('split_seed', 0)}",
        "config_hash": "a", "data_hash": "d", "split_hash": "s", "embedding": "words", "split_rule": "from_file",
        "gallery_side": "train", "standardise": "per_matrix", "similarity": "cosine", "value": value, "chance": 0.2, "lift": 0.1,
    } | changes  # fmt: skip


def splits(values, **changes):
    return [row(value, split_seed=number, **changes) for number, value in enumerate(values)]


# The files of published numbers


def test_every_claim_is_read_and_names_its_source():
    claims = read_claims()
    assert {claim.name for claim in claims} == {file.stem for file in CLAIMS.glob("*.yaml")}
    for claim in claims:
        assert claim.source.citation
        assert claim.source.unstated
        assert any(claim.value(direction) for direction in DIRECTIONS)


def test_maslns_own_row_is_there_with_both_its_sources():
    found = {claim.name: claim for claim in read_claims() if claim.key == ("wikipedia", "unseen", "MASLN")}
    assert found.keys() == {"jfse_2022", "mdvae_2022"}
    assert [found["jfse_2022"].value(direction) for direction in DIRECTIONS] == [0.284, 0.264, 0.274]
    assert found["mdvae_2022"].line.repeats == "jfse_2022"


def test_a_quotation_that_differs_from_its_source_is_found(tmp_path):
    quoting = content()
    quoting["tables"][0]["rows"][0]["repeats"] = "first"
    assert len(read_claims(written(tmp_path, first=content(), second=quoting))) == 2
    quoting["tables"][0]["rows"][0] |= {"i2t": 0.31, "mean": 0.285}
    with pytest.raises(InputError, match=r"second\.yaml: wikipedia unseen MASLN .* repeat first\.yaml"):
        read_claims(written(tmp_path, second=quoting))
    quoting["tables"][0]["rows"][0]["repeats"] = "nobody"
    with pytest.raises(InputError, match="no such row"):
        read_claims(written(tmp_path, second=quoting))


def test_every_row_that_two_sources_share_under_one_protocol_says_that_it_repeats():
    known = {}
    for claim in read_claims():
        other = known.setdefault((*claim.key, repr(claim.table.comparable)), claim)
        assert other is claim or other.name == claim.line.repeats or claim.name == other.line.repeats


@pytest.mark.parametrize("change", [0.01, -0.01])
@pytest.mark.parametrize("key", DIRECTIONS)
def test_a_wrong_number_in_any_full_line_contradicts_its_mean(key, change):
    full = [claim.line for claim in read_claims() if None not in claim.numbers]
    assert len(full) > 80
    for line in full:
        values = line.model_dump()
        with pytest.raises(ValidationError, match="is not that of i2t"):
            Line.model_validate(values | {key: values[key] + change})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"i2t": 1.2}, r"tables 1 rows 1 i2t: .* got 1\.2"),
        ({"mean": "0.28"}, "tables 1 rows 1 mean"),
        ({"mean": 0.3}, r"mean 0\.3 is not that of i2t 0\.3 and t2i 0\.26, 0\.2800"),
        ({"i2i": 0.3}, "tables 1 rows 1 i2i: Extra"),
        ({"i2t": None, "t2i": None, "mean": None}, "has none of"),
    ],
    ids=["above one", "text", "mean", "unknown key", "no number"],
)
def test_a_wrong_row_is_refused_with_its_file_and_place(change, said, tmp_path):
    source = content()
    source["tables"][0]["rows"][0] |= change
    with pytest.raises(InputError, match=rf"paper\.yaml: .*{said}.*; correct it") as caught:
        read_claims(written(tmp_path, paper=source))
    assert "\n" not in str(caught.value)


def test_a_line_that_is_there_twice_is_refused(tmp_path):
    source = content()
    source["tables"][0]["rows"] *= 2
    with pytest.raises(InputError, match="two rows of wikipedia unseen MASLN"):
        read_claims(written(tmp_path, paper=source))


@pytest.mark.parametrize("text", ["a: [", "just words", "tables: 3"])
def test_what_is_no_source_is_refused_in_one_line(text, tmp_path):
    (tmp_path / "paper.yaml").write_text(text)
    with pytest.raises(InputError, match=r"paper\.yaml.*correct it") as caught:
        read_claims(tmp_path)
    assert "\n" not in str(caught.value)


def notes():
    file = Path(__file__).resolve().parents[3] / "shared" / "method.md"
    if not file.is_file():
        pytest.skip("the notes the numbers were copied from are not beside this copy")
    return file.read_text(encoding="utf-8")


def numbers(text):
    return tuple(float(number) for number in re.findall(r"\.\d{3}", text))


def test_claims_are_the_notes_tables():
    """Every line of both Markdown tables, and every such claim in them."""
    noted = {}
    for line in notes().splitlines():
        first, *cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 4 and any(map(numbers, cells)):
            regime, method = (first, "MASLN") if first in ("seen", "unseen", "generalised") else ("unseen", first)
            for data, cell in zip(DATA, cells, strict=True):
                if numbers(cell):
                    noted[data, regime, method.replace("-", "")] = numbers(cell)
    extendable = [claim for claim in read_claims() if claim.table.regime != "standard" and claim.name != "tanss_rerun"]
    claimed = {(*claim.key[:2], claim.key[2].replace("-", "")): claim.numbers for claim in extendable}
    assert len(noted) > 50
    assert claimed == noted


def test_standard_claims_are_the_notes_sentence():
    (sentence,) = re.findall(r"JFSE Table 4: (.*?)\. DSCMR's own", notes())
    noted = {part.split()[0]: numbers(part) for part in sentence.split(";")}
    claims = [claim for claim in read_claims() if claim.name == "jfse_2022" and claim.table.regime == "standard"]
    for name, found in noted.items():
        three = [claim.numbers for claim in claims if claim.line.method == name]
        assert found == tuple(number for each in three for number in each), name
    assert {claim.line.method for claim in claims} == noted.keys()


def test_the_other_claims_are_the_notes_sentences():
    claims = {(claim.name, *claim.key): claim.numbers for claim in read_claims()}
    (own,) = re.findall(r"DSCMR's own paper has, on Pascal, (.*?): features", notes())
    pascal = ("dscmr_2019", "pascal", "standard")
    found = [number for method in ("DCCA", "ACMR", "DSCMR") for number in claims[*pascal, method] if number is not None]
    assert tuple(found) == numbers(own)
    (again,) = re.findall(r"re-run of TANSS could not reach its paper: (.*?)\. Published", notes())
    noted = numbers(re.sub(r"\+-\.\d+|\(paper.*?\)", "", again))
    places = (("wikipedia", "unseen"), ("pascal", "unseen"), ("wikipedia", "seen"), ("pascal", "seen"))
    assert noted == tuple(number for place in places for number in claims["tanss_rerun", *place, "TANSS"][:2])


# Verdicts


def test_a_claim_inside_our_prediction_interval_is_reproduced(tmp_path):
    values = [0.25, 0.29, 0.31, 0.27]
    found = verdict(the_claim(tmp_path), splits(values), direction="mean", near=0.01)
    assert found.kind == "reproduced"
    assert (found.ours, found.prediction) == (t_interval(values), prediction_interval(values, others=1))
    assert re.search(
        r"0\.280 lies in \[0\.\d+, 0\.\d+\], where our 4 class splits .* put another with 95 %", found.reason
    )


def test_a_claim_may_lie_outside_the_interval_of_our_mean_and_be_reproduced(tmp_path):
    values = [0.30, 0.34, 0.36, 0.32, 0.27, 0.35, 0.33]
    found = verdict(the_claim(tmp_path), splits(values), direction="mean", near=0.0)
    assert found.ours.low > 0.28
    assert found.kind == "reproduced"


def test_a_claim_that_is_a_mean_of_many_splits_has_to_lie_nearer(tmp_path):
    values = [0.30, 0.34, 0.36, 0.32, 0.27, 0.35, 0.33]
    found = verdict(the_claim(tmp_path, draws=50), splits(values), direction="mean", near=0.01)
    assert found.kind == "differs"
    assert found.prediction == prediction_interval(values, others=50)
    assert "the mean of 50 others" in found.reason


@pytest.mark.parametrize(("near", "kind"), [(0.021, "near"), (0.019, "differs")])
def test_outside_the_margin_decides(near, kind, tmp_path):
    found = verdict(the_claim(tmp_path), splits([0.299, 0.300, 0.301]), direction="mean", near=near)
    assert found.kind == kind
    assert re.search(r"lies outside .*; 0\.280 is 0\.020 from our mean 0\.300, (within|beyond) 0\.0", found.reason)


def test_rounding_to_three_decimals_takes_no_claim_out_of_the_interval(tmp_path):
    found = verdict(the_claim(tmp_path), splits([0.28041] * 4), direction="mean", near=0.0)
    assert found.kind == "reproduced"


def test_each_direction_has_a_verdict_of_its_own(tmp_path):
    claim = the_claim(tmp_path)
    rows = [*splits([0.299, 0.300, 0.301], direction="i2t"), *splits([0.299, 0.300, 0.301], direction="t2i")]
    kinds = {direction: verdict(claim, rows, direction=direction, near=0.01).kind for direction in DIRECTIONS}
    assert kinds == {"i2t": "reproduced", "t2i": "differs", "mean": "not comparable"}


def test_seeds_within_a_split_are_averaged(tmp_path):
    values = {(0, 0): 0.2, (0, 1): 0.3, (1, 0): 0.25, (1, 1): 0.35}
    rows = [row(value, split_seed=split, seed=seed) for (split, seed), value in values.items()]
    assert verdict(the_claim(tmp_path), rows, direction="mean", near=0.01).ours == t_interval([0.25, 0.3])


def test_with_one_class_split_the_interval_is_over_its_runs_and_says_so(tmp_path):
    rows = [row(value, seed=seed) for seed, value in enumerate([0.27, 0.28, 0.285])]
    found = verdict(the_claim(tmp_path, draws=5), rows, direction="mean", near=0.01)
    assert (found.kind, found.prediction) == ("reproduced", prediction_interval([0.27, 0.28, 0.285]))
    assert "3 runs of one class split" in found.reason


@pytest.mark.parametrize(("value", "kind"), [(0.28, "near"), (0.285, "near"), (0.3, "differs")])
def test_a_single_run_is_near_or_differs_and_says_so(value, kind, tmp_path):
    found = verdict(the_claim(tmp_path), [row(value)], direction="mean", near=0.01)
    assert (found.kind, found.prediction) == (kind, None)
    assert "1 of our runs of one class split, too few for an interval" in found.reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"method": "cca"}, "no run of masln"),
        ({"data": "pascal"}, "no run on wikipedia"),
        ({"features": ["SIFT (a.mat)", "doc2vec (b.mat)"]}, r"features: VGG-19 there, ours SIFT \(a.mat\)"),
        ({"features": ["VGG-19", "LDA"]}, "features: doc2vec there, ours LDA"),
        ({"regime": "seen"}, "regime: unseen there, ours seen"),
        ({"metric": "map@50"}, "metric: map there, ours map@50"),
        ({"split_rule": "extendable"}, "split_rule: from_file or even_odd there, ours extendable"),
        ({"gallery_side": "test"}, "gallery_side: train there, ours test"),
        ({"standardise": "train"}, "standardise: per_matrix there, ours train"),
        ({"similarity": "dot"}, "similarity: cosine there, ours dot"),
        ({"direction": "i2t"}, "direction: mean there, ours i2t"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_what_differs_makes_it_not_comparable(change, reason, tmp_path):
    """However close the numbers are."""
    found = verdict(the_claim(tmp_path), splits([0.28, 0.281, 0.279], **change), direction="mean", near=1.0)
    assert (found.kind, found.ours, found.prediction) == ("not comparable", None, None)
    assert re.search(reason, found.reason)


def test_what_the_source_leaves_unstated_is_said(tmp_path):
    claim = the_claim(tmp_path, comparable={"standardise": None, "features": ["VGG-19", None]})
    found = verdict(claim, splits([0.28, 0.281, 0.279]), direction="mean", near=0.0)
    assert found.kind == "reproduced"
    assert found.reason.endswith(
        "unstated there, so taken to be ours: standardise per_matrix, features doc2vec (b.mat)"
    )


def test_where_two_of_our_protocols_could_be_meant_neither_is_taken(tmp_path):
    claim = the_claim(tmp_path, comparable={"gallery_side": None})
    rows = [*splits([0.28, 0.281, 0.279]), *splits([0.38, 0.381, 0.379], gallery_side="test")]
    found = verdict(claim, rows, direction="mean", near=1.0)
    assert found.kind == "not comparable"
    assert "leaves open which of our protocols" in found.reason


def test_of_two_split_rules_that_would_do_the_first_is_taken(tmp_path):
    rows = [*splits([0.1, 0.11], split_rule="even_odd"), *splits([0.28, 0.281, 0.279])]
    assert verdict(the_claim(tmp_path), rows, direction="mean", near=0.0).ours.n == 3
    assert verdict(the_claim(tmp_path), rows[:2], direction="mean", near=0.0).ours.mean == pytest.approx(0.105)


def test_a_method_of_another_name_is_found_by_its_label(tmp_path):
    claim = the_claim(tmp_path, method="Deep-SM")
    assert claim.label == "deepsm"
    claim = the_claim(tmp_path, method="CM", labels={"CM": "cca"})
    assert verdict(claim, splits([0.28, 0.281, 0.279], method="cca"), direction="mean", near=0.0).kind == "reproduced"


def test_verdicts_are_right_as_often_as_the_interval_says(tmp_path):
    """A claim that is a draw of what our splits are draws of is reproduced in 95 of 100 cases."""
    claim, rng, kinds = the_claim(tmp_path), np.random.default_rng(0), []
    for centre in rng.normal(0.28, 0.03, 300):
        found = verdict(claim, splits(rng.normal(centre, 0.03, 5)), direction="mean", near=0.0)
        kinds.append(found.kind == "reproduced")
    assert np.mean(kinds) == pytest.approx(0.95, abs=0.035)


def test_no_number_on_sift_images_stands_beside_one_on_vgg(tmp_path):
    rows = splits([0.27, 0.28], data="wikipedia-sift-doc2vec", features=["SIFT bag of visual words (a.mat)", "doc2vec"])
    for claim in read_claims():
        if "VGG" in claim.table.features.images:
            assert verdict(claim, rows, direction="mean", near=1.0).kind == "not comparable"

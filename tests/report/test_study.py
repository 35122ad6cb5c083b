import csv
import io
import re

import pytest

from msl.evaluation.claims import read_claims, verdict
from msl.report.page.parts import Drawing, Grid, Prose
from msl.report.study import pages as study_pages
from msl.report.study import sections as study_sections
from msl.report.study.study import Study, Varied


def rows(method, data, values, *, regime="unseen", metric="map", chance=0.1):
    """Rows of one method, a class split for each value, in both directions and their mean."""
    return [
        {
            "method": method, "data": data, "regime": regime, "direction": direction, "metric": metric, "value": value + shift,
            "chance": chance, "lift": (value + shift - chance) / (1 - chance), "split_seed": split, "seed": 0,
            "class_split": f"{data} {split}", "config_hash": f"{method} {data} {split} {metric}", "data_hash": data,
            "split_hash": f"{split}", "embedding": "words", "split_rule": "extendable", "gallery_side": "test",
            "standardise": "train", "similarity": "cosine", "features": ["HOG", "words"],
        }
        for split, value in enumerate(values)
        for direction, shift in (("i2t", 0.01), ("t2i", -0.01), ("mean", 0.0))
    ]  # fmt: skip


def study(found, labels, **changes):
    plain = {
        "title": "A study", "question": "Which?", "metrics": ("map",), "regimes": ("unseen", "seen"), "reference": "cca",
        "labels": tuple(labels), "varied": {}, "runs": 4, "wanted": 6, "rows": found, "verdicts": (),
    }  # fmt: skip
    return Study(**plain | changes)


@pytest.fixture
def compared():
    found = [
        *rows("cca", "emoji", [0.2, 0.3], regime="seen"),
        *rows("masln", "emoji", [0.5, 0.7], regime="seen"),
        *rows("masln", "emoji", [0.30, 0.34]),
        *rows("cca", "emoji", [0.20, 0.26]),
        *rows("masln", "fashion", [0.4, 0.5]),
        *rows("cca", "fashion", [0.3, 0.3]),
        *(row for data in ("pascal", "nuswide") for row in rows("masln", data, [0.4]) + rows("cca", data, [0.3])),
    ]
    return study(found, ["cca", "masln"])


def test_lines_stand_data_set_by_data_set_regime_by_regime_in_the_order_of_labels(compared):
    assert [(s.data, s.regime, s.method) for s in compared.summaries("map")] == [
        ("emoji", "unseen", "cca"), ("emoji", "unseen", "masln"), ("emoji", "seen", "cca"), ("emoji", "seen", "masln"),
        ("fashion", "unseen", "cca"), ("fashion", "unseen", "masln"), ("pascal", "unseen", "cca"),
        ("pascal", "unseen", "masln"), ("nuswide", "unseen", "cca"), ("nuswide", "unseen", "masln"),
    ]  # fmt: skip


def test_the_markdown_page_has_every_number_and_says_how_much_was_run(compared):
    page = study_pages.markdown_page(compared)
    assert page.startswith("# A study\n\nWhich?\n\n4 of 6 runs are measured")
    line = next(line for line in page.splitlines() if re.match(r"\| unseen \| masln \|", line))
    assert "| 0.330 | 0.310 | 0.320 ± " in line  # i2t, t2i, their mean over splits
    assert "+0.090 ± " in line
    assert page.index("## emoji") < page.index("## fashion")


def test_files_are_written_by_ending_a_pair_for_each_metric(compared):
    probe = [row | {"metric": "modality_probe"} for row in compared.rows]
    both = study([*compared.rows, *probe], ["cca", "masln"], metrics=("map", "modality_probe"))
    files = study_pages.written(both)
    assert list(files) == [".md", ".tex", ".csv", "-modality_probe.tex", "-modality_probe.csv"]
    lines = list(csv.DictReader(io.StringIO(files[".csv"])))
    assert [float(line["value"]) for line in lines if line["method"] == "masln"] == pytest.approx(
        [0.32, 0.6, 0.45, 0.4, 0.4]
    )
    assert "modality probe" in files["-modality_probe.tex"]


def test_the_ablation_is_concluded_in_words():
    found = [
        *rows("masln", "emoji", [0.30, 0.34, 0.32]),
        *rows("masln without classifier", "emoji", [0.20, 0.25, 0.22]),
    ]
    said = "\n".join(study_pages.conclusions(study(found, ["masln", "masln without classifier"], reference="masln")))
    assert "emoji, classifier: it helps: leaving it out costs .097" in said
    assert "Classifier helps on emoji." in said


def test_an_ablation_not_measured_yet_concludes_nothing():
    labels = ["masln", "masln without classifier"]
    assert list(study_pages.conclusions(study(rows("masln", "emoji", [0.3, 0.34]), labels, reference="masln"))) == []


def test_what_was_varied_has_its_highest_and_lowest_and_a_curve():
    values = {0.1: [0.2, 0.3], 1.0: [0.4, 0.5], 10.0: [0.3, 0.4]}
    labels = [f"masln, weight {value}" for value in values]
    found = [
        row for label, numbers in zip(labels, values.values(), strict=True) for row in rows(label, "emoji", numbers)
    ]
    varied = {label: Varied("weight", "masln", value, True) for label, value in zip(labels, values, strict=True)}
    one = study(found, labels, varied=varied, reference=None)
    (said,) = study_pages.conclusions(one)
    assert "masln on emoji, unseen, weight: highest at 1.0 (0.450 ± " in said
    assert "lowest at 0.1 (0.250 ± " in said
    (section,) = [section for section in study_sections.sections(one) if section.title == "What was varied"]
    (drawing,) = section.parts
    (line,) = drawing.figure.axes[0].lines
    assert list(line.get_xdata()) == [0.1, 1.0, 10.0]
    assert list(line.get_ydata()) == pytest.approx([0.25, 0.45, 0.35])


def test_a_page_has_a_section_for_each_thing_there_is(compared):
    sections = {section.title: section.parts for section in study_sections.sections(compared)}
    assert list(sections) == ["In words", "Results", "Differences to cca", "Ranks over the data sets"]
    grids = sections["Results"]
    assert all(isinstance(grid, Grid) for grid in grids)
    assert [len(grid.rows) for grid in grids] == [4, 2, 2, 2]
    assert grids[0].caption.startswith("emoji: mAP, mean of both directions (extendable, test gallery")
    names = [part.name for part in sections["Differences to cca"]]
    assert names == ["differences-map-0", "differences-map-1"]
    assert isinstance(sections["Ranks over the data sets"][0], Drawing)
    (words,) = sections["In words"]
    assert isinstance(words, Prose)
    assert "masln 1.00, cca 2.00" in words.paragraphs[0]


def test_ranks_are_over_four_data_sets_or_more_that_have_every_method(compared):
    assert compared.ranking().methods == ("masln", "cca")
    less = [row for row in compared.rows if (row["data"], row["method"]) != ("fashion", "cca")]
    assert study(less, ["cca", "masln"]).ranking() is None


def test_a_verdict_stands_on_the_page_with_its_reason(compared):
    claim = next(claim for claim in read_claims() if claim.label == "cca" and claim.key[:2] == ("wikipedia", "unseen"))
    judged = verdict(claim, compared.rows, direction="mean", near=0.02)
    one = study(compared.rows, ["cca", "masln"], verdicts=(judged,))
    assert f"- Not comparable ({judged.reason}): CCA on wikipedia, unseen, 0.237 (" in study_pages.markdown_page(one)
    (section,) = [section for section in study_sections.sections(one) if section.title == "Published numbers"]
    grid, sources = section.parts
    assert grid.rows[0][-2:] == ("not comparable", judged.reason)
    assert claim.source.citation in sources.paragraphs[0]


def test_many_methods_on_several_data_sets_are_first_shown_at_a_glance():
    found = [
        *(row | {"seconds": 2.0} for row in rows("cca", "emoji", [0.20, 0.21, 0.22])),
        *(row | {"seconds": 1.0} for row in rows("masln", "emoji", [0.40, 0.41, 0.43])),
        *(row | {"seconds": 4.0} for row in rows("cca", "fashion", [0.5, 0.6])),
        *(row | {"seconds": 8.0} for row in rows("sae", "fashion", [0.5, 0.7])),
        *(row | {"seconds": 6.0} for row in rows("sae", "emoji", [0.10, 0.11, 0.13], regime="seen")),
    ]
    many = study(found, ["cca", "masln", "sae"])
    page = study_pages.markdown_page(many)
    glance = page[page.index("## At a glance") : page.index("## emoji")]
    assert "| method | emoji unseen | emoji seen | fashion unseen | learning, CPU s |" in glance
    assert "| cca | 0.210 |  | 0.550 | 3.0 |" in glance
    assert "| masln | **0.413** ▲ |  |  | 1.0 |" in glance
    assert "| sae |  | **0.113** | **0.600** | 7.0 |" in glance
    _, grid = next(each.parts for each in study_sections.sections(many) if each.title == "At a glance")
    assert grid.rows[1] == ["masln", "0.413 ▲", "", "", "1.0"]
    assert grid.keys[1][1] == pytest.approx(0.41333, abs=1e-4)


def test_what_is_highest_where_stands_first_and_in_words_where_the_reference_stands():
    found = [
        *rows("cca", "emoji", [0.20, 0.21, 0.22]),
        *rows("masln", "emoji", [0.40, 0.41, 0.43]),
        *rows("sae", "emoji", [0.10, 0.11, 0.13]),
        *rows("cca", "emoji-standard", [0.5], regime="standard"),
        *rows("sae", "emoji-standard", [0.4], regime="standard"),
        *rows("masln", "fashion", [0.5]),
    ]
    some = study(found, ["cca", "masln", "sae"], regimes=("unseen", "standard"))
    page = study_pages.markdown_page(some)
    assert page.index("| emoji | masln 0.413 ▲ (cca 0.210, place 2) | **cca 0.500** |") < page.index("| method |")
    assert "| fashion | masln 0.500 |  |" in page
    assert "Unseen: cca is significantly above 1 of 2 on emoji and below 1 of 2 on emoji (paired" in page
    first, _ = next(each.parts for each in study_sections.sections(some) if each.title == "At a glance")
    assert first.rows[0] == ["emoji", "masln 0.413 ▲ (cca 0.210, place 2)", "cca 0.500"]


def test_nothing_stands_anywhere_where_there_is_no_reference():
    found = [row for name in "abc" for data in ("emoji", "fashion") for row in rows(name, data, [0.2, 0.3])]
    page = study_pages.markdown_page(study(found, [*"abc"], reference=None))
    assert "place" not in page
    assert "In words" not in page


def test_time_is_shown_where_it_is_known_of_every_line(compared):
    page = study_pages.markdown_page(study([row | {"seconds": 1.0} for row in compared.rows], ["cca", "masln"]))
    assert "learning, CPU s" in page
    assert "Learning is the mean processor time" in page
    partly = [row | ({"seconds": 1.0} if row["method"] == "cca" else {}) for row in compared.rows]
    assert "earning" not in study_pages.markdown_page(study(partly, ["cca", "masln"]))


def test_two_methods_or_one_data_set_need_no_glance(compared):
    assert "At a glance" not in study_pages.markdown_page(compared)
    alone = study([*rows("a", "emoji", [0.2]), *rows("b", "emoji", [0.2]), *rows("c", "emoji", [0.2])], ["a", "b", "c"])
    assert "At a glance" not in study_pages.markdown_page(alone)

"""The sections of a run's page say what the run's files and its weights hold."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from conftest import plant
from PIL import Image
from run_builders import SHOWN, trained

from msl.commands.report import read_run
from msl.data.labels import carrying
from msl.files import embedded
from msl.report.page.parts import Drawing, Gallery, Grid, Prose
from msl.report.run.measured import Shown
from msl.report.run.paper import items, rows
from msl.report.run.sections import lead, sections, title
from msl.report.run.space import space_section
from msl.report.run.training import training_section
from msl.types import InputError

LABEL = np.repeat(np.arange(12), 10)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def planted(place):
    return plant(place / "data")


@pytest.fixture(scope="module")
def masln(place, planted):
    return read_run(trained(planted, place / "masln", "trainer.validate_every=2"), Shown(**SHOWN))


@pytest.fixture(scope="module")
def cca(place, planted):
    return read_run(trained(planted, place / "cca", method="cca"), Shown(**SHOWN))


@pytest.fixture(scope="module")
def standard(place, planted):
    return read_run(trained(planted, place / "standard", "protocol=standard", method="cca"), Shown(**SHOWN))


def multi_label(place):
    flags = np.eye(12, dtype=int)[LABEL]
    flags[np.arange(len(LABEL)), (LABEL + 1) % 12] = 1
    whole = np.load(plant(place / "whole") / "features.npz")
    folder = place / "multi"
    folder.mkdir()
    np.savez(folder / "set.npz", image=whole["image"], text=whole["text"], labels=flags)
    return folder


def unpaired(place):
    whole = np.load(plant(place / "paired") / "features.npz")
    folder = place / "unpaired"
    folder.mkdir()
    texts = np.arange(120) % 10 != 3
    both = {"image_labels": LABEL, "text_labels": LABEL[texts]}
    np.savez(folder / "set.npz", image=whole["image"], text=whole["text"][texts], **both)
    return folder


SECTIONS = {}


def of(run):
    """The run's sections, made once: drawing takes a second."""
    if run.folder not in SECTIONS:
        SECTIONS[run.folder] = sections(run)
    return SECTIONS[run.folder]


def found(run, kind):
    return [part for section in of(run) for part in section.parts if isinstance(part, kind)]


def grid(run, caption):
    (only,) = [part for part in found(run, Grid) if part.caption == caption]
    return only


def drawing(run, name):
    (only,) = [part for part in found(run, Drawing) if part.name == name]
    return only


def prose(run):
    return " ".join(text for part in found(run, Prose) for text in part.paragraphs)


def stored(run, metric="map"):
    rows = json.loads((run.folder / "metrics.json").read_text())
    return {(row["regime"], row["direction"]): row for row in rows if row["metric"] == metric}


@pytest.mark.parametrize("name", ["masln", "cca", "standard"])
def test_the_numbers_are_those_of_the_runs_metrics(name, request):
    run = request.getfixturevalue(name)
    shown, wanted = grid(run, "mAP beside chance"), stored(run)
    keys = ("value", "chance", "lift", "queries", "gallery")
    assert {(row[0], row[1]): row[2:] for row in shown.keys} == {
        place: [row[key] for key in keys] for place, row in wanted.items()
    }
    assert [row[2] for row in shown.rows] == [f"{row[2]:.3f}" for row in shown.keys]
    assert run.difference == 0
    metrics = {line[0]: line[1:] for line in grid(run, "Every metric, mean of both directions").rows}
    regimes = dict.fromkeys(place[0] for place in wanted)
    for metric, head in (("recall@10", "recall@10"), ("map@50:hits", "mAP@50 / hits")):
        assert metrics[head] == [f"{stored(run, metric)[regime, 'mean']['value']:.3f}" for regime in regimes]


def test_the_head_names_the_run_and_its_result(masln, standard):
    row = stored(masln)["unseen", "mean"]
    assert title(masln) == "masln on planted, class split 0"
    assert f"unseen regime: {row['value']:.3f}, {row['value'] / row['chance']:.1f} × chance" in lead(masln)[0]
    assert "6 seen classes, 6 unseen" in lead(masln)[1]
    assert "standard regime" in lead(standard)[0]


def test_the_curves_begin_and_end_as_measured(masln):
    for regime in ("seen", "unseen", "generalised"):
        shown = drawing(masln, f"precision-recall-{regime}")
        axes = shown.figure.axes[0]
        curve = masln.evaluation.curves[f"{regime}/i2t"]
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), curve)
        assert shown.numbers.heads == ("recall", "image → text", "text → image")
        assert (shown.numbers.rows[0][1], shown.numbers.rows[-1][1]) == (f"{curve[0]:.3f}", f"{curve[-1]:.3f}")


def test_bars_are_the_mean_of_the_classes_values_with_chance_and_queries(masln):
    values = json.loads((masln.folder / "per_class.json").read_text())
    for regime in ("seen", "unseen"):
        shown = drawing(masln, f"classes-{regime}")
        wanted = {
            name: (value + values[f"{regime}/t2i/map"][name]) / 2 for name, value in values[f"{regime}/i2t/map"].items()
        }
        assert {row[0]: row[1] for row in shown.numbers.rows} == {name: f"{v:.3f}" for name, v in wanted.items()}
        assert [row[1] for row in shown.numbers.rows] == sorted((row[1] for row in shown.numbers.rows), reverse=True)
        assert set(wanted) <= set(masln.split.unseen if regime == "unseen" else masln.split.seen)
        assert sum(int(row[-1]) for row in shown.numbers.rows) == stored(masln)[regime, "mean"]["queries"]
        assert f"{stored(masln)[regime, 'mean']['chance']:.3f}" in shown.description
    assert not [each for each in found(masln, Drawing) if each.name == "classes-generalised"]


def test_galleries_show_the_best_and_the_worst_queries_and_say_so(masln):
    per_query = np.load(masln.folder / "per_query.npz")
    galleries = found(masln, Gallery)
    assert len(galleries) == 6
    for direction, name in (("i2t", "image → text"), ("t2i", "text → image")):
        values = np.sort(per_query[f"unseen/{direction}/map"])
        for words, ends in (("highest", values[::-1][:2]), ("lowest", values[:2])):
            (shown,) = [g for g in galleries if g.caption.startswith(name) and words in g.caption]
            assert [query.classes.rpartition("AP ")[2] for query, _ in shown.rows] == [f"{v:.2f})" for v in ends]
            for query, finds in shown.rows:
                own = query.classes.partition(" (AP")[0]
                assert len(finds) == 3
                assert all(find.right == (find.classes == own) for find in finds)
                assert own in masln.split.unseen
    assert "drawn at random, by seed 0" in prose(masln)


def test_pictures_and_texts_are_shown_where_the_data_set_has_them(place):
    data = plant(place / "shown")
    lines = []
    for number in range(120):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(data / f"{number}.png")
        lines.append(json.dumps({"id": f"item {number}", "text": f"text {number}", "image": f"{number}.png"}))
    (data / "items.jsonl").write_text("\n".join(lines))
    run = read_run(trained(data, place / "pictures", method="cca"), Shown(**SHOWN))
    for shown in found(run, Gallery):
        forward = shown.caption.startswith("image")
        for query, finds in shown.rows:
            pictures, texts = ([query], finds) if forward else (finds, [query])
            assert all(item.picture and item.picture.suffix == ".png" and item.text is None for item in pictures)
            assert all(item.text.startswith("text ") and item.picture is None for item in texts)


def test_without_pictures_and_texts_ids_are_shown(masln):
    items = [item for shown in found(masln, Gallery) for query, finds in shown.rows for item in (query, *finds)]
    assert all(item.picture is None and item.text.startswith("item ") for item in items)


def test_before_and_after_show_the_same_items_of_both_modalities(masln):
    for name in ("items", "points"):
        (a, b), (first_a, first_b) = getattr(masln.after, name), getattr(masln.before, name)
        assert a.rows.tolist() == b.rows.tolist() == first_a.rows.tolist() == first_b.rows.tolist()
        assert len(a.rows) == len(set(a.rows.tolist()))
    assert not np.allclose(masln.after.items[0].codes, masln.before.items[0].codes)
    drawn = [masln.data.classes.names[label] for label in masln.classes]
    assert len(drawn) == 3
    assert set(drawn) <= set(masln.split.unseen)
    assert carrying(masln.data.pairs.labels[masln.after.points[0].rows], masln.classes).all()
    assert drawing(masln, "code-space-before").figure is not drawing(masln, "code-space-after").figure


def test_before_is_what_training_began_with_and_nothing_chosen_is_said(place, planted):
    """A run that hardly moves ends where it began, dropout or not."""
    folder = trained(planted, place / "still", "optimiser.lr=1e-12", "seed=3", "select_on=nothing")
    run = read_run(folder, Shown(**SHOWN))
    for after, before in zip(run.after.items, run.before.items, strict=True):
        np.testing.assert_allclose(after.codes, before.codes, rtol=0, atol=1e-5)
    assert "Nothing was chosen on validation rows" in prose(run)
    assert "training-validation" not in {each.name for each in found(run, Drawing)}


def test_gap_and_probe_stand_beside_the_drawings(masln):
    from msl.metrics.modality import modality_gap, modality_probe

    shown = grid(masln, "How far apart the modalities lie")
    for space, row in zip((masln.before, masln.after), shown.keys, strict=True):
        a, b = (sample.codes for sample in space.items)
        assert row[1:] == [modality_gap(a, b), modality_probe(a, b, folds=5, seed=0)]


def test_loss_curves_are_the_log(masln):
    with (masln.folder / "log.csv").open() as stream:
        lines = list(csv.DictReader(stream))
    for term in ("correlation", "reconstruction", "adversarial", "discriminative", "total"):
        axes = drawing(masln, f"training-loss-{term}").figure.axes[0]
        for line, stage in zip(axes.lines, ("select", "final"), strict=True):
            assert line.get_ydata().tolist() == [float(each[term]) for each in lines if each["stage"] == stage]
    validated = [each for each in lines if each["validation_map"]]
    validation = drawing(masln, "training-validation")
    curve, mark = validation.figure.axes[0].lines
    assert curve.get_xdata().tolist() == [int(each["epoch"]) for each in validated] == [2, 4]
    assert curve.get_ydata().tolist() == [float(each["validation_map"]) for each in validated]
    assert mark.get_xdata()[0] == masln.card.epoch
    level = drawing(masln, "training-discriminator").figure.axes[0].lines[-1]
    assert set(level.get_ydata()) == {0.5}


def test_a_closed_form_method_says_why_it_has_no_curves_and_no_before(cca):
    names = {each.name for each in found(cca, Drawing)}
    assert not [name for name in names if name.startswith("training-")]
    assert "code-space-after" in names
    assert "code-space-before" not in names
    assert "cca is solved for in closed form: it has no epochs" in prose(cca)
    assert "there is no code space before training" in prose(cca)
    trials = grid(cca, "What validation chose among")
    assert trials.heads == ("ridge", "power", "validation mAP")
    best = max(trials.rows, key=lambda row: float(row[-1]))
    assert best[0] == str(cca.card.chosen["ridge"])
    assert best[1] == str(cca.card.chosen["power"])


def training(run, folder, *, log, trials, chosen):
    """The parts of the training section of a run with these files."""
    folder.mkdir()
    (folder / "log.csv").write_text(log)
    (folder / "selection.json").write_text(json.dumps(trials))
    return training_section(replace(run, folder=folder, card=replace(run.card, chosen=chosen))).parts


def test_of_several_trials_the_chosen_ones_curves_are_shown(masln, tmp_path):
    log = "stage,epoch,total,validation_map\nselect0,1,5.0,0.1\nselect1,1,3.0,0.4\nselect1,2,2.0,\nfinal,1,1.5,\n"
    trials = [{"chosen": {"size": size}, "validation": size / 20, "epoch": 1} for size in (4, 8)]
    _, table, validation, total = training(masln, tmp_path / "run", log=log, trials=trials, chosen={"size": 8})
    assert table.rows == [["4", "0.2000"], ["8", "0.4000"]]
    assert [line.get_ydata().tolist() for line in total.figure.axes[0].lines] == [[3.0, 2.0], [1.5]]
    assert validation.figure.axes[0].lines[0].get_ydata().tolist() == [0.4]
    assert total.numbers.heads == ("epoch", "selection", "final fit")
    assert total.numbers.rows == [["1", "3", "1.5"], ["2", "2", "–"]]


@pytest.mark.parametrize("line", ["select,one,1.0", "select,1,low", "select", "select,1,1.0,2.0"])
def test_a_damaged_log_is_named_with_its_line(masln, tmp_path, line):
    with pytest.raises(InputError, match=r"log\.csv: line 3 .*restore"):
        training(masln, tmp_path / "run", log=f"stage,epoch,total\nselect,1,5.0\n{line}\n", trials=[], chosen={})


def test_only_masln_tells_how_it_differs_from_its_paper_every_numbered_difference(masln, cca):
    assert "Differences from the paper" not in [section.title for section in of(cca)]
    (section,) = [each for each in of(masln) if each.title == "Differences from the paper"]
    said, choices = section.parts
    numbers = [text.partition(".")[0] for text in said.paragraphs[1:]] + [row[0] for row in choices.rows]
    page = (embedded("docs") / "differences.md").read_text(encoding="utf-8")
    written = re.findall(r"^(?:\| )?(\d+)(?=\.| \|)", page, flags=re.MULTILINE)
    assert numbers == written == [str(number) for number in range(1, len(numbers) + 1)]
    assert len(numbers) > 15


def test_markdown_becomes_plain_text():
    page = """# Head\n\n1. **Signs.** Of `x`,\n   and [this](that.md).\n2. Two.\n\nWords.\n\n| | a | b |\n|---|---|---|\n| 3 | `c.*` | **d** |\n"""
    assert items(page) == ["1. Signs. Of x, and this.", "2. Two."]
    assert rows(page) == [["3", "c.*", "d"]]


def test_every_class_stands_in_its_part_with_its_rows(masln, standard):
    rows = grid(masln, "Classes of the split").rows
    assert {row[0] for row in rows if row[1] == "unseen"} == set(masln.split.unseen)
    assert {row[0] for row in rows if row[1].startswith("seen, held out")} == set(masln.split.pseudo_unseen)
    assert sum(int(row[2]) for row in rows) == len(masln.split.rows["seen_train"])
    assert {row[1] for row in grid(standard, "Classes of the split").rows} == {"seen"}


def test_what_was_run_can_be_run_again(masln):
    known = dict(grid(masln, "The run").rows)
    assert known["configuration's hash"] == masln.card.config_hash
    assert known["data's hash"] == masln.card.data_hash
    assert known["split's hash"] == masln.split.hash
    assert known["command"].startswith("msl train data=folder")
    assert dict(grid(masln, "Environment").rows) == json.loads((masln.folder / "environment.json").read_text())


@pytest.mark.parametrize("layout", [multi_label, unpaired], ids=lambda layout: layout.__name__)
def test_other_layouts_have_the_same_sections(layout, place, cca):
    run = read_run(
        trained(layout(place), place / f"{layout.__name__}-run", "embedding=none", method="cca"), Shown(**SHOWN)
    )
    assert [section.title for section in of(run)] == [section.title for section in of(cca)]
    rows = grid(run, "mAP beside chance").keys
    assert {(row[0], row[1]): row[2] for row in rows} == {where: row["value"] for where, row in stored(run).items()}
    a, b = run.after.items
    assert (a.rows.tolist() == b.rows.tolist()) == (layout is multi_label)
    assert set(run.split.unseen) >= {run.data.classes.names[label] for label in run.classes}


def test_the_smallest_spaces_are_drawn_too(place):
    """A code of one number, one class drawn, an item of each modality."""
    shown = Shown(**SHOWN | {"points": 2, "items": 1, "classes": 1})
    run = read_run(trained(plant(place / "tiny"), place / "one", "method.size=1", method="cca"), shown)
    places = run.after.places(perplexity=30.0, seed=0)
    assert places.shape == (2, 2)
    assert np.isfinite(places).all()
    assert grid(run, "How far apart the modalities lie").rows == [["trained", f"{run.after.gap():.3f}", "–"]]
    assert "Linear probe: none" in prose(run)


def test_the_folds_that_are_said_are_those_that_were_taken(masln):
    few = replace(
        masln.after, items=[replace(each, codes=each.codes[:3], rows=each.rows[:3]) for each in masln.after.items]
    )
    for space, folds in ((masln.after, 5), (few, 3)):
        said = space_section(replace(masln, after=space, before=None)).parts[0].paragraphs[0]
        assert f"in {folds}-fold cross-validation" in said


def test_an_absent_log_is_said(masln, tmp_path):
    (said,) = training_section(replace(masln, folder=tmp_path)).parts
    assert "no log.csv" in said.paragraphs[0]

"""Pages and code say the same: generated pages are up to date, links lead somewhere, versions agree."""

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from PIL import Image

import msl
from msl.commands.searching import build
from msl.config import check, composed, resolved
from msl.evaluation.ledger import append, read_rows
from msl.methods.method import Sizes
from msl.types import InputError

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "data" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
PAPERS_EQUATIONS = [1, 2, 3, 4, 5, 6]


@pytest.fixture(scope="module")
def documents():
    """The modules beside the documents that write them, by name."""
    names = ("equation_page", "method_pages", "generate")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs"))
        patch.setattr(sys, "dont_write_bytecode", True)
        yield {name: importlib.import_module(name) for name in names}
        for name in names:
            patch.delitem(sys.modules, name)


@pytest.fixture(scope="module")
def generator(documents):
    return documents["equation_page"]


def links(text):
    """Targets of Markdown and HTML links outside code."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    return re.findall(r"\]\(([^)\s]+)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)


def test_generated_pages_are_what_code_configuration_and_ledger_say(documents):
    pages = documents["generate"].pages()
    for page, wanted in pages.items():
        assert page.read_text(encoding="utf-8") == wanted, f"{page} is out of date; run python docs/generate.py"
    methods = {file.stem for file in (ROOT / "conf" / "method").glob("*.yaml")}
    assert {page.stem for page in pages} == methods | {"equations", "methods"}
    assert {page.stem for page in (ROOT / "docs" / "methods").glob("*.md")} == methods


def test_the_page_of_a_method_says_what_a_reader_wants_to_know(documents):
    masln, cca = (documents["method_pages"].page(name) for name in ("masln", "cca"))
    for number in PAPERS_EQUATIONS:
        assert f"| ({number}) |" in masln
    for wanted in ("3206025.3206033", "../differences.md", "| `optimiser.lr` | 0.0005 |", "msl train method=masln"):
        assert wanted in masln, wanted
    assert "weight` | 0.1 |" in masln
    for wanted in ("Hotelling", "Vinod", "S_ab", "`method.ridge` of 0.1, 1.0, 10.0, 100.0", "| emoji |"):
        assert wanted in cca, wanted
    assert "optimiser.lr" not in cca  # closed form


def test_a_methods_results_are_its_own_rows_of_the_ledger(documents, tmp_path, monkeypatch):
    pages = documents["method_pages"]
    append(tmp_path / "ledger.jsonl", [row for row in read_rows(pages.LEDGER) if not row["method"].startswith("cca")])
    before = pages.page("masln")
    monkeypatch.setattr(pages, "LEDGER", tmp_path / "ledger.jsonl")
    assert "None in the ledger yet" in pages.page("cca")
    assert pages.page("masln") == before


def test_every_equation_has_exactly_one_home(generator):
    assert [equation.number for equation in generator.equations()] == PAPERS_EQUATIONS


def test_every_home_states_its_formula_and_maps_symbols_to_its_own_arguments(generator):
    for equation in generator.equations():
        function = getattr(__import__(module_of(equation.file), fromlist=["_"]), equation.name)
        own = set(function.__annotations__) - {"return"}
        named = set(re.findall(r"`(\w+)`", " ".join(equation.symbols)))
        assert equation.formulas, equation.name
        assert named, equation.name
        assert named <= own, f"{equation.name}: the docstring names {sorted(named - own)}, which it does not take"
        unexplained = own - named - {"a", "b", "label"}  # said once, at the equation inside
        assert not unexplained, f"{equation.name}: no symbol stands for {sorted(unexplained)}"


def module_of(file):
    return file.removesuffix(".py").replace("/", ".")


def test_every_equation_has_a_test_and_every_mark_an_equation(generator):
    assert sorted({test.number for test in generator.marked_tests()}) == PAPERS_EQUATIONS


def test_a_second_home_and_a_mark_inside_a_parameter_set_would_be_found(generator, tmp_path):
    (tmp_path / "again.py").write_text(
        'def again(x):\n    """Eq. (3). Once more.\n\n    - x -> `x`,\n      wide\n    """\n'
    )
    (tmp_path / "test_again.py").write_text(
        "@pytest.mark.parametrize('x', [pytest.param(1, marks=pytest.mark.equation(7))])\ndef test_it(x): ...\n"
    )
    (home,), (test,) = generator.equations(tmp_path), generator.marked_tests(tmp_path)
    assert (home.number, home.name, home.what, home.symbols) == (3, "again", "Once more.", ("x → `x`, wide",))
    assert (test.number, test.name) == (7, "test_it")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page):
    for link in links(page.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:|#", link):
            assert (page.parent / link.partition("#")[0]).exists(), f"{page.name} links to {link}, which is not there"


def test_links_in_all_their_forms_are_seen():
    text = '[a](x.md) ![b](y.png "title") <img src="z.png"> `[no](code)`\n```\n[no](fence)\n```\n[c](https://e.org)'
    assert links(text) == ["x.md", "y.png", "https://e.org", "z.png"]


def test_the_example_of_a_new_loss_works_as_printed(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^`(\S+)`\n\n```\w+\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
    (overrides,) = re.findall(r"^msl train (\+.+)$", text, flags=re.MULTILINE)
    module = ModuleType("msl.losses.cosine")
    exec(blocks["msl/losses/cosine.py"], module.__dict__)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    (tmp_path / "conf" / "loss").mkdir(parents=True)
    (tmp_path / "conf" / "loss" / "cosine.yaml").write_text(blocks["conf/loss/cosine.yaml"])
    values = resolved(composed("train", [f"hydra.searchpath=[file://{tmp_path}/conf]", *overrides.split()]))
    check(values)
    method = build(values["method"], Sizes(a=7, b=5, classes=3, embedding=4), {})
    assert method.objective.terms["cosine"].weight == 0.5
    assert method.objective.terms["cosine"].wants == ("code_a", "code_b")
    names = {}
    exec(blocks["tests/losses/test_cosine.py"], names)
    names["test_codes_at_0_90_and_180_degrees"]()


def test_the_example_of_a_new_encoder_works_as_printed():
    text = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^`(\S+)`\n\n```\w+\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL))
    module = ModuleType("msl.encode.encoders.mean_colour")
    exec(blocks["msl/encode/encoders/mean_colour.py"], module.__dict__)
    node = yaml.safe_load(blocks["conf/encoder/mean_colour.yaml"])
    assert node["_target_"] == f"{module.__name__}.MeanColour"
    assert module.MeanColour("image").encode([Image.new("RGB", (3, 4), (10, 20, 30))]).tolist() == [[10, 20, 30]]
    with pytest.raises(InputError, match="reads images, not texts"):
        module.MeanColour("text")


def test_citation_and_changelog_name_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == msl.__version__
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert re.search(rf"^## \[?{re.escape(msl.__version__)}\]?", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


@pytest.fixture
def measure(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "results"))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return importlib.import_module("measure")


def test_tables_and_the_readmes_result_are_what_the_ledger_says(measure):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    pages = measure.pages()
    assert {page.name for page in pages} == {page.name for page in (ROOT / "results").glob("*.md")}
    for page, text in pages.items():
        assert page.read_text(encoding="utf-8") == text
    said = measure.headline()
    assert "mAP" in said
    assert said in readme
    assert measure.with_headline(readme) == readme


def test_a_wrong_number_in_the_ledger_shows_on_the_pages(measure, tmp_path, monkeypatch):
    """One run's numbers made better, all of them so that they agree with each other."""
    rows = measure.read_rows(measure.LEDGER)
    better = next(row["config_hash"] for row in rows if (row["data"], row["method"]) == ("emoji", "masln"))
    for row in rows:
        if row["config_hash"] == better and row["metric"] == "map":
            row["value"] += 0.01
            row["lift"] = (row["value"] - row["chance"]) / (1 - row["chance"])
    forged = tmp_path / "ledger.jsonl"
    append(forged, rows)
    monkeypatch.setattr(measure, "LEDGER", forged)
    monkeypatch.setattr(measure, "EXPERIMENTS", ("emoji_extendable", "extendable", "ablation", "code_size"))
    changed = {page.stem for page, text in measure.pages().items() if page.read_text(encoding="utf-8") != text}
    assert {"emoji_extendable", "extendable", "ablation"} <= changed
    assert measure.headline() not in (ROOT / "README.md").read_text(encoding="utf-8")


def test_a_wrong_number_in_one_row_is_refused(measure, tmp_path):
    rows = measure.read_rows(measure.LEDGER)
    number = next(number for number, row in enumerate(rows) if row["direction"] == "mean" and row["metric"] == "map")
    rows[number]["value"] += 0.001
    forged = tmp_path / "ledger.jsonl"
    append(forged, rows)
    with pytest.raises(InputError, match=rf"ledger\.jsonl: row {number + 1}"):
        measure.read_rows(forged)


def test_every_experiment_is_listed_where_people_look_for_it():
    page = (ROOT / "docs" / "reproducing.md").read_text(encoding="utf-8")
    for file in (ROOT / "conf" / "experiment").glob("*.yaml"):
        assert f"`{file.stem}`" in page, file.stem

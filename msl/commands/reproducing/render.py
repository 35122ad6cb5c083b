"""What is made of an experiment's rows: tables in the terminal, Markdown, LaTeX, CSV, and one page."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from msl import __version__
from msl.commands.next_command import override
from msl.commands.reproducing.arms import Experiment
from msl.commands.reproducing.cells import Cell, found_rows, located, runs_of
from msl.config import composed, resolved
from msl.evaluation.claims import Verdict, read_claims, verdict
from msl.files import write_text
from msl.report import table
from msl.report.study.pages import conclusions, coverage, how, published, written
from msl.report.study.study import Study, Varied

if TYPE_CHECKING:
    from msl.report.page.parts import Section

console = Console(markup=False)


def studied(
    experiment: Experiment, every: list[Cell], ledger: list[dict[str, Any]], *, near: float, part: str = ""
) -> Study:
    """The experiment as the ledger has it, or the `part` of it asked for; an `InputError` if that has none of its runs."""
    every = located(every, ledger)
    rows = found_rows(every, ledger)
    made = dict.fromkeys(cell.arm for cell in every)
    logs = {axis.name: axis.log for axis in experiment.axes}
    labels = tuple(dict.fromkeys(arm.label for arm in made))
    varied = {
        arm.label: Varied(arm.axis, arm.method, arm.value, logs[arm.axis]) for arm in made if arm.axis is not None
    }
    return Study(
        title=f"{experiment.title} (only {part})" if part else experiment.title,
        question=experiment.question,
        metrics=tuple(experiment.metrics),
        regimes=tuple(experiment.regimes),
        reference=experiment.reference,
        labels=labels,
        varied=varied,
        runs=len(runs_of(rows)),
        wanted=len({cell.run for cell in every}),
        rows=rows,
        verdicts=() if varied else tuple(_verdicts(rows, labels, near)),
    )


def _verdicts(rows: list[dict[str, object]], labels: tuple[str, ...], near: float) -> list[Verdict]:
    """On every published number of a method and data set at hand."""
    sets = {(str(row["data"]).partition("-")[0], row["regime"]) for row in rows}
    claims = [claim for claim in read_claims() if claim.label in labels and claim.key[:2] in sets]
    return [verdict(claim, rows, direction="mean", near=near) for claim in claims]


def render(study: Study, name: str, folder: Path | None) -> None:
    """Print the tables and conclusions; write them as `NAME.md`, `.tex` and `.csv` if there is a folder for them."""
    for metric in study.metrics:
        console.print(table.titled(metric))
        for each in table.summary_tables(study.summaries(metric), reference=study.reference):
            console.print(each)
    console.print(how(study), soft_wrap=True, highlight=False)
    for words in conclusions(study):
        console.print(words, soft_wrap=True, highlight=False)
    for line in published(study):
        console.print(line, soft_wrap=True, highlight=False)
    console.print(coverage(study))
    if folder:
        files = [write_text(folder / f"{name}{ending}", text) for ending, text in written(study).items()]
        console.print("tables:", *map(str, files), soft_wrap=True)


def page(study: Study, name: str, folder: Path, run: Path | None) -> None:
    """Write `NAME.html`: the study, then one of its runs, unless it is there already, made of the same."""
    file, mark = folder / f"{name}.html", folder / f".{name}.made"
    shown = (run / "metrics.json").stat().st_mtime_ns if run else None
    said = [__version__, study.title, study.question, coverage(study), how(study), published(study), written(study)]
    key = hashlib.sha256(json.dumps([*said, str(run), shown]).encode()).hexdigest()
    if file.is_file() and mark.is_file() and mark.read_text() == key:
        console.print(f"page: {file}, as it was made before of the same numbers", soft_wrap=True)
        return
    from msl.report.page.write import write_page
    from msl.report.study.sections import sections

    with console.status("drawing the page"):
        parts = [*sections(study), *(_run_sections(run) if run else [])]
        _, *figures = write_page(
            file, title=study.title, lead=[study.question, coverage(study), how(study)], sections=parts
        )
    write_text(mark, key)
    console.print(f"page: {file}, {len(figures)} files of figures", soft_wrap=True)


def _run_sections(folder: Path) -> "list[Section]":
    """One run, introduced."""
    from msl.commands.report import read_run
    from msl.report.page.parts import Prose, Section
    from msl.report.run.measured import Shown
    from msl.report.run.sections import lead, sections, title

    show = resolved(composed("report", [override("run", str(folder))]))["show"]
    run = read_run(folder, Shown(**show))
    return [Section(f"One of the runs: {title(run)}", (Prose(tuple(lead(run))),)), *sections(run)]

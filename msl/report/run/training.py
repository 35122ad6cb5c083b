"""How a run was trained: what validation chose, the terms of its loss, its discriminator, epoch by epoch."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from msl.report.drawings import Series, lines
from msl.report.page.parts import Drawing, Grid, Part, Prose, Section
from msl.report.run.measured import Measured
from msl.types import InputError

Log: TypeAlias = dict[str, dict[str, dict[int, float]]]
"""Column -> stage -> epoch -> value, as `log.csv` has them."""

_STAGES = {"select": "selection", "final": "final fit"}


def training_section(run: Measured) -> Section:
    """Trials that validation chose among, and the curves; a closed-form method has none, which is said."""
    file, trials = run.folder / "log.csv", _trials(run.folder / "selection.json")
    chosen = next((number for number, trial in enumerate(trials) if trial["chosen"] == run.card.chosen), 0)
    table = [_trials_table(trials)] if len(trials) > 1 else []
    if run.card.epoch is None:
        said = f"{run.card.label} is solved for in closed form: it has no epochs, and so no loss curves."
        return Section("Training", (Prose((said, *_chosen(run))), *table))
    if not file.is_file():
        return Section(
            "Training", (Prose(("The run's folder has no log.csv, so no curves are drawn.", *_chosen(run))), *table)
        )
    log = read_log(file, {"select" if len(trials) == 1 else f"select{chosen}": "select", "final": "final"})
    said = (
        "Selection fits without the rows held out, the final fit is on all seen classes. Each value is a mean over an epoch's "
        "batches; terms are unweighted, the total is weighted."
    )
    return Section("Training", (Prose((*_chosen(run), said)), *table, *_curves(run, log)))


def read_log(file: Path, stages: Mapping[str, str]) -> Log:
    """Read the lines of these stages of a `log.csv`, each stage renamed; an `InputError` for a cell that is no number."""
    log: Log = {}
    with file.open(newline="", encoding="utf-8") as stream:
        for number, line in enumerate(csv.DictReader(stream), start=2):
            try:
                stage, epoch = stages.get(line.pop("stage")), int(line.pop("epoch"))
                values = {name: float(cell) for name, cell in line.items() if cell}
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"{file}: line {number} is not an epoch's numbers ({error}); restore the file"
                ) from None
            for name, value in values.items() if stage else ():
                log.setdefault(name, {}).setdefault(stage or "", {})[epoch] = value
    return log


def _trials(file: Path) -> list[dict[str, Any]]:
    """What selection tried, in its order; nothing where the run had no selection."""
    if not file.is_file():
        return []
    try:
        found = [dict(trial) for trial in json.loads(file.read_text(encoding="utf-8"))]
        return [
            {"chosen": dict(t["chosen"]), "validation": float(t["validation"]), "epoch": int(t["epoch"])} for t in found
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{file} is not the record of a selection ({error}); restore it") from None


def _chosen(run: Measured) -> tuple[str, ...]:
    card, held_out = run.card, len(run.split.pseudo_unseen)
    if card.validation is None:
        return ("Nothing was chosen on validation rows: the configured values were taken as they are.",)
    rows = f"{held_out} seen classes held out" if held_out else "rows held out of the training part"
    what = [f"{name} = {value}" for name, value in card.chosen.items()]
    what += [f"{card.epoch} epochs"] if card.epoch else []
    return (
        f"Chosen by mAP on {rows} ({card.validation:.3f}): {', '.join(what) or 'nothing'}. No test row chose anything.",
    )


def _trials_table(trials: Sequence[dict[str, Any]]) -> Grid:
    names = [*trials[0]["chosen"]]
    return Grid(
        caption="What validation chose among",
        heads=(*names, "validation mAP"),
        rows=[
            [*(str(trial["chosen"].get(name, "")) for name in names), f"{trial['validation']:.4f}"] for trial in trials
        ],
    )


def _curves(run: Measured, log: Log) -> list[Part]:
    special = {"validation_map": _validation, "discriminator_accuracy": _discriminator}
    drawn: list[Part] = [draw(run, log[name]) for name, draw in special.items() if name in log]
    return [*drawn, *(_term(name, stages) for name, stages in log.items() if name not in special)]


def _validation(run: Measured, stages: Mapping[str, Mapping[int, float]]) -> Drawing:
    epoch = run.card.epoch or 0
    return _drawing(
        "validation", "Validation mAP.", f"mAP on the rows held out, by epoch; epoch {epoch} was chosen.", "validation mAP",
        stages, marks={f"chosen: epoch {epoch}": epoch},
    )  # fmt: skip


def _discriminator(run: Measured, stages: Mapping[str, Mapping[int, float]]) -> Drawing:
    said = (
        "How often the discriminators are right on training batches; at 0.5 they cannot tell apart what they are shown."
    )
    return _drawing("discriminator", "Discriminator accuracy.", said, "accuracy", stages, levels={"cannot tell": 0.5})


def _term(name: str, stages: Mapping[str, Mapping[int, float]]) -> Drawing:
    what = "the weighted sum of all terms" if name == "total" else "one term of the objective"
    ends = "; ".join(f"{_STAGES[stage]}: {_ends(values)}" for stage, values in stages.items())
    return _drawing(f"loss-{name}", f"Loss: {name}.", f"{what.capitalize()}, {ends}.", name, stages)


def _ends(values: Mapping[int, float]) -> str:
    first, last = min(values), max(values)
    return f"{values[first]:.4g} after epoch {first}, {values[last]:.4g} after epoch {last}"


def _drawing(
    name: str, title: str, said: str, ylabel: str, stages: Mapping[str, Mapping[int, float]], **lines_at: Any
) -> Drawing:
    series: dict[str, Series] = {
        _STAGES[stage]: ([*values], [*values.values()], None, None) for stage, values in stages.items()
    }
    epochs = sorted({epoch for values in stages.values() for epoch in values})
    return Drawing(
        name=f"training-{name}",
        title=title,
        description=said,
        figure=lines(series, xlabel="epoch", ylabel=ylabel, **lines_at),
        numbers=Grid(
            caption=f"{title} By epoch",
            heads=("epoch", *(_STAGES[stage] for stage in stages)),
            rows=[[str(e), *(f"{v[e]:.4g}" if e in v else "–" for v in stages.values())] for e in epochs],
        ),
    )

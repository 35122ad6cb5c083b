"""The code space before and after training, drawn, and in two numbers: the modality gap and a linear probe."""

import numpy as np

from msl.report.drawings import scatter
from msl.report.page.parts import Drawing, Grid, Part, Prose, Section
from msl.report.run.code_space import Space, class_of_each, modality_of_each
from msl.report.run.measured import Measured

_WHAT = {"after": "trained", "before": "freshly initialised"}


def space_section(run: Measured) -> Section:
    """Both numbers, then the same points before and after training."""
    spaces = {"before": run.before, "after": run.after}
    known = {when: space for when, space in spaces.items() if space is not None}
    drawings = [_drawing(run, when, space) for when, space in known.items()]
    return Section("Code space", (Prose(tuple(_said(run))), _numbers(run, known), *drawings))


def _said(run: Measured) -> list[str]:
    shown, space = run.shown, run.after
    a, b = run.data.card.modalities
    sizes = f"{len(space.items[0].rows):,} {a} and {len(space.items[1].rows):,} {b} codes of the {run.regime} regime"
    said = [
        f"Modality gap: the distance between the mean unit-length code of {a} and that of {b} (Liang et al., NeurIPS 2022), "
        f"from 0 to 2. {_probe_said(space.folds(shown.folds))} Both on {sizes}, drawn by seed {shown.seed}."
    ]
    if run.before is None:
        said.append(f"{run.card.label} is solved for in closed form: there is no code space before training.")
    else:
        said.append(
            "Before: the same networks as they were initialised, with this run's seed. The points are the same."
        )
    return said


def _probe_said(folds: int) -> str:
    if folds < 2:
        return "Linear probe: none, for it wants two items of each modality."
    return (
        f"Linear probe: how often a logistic regression names a code's modality rightly, in {folds}-fold cross-validation "
        "that keeps pairs together; 0.5 is chance."
    )


def _numbers(run: Measured, spaces: dict[str, Space]) -> Grid:
    keys = {
        when: (space.gap(), space.probe(folds=run.shown.folds, seed=run.shown.seed)) for when, space in spaces.items()
    }
    return Grid(
        caption="How far apart the modalities lie",
        heads=("codes", "modality gap", "linear probe"),
        rows=[
            [_WHAT[when], f"{gap:.3f}", "–" if np.isnan(probe) else f"{probe:.3f}"]
            for when, (gap, probe) in keys.items()
        ],
        keys=[[_WHAT[when], *numbers] for when, numbers in keys.items()],
    )


def _drawing(run: Measured, when: str, space: Space) -> Part:
    places = space.places(perplexity=run.shown.perplexity, seed=run.shown.seed)
    rows = np.concatenate([sample.rows for sample in space.points])
    groups = class_of_each(run.data, rows, run.classes)
    shapes = modality_of_each(space.points, run.data.card.modalities)
    return Drawing(
        name=f"code-space-{when}",
        title=f"Code space, {when} training",
        description=f"t-SNE of {len(rows)} {_WHAT[when]} codes of {len(set(groups))} classes: colour tells the class, shape the "
        "modality. Neighbours are near in the code space; distances between far groups mean nothing.",
        figure=scatter(places, groups, shapes),
    )

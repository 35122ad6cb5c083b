"""Weights & Biases: runs that need neither account nor network, sent later with `msl board sync`."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from msl.files import write_text
from msl.report.tracking.parts import About, Artifact, Outcome

_LONGEST_TAG = 64
_LONGEST_NAME = 128


class WandbRun:
    """One W&B run. Keys begin with the section that W&B shows them in: stage, regime, chosen, curves, per_class, pictures."""

    def __init__(self, about: About, *, online: bool) -> None:
        os.environ.setdefault("WANDB_SILENT", "true")
        os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
        import wandb

        self.begins_anew = not online  # every offline start writes a file of its own; the last one is sent
        self.folder = about.folder
        self.defined: set[str] = set()
        self.run = wandb.init(
            project=about.project,
            name=about.name[:_LONGEST_NAME],
            group=about.group[:_LONGEST_NAME],
            job_type=about.job_type[:_LONGEST_TAG],
            tags=[tag[:_LONGEST_TAG] for tag in about.tags],
            config=dict(about.config),
            dir=str(about.folder),
            mode="online" if online else "offline",
            id=_run_id(about.folder),
            resume="allow" if online else None,
            reinit="finish_previous",
            settings=wandb.Settings(silent=True, console="off", disable_git=True, x_disable_stats=True),
        )
        self.run.define_metric("epoch")

    @property
    def place(self) -> Path:
        """The folder of the run's files."""
        return Path(self.run.dir).parent

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """The scalars of one epoch; the summary keeps the best validation mAP, of all others the last value."""
        for name in values.keys() - self.defined:
            best = "max" if name.endswith("/validation_map") else None
            self.run.define_metric(name, step_metric="epoch", summary=best)
            self.defined.add(name)
        self.run.log({"epoch": epoch, **values})

    def results(self, outcome: Outcome) -> None:
        """Headline numbers as scalars, every row as a table, charts, pictures, artifacts."""
        import wandb

        self.run.log(outcome.headline())
        rows = outcome.rows
        columns: list[str | int] = list(dict.fromkeys(key for row in rows for key in row))
        cells = [[row.get(str(column)) for column in columns] for row in rows]
        with _staging(self.folder):
            self.run.log({"tables/results": wandb.Table(columns=columns, data=cells)})
            self.run.log(_charts(outcome))
        self.run.log({f"pictures/{picture.stem}": wandb.Image(str(picture)) for picture in outcome.pictures})
        for artifact in outcome.artifacts:
            self.run.log_artifact(_artifact(artifact))

    def finish(self, *, exit_code: int) -> None:
        """End the run; a failed one is marked as failed."""
        self.run.finish(exit_code=exit_code)


def _charts(outcome: Outcome) -> dict[str, Any]:
    """Precision over recall, a line for each regime and direction; of each regime, a bar for each class."""
    import wandb

    lines = wandb.plot.line_series(
        xs=list(outcome.levels),
        ys=[list(curve) for curve in outcome.curves.values()],
        keys=list(outcome.curves),
        title="precision-recall",
        xname="recall",
    )
    metric = outcome.rows[0]["metric"]
    bars = {
        f"per_class/{regime}": wandb.plot.bar(
            wandb.Table(columns=["class", metric], data=[list(each) for each in values.items()]),
            "class",
            metric,
            title=f"{metric} of {regime} classes, mean of both directions",
        )
        for regime, values in outcome.class_means().items()
        if regime != "generalised"
    }
    return {"curves/precision_recall": lines} | bars


def _artifact(artifact: Artifact) -> Any:
    """The files as they lie in the run's folder, with no copy made of them."""
    import wandb

    kind = "model" if artifact.kind == "weights" else artifact.kind
    name = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in artifact.name)
    found = wandb.Artifact(f"{artifact.kind}-{name}"[:_LONGEST_NAME], type=kind)
    for file in artifact.files:
        found.add_file(str(file.resolve()), name=file.name, policy="immutable", skip_cache=True)
    return found


@contextmanager
def _staging(folder: Path) -> Iterator[None]:
    """What tables hold is staged in the run's folder: else in the home folder, where nobody cleans up."""
    place = "WANDB_DATA_DIR"
    before = os.environ.get(place)
    os.environ.setdefault(place, str((folder / "wandb").resolve()))
    try:
        yield
    finally:
        if before is None:
            del os.environ[place]


def _run_id(folder: Path) -> str:
    """The run's id, kept in the folder so that a resumed run goes on under it."""
    file = folder / "wandb" / "id"
    if not file.is_file():
        write_text(file, os.urandom(4).hex())
    return file.read_text(encoding="utf-8").strip()


def has_key() -> bool:
    """Whether W&B finds a key, in the environment or in .netrc; nothing is sent."""
    os.environ.setdefault("WANDB_SILENT", "true")
    import wandb

    try:
        return bool(wandb.login(prompt=False, verify=False))
    except wandb.errors.Error:  # a key of the wrong form
        return False


def save_view(entity: str, project: str, *, name: str, sections: Sequence[Mapping[str, Any]]) -> str:
    """Save a workspace with `sections` of panels (see conf/board.yaml) as a new view of a project; its address."""
    panels = import_module("wandb_workspaces.reports.v2")
    workspaces = import_module("wandb_workspaces.workspaces")

    def made(section: Mapping[str, Any]) -> list[Any]:
        lines = [panels.LinePlot(title=key, x="epoch", y=[key]) for key in section.get("lines", [])]
        bars = [panels.BarPlot(title=key, metrics=[key]) for key in section.get("bars", [])]
        media = [panels.MediaBrowser(title=key, media_keys=[key]) for key in section.get("media", [])]
        return [*lines, *bars, *media]

    found = [workspaces.Section(name=each["name"], panels=made(each), is_open=True) for each in sections]
    view = workspaces.Workspace(entity=entity, project=project, name=name, sections=found)
    return str(view.save().url)

"""MLflow: a database in the run's folder, or the server that MLFLOW_TRACKING_URI names."""

import logging
import os
import time
from collections.abc import Mapping
from typing import Any

from msl.files import write_text
from msl.report.tracking.parts import About, Outcome, flat

_LONGEST_TEXT = 500
"""Of a parameter, in every version of MLflow's server."""
_AT_ONCE = 100
"""Parameters a call may carry."""


class MlflowRun:
    """One MLflow run; a resumed one goes on under its id."""

    begins_anew = False

    def __init__(self, about: About, *, online: bool) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        self.place = about.folder / "mlflow"
        self.place.mkdir(parents=True, exist_ok=True)
        uri = os.environ["MLFLOW_TRACKING_URI"] if online else f"sqlite:///{self.place.resolve()}/mlflow.db"
        self.client = MlflowClient(tracking_uri=uri)
        self.run_id = self._begin(about, None if online else (self.place / "artifacts").resolve().as_uri())

    def _begin(self, about: About, artifacts: str | None) -> str:
        """Create the run, or take up the one that the folder names."""
        file = self.place / "id"
        if file.is_file():
            run_id = file.read_text(encoding="utf-8").strip()
            self.client.update_run(run_id, status="RUNNING")
            return run_id
        found = self.client.get_experiment_by_name(about.project)
        experiment = found.experiment_id if found else self.client.create_experiment(about.project, artifacts)
        tags = {"group": about.group, "job_type": about.job_type} | dict.fromkeys(about.tags, "true")
        run_id = str(self.client.create_run(experiment, run_name=about.name, tags=tags).info.run_id)
        self._parameters(run_id, flat(about.config))
        write_text(file, run_id)
        return run_id

    def _parameters(self, run_id: str, values: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        said = [Param(_key(name), str(value)[:_LONGEST_TEXT]) for name, value in values.items()]
        for start in range(0, len(said), _AT_ONCE):
            self.client.log_batch(run_id, params=said[start : start + _AT_ONCE])

    def log(self, epoch: int, values: Mapping[str, float]) -> None:
        """The scalars of one epoch."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self.client.log_batch(
            self.run_id, metrics=[Metric(_key(name), float(value), now, epoch) for name, value in values.items()]
        )

    def results(self, outcome: Outcome) -> None:
        """Headline numbers as metrics, every row as a file, pictures, artifacts."""
        headline = outcome.headline()
        numbers = {name: value for name, value in headline.items() if isinstance(value, (int, float))}
        self.log(0, numbers)
        for name in headline.keys() - numbers.keys():
            self.client.set_tag(self.run_id, _key(name), str(headline[name]))
        self.client.log_dict(self.run_id, list(map(dict, outcome.rows)), "results.json")  # type: ignore[arg-type]
        for picture in outcome.pictures:
            self.client.log_artifact(self.run_id, str(picture), "pictures")
        for artifact in outcome.artifacts:
            for file in artifact.files:
                self.client.log_artifact(self.run_id, str(file), artifact.kind)

    def finish(self, *, exit_code: int) -> None:
        """End the run; a failed one is marked as failed."""
        self.client.set_terminated(self.run_id, status="FAILED" if exit_code else "FINISHED")


def _key(name: str) -> str:
    """A name that MLflow takes: letters, digits and ``_-. :/``."""
    return "".join(letter if letter.isalnum() or letter in "_-. :/" else "_" for letter in name)

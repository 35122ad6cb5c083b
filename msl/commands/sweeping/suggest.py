"""What to try next: Optuna's samplers, asked trial by trial, and the plain grid.

Optuna is called directly: Hydra's plugin for it wants a prerelease of Hydra, and its objective is what a job returns,
test rows or not. A suggestion depends on the seed, the trial's number and the trials before it, on nothing else: a sweep
that was killed goes on with the suggestions it would have had.
"""

import itertools
import warnings
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Literal, TypeAlias

import numpy as np

from msl.commands.sweeping.space import Choice, Interval, Space, Value
from msl.types import InputError

Sampler: TypeAlias = Literal["tpe", "random", "grid"]
"""``tpe``: the tree-structured Parzen estimator (Bergstra et al., NeurIPS 2011)."""

Tried: TypeAlias = tuple[dict[str, Value], float | None]
"""Values and the score they got, None if they failed."""


def suggest(space: Space, tried: Sequence[Tried], *, sampler: Sampler, seed: int) -> dict[str, Value]:
    """The values of the next trial after those of `tried`, in order; an `InputError` where Optuna is not installed."""
    if sampler == "grid" or not space:
        return grid(space)[len(tried)]
    study = _study(space, tried, sampler, seed)
    return dict(study.ask(_distributions(space)).params)


def grid(space: Space) -> list[dict[str, Value]]:
    """Every combination of choices, the last key varying fastest; an `InputError` if something is an interval."""
    for key, parameter in space.items():
        if isinstance(parameter, Interval):
            raise InputError(
                f"sweep.sampler=grid tries values that are listed, and {key} has an interval; write {key}=choice(A,B,...)"
            )
    lists = [parameter.values for parameter in space.values() if isinstance(parameter, Choice)]
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*lists)]


def importance(space: Space, tried: Sequence[Tried], *, seed: int) -> dict[str, float]:
    """The share of each key in what made trials differ, largest first, as Optuna measures it (version 5: PED-ANOVA)."""
    study = _study(space, tried, "random", seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of equal scores, whose shares are equal too
        shares: dict[str, float] = optuna().importance.get_param_importances(study)
    return shares


def optuna() -> ModuleType:
    """The library, quiet; an `InputError` where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise InputError("sweep.sampler=tpe and random need Optuna: pip install 'msl[sweep]'") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def _study(space: Space, tried: Sequence[Tried], sampler: Sampler, seed: int) -> Any:
    library, distributions = optuna(), _distributions(space)
    own = int(np.random.SeedSequence([seed, len(tried)]).generate_state(1)[0])
    kind = {"tpe": library.samplers.TPESampler, "random": library.samplers.RandomSampler}[sampler]
    study = library.create_study(direction="maximize", sampler=kind(seed=own))
    states = library.trial.TrialState
    for values, score in tried:
        state = states.FAIL if score is None else states.COMPLETE
        study.add_trial(
            library.trial.create_trial(params=values, distributions=distributions, value=score, state=state)
        )
    return study


def _distributions(space: Space) -> dict[str, Any]:
    return {key: _distribution(parameter) for key, parameter in space.items()}


def _distribution(parameter: Interval | Choice) -> Any:
    kinds = optuna().distributions
    if isinstance(parameter, Choice):
        return kinds.CategoricalDistribution(parameter.values)
    kind = kinds.IntDistribution if parameter.whole else kinds.FloatDistribution
    return kind(parameter.low, parameter.high, log=parameter.log)

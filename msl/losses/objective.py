"""The objective: a named, weighted sum of losses, each of which asks by parameter name for the tensors it needs."""

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from msl.types import InputError, NonNegative


@dataclass(frozen=True, kw_only=True)
class Term:
    """A loss, one value per pair, and its weight in the sum."""

    loss: Callable[..., Tensor]
    weight: NonNegative
    wants: tuple[str, ...] = field(init=False)
    """Names of the tensors the loss asks for: its parameters without a default."""

    def __post_init__(self) -> None:
        parameters = inspect.signature(self.loss).parameters.values()
        required = tuple(p.name for p in parameters if p.default is p.empty and p.kind is not p.VAR_KEYWORD)
        object.__setattr__(self, "wants", required)


class Objective:
    """``total = sum_k weight_k * mean_i loss_k(i)`` over the named terms.

    A term is dropped, replaced or added where the terms are configured; nothing here knows any loss.
    """

    def __init__(self, terms: Mapping[str, Term | None]) -> None:
        empty = [name for name, term in terms.items() if term is None]
        if empty:
            name = empty[0]
            raise InputError(f"the objective's term {name!r} is null; drop it with ~method.objective.terms.{name}")
        if "total" in terms:
            raise InputError("no term may be called 'total', the name of the sum; call it something else")
        self.terms: dict[str, Term] = {name: term for name, term in terms.items() if term is not None}
        if not self.terms:
            raise InputError("the objective has no term; keep at least one of method.objective.terms")

    def __call__(self, tensors: object, only: Collection[str] | None = None) -> dict[str, Tensor]:
        """Mean of every term (or of those in `only`) and their weighted `total`, all scalars.

        `tensors` offers each wanted tensor as an attribute; a name it lacks is an `InputError`.
        """
        names = [name for name in self.terms if only is None or name in only]
        means = {name: self._mean(name, tensors) for name in names}
        weighted = [self.terms[name].weight * mean for name, mean in means.items()]
        return means | {"total": torch.stack(weighted).sum()}

    def _mean(self, name: str, tensors: object) -> Tensor:
        term = self.terms[name]
        missing = [wanted for wanted in term.wants if not hasattr(type(tensors), wanted)]
        if missing:
            offered = ", ".join(sorted(n for n in dir(type(tensors)) if not n.startswith("_")))
            raise InputError(
                f"the objective's term {name!r} wants {missing[0]!r}, which this method does not offer; it offers {offered}"
            )
        return term.loss(**{wanted: getattr(tensors, wanted) for wanted in term.wants}).mean()

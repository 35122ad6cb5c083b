"""A search space in the grammar of Hydra's overrides: `KEY=interval(LOW,HIGH)`, `KEY=range(...)`, `KEY=choice(A,B)`."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob, IntervalSweep, Override
from hydra.errors import HydraException

from msl.config import one_line
from msl.types import InputError

Value: TypeAlias = int | float | str
"""A number, or anything else as an override writes it."""


@dataclass(frozen=True)
class Interval:
    """Numbers from `low` to `high`, both included; of two whole numbers, whole ones."""

    low: float
    high: float
    log: bool

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are taken."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def checked(self) -> tuple[Value, ...]:
        """The values that must be allowed for all to be: both ends."""
        return self.low, self.high


@dataclass(frozen=True)
class Choice:
    """One of some values."""

    values: tuple[Value, ...]

    @property
    def checked(self) -> tuple[Value, ...]:
        """All values."""
        return self.values


Space: TypeAlias = Mapping[str, Interval | Choice]
"""By override key."""


def read_space(arguments: Sequence[str]) -> tuple[list[str], dict[str, Interval | Choice]]:
    """The overrides that hold for every trial, as given, and what is searched; an `InputError` for what is neither."""
    try:
        overrides = OverridesParser.create().parse_overrides(list(arguments))
        varied = [each for each in overrides if each.is_sweep_override()]
        space = {each.get_key_element(): _parameter(each) for each in varied}
    except HydraException as error:
        raise InputError(one_line(error)) from error
    keys = [each.get_key_element().lstrip("+") for each in overrides]
    for key in space:
        if keys.count(key.lstrip("+")) > 1:
            raise InputError(f"{key} is given twice; a key that is searched is given once")
    return [text for text, each in zip(arguments, overrides, strict=True) if not each.is_sweep_override()], space


def written(values: Mapping[str, Value]) -> list[str]:
    """The values as overrides."""
    return [f"{key}={value}" for key, value in values.items()]


def _parameter(override: Override) -> Interval | Choice:
    value: Any = override.value()
    if isinstance(value, Glob):
        raise InputError(f"{override.input_line}: name the values, as in {override.get_key_element()}=choice(A,B)")
    if getattr(value, "shuffle", False) or set(getattr(value, "tags", ())) - {"log"}:
        raise InputError(f"{override.input_line}: of tags and orders only tag(log, interval(...)) means anything here")
    return _interval(override, value) if isinstance(value, IntervalSweep) else _choice(override, value)


def _interval(override: Override, value: IntervalSweep) -> Interval:
    assert value.start is not None
    assert value.end is not None
    found = Interval(value.start, value.end, "log" in value.tags)
    if not (-math.inf < found.low < found.high < math.inf) or (found.log and found.low <= 0):
        above = " and LOW above 0, for the logarithm" if found.log else ""
        raise InputError(f"{override.input_line}: wanted interval(LOW,HIGH) with LOW below HIGH{above}")
    return found


def _choice(override: Override, value: Any) -> Choice:
    plain = list(getattr(value, "list", value.range() if override.is_range_sweep() else []))
    texts = override.sweep_string_iterator()
    values = [item if _is_number(item) else text for item, text in zip(plain, texts, strict=True)]
    if not values or "log" in value.tags:
        raise InputError(f"{override.input_line}: wanted values, as in {override.get_key_element()}=choice(A,B)")
    return Choice(tuple(dict.fromkeys(values)))


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)

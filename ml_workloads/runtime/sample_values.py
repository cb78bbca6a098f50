"""Reads the demands of a contract on a column, and generates values that meet them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from ml_workloads.runtime.sample_text import TextError, matching

_SPAN: Final = 100
_WORDS: Final = ("alpha", "beta", "gamma", "delta")
_FIRST_DAY: Final = pd.Timestamp("2024-01-01")
_DAY: Final = 86400.0


class UnknownTypeError(ValueError):
    """The program cannot generate values for a type. The message names it."""


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Demands on a column. `kind` is one of number, whole, text, truth, time, duration, day, decimal, choice.

    `least` and `most` are bounds; `above` and `below` say that the bound itself is not allowed.
    """

    kind: str
    dtype: Any = None
    nullable: bool = False
    unique: bool = False
    choices: tuple[Any, ...] = ()
    forbidden: tuple[Any, ...] = ()
    least: Any = None
    most: Any = None
    above: bool = False
    below: bool = False
    pattern: str | None = None
    shortest: int | None = None
    longest: int | None = None
    start: str = ""
    end: str = ""

    def typed(self, found: Sequence[Any] | pd.Series) -> pd.Series:
        """Return values with the type that the contract demands."""
        series = found if isinstance(found, pd.Series) else pd.Series(list(found), dtype=_plain(self.kind))
        return series if self.dtype is None else self.dtype.coerce(series)


def demand_of(column: Any, default: Any, *, is_target: bool, classes: bool) -> Demand:
    """Return the demands of a pandera column. `default` is the type that its schema gives to all columns."""
    dtype = column.dtype if column.dtype is not None else default
    demand = Demand(
        kind=_kind(dtype), dtype=dtype, nullable=bool(column.nullable), unique=bool(column.unique and not is_target)
    )
    categories = getattr(dtype, "categories", None)
    if categories is not None:
        demand = replace(demand, choices=tuple(categories))
    for check in column.checks:
        demand = _narrowed(demand, str(check.name), dict(check.statistics or {}))
    if dtype is None:
        demand = replace(demand, kind=_kind_of_values(demand))
    # A target of classes has few values. If the contract lists none, two are generated.
    if is_target and classes and not demand.choices and demand.kind in ("whole", "text", "choice"):
        several = dict.fromkeys(values(replace(demand, unique=True), 4 + len(demand.forbidden), seed=0))
        demand = replace(demand, choices=tuple(several)[:2])
    return demand


def values(demand: Demand, count: int, *, seed: int) -> list[Any]:
    """Return values that a column may hold. Some of its custom checks may still reject some of them.

    Raises:
        TextError: no text is known to match its pattern.
        UnknownTypeError: no values can be generated for its type.
    """
    source = random.Random(seed)  # noqa: S311 - rows for a try, the same each time
    if demand.choices:
        allowed = [each for each in demand.choices if each not in demand.forbidden] or list(demand.choices)
        shuffled = [allowed[place % len(allowed)] for place in range(count)]
        source.shuffle(shuffled)
        return shuffled
    maker = _MAKERS.get(demand.kind)
    if maker is None:
        raise UnknownTypeError(f"nothing is known of the type {demand.dtype}")
    found = maker(demand, count, source)
    allowed = [each for each in found if each not in demand.forbidden]
    # Return as many values as requested, even if some of the generated ones are forbidden.
    return [allowed[place % len(allowed)] for place in range(count)] if allowed else found


def _narrowed(demand: Demand, name: str, told: Mapping[str, Any]) -> Demand:
    """Return the demands with those of one of pandera's own checks. Custom checks are applied to the rows later.

    https://pandera.readthedocs.io/en/stable/reference/generated/pandera.api.checks.Check.html
    """
    if "allowed_values" in told:
        return replace(demand, choices=tuple(told["allowed_values"]))
    if name == "unique_values_eq":
        return replace(demand, choices=tuple(told["values"]))
    if name == "equal_to":
        return replace(demand, choices=(told["value"],))
    if "forbidden_values" in told or name == "not_equal_to":
        more = told.get("forbidden_values", (told.get("value"),))
        return replace(demand, forbidden=(*demand.forbidden, *more))
    if name == "str_length":
        exact = told.get("exact_value")
        shortest, longest = (exact, exact) if exact is not None else (told.get("min_value"), told.get("max_value"))
        return replace(demand, shortest=shortest, longest=longest)
    if "pattern" in told:
        return replace(demand, pattern=str(told["pattern"]))
    if name == "str_startswith":
        return replace(demand, start=str(told["string"]))
    if name == "str_endswith":
        return replace(demand, end=str(told["string"]))
    return _bounded(demand, name, told)


def _bounded(demand: Demand, name: str, told: Mapping[str, Any]) -> Demand:
    """Return the demands with the bounds of a check.

    A check with a custom name does not say whether its bound itself is allowed, so the bound is excluded.
    """
    if "min_value" in told and told["min_value"] is not None:
        allowed = bool(told.get("include_min", name == "greater_than_or_equal_to"))
        if demand.least is None or told["min_value"] >= demand.least:
            demand = replace(demand, least=told["min_value"], above=not allowed)
    if "max_value" in told and told["max_value"] is not None:
        allowed = bool(told.get("include_max", name == "less_than_or_equal_to"))
        if demand.most is None or told["max_value"] <= demand.most:
            demand = replace(demand, most=told["max_value"], below=not allowed)
    return demand


def _kind(dtype: Any) -> str:
    """Return the kind of a pandera type."""
    text = str(dtype).lower()
    for start, kind in (
        ("float", "number"), ("int", "whole"), ("uint", "whole"), ("bool", "truth"), ("str", "text"),
        ("datetime64", "time"), ("timedelta", "duration"), ("date", "day"), ("decimal", "decimal"),
        ("category", "text"), ("object", "text"), ("double", "number"), ("timestamp", "time"),
    ):  # fmt: skip
        if text.startswith(start):
            return kind
    return "number" if dtype is None else text


def _kind_of_values(demand: Demand) -> str:
    if demand.pattern or demand.start or demand.end or demand.shortest is not None or demand.longest is not None:
        return "text"
    return "time" if isinstance(demand.least if demand.least is not None else demand.most, pd.Timestamp) else "number"


def _plain(kind: str) -> Any:
    """Return the type of values before their conversion to the contract's type, None if pandas shall infer it."""
    return object if kind in ("day", "decimal") else None


def _range(demand: Demand, span: float, start: float) -> tuple[float, float]:
    """Return lower and upper bound: those of the contract, by default an interval of length `span` from `start`."""
    least = None if demand.least is None else float(demand.least)
    most = None if demand.most is None else float(demand.most)
    if least is None:
        least = start if most is None or most > start else most - span
    return least, most if most is not None else least + span


def _numbers(demand: Demand, count: int, source: random.Random) -> list[Any]:
    least, most = _range(demand, _SPAN, 1)
    margin = (most - least) * 1e-3
    return [source.uniform(least + margin * demand.above, most - margin * demand.below) for _ in range(count)]


def _wholes(demand: Demand, count: int, source: random.Random) -> list[Any]:
    least, most = _range(demand, _SPAN, 1)
    first, last = int(np.ceil(least)), int(np.floor(most))
    first += demand.above and first == least
    last -= demand.below and last == most
    if demand.unique:
        return list(range(first, (last if demand.most is not None else first + count) + 1))[:count]
    return [source.randint(first, max(first, last)) for _ in range(count)]


def _texts(demand: Demand, count: int, source: random.Random) -> list[Any]:
    if demand.pattern:
        return [_by_pattern(demand, demand.pattern, source) for _ in range(count)]
    return [_text(demand, place) for place in range(count)]


def _by_pattern(demand: Demand, pattern: str, source: random.Random) -> str:
    for _ in range(50):
        text = matching(pattern, source)
        if (demand.shortest or 0) <= len(text) <= (demand.longest if demand.longest is not None else len(text)):
            return text
    raise TextError(f"no text of that length is known to match {pattern!r}")


def _text(demand: Demand, place: int) -> str:
    """Return a word of the length that the contract demands, with a number if values must be unique."""
    number = np.base_repr(place, 36).lower() if demand.unique else ""
    word = _WORDS[place % len(_WORDS)]
    around = len(demand.start) + len(number) + len(demand.end)
    if demand.longest is not None:
        word = word[: max(0, demand.longest - around)]
    word += "x" * ((demand.shortest or 0) - around - len(word))
    return f"{demand.start}{word}{number}{demand.end}"


def _truths(_demand: Demand, count: int, source: random.Random) -> list[Any]:
    return [source.random() < 0.5 for _ in range(count)]


def _times(demand: Demand, count: int, source: random.Random) -> list[Any]:
    zone = getattr(getattr(demand.dtype, "type", None), "tz", None)
    least = _moment(demand.least, zone)
    most = _moment(demand.most, zone)
    if least is None:
        least = _FIRST_DAY.tz_localize(zone) if most is None else most - pd.Timedelta(days=365)
    span = ((most if most is not None else least + pd.Timedelta(days=365)) - least).total_seconds()
    whole = max(1, int(span) - 1)
    return [least + pd.Timedelta(seconds=source.randint(min(1, whole - 1), whole)) for _ in range(count)]


def _moment(bound: Any, zone: Any) -> pd.Timestamp | None:
    if bound is None:
        return None
    found: Any = pd.Timestamp(bound)
    return found.tz_localize(zone) if zone is not None and found.tzinfo is None else found


def _durations(_demand: Demand, count: int, source: random.Random) -> list[Any]:
    return [pd.Timedelta(seconds=source.randint(1, int(_DAY))) for _ in range(count)]


def _days(_demand: Demand, count: int, source: random.Random) -> list[Any]:
    return [date(2024, 1, 1) + timedelta(days=source.randint(0, 364)) for _ in range(count)]


def _decimals(demand: Demand, count: int, source: random.Random) -> list[Any]:
    return [Decimal(int(each)) for each in _numbers(demand, count, source)]


_MAKERS: Final[Mapping[str, Callable[[Demand, int, random.Random], list[Any]]]] = {
    "number": _numbers,
    "whole": _wholes,
    "text": _texts,
    "truth": _truths,
    "time": _times,
    "duration": _durations,
    "day": _days,
    "decimal": _decimals,
}

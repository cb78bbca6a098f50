"""Times and dates in requests: ISO 8601 as RFC 3339 restricts it, to the nanosecond.

https://www.rfc-editor.org/rfc/rfc3339#section-5.6
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
from pydantic_core import PydanticCustomError

_FIRST, _LAST = np.datetime64("0001-01-01"), np.datetime64("9999-12-31")
_DAY: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_OFFSET: Final = "(Z|[+-][0-9]{2}:[0-9]{2})"
Unit = Literal["s", "ms", "us", "ns"]
UNITS: Final[Mapping[Unit, str]] = {"s": "a second", "ms": "a millisecond", "us": "a microsecond", "ns": "a nanosecond"}


@dataclass(frozen=True)
class Written:
    """A notation for times. The same regular expressions validate requests and appear in the OpenAPI document."""

    free: str
    zoned: str

    def schema(self, *, zoned: bool = False) -> str:
        return f"^{self.zoned if zoned else self.free}$"

    def matches(self, value: Any, *, zoned: bool = False) -> bool:
        return isinstance(value, str) and bool(re.fullmatch(self.zoned if zoned else self.free, value))


DATE: Final = Written(free=_DAY, zoned=_DAY)
DATE_TIME: Final = Written(free=f"{_DAY}([T ]{_CLOCK}{_OFFSET}?)?", zoned=f"{_DAY}[T ]{_CLOCK}{_OFFSET}")


def read_time(value: Any, unit: Unit, zone: str | None) -> pd.Timestamp:
    """Return a time in the column's zone.

    Args:
        value: The value in the request.
        unit: The column's resolution: `s`, `ms`, `us` or `ns`.
        zone: The column's time zone. None keeps a time without offset as it is, and converts one with an offset to UTC.

    Raises:
        PydanticCustomError: It is no time, has no offset although there is a zone, is finer than the column's
            resolution, or is out of its range.
    """
    if not DATE_TIME.matches(value, zoned=bool(zone)):
        wanted = "a time with its offset, such as 2026-03-01T12:00:00Z" if zone else "a time: 2026-03-01T12:00:00"
        raise PydanticCustomError("time", "Input should be {wanted}", {"wanted": wanted})
    found = _found(value, zone)
    if found is None:
        raise PydanticCustomError("time", "Input should be a time that there is")
    try:
        return found.as_unit(unit, round_ok=False)
    except pd.errors.OutOfBoundsDatetime:
        raise PydanticCustomError("time", "Input should be a time between 1678 and 2261") from None
    except (ValueError, OverflowError):
        raise PydanticCustomError(
            "time", "Input should be no finer than {unit}, the column's resolution", {"unit": UNITS[unit]}
        ) from None


def _found(value: str, zone: str | None) -> Any:
    """Parse a time.

    Return None for an invalid time, and for one beyond the years 1 to 9999, which pandas parses but cannot process
    further.
    """
    try:
        found: Any = pd.Timestamp(value)
        found = found.tz_convert(zone or "UTC") if found.tz is not None else found
        local = found.tz_localize(None)
        days = [each.asm8.astype("datetime64[D]") for each in (found, local)]
    except (ValueError, OverflowError, NotImplementedError):
        return None
    if not all(_FIRST <= day <= _LAST for day in days):
        return None
    return found if zone else local


def read_date(value: Any) -> date:
    """Return a day.

    Raises:
        PydanticCustomError: the value does not have the form `2026-03-01`.
    """
    try:
        if DATE.matches(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise PydanticCustomError("date", "Input should be a date, such as 2026-03-01")

"""Schedules of training, parsed as Kubernetes parses them. Pure functions.

The API server and the CronJob controller use `ParseStandard` of robfig/cron v3. This module accepts and rejects the
same texts, so that a wrong schedule fails when its file is loaded and not in the middle of a deployment. It also
rejects two more kinds: texts with characters outside ASCII, and schedules that never fire.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax
https://github.com/robfig/cron/blob/v3.0.1/parser.go and .../spec.go
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Annotated, Final

from pydantic import AfterValidator

from validation.base import Allowed

FORM: Final = 'write five fields, minute hour day month weekday, such as "0 3 * * 1" for Mondays at 3:00 UTC'
DESCRIPTORS: Final = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_EVERY: Final = "@every "
_BLANKS = re.compile(r"[ \t\n\v\f\r]+")
_INTEGER = re.compile(r"\+?[0-9]+")
_MOST = 2**63 - 1
_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)(ns|us|ms|s|m|h)")
_NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
# The maximum number of days of each month, with the leap day, which occurs often enough.
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def _numbered(names: str, first: int) -> dict[str, int]:
    return {name: first + place for place, name in enumerate(names.split())}


@dataclass(frozen=True)
class _Field:
    title: str
    least: int
    most: int
    names: Mapping[str, int] = field(default_factory=dict[str, int])
    hint: str = ""


@dataclass(frozen=True)
class _Times:
    """Values that a field matches.

    `open` is true if `*` or `?` is among them, so that the other of the two day fields decides.
    """

    values: frozenset[int]
    open: bool


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _numbered("jan feb mar apr may jun jul aug sep oct nov dec", 1)),
    _Field("weekday", 0, 6, _numbered("sun mon tue wed thu fri sat", 0), ", Sunday is 0"),
)


def schedule(text: str) -> str:
    """Validate a schedule and return it unchanged.

    Raises:
        ValueError: the API server would reject the text, or the schedule never fires. The message names the part that
            is wrong and the fix.
    """
    if not text.isascii():
        raise ValueError(f"{FORM}; use plain letters, digits and blanks only")
    if "TZ" in text:
        raise ValueError(f"{FORM}; remove the time zone, schedules are in UTC")
    if text.startswith("@"):
        return _descriptor(text)
    parts = [part for part in _BLANKS.split(text) if part]
    if len(parts) != len(_FIELDS):
        raise ValueError(f"{FORM}; it has {len(parts)} field{'' if len(parts) == 1 else 's'}")
    minute, hour, day, month, weekday = (_times(part, of) for part, of in zip(parts, _FIELDS, strict=True))
    if not (minute.values and hour.values and month.values and _comes(day, month, weekday)):
        raise ValueError(f"{FORM}; this one never comes, leave the schedule out if nothing shall run by itself")
    return text


def _descriptor(text: str) -> str:
    if text in DESCRIPTORS or (text.startswith(_EVERY) and _is_duration(text.removeprefix(_EVERY))):
        return text
    known = ", ".join(sorted(DESCRIPTORS))
    raise ValueError(f"{FORM}; or one of {known}, or @every with a duration such as 12h or 1h30m")


def _is_duration(text: str) -> bool:
    """Return whether Go's `time.ParseDuration` accepts the text. https://pkg.go.dev/time#ParseDuration"""
    amounts = text[1:] if text[:1] in ("+", "-") else text
    if amounts == "0":
        return True
    if not re.fullmatch(f"(?:{_AMOUNT.pattern})+", amounts):
        return False
    total = sum(Fraction(f"0{number}") * _NANOSECONDS[unit] for number, unit in _AMOUNT.findall(amounts))
    return total < _MOST + (2 if text.startswith("-") else 1)


def _times(text: str, of: _Field) -> _Times:
    found = [_range(part, of) for part in text.split(",") if part]
    values: frozenset[int] = frozenset()
    return _Times(values.union(*(each.values for each in found)), any(each.open for each in found))


def _range(text: str, of: _Field) -> _Times:
    """Parse `first-last/step`, in which all but the first are optional. `first/step` continues to the field's end."""
    span, *steps = text.split("/")
    first, *lasts = span.split("-")
    if len(steps) > 1:
        raise ValueError(f"{FORM}; {of.title} {text!r} has more than one /")
    step = _integer(steps[0], text, of) if steps else 1
    every = first in ("*", "?")
    if every:  # the text after a dash is ignored
        start, end = of.least, of.most
    elif len(lasts) > 1:
        raise ValueError(f"{FORM}; {of.title} {text!r} has more than one -")
    else:
        start = _value(first, text, of)
        end = _value(lasts[0], text, of) if lasts else of.most if steps else start
    if start < of.least or end > of.most:
        raise ValueError(f"{FORM}; {of.title} {text!r} is outside {of.least} to {of.most}{of.hint}")
    if start > end:
        raise ValueError(f"{FORM}; {of.title} {text!r} begins after its end")
    if step == 0:
        raise ValueError(f"{FORM}; {of.title} {text!r} has the step 0")
    return _Times(frozenset(range(start, end + 1, step)), every and step == 1)


def _value(text: str, part: str, of: _Field) -> int:
    named = of.names.get(text.lower())
    return _integer(text, part, of) if named is None else named


def _integer(text: str, part: str, of: _Field) -> int:
    digits = text.lstrip("+").lstrip("0") or "0"
    if not _INTEGER.fullmatch(text) or len(digits) > len(str(_MOST)) or int(digits) > _MOST:
        named = f" or {', '.join(of.names)}" if of.names else ""
        raise ValueError(f"{FORM}; {of.title} {part!r} cannot be read, use {of.least} to {of.most}{named}")
    return int(digits)


def _comes(day: _Times, month: _Times, weekday: _Times) -> bool:
    """Return whether a matching day exists.

    If either day field is open, the day has to match both fields, else one of them.
    """
    in_month = any(number <= _DAYS[each - 1] for each in month.values for number in day.values)
    if day.open or weekday.open:
        return in_month and bool(weekday.values)
    return in_month or bool(weekday.values)


Schedule = Annotated[str, AfterValidator(schedule), Allowed("cron schedule in UTC")]

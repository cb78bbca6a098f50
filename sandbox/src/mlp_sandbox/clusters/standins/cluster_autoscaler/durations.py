"""Durations in the format of Go programs: 10m, 1m30s, 500ms."""

from __future__ import annotations

import re

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ms|us|µs|ns|h|m|s)")


def parse_duration(text: str) -> float:
    """Return a duration in seconds.

    Raises ValueError for text that Go's time.ParseDuration rejects, and for negative values.
    """
    if text == "0":
        return 0.0
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no duration; write one such as 10m, 90s or 1m30s")
    return sum(float(number) * _UNITS[unit] for number, unit in parts)

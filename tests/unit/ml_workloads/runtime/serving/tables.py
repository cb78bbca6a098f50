"""Training tables with columns of every type, generated from a fixed seed."""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

WORDS = ("red", "", "blå", "NA", "null", "0", " green", "None")
Draw = Callable[[np.random.Generator, int], list[Any]]


def _words(random: np.random.Generator, rows: int) -> list[Any]:
    return [WORDS[index] for index in random.integers(0, len(WORDS), rows)]


def _truths(random: np.random.Generator, rows: int) -> list[Any]:
    return [bool(value) for value in random.integers(0, 2, rows)]


def _whole(bits: int, *, signed: bool = True) -> Draw:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)

    def draw(random: np.random.Generator, rows: int) -> list[Any]:
        found = [int(value) for value in random.integers(low, high, rows, endpoint=True)]
        return [low, high, 0, *found[3:]]

    return draw


def _broken(bits: int) -> Draw:
    most = float(np.finfo(f"float{bits}").max)

    def draw(random: np.random.Generator, rows: int) -> list[Any]:
        found = [float(np.dtype(f"float{bits}").type(value)) for value in random.normal(0, 1000, rows)]
        return [most, -most, float(np.finfo(f"float{bits}").tiny), *found[3:]]

    return draw


def _times(unit: str, zone: str | None = None) -> Draw:
    step = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]

    def draw(random: np.random.Generator, rows: int) -> list[Any]:
        # 1820 to 2170: with offsets of seconds, and with the hours that summer time skips and repeats.
        seconds = random.integers(-4_700_000_000, 6_300_000_000, rows)
        seconds[:4] = (1_761_438_600, 1_761_442_200, 1_743_296_400, -2_500_000_000)
        counts = seconds * step + random.integers(0, step, rows)
        found = pd.Series(counts.astype(f"datetime64[{unit}]"))
        return list(found.dt.tz_localize("UTC").dt.tz_convert(zone) if zone else found)

    return draw


def _dates(random: np.random.Generator, rows: int) -> list[Any]:
    return [datetime.date(1, 1, 1) + datetime.timedelta(int(days)) for days in random.integers(0, 3_000_000, rows)]


def _category(values: list[Any], *, ordered: bool = False, kind: str | None = None) -> tuple[Any, Draw, Any]:
    def draw(random: np.random.Generator, rows: int) -> list[Any]:
        return [values[index] for index in random.integers(0, len(values) - 1, rows)]

    return pd.CategoricalDtype(pd.Index(values, dtype=kind), ordered=ordered), draw, None


NAN = math.nan
# dtype, values, and what stands for a missing value: `REQUIRED` where the dtype has none.
REQUIRED: Any = "required"
TYPES: Mapping[str, tuple[Any, Draw, Any]] = {
    "str": ("str", _words, NAN),
    "str python": (pd.StringDtype("python", na_value=NAN), _words, NAN),
    "string python": ("string[python]", _words, pd.NA),
    "string pyarrow": ("string[pyarrow]", _words, pd.NA),
    "object None": ("object", _words, None),
    "object NaN": ("object", _words, NAN),
    "object NA": ("object", _words, pd.NA),
    "object truth": ("object", _truths, None),
    "object date": ("object", _dates, None),
    "object date NaT": ("object", _dates, pd.NaT),
    "category": _category(["b", "a", "", "c"]),
    "category ordered": _category(["low", "middle", "high"], ordered=True),
    "category object": _category(["b", "a", "c"], kind="object"),
    "category string": _category(["b", "a", "c"], kind="string"),
    "category int64": _category([3, 1, 2]),
    "category int8": _category([3, 1, 2], ordered=True, kind="int8"),
    "category Int64": _category([3, 1, 2], kind="Int64"),
    "category float64": _category([0.5, 1.0, 2.5]),
    "category bool": _category([True, False, True][:2]),
    "bool": ("bool", _truths, REQUIRED),
    "boolean": ("boolean", _truths, pd.NA),
    **{f"int{bits}": (f"int{bits}", _whole(bits), REQUIRED) for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": (f"uint{bits}", _whole(bits, signed=False), REQUIRED) for bits in (8, 16, 32)},
    **{f"Int{bits}": (f"Int{bits}", _whole(bits), pd.NA) for bits in (8, 16, 32, 64)},
    **{f"UInt{bits}": (f"UInt{bits}", _whole(bits, signed=False), pd.NA) for bits in (8, 16, 32)},
    **{f"float{bits}": (f"float{bits}", _broken(bits), NAN) for bits in (16, 32, 64)},
    **{f"Float{bits}": (f"Float{bits}", _broken(bits), pd.NA) for bits in (32, 64)},
    **{f"time {unit}": (f"datetime64[{unit}]", _times(unit), pd.NaT) for unit in ("s", "ms", "us", "ns")},
    **{
        f"time {unit} {zone}": (f"datetime64[{unit}, {zone}]", _times(unit, zone), pd.NaT)
        for unit, zone in (("s", "UTC"), ("us", "Europe/Berlin"), ("ns", "America/St_Johns"), ("ms", "UTC+05:30"))
    },
}
NULLABLE = [name for name, (_dtype, _draw, missing) in TYPES.items() if missing is not REQUIRED]


def column(name: str, rows: int, *, seed: int = 7, missing: float = 0.0) -> pd.Series:
    """Return a column of a type, with a share of missing values."""
    dtype, draw, marker = TYPES[name]
    random = np.random.default_rng([seed, *name.encode()])
    values = draw(random, rows)
    gaps = random.random(rows) < missing
    if missing:
        gaps[:2] = (True, False)
    return pd.Series([marker if gap else value for value, gap in zip(values, gaps, strict=True)], dtype=dtype)

"""Joins parts to one table, with one type for each column over all of them.

The types of a CSV are inferred from its values. Where the parts of a CSV disagree, such as digits in one and words in
another, the column is text as written in all of them, as if they were one file.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype
from pandas.errors import OutOfBoundsDatetime, OutOfBoundsTimedelta

from ml_workloads.runtime.data.errors import DataError
from ml_workloads.runtime.data.options import Part, ReadOptions
from ml_workloads.runtime.data.tables import EXACT, csv_text, inexact, is_csv, parse_csv, read_part

_types: Any = pd.api.types  # leaves some types open
TEXT = pd.StringDtype(na_value=float("nan"))
_UNITS: Final = ("ns", "us", "ms", "s")
_LONGEST: Final = len(str(-(2**63)))


def one_table(parts: Sequence[Part], options: ReadOptions) -> pd.DataFrame:
    """Return the rows of all parts, in their order, with the columns from their paths after the others.

    Raises:
        DataError: a part cannot be read, or columns or types of the parts differ.
    """
    frames = [read_part(part, options) for part in parts]
    columns = _same_columns(parts, frames)
    joined = {name: _column(name, parts, frames, options) for name in columns}
    rows = [len(frame) for frame in frames]
    joined.update({name: _partition_column(name, parts, rows, options) for name in _partition_names(parts, columns)})
    return pd.DataFrame(joined)


def _same_columns(parts: Sequence[Part], frames: Sequence[pd.DataFrame]) -> list[str]:
    wanted = list(frames[0].columns)
    for part, frame in zip(parts, frames, strict=True):
        if list(frame.columns) != wanted:
            raise DataError(
                f"{part.name}: its columns {list(frame.columns)} are not those of {parts[0].name}: {wanted}"
            )
    return wanted


def _column(name: str, parts: Sequence[Part], frames: Sequence[Any], options: ReadOptions) -> pd.Series:
    pieces: list[Any] = [frame[name] for frame in frames]
    kinds = [_kind(piece) for piece in pieces]
    if len({kind for kind in kinds if kind is not None}) > 1:
        pieces = _as_text(name, parts, pieces, kinds, options)
        kinds = [_kind(piece) for piece in pieces]
    holding = [piece for piece, kind in zip(pieces, kinds, strict=True) if kind is not None]
    if not holding:
        holding = [next((piece for piece in pieces if len(piece)), pieces[0])]
    target = _common(name, parts[0].name, holding)
    if getattr(target, "kind", "") in {"m", "M"}:
        target = _unit(name, [(part.name, each) for part, each in zip(parts, pieces, strict=True)], holding, target)
    if (
        isinstance(target, np.dtype)
        and _types.is_integer_dtype(target)
        and any(len(piece) and kind is None for piece, kind in zip(pieces, kinds, strict=True))
    ):
        _refuse_wide(name, parts[0].name, holding)
    return pd.concat([_converted(piece, target) for piece in pieces], ignore_index=True)


def _as_text(
    name: str, parts: Sequence[Part], pieces: Sequence[Any], kinds: Sequence[str | None], options: ReadOptions
) -> list[Any]:
    """Return a column whose types disagree as text. Only a CSV still has the text as written."""
    typed = [(part, kind) for part, kind in zip(parts, kinds, strict=True) if kind not in (None, "text")]
    firm = [each for each in typed if not is_csv(each[0])]
    if firm:
        part, kind = firm[0]
        other, unlike = next((p, k) for p, k in zip(parts, kinds, strict=True) if k not in (None, kind))
        raise DataError(
            f"column {name} is {kind} in {part.name} and {unlike} in {other.name}; write it with one type in all parts"
        )
    again = {part.name for part, _ in typed}
    return [
        parse_csv(csv_text(part), options, [name], [name])[name] if part.name in again else piece
        for part, piece in zip(parts, pieces, strict=True)
    ]


def _kind(piece: Any) -> str | None:
    """Return the kind of a column's values, or None if it has no values."""
    kind: Any = piece.dtype
    if not len(piece) or bool(piece.isna().all()):
        return None
    if isinstance(kind, pd.CategoricalDtype):
        return "a category"
    if _types.is_object_dtype(kind):
        inferred = infer_dtype(piece, skipna=True)
        return {"string": "text", "boolean": "true or false"}.get(inferred, inferred)
    if _types.is_bool_dtype(kind):
        return "true or false"
    if _types.is_string_dtype(kind):
        return "text"
    if _types.is_numeric_dtype(kind):
        return "a number"
    if isinstance(kind, pd.DatetimeTZDtype):
        return f"a time in {kind.tz}"
    return {"M": "a time without zone", "m": "a duration"}.get(kind.kind, str(kind))


def _common(name: str, source: str, holding: Sequence[Any]) -> Any:
    """Return the type that holds the values of all pieces."""
    kinds = list(dict.fromkeys(piece.dtype for piece in holding))
    if len(kinds) == 1:
        return kinds[0]
    if all(isinstance(kind, pd.StringDtype) for kind in kinds):
        return TEXT
    if all(isinstance(kind, pd.CategoricalDtype) and not kind.ordered for kind in kinds):
        known = dict.fromkeys(value for kind in kinds for value in kind.categories)
        return pd.CategoricalDtype(list(known))
    common = pd.concat([pd.Series([], dtype=kind) for kind in kinds]).dtype
    if any(_types.is_integer_dtype(kind) for kind in kinds) and not _types.is_integer_dtype(common):
        _refuse_wide(name, source, holding)
    return common


def _unit(name: str, pieces: Sequence[tuple[str, Any]], holding: Sequence[Any], target: Any) -> Any:
    """Return the type of times or durations in the finest unit that holds all values: nanoseconds end in 2262.

    Raises:
        DataError: no unit holds all values, because each truncates a value of one part or cannot represent one of
            another.
    """
    finest = np.datetime_data(target.str if isinstance(target, np.dtype) else f"M8[{target.unit}]")[0]
    for unit in _UNITS[_UNITS.index(finest) :]:
        if all(_fits(piece, unit) for piece in holding):
            return holding[0].iloc[:0].dt.as_unit(unit).dtype
    far = next(
        source for source, piece in pieces if any(piece is each for each in holding) and not _fits(piece, finest)
    )
    fine = next(
        source for source, piece in pieces if getattr(piece.dtype, "kind", "") in {"m", "M"} and piece.dt.unit == finest
    )
    raise DataError(
        f"column {name} holds values in {far} that are out of the range of the unit {finest} that {fine} has; "
        "write it with the unit us in all parts"
    )


def _fits(piece: Any, unit: str) -> bool:
    try:
        return bool((piece.dt.as_unit(unit).dropna() == piece.dropna()).all())
    except (OutOfBoundsDatetime, OutOfBoundsTimedelta):
        return False


def _refuse_wide(name: str, source: str, holding: Sequence[Any]) -> None:
    whole = [piece for piece in holding if _types.is_integer_dtype(piece.dtype)]
    if any(int(piece.max()) > EXACT or int(piece.min()) < -EXACT for piece in whole):
        raise DataError(inexact(source, name))


def _converted(piece: Any, target: Any) -> pd.Series:
    if piece.dtype == target:
        return piece
    if not len(piece) or bool(piece.isna().all()):
        # Whole numbers and truth values have no missing value of their own; concat widens their type.
        if len(piece) and _types.is_bool_dtype(target):
            return pd.Series([float("nan")] * len(piece), dtype=object)
        kind: Any = target
        if len(piece) and isinstance(target, np.dtype) and _types.is_integer_dtype(target):
            kind = "float64"
        return pd.Series([None] * len(piece), dtype=kind)
    return piece.astype(target)


def _partition_names(parts: Sequence[Part], columns: Sequence[str]) -> list[str]:
    first = parts[0]
    for part in parts:
        if list(part.partition) != list(first.partition):
            raise DataError(
                f"{part.name} has the partitions {list(part.partition)} in its path, {first.name} has "
                f"{list(first.partition)}; give all parts the same"
            )
    both = [name for name in first.partition if name in columns]
    if both:
        raise DataError(f"{first.name}: column {both[0]} stands in the path and in the file; leave one of them out")
    return list(first.partition)


def _partition_column(name: str, parts: Sequence[Part], rows: Sequence[int], options: ReadOptions) -> pd.Series:
    """Return the partition column.

    Its values are whole numbers if int64 or float64 keeps all of them and each has one spelling, else text.
    """
    values = [part.partition[name] for part in parts]
    known = {value for value in values if value is not None}
    repeated = [value for value, count in zip(values, rows, strict=True) for _ in range(count)]
    numbers = _whole_numbers(known, has_missing=None in repeated)
    if not known or name in options.text_columns or len(set(numbers.values())) != len(known):
        return pd.Series(repeated, dtype=TEXT)
    kind = "float64" if None in repeated else "int64"
    return pd.Series([None if value is None else numbers[value] for value in repeated], dtype=kind)


def _whole_numbers(values: Collection[str], *, has_missing: bool) -> dict[str, int]:
    """Return those texts that are whole numbers which int64, or float64 beside missing values, represents exactly."""
    least, most = (-EXACT, EXACT) if has_missing else (-(2**63), 2**63 - 1)
    # int() rejects texts with thousands of digits, and is slow with shorter ones.
    short = {value: int(value) for value in values if len(value) <= _LONGEST and value.removeprefix("-").isdecimal()}
    return {value: number for value, number in short.items() if least <= number <= most}

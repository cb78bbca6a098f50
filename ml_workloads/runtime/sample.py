"""Generates rows that meet a contract, to try a project's code before any real data is read.

The rows say nothing about the quality of a model. They have the columns, types, bounds and missing values that the
contract allows, and some rows of each class of the target.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
import pandas as pd
import pandera.errors
import pandera.pandas as pa

from ml_workloads.runtime.contract import Contract
from ml_workloads.runtime.sample_text import TextError
from ml_workloads.runtime.sample_values import Demand, UnknownTypeError, demand_of, values

_pandas: Any = pd  # leaves some types open
ROWS: Final = 100
_CANDIDATES: Final = 400
_ROUNDS: Final = 12
_MISSING_SHARE: Final = 0.1
_EXCEPTION: Final = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Warning)\(")
HOW_TO_GIVE_ONE: Final = "give real rows with --sample FILE, or keep some in sample.csv beside project.yaml"


class SampleError(ValueError):
    """No rows can be generated for a contract. The message names the part of the contract that prevents it."""


class BrokenCheckError(ValueError):
    """A check of the contract raises an exception instead of returning a result.

    The message names column, check and error.
    """


def schema_of(contract: Contract) -> pa.DataFrameSchema:
    """Return the pandera schema that a contract is or describes."""
    return contract if isinstance(contract, pa.DataFrameSchema) else contract.to_schema()


def generate(schema: pa.DataFrameSchema, target: str, *, classes: bool, rows: int = ROWS) -> pd.DataFrame:
    """Return a table that meets a contract. The same call returns the same rows.

    Args:
        schema: the contract.
        target: the column that the model predicts; it has no missing values.
        classes: the target holds classes, so each class gets several rows.
        rows: the maximum number of rows.

    Raises:
        SampleError: the contract has a type, pattern or check that no generated row is known to meet.
        BrokenCheckError: a check raises.
    """
    demands = {
        name: demand_of(column, schema.dtype, is_target=name == target, classes=classes)
        for name, column in named_columns(schema).items()
    }
    kept = pd.DataFrame()
    said = ""
    for number in range(_ROUNDS):
        candidates = _candidates(demands, target, _ARRANGEMENTS[number % len(_ARRANGEMENTS)], seed=number)
        met, said = _meeting(schema, candidates)
        kept = pd.concat([kept, met], ignore_index=True) if len(kept) else met
        for columns in _unique(schema, demands):
            kept = kept.drop_duplicates(subset=columns, ignore_index=True)
        if len(kept) >= rows and _has_every_class(kept, demands.get(target), target):
            break
    if len(kept) < min(rows, 20):
        raise SampleError(f"made-up rows do not meet the contract ({said}); {HOW_TO_GIVE_ONE}")
    chosen = _some_of_each(kept, target, rows) if classes and target in kept else kept.head(rows)
    return chosen.reset_index(drop=True)


def named_columns(schema: pa.DataFrameSchema) -> Mapping[str, Any]:
    """Return columns by name. For a regex column, return columns with example names that match it."""
    found: dict[str, Any] = {}
    for name, column in schema.columns.items():
        if not column.regex:
            found[str(name)] = column
            continue
        try:
            found |= {example: column for example in values(Demand(kind="text", pattern=str(name)), 2, seed=0)}
        except TextError as error:
            if column.required:
                raise SampleError(f"columns named {name}: {error}; {HOW_TO_GIVE_ONE}") from None
    return found


def _candidates(
    demands: Mapping[str, Demand], target: str, arrange: Callable[[pd.DataFrame], pd.DataFrame], seed: int
) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for place, (name, demand) in enumerate(demands.items()):
        try:
            columns[name] = demand.typed(values(demand, _CANDIDATES, seed=seed * 1000 + place))
        except (TextError, UnknownTypeError) as error:
            raise SampleError(f"column {name}: {error}; {HOW_TO_GIVE_ONE}") from None
    frame: Any = arrange(pd.DataFrame(columns))
    random = np.random.default_rng(seed)
    for name, demand in demands.items():
        if demand.nullable and name != target:
            frame[name] = demand.typed(frame[name].mask(random.random(len(frame)) < _MISSING_SHARE))
    return frame


def _meeting(schema: pa.DataFrameSchema, frame: Any) -> tuple[pd.DataFrame, str]:
    """Return the rows that meet the contract, and the failures of the others."""
    said = ""
    for _ in range(3):
        try:
            return schema.validate(frame, lazy=True), said
        except pandera.errors.SchemaErrors as error:
            cases = cast("Any", error).failure_cases
            _refuse_broken(cases)
            said = ", ".join(_failures(cases))
            rows = _pandas.to_numeric(cases["index"], errors="coerce")
            wrong = rows.dropna().astype(int)
            if wrong.empty:
                return frame.iloc[:0], said
            frame = frame.drop(index=[each for each in wrong.unique() if each in frame.index])
            if frame.empty:
                return frame, said
        except BrokenCheckError:
            raise
        except Exception as error:
            # The contract's own code raises on these rows.
            return frame.iloc[:0], f"a check raises {type(error).__name__}: {error}"
    return frame.iloc[:0], said


def _refuse_broken(cases: Any) -> None:
    """Raise BrokenCheckError if a check raised an exception. For pandera the exception is the value that failed."""
    for column, demanded, value in zip(cases["column"], cases["check"], cases["failure_case"], strict=True):
        if isinstance(value, str) and _EXCEPTION.match(value):
            where = f"column {column}" if isinstance(column, str) else "the table"
            raise BrokenCheckError(f"{where}: the check {demanded} raises {value}; mend it in the contract")


def _failures(cases: Any) -> Sequence[str]:
    pairs = zip(cases["column"].astype(str), cases["check"].astype(str), strict=True)
    return list(dict.fromkeys(f"{column}: {demanded}" for column, demanded in pairs))[:3]


def _unique(schema: pa.DataFrameSchema, demands: Mapping[str, Demand]) -> list[list[str]]:
    """Return the columns whose values may not be repeated, alone or together."""
    unique: Any = schema.unique
    together: list[str] = [unique] if isinstance(unique, str) else list(unique or ())
    return [*([together] if together else []), *([name] for name, demand in demands.items() if demand.unique)]


def _has_every_class(frame: Any, demand: Demand | None, target: str) -> bool:
    if demand is None or not demand.choices or target not in frame:
        return True
    counts = frame[target].value_counts()
    return bool(len(counts) and counts.min() >= 2)


def _some_of_each(frame: Any, target: str, rows: int) -> pd.DataFrame:
    """Return rows in which the values of the target are equally frequent, as far as there are enough rows of each."""
    order = frame.groupby(target, observed=True, sort=False).cumcount()
    return frame.loc[order.sort_values(kind="stable").index].head(rows)


def _as_they_are(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def _numbers_ascending(frame: pd.DataFrame) -> pd.DataFrame:
    """Sort the numbers of each row in the order of the columns. Many contracts demand that one is not below another."""
    return _sorted(frame, descending=False)


def _numbers_descending(frame: pd.DataFrame) -> pd.DataFrame:
    return _sorted(frame, descending=True)


def _sorted(frame: Any, *, descending: bool) -> pd.DataFrame:
    arranged = frame.copy()
    for kind in ("f", "i", "M"):
        names = [name for name in frame.columns if getattr(frame[name].dtype, "kind", "") == kind]
        if len(names) > 1 and len({str(frame[name].dtype) for name in names}) == 1:
            table = np.sort(frame[names].to_numpy(), axis=1)
            arranged[names] = table[:, ::-1] if descending else table
    return arranged


_ARRANGEMENTS: Final = (_as_they_are, _numbers_ascending, _numbers_descending)

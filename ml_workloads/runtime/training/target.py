"""Checks that a target's values fit the gate's metric: numbers for errors and r2, classes for the others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from ml_workloads.runtime.errors import ProjectError
from ml_workloads.runtime.gate import NUMBERS, Gate

_types: Any = pd.api.types  # leaves some types open
OF_NUMBERS: Final = "rmse, mae or r2"
OF_CLASSES: Final = "accuracy, precision, recall, f1 or roc_auc"
# Numbers may be classes if there are at most this many different ones, or enough rows for each of them.
MOST_FRACTIONS, MOST_NUMBERS, ROWS_EACH = 10, 20, 10


class TargetError(ProjectError):
    """The target's values do not fit the gate's metric, or cannot be learnt at all."""


def check_target(column: Any, gate: Gate) -> None:
    """Raise TargetError if the gate's metric cannot be computed for the target.

    Args:
        column: The target of all rows, as a series without missing values.
        gate: Its metric decides whether numbers or classes are expected.
    """
    name = column.name
    first = next((value for value in column if not _types.is_hashable(value)), None)
    if first is not None:
        raise TargetError(f"the target {name} holds a {type(first).__name__} in a row; store one value for each row")
    if gate.metric in NUMBERS:
        _check_numbers(column, gate)
    else:
        _check_classes(column, gate)


def _check_numbers(column: Any, gate: Gate) -> None:
    name = column.name
    if not _is_number(column):
        what = "truth values" if _types.is_bool_dtype(column) else f"values of type {_kind(column)}"
        raise TargetError(
            f"the target {name} holds {what} and no numbers, so gate.metric {gate.metric} cannot be measured: "
            f"use {OF_CLASSES}, or let the contract make it a number"
        )
    if _types.infer_dtype(column, skipna=True) == "decimal":
        raise TargetError(
            f"the target {name} holds decimals, which models cannot learn; write Column(float, coerce=True) for it "
            "in the contract"
        )
    infinite = int(np.isinf(column.to_numpy(dtype=float)).sum())
    if infinite:
        raise TargetError(
            f"the target {name} is infinite in {infinite} of {len(column)} rows; leave them out, or let the contract "
            "refuse them"
        )


def _check_classes(column: Any, gate: Gate) -> None:
    if _types.is_bool_dtype(column) or not _is_number(column):
        if _types.is_datetime64_any_dtype(column):
            raise TargetError(f"the target {column.name} holds times, which are neither classes nor numbers")
        _check_labels(column)
        return
    _check_few(column, gate)
    _check_labels(column)


def _check_labels(column: Any) -> None:
    """Raise TargetError for values that scikit-learn does not accept as classes.

    https://scikit-learn.org/stable/modules/generated/sklearn.utils.multiclass.type_of_target.html
    """
    values: Any = column.dtype.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
    found = _types.infer_dtype(values, skipna=True)
    if found == "string" or (values.dtype != object and found in ("boolean", "integer", "floating")):
        return
    kinds = sorted({type(value).__name__ for value in values})
    raise TargetError(
        f"the target {column.name} holds {' and '.join(kinds[:5])} in a column of Python objects, which models cannot "
        "learn as classes; let the contract make it text: Column(str, coerce=True)"
    )


def _check_few(column: Any, gate: Gate) -> None:
    """Raise TargetError for numbers with too many different values to be classes."""
    values = column.to_numpy(dtype=float)
    different = len(np.unique(values))
    fractions = bool((values != np.floor(values)).any())
    if different > (MOST_FRACTIONS if fractions else MOST_NUMBERS) and (
        fractions or len(values) < ROWS_EACH * different
    ):
        raise TargetError(
            f"the target {column.name} has {different:,} different numbers, which gate.metric {gate.metric} takes for "
            f"classes: use {OF_NUMBERS}, or let the contract make it text if each number names a class"
        )


def _is_number(column: Any) -> bool:
    if _types.is_bool_dtype(column) or _types.is_complex_dtype(column):
        return False
    if _types.is_numeric_dtype(column):
        return True
    return column.dtype == object and all(isinstance(value, int | float | Decimal) for value in column)


def _kind(column: Any) -> str:
    found = _types.infer_dtype(column, skipna=True)
    return "text" if found in ("string", "categorical", "mixed", "mixed-integer") else str(found)

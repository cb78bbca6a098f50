"""Split of the data into a part for training and a held-out part for evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import pandas as pd
from sklearn import model_selection

from ml_workloads.runtime.errors import ProjectError

SEED = 0
"""Seed for trials. Runs have a secret seed of their project."""
LEAST_ROWS = 10
MAX_NAMED = 5


class SplitError(ProjectError):
    """The data cannot be split. The message gives the reason, with numbers."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Inputs, and the target that belongs to them, row by row."""

    inputs: pd.DataFrame
    target: Any


def split(frame: pd.DataFrame, target: str, holdout: float, *, classes: bool, seed: int = SEED) -> tuple[Part, Part]:
    """Return training and held-out part. With `classes`, each class keeps its share in both.

    Two models are compared on the same rows as long as data and `seed` are the same.

    Args:
        frame: the table with inputs and target.
        target: name of the target column.
        holdout: share of the held-out part.
        classes: the target holds classes, and the split is stratified.
        seed: seed of the random split.

    Raises:
        SplitError: the target is no column, has missing values, or has too few rows.
    """
    if target not in frame.columns:
        raise SplitError(
            f"the data has no column {target!r}, which data.target names; it has {_named(frame.columns, 20)}"
        )
    column = cast("Any", frame)[target]
    if column.ndim > 1:
        raise SplitError(
            f"the data has {column.shape[1]} columns {target!r}, which data.target names; rename all but one"
        )
    if len(frame.columns) == 1:
        raise SplitError(f"the data has no column beside the target {target!r}; there is nothing to learn from")
    gaps = int(column.isna().sum())
    if gaps:
        raise SplitError(f"{gaps} of {len(frame)} rows have no {target}; let the contract demand it, or leave them out")
    if len(frame) < LEAST_ROWS:
        raise SplitError(f"{len(frame)} rows are too few to train and measure on, {LEAST_ROWS} are the least")
    if classes:
        _check_classes(column, target, holdout)
    parts = cast("Any", model_selection).train_test_split(
        frame, test_size=holdout, random_state=seed, stratify=column if classes else None
    )
    training, held_out = (part_of(each, target) for each in parts)
    if classes:
        for share, rows in (("held-out", held_out.target), ("training", training.target)):
            if rows.nunique() < 2:
                raise SplitError(
                    f"all {len(rows)} {share} rows have the same {target}, {rows.iloc[0]!r}: training.holdout is "
                    f"{holdout:g} of {len(frame)} rows; get more rows of the rarer classes, or change the share"
                )
    return training, held_out


def _check_classes(column: Any, target: str, holdout: float) -> None:
    counts = column.astype(object).value_counts()
    if len(counts) < 2:
        raise SplitError(f"all rows have the same {target}, {counts.index[0]!r}; there is nothing to tell apart")
    rare = counts.loc[counts < 2]
    if len(rare):
        raise SplitError(
            f"{target} {_named(map(repr, rare.index), MAX_NAMED)} is in one row only; leave it out or get more"
        )
    held_out = math.ceil(holdout * len(column))
    training = len(column) - held_out
    if min(held_out, training) < len(counts):
        raise SplitError(
            f"{len(column)} rows of {len(counts)} classes of {target} are too few: training.holdout {holdout:g} leaves "
            f"{training} rows to train and {held_out} to measure on, and each part needs one of each class at least"
        )


def _named(names: Iterable[Any], most: int) -> str:
    """Return at most `most` names, and the number of further ones."""
    found = [str(name)[:80] for name in names]
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def inputs_of(frame: Any, target: str) -> pd.DataFrame:
    """Return a table without its target."""
    return frame.drop(columns=target)


def has_missing(column: Any) -> bool:
    """Return whether a series has missing values."""
    return bool(column.isna().any())


def part_of(frame: pd.DataFrame, target: str) -> Part:
    """Return a table as inputs and target, the target in NumPy's type."""
    return Part(inputs=inputs_of(frame, target), target=_of_numpy(frame[target]))


def _of_numpy(target: Any) -> Any:
    """Convert truth values and numbers to NumPy's type, because scikit-learn converts pandas' nullable ones to floats.

    A model that is trained on `boolean` predicts 1.0 where the data has True.
    """
    dtype = target.dtype
    type_of_numpy = getattr(dtype, "numpy_dtype", None)
    return target if type_of_numpy is None or dtype.kind not in "biuf" else target.astype(type_of_numpy)

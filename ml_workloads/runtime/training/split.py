"""What a model is trained on, and what it is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split

# The same for every run: two models are compared on the same rows as long as the data is the same.
SEED = 0
LEAST_ROWS = 10


class SplitError(ValueError):
    """The data cannot be divided. The message says why, with numbers."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Inputs, and the target that belongs to them, row by row."""

    inputs: pd.DataFrame
    target: Any


def split(frame: pd.DataFrame, target: str, holdout: float, *, classes: bool) -> tuple[Part, Part]:
    """Training and held-out part; `holdout` is the share of the latter. With `classes`, each keeps its share in both.

    Raises:
        SplitError: the target is no column, has gaps, or there is too little of it.
    """
    if target not in frame.columns:
        raise SplitError(f"the data has no column {target!r}, which data.target names; it has {list(frame.columns)}")
    column: Any = frame[target]
    gaps = int(column.isna().sum())
    if gaps:
        raise SplitError(f"{gaps} of {len(frame)} rows have no {target}; let the contract demand it, or leave them out")
    if len(frame) < LEAST_ROWS:
        raise SplitError(f"{len(frame)} rows are too few to train and measure on, {LEAST_ROWS} are the least")
    if classes:
        counts = column.value_counts()
        if len(counts) < 2:
            raise SplitError(f"all rows have the same {target}, {counts.index[0]!r}; there is nothing to tell apart")
        rare = counts.loc[counts < 2]
        if len(rare):
            raise SplitError(
                f"{target} {', '.join(map(repr, rare.index))} is in one row only; leave it out or get more"
            )
    parts: Any = train_test_split(frame, test_size=holdout, random_state=SEED, stratify=column if classes else None)
    training, held_out = parts
    return _part(training, target), _part(held_out, target)


def _part(frame: pd.DataFrame, target: str) -> Part:
    return Part(inputs=frame.drop(columns=target), target=frame[target])

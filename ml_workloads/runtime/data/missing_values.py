"""Marks the missing values of a CSV if the words for them can be parsed as numbers.

pandas parses such a word as a number: with `00000` in the list, each `0` and `0.0` of any column would be missing.
https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from math import isfinite
from typing import Any

import pandas as pd


def reads_as_number(word: str) -> bool:
    """Return whether pandas may parse a word as a number."""
    try:
        return isfinite(float(word))
    except ValueError:
        return False


def marked(text: bytes, words: Sequence[str]) -> tuple[bytes, str]:
    """Return a CSV with a marker in each cell that equals one of the words as written, and the marker.

    Args:
        text: A CSV in UTF-8 whose rows have as many fields as its heading.
        words: Words that mean a missing value.
    """
    marker = "missing"
    while marker.encode() in text:
        marker += "-"
    cells: Any = pd.read_csv(
        io.BytesIO(text),
        header=None,
        index_col=False,
        dtype="str",
        keep_default_na=False,
        na_values=[],
        low_memory=False,
        encoding="utf-8-sig",
    )
    is_missing = cells.isin(list(words))
    is_missing.iloc[0] = False  # skip the heading
    return cells.mask(is_missing, marker).to_csv(index=False, header=False, lineterminator="\n").encode(), marker

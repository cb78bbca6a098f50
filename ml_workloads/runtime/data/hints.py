"""Hints for a column that is text because of a few words: missing values of a CSV that the project did not list."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

_MOST: Final = 5
_pandas: Any = pd  # leaves some types open


def words_beside_numbers(frame: pd.DataFrame, column: object) -> str:
    """Return the end of a message about a column of the wrong type.

    It is "" unless the column holds numbers and up to five distinct words.
    """
    table: Any = frame
    if column not in table.columns or not isinstance(table[column].dtype, pd.StringDtype):
        return ""
    cells = table[column].dropna().astype(str)
    # A cell with the text NaN also counts as a word, because it is no number.
    numbers = _pandas.to_numeric(cells, errors="coerce")
    is_number = numbers.notna()
    words = cells[~is_number].value_counts()
    if not is_number.any() or not 0 < len(words) <= _MOST:
        return ""
    told = ", ".join(f'"{str(word)[:40]}" ({count} times)' for word, count in words.items())
    return f"; beside numbers it holds {told}: list what means a missing value in data.missing_values"

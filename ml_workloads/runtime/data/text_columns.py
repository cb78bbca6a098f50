"""Selects the columns of a CSV that a contract declares as text, and that must stay as written: `007` is not 7."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandera.dtypes

from ml_workloads.runtime.schemas import is_contract, schema_of

dtypes: Any = pandera.dtypes  # leaves some types open


@dataclass(frozen=True)
class TextColumns:
    """Names of the columns that a contract declares as text. Names of regex columns are patterns."""

    names: frozenset[str] = frozenset()
    patterns: tuple[re.Pattern[str], ...] = ()

    def __contains__(self, column: object) -> bool:
        return column in self.names or any(each.match(str(column)) for each in self.patterns)


def text_columns(contract: object) -> TextColumns:
    """Return the columns that are read as text: those declared as text, as categories of text, or as times or days.

    A time is read as text because pandas would read `20240102` as a number, and as nanoseconds since 1970.

    Raises:
        ContractError: pandera cannot build a schema of the contract.
    """
    if not is_contract(contract):
        # The check of the data against the contract reports this mistake.
        return TextColumns()
    schema = schema_of(contract)
    if schema.dtype is not None:
        # pandera applies the schema's type to every column, whatever the column itself declares.
        return TextColumns(patterns=(re.compile(""),) if _is_text(schema.dtype) else ())
    declared: Sequence[tuple[str, Any]] = [(str(name), column) for name, column in schema.columns.items()]
    found = [(name, bool(column.regex)) for name, column in declared if _is_text(column.dtype)]
    return TextColumns(
        names=frozenset(name for name, is_pattern in found if not is_pattern),
        patterns=tuple(re.compile(name) for name, is_pattern in found if is_pattern),
    )


def _is_text(kind: Any) -> bool:
    if isinstance(kind, dtypes.Category):
        return bool(kind.categories) and all(isinstance(each, str) for each in kind.categories or ())
    return isinstance(kind, dtypes.String | dtypes.Timestamp | dtypes.Date)

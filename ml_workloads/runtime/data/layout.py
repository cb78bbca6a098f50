"""Selects the objects below a prefix that are parts of the table. An object that cannot be read is never skipped.

Files that Spark and Hadoop leave beside the parts hold no rows. A Delta, Iceberg or Hudi table keeps a log of its valid
files; reading all of its files would bring back deleted rows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import unquote

from ml_workloads.runtime.data.errors import DataError, some_of
from ml_workloads.runtime.data.tables import FORMATS, is_table

NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
# Fetching this many objects one by one takes minutes. A project that needs more reads its data in its own code.
MAX_OBJECTS: Final = 1000
_LEFT_BEHIND: Final = re.compile(r"_SUCCESS|_metadata|_common_metadata|_(committed|started)_\w+|\.[^/]+|[^/]+\.crc")
_LOGS: Final = {
    "_delta_log": "a Delta table",
    ".hoodie": "a Hudi table",
    "_spark_metadata": "the output of a Spark stream",
}
_ICEBERG: Final = re.compile(r"(.*/)?metadata/[^/]+\.metadata\.json")
_UNFINISHED: Final = "_temporary"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An object of a listing. `key` is the whole key; `size` is in bytes."""

    key: str
    size: int
    etag: str


def tables(place: str, prefix: str, found: Sequence[Listed]) -> tuple[Listed, ...]:
    """Return the objects below a prefix that are parts of its table, in the order of their keys.

    Args:
        place: the prefix as messages show it, such as `s3://lake/churn/`.
        prefix: the beginning of all keys; it ends with /.
        found: all objects below it.

    Raises:
        DataError: there is no part, or an error that `parts` raises.
    """
    found = parts(place, prefix, found)
    if not found:
        raise DataError(f"{place}: no {FORMATS} object is there; upload the data, or mend data.source.path")
    return tuple(found)


def parts(place: str, prefix: str, found: Sequence[Listed]) -> tuple[Listed, ...]:
    """Return the same as `tables`, or an empty tuple if there is no part yet.

    Raises:
        DataError: there are too many objects, one is neither a part nor known to hold no rows, or the prefix holds a
            table of which not all files are valid.
    """
    below = {each.key.removeprefix(prefix): each for each in found}
    _refuse_table_formats(place, list(below))
    chosen = sorted(path for path in below if may_be_part(path))
    unknown = sorted(path for path, each in below.items() if path not in chosen and not _is_harmless(path, each.size))
    if unknown:
        raise DataError(
            f"{place}: {len(unknown)} of {len(below)} objects are no parts of a table: {some_of(unknown)}; "
            f"write each of them as {FORMATS}, or move it to another prefix"
        )
    if len(chosen) > MAX_OBJECTS:
        raise DataError(f"{place}: {len(chosen)} objects; put them together into at most {MAX_OBJECTS}")
    return tuple(below[path] for path in chosen)


def partition(path: str) -> Mapping[str, str | None]:
    """Return the partition columns of a path below the prefix: `year` for `year=2023/part-0.parquet`.

    https://cwiki.apache.org/confluence/display/Hive/LanguageManual+DDL#LanguageManualDDL-PartitionedTables

    Raises:
        DataError: a name occurs twice, or without a value.
    """
    columns: dict[str, str | None] = {}
    for folder in PurePosixPath(path).parts[:-1]:
        name, equals, value = folder.partition("=")
        if not equals:
            continue
        name = unquote(name)
        if not name or not value or name in columns:
            raise DataError(f"{path}: the folder {folder} names no partition; write column=value, each column once")
        columns[name] = None if value == NO_VALUE else unquote(value)
    return columns


def may_be_part(path: str) -> bool:
    """Return whether an object at a path below the prefix is read as a part of the table.

    Hidden files are no parts: they may be unfinished, and other readers skip them.
    """
    return (
        not path.endswith("/")
        and is_table(path)
        and not any(step.startswith(("_", ".")) for step in PurePosixPath(path).parts)
    )


def _is_harmless(path: str, size: int) -> bool:
    if size == 0 and (path == "" or path.endswith(("/", "_$folder$"))):
        return True
    steps = PurePosixPath(path).parts
    hidden_folder = any(step.startswith(("_", ".")) for step in steps[:-1])
    return (
        bool(steps)
        and not hidden_folder
        and not path.endswith("/")
        and not is_table(path)
        and bool(_LEFT_BEHIND.fullmatch(steps[-1]))
    )


def _refuse_table_formats(place: str, paths: Sequence[str]) -> None:
    for path in paths:
        steps = PurePosixPath(path).parts[:-1]
        kind = next((said for folder, said in _LOGS.items() if folder in steps), None)
        kind = "an Iceberg table" if kind is None and _ICEBERG.fullmatch(path) else kind
        if kind is not None:
            raise DataError(
                f"{place}: this is {kind} ({path}), whose files hold rows that are no longer valid; "
                "write its rows as plain Parquet to another prefix"
            )
        if _UNFINISHED in steps:
            raise DataError(
                f"{place}: {path} belongs to a job that has not finished writing; wait for it, or delete {_UNFINISHED}/"
            )

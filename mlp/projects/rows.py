"""Rows of `mlp predict` from a file, standard input or the command line, and messages for the server's errors."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlp.console import PlainError

_NUMBERS: Final[Mapping[str, Callable[[str], Any]]] = {"integer": int, "number": float}
_TRUTH: Final = {"true": True, "false": False}
_BYTE_ORDER_MARK: Final = "\ufeff"
_LONGEST_CELL = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class ModelColumn:
    """Column of the model. `type` is the JSON type; `values` are its categories, empty if it accepts any value."""

    name: str
    type: str
    required: bool
    values: tuple[Any, ...] = ()


def read(given: str, standard_input: Callable[[], str]) -> tuple[str, bool]:
    """Return the text for `--data`, without a byte order mark, and whether it is CSV.

    Args:
        given: a file, - for standard input, or JSON itself.
        standard_input: function that reads all of standard input.

    Raises:
        PlainError: the file does not exist, or is not text.
    """
    given = given.removeprefix(_BYTE_ORDER_MARK)
    if _is_json(given):
        return given, False
    try:
        if given == "-":
            text = standard_input().removeprefix(_BYTE_ORDER_MARK)
            return text, not _is_json(text)
        # Line ends inside a cell are preserved, as in training.
        return Path(given).read_bytes().decode("utf-8-sig"), Path(given).suffix.lower() == ".csv"
    except FileNotFoundError:
        raise PlainError(f"--data {given!r}: there is no such file; write a file, - or JSON") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PlainError(f"--data {given!r}: it cannot be read: {error}") from None


def _is_json(text: str) -> bool:
    return text.lstrip().startswith(("{", "["))


def from_json(text: str) -> dict[str, Any]:
    """Return the request document from a request document, a list of instances, or one instance."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise PlainError(f"--data is not JSON: {error}") from None
    if isinstance(found, dict) and isinstance(found.get("instances"), list):
        return found
    instances = found if isinstance(found, list) else [found]
    for number, each in enumerate(instances, 1):
        if not isinstance(each, dict):
            raise PlainError(f"--data: row {number} is {each!r}; write an object of columns and values")
    return {"instances": instances}


def from_csv(text: str, columns: Sequence[ModelColumn], missing_values: Collection[str] = ("",)) -> dict[str, Any]:
    """Return the request document for a table with a heading.

    The model's column decides the type of a cell: a post code stays text.

    Args:
        text: the table, without a byte order mark.
        columns: columns of the model.
        missing_values: `data.missing_values` of the project: the only words that become null.

    Raises:
        PlainError: the table has no rows, its heading repeats a name, or a row has another number of values.
    """
    rows = _rows(text)
    if len(rows) < 2:
        raise PlainError("--data: the table has no rows; the first line names the columns")
    heading, known = rows[0], {column.name: column for column in columns}
    repeated = [name for name, count in Counter(heading).items() if count > 1]
    if repeated:
        raise PlainError(f"--data: the heading has {', '.join(repeated)} more than once; rename or remove a column")
    instances: list[dict[str, Any]] = []
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(heading):
            raise PlainError(f"--data: row {number} has {len(row)} values, the heading {len(heading)}")
        cells = zip(heading, row, strict=True)
        instances.append(
            {name: None if cell in missing_values else _value(cell, known.get(name)) for name, cell in cells}
        )
    return {"instances": instances}


def _rows(text: str) -> list[list[str]]:
    """Return the non-empty rows of a CSV; a cell may be as long as in training."""
    limit = csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        return [row for row in reader if row]
    except csv.Error as error:
        raise PlainError(f"--data: line {reader.line_num} cannot be read as CSV: {error}") from None
    finally:
        csv.field_size_limit(limit)


def columns_of(openapi: Mapping[str, Any]) -> tuple[ModelColumn, ...]:
    """Return the columns of the model that answers now, from the server's OpenAPI document; empty without a model."""
    schemas = openapi.get("components", {}).get("schemas", {})
    request = schemas.get("PredictRequest")
    if request is None:
        return ()
    reference = str(request["properties"]["instances"]["items"]["$ref"]).rpartition("/")[2]
    instance = schemas[reference]
    required = set(instance.get("required", ()))
    return tuple(_column(name, schema, required=name in required) for name, schema in instance["properties"].items())


def refused(status: int, body: bytes) -> str:
    """Return the server's error response in plain words, with the field."""
    try:
        detail: Any = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = body.decode(errors="replace")[:500]
    if status == 422 and isinstance(detail, list):
        return "\n".join(["the model does not take this:", *(f"  {_problem(each)}" for each in detail)])
    if status == 413:
        return f"the request is too large: {detail}"
    if status == 503:
        return f"the server cannot answer now: {detail}"
    return f"the server answered {status}: {detail}"


def _problem(each: Mapping[str, Any]) -> str:
    location: Sequence[Any] = each.get("loc") or ()
    words = {"missing": "is missing", "extra_forbidden": "is not a column of the model"}
    said = words.get(str(each.get("type")), str(each.get("msg", "")))
    if len(location) >= 2 and location[0] == "instances":
        column = f", column {location[2]}" if len(location) > 2 else ""
        return f"row {int(location[1]) + 1}{column}: {said}"
    return f"{'.'.join(str(step) for step in location) or 'the document'}: {said}"


def _column(name: str, schema: Mapping[str, Any], *, required: bool) -> ModelColumn:
    """Parse the schema of a column. An optional column accepts its type and null; categories have no type."""
    choices = (schema, *schema.get("anyOf", ()))
    values = next((tuple(each["enum"]) for each in choices if each.get("enum")), ())
    types = (str(each["type"]) for each in choices if each.get("type", "null") != "null")
    return ModelColumn(name=name, type=next(types, _type_of(values)), required=required, values=values)


def _type_of(values: Sequence[Any]) -> str:
    """Return the JSON type of categories, which all have the same type."""
    for name, kind in (("boolean", bool), ("integer", int), ("number", (int, float))):
        if values and all(isinstance(each, kind) for each in values):
            return name
    return "string"


def _value(cell: str, column: ModelColumn | None) -> Any:
    """Return the value of a cell.

    A cell that does not match its column is sent unchanged: the server reports the error.
    """
    kind = column.type if column is not None else "string"
    value = _read_as(cell, kind)
    if column is None or not column.values or kind == "string":
        return value
    # A category is sent as the model has it: 1.0 if the cell contains 1.
    return next((each for each in column.values if cell == str(each) or value == each), cell)


def _read_as(cell: str, kind: str) -> Any:
    if kind == "boolean":
        return _TRUTH.get(cell.strip().lower(), cell)
    # Python parses 1_000 as a number, but training reads it as text.
    if kind not in _NUMBERS or "_" in cell:
        return cell
    try:
        value = _NUMBERS[kind](cell)
        json.dumps(value, allow_nan=False)
    except ValueError:
        return cell
    return value

"""What `mlp predict` sends, from a file, standard input or the command line; and what the server's answers mean."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.plain import PlainError

_NUMBERS: Mapping[str, Callable[[str], Any]] = {"integer": int, "number": float}
_TRUTH = {"true": True, "false": False}


@dataclass(frozen=True, kw_only=True)
class ModelColumn:
    """`type` is JSON's."""

    name: str
    type: str
    required: bool


def read(given: str, standard_input: Callable[[], str]) -> tuple[str, bool]:
    """The text that `--data` means, and whether it is CSV."""
    if given.lstrip().startswith(("{", "[")):
        return given, False
    if given == "-":
        text = standard_input()
        return text, not text.lstrip().startswith(("{", "["))
    path = Path(given)
    try:
        return path.read_text(encoding="utf-8-sig"), path.suffix.lower() == ".csv"
    except FileNotFoundError:
        raise PlainError(f"--data {given!r}: there is no such file; write a file, - or JSON") from None
    except (OSError, UnicodeDecodeError) as error:
        raise PlainError(f"--data {given!r}: it cannot be read: {error}") from None


def from_json(text: str) -> dict[str, Any]:
    """The document that the server takes, from that document, a list of instances, or one instance."""
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


def from_csv(text: str, columns: Sequence[ModelColumn]) -> dict[str, Any]:
    """Rows of a table with a heading. What a column holds is what the model takes in it: a post code stays text."""
    rows = list(csv.reader(io.StringIO(text)))
    rows = [row for row in rows if row]
    if len(rows) < 2:
        raise PlainError("--data: the table has no rows; the first line names the columns")
    heading, types = rows[0], {column.name: column.type for column in columns}
    instances: list[dict[str, Any]] = []
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(heading):
            raise PlainError(f"--data: row {number} has {len(row)} values, the heading {len(heading)}")
        instances.append({name: _value(cell, types.get(name)) for name, cell in zip(heading, row, strict=True)})
    return {"instances": instances}


def columns_of(openapi: Mapping[str, Any]) -> tuple[ModelColumn, ...]:
    """What the model that answers now takes, from the server's own description; none while it has no model."""
    schemas = openapi.get("components", {}).get("schemas", {})
    request = schemas.get("PredictRequest")
    if request is None:
        return ()
    reference = str(request["properties"]["instances"]["items"]["$ref"]).rpartition("/")[2]
    instance = schemas[reference]
    required = set(instance.get("required", ()))
    return tuple(
        ModelColumn(name=name, type=_type(schema), required=name in required)
        for name, schema in instance["properties"].items()
    )


def refused(status: int, body: bytes) -> str:
    """The server's refusal in plain words, with the field."""
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


def _type(schema: Mapping[str, Any]) -> str:
    """An optional column is any of its type and null."""
    for choice in (schema, *schema.get("anyOf", ())):
        if choice.get("type", "null") != "null":
            return str(choice["type"])
    return "string"


def _value(cell: str, kind: str | None) -> Any:
    """What cannot be read as its column's type goes as it is: the server says what it wants there."""
    if cell == "":
        return None
    if kind == "boolean":
        return _TRUTH.get(cell.strip().lower(), cell)
    try:
        value = _NUMBERS[kind](cell) if kind is not None and kind in _NUMBERS else cell
        json.dumps(value, allow_nan=False)
    except ValueError:
        return cell
    return value

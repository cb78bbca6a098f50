"""Comparison of two values of an input by their meaning to AWS; both diffs and drift detection use it."""

from __future__ import annotations

import json
from typing import Any

from mlp_sandbox.providers.aws.resource import Field, Handler, Props
from mlp_sandbox.providers.values import has_unknown


def same(field: Field, wanted: Any, found: Any) -> bool:
    """Return whether `found` has the meaning of `wanted`. An input that is left out (None) asks for the default."""
    if has_unknown(wanted) or has_unknown(found):
        return False
    wanted, found = _given(field, wanted), _given(field, found)
    match field.kind:
        case "json":
            return _document(wanted) == _document(found)
        case "map":
            return (wanted or {}) == (found or {})
        case "set":
            return _same_set(wanted or [], found or [])
        case "sets":
            return _covers(_unordered(wanted), _unordered(found))
        case "exact":
            return _normal(wanted) == _normal(found)
        case "plain":
            return _covers(wanted, found)


def live_inputs(handler: Handler, inputs: Props, live: Props) -> Props:
    """Return the inputs as AWS has them now, in the program's notation where both mean the same.

    Without `inputs` (an import), every value that differs from the defaults is an input.
    """
    result: Props = {}
    for name, field in handler.fields.items():
        given, found = inputs.get(name), live.get(name)
        if field.write_only:
            value = given
        elif name in inputs:
            value = given if same(field, given, found) else found
        elif field.computed or same(field, None, found):
            value = None
        else:
            value = found
        if value is not None:
            result[name] = value
    return result


def _given(field: Field, value: Any) -> Any:
    value = field.default if value is None else value
    if isinstance(value, list):
        return [{**field.nested, **item} if isinstance(item, dict) else item for item in value]
    return {**field.nested, **value} if isinstance(value, dict) else value


def _document(value: Any) -> Any:
    """Normalise a JSON document: key order and one-element lists do not matter to IAM."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return _canonical(value)


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        items = [_canonical(item) for item in value]
        if len(items) == 1 and isinstance(items[0], str):
            return items[0]
        return sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) if _all_text(items) else items
    return value


def _all_text(items: list[Any]) -> bool:
    return all(isinstance(item, str) for item in items)


def _unordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _unordered(item) for key, item in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def _normal(value: Any) -> Any:
    """Normalise a nested value: drop empty parts and parse texts (`"true"` becomes true, and JSON a document)."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return value or None
    if isinstance(value, dict):
        items = {key: _normal(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not None} or None
    if isinstance(value, list):
        return [_normal(item) for item in value] or None
    return value


def _same_set(wanted: list[Any], found: list[Any]) -> bool:
    if len(wanted) != len(found):
        return False
    left = list(found)
    for item in wanted:
        match = next((index for index, other in enumerate(left) if _covers(item, other)), None)
        if match is None:
            return False
        del left[match]
    return True


def _covers(wanted: Any, found: Any) -> bool:
    """Return whether values match; the provider may choose nested keys that the program leaves out."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(_covers(value, found.get(key)) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(wanted) == len(found) and all(_covers(a, b) for a, b in zip(wanted, found, strict=True))
    if isinstance(wanted, bool) or isinstance(found, bool):
        return str(wanted).lower() == str(found).lower()
    if isinstance(wanted, int | float | str) and isinstance(found, int | float | str):
        return str(wanted) == str(found)
    return (wanted or None) == (found or None)

"""Helpers of the AWS handlers: names and prefixes, tags, documents, clients, and the error codes of missing objects."""

from __future__ import annotations

import json
from abc import ABC
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from mlp_sandbox.providers.aws.naming import DEFAULTS
from mlp_sandbox.providers.aws.resource import Aws, Field, Handler, NotFoundError, Props

REGION = {"region": Field(replace=True, computed=True)}
# The plugin makes the name from the prefix; AWS keeps only the name.
NAMED = {"name": Field(replace=True), "namePrefix": Field(replace=True, write_only=True)}
TAGS = {"tags": Field(kind="map")}

Problems = list[tuple[str, str]]


class ServiceHandler(Handler, ABC):
    """Resource type of one boto3 service."""

    service: ClassVar[str]

    def client(self, aws: Aws, props: Mapping[str, Any]) -> Any:
        """Return a client in the region that the resource names, else in the provider's."""
        region = self.region(aws, props)
        return (aws if region == aws.region else replace(aws, region=region, clients=None)).client(self.service)

    def region(self, aws: Aws, props: Mapping[str, Any]) -> str:
        return str(props.get("region") or aws.region)

    def check(self, inputs: Props) -> Problems:
        if self.autoname is None:
            return []
        name, prefix = self.autoname.field, f"{self.autoname.field}Prefix"
        if name not in inputs:
            return [(name, "is missing and automatic naming is off: give a name")]
        if prefix in inputs and name not in inputs.get(DEFAULTS, []):
            return [(prefix, f"conflicts with {name}: give one of the two")]
        return []


@contextmanager
def missing(*codes: str) -> Generator[None]:
    """Turn the API's error codes of missing objects into NotFoundError; also usable as a decorator."""
    try:
        yield
    except ClientError as error:
        if error_code(error) in codes:
            raise NotFoundError(str(error)) from error
        raise


def error_code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def given(**values: Any) -> dict[str, Any]:
    """Return the arguments of a call without those that have no value."""
    return {key: value for key, value in values.items() if value is not None}


def present(**values: Any) -> Props:
    """Return the properties without those that AWS reports as unset."""
    return {key: value for key, value in values.items() if value is not None and value not in ("", [], {})}


def document(live: Any, known: Any = None) -> str | None:
    """Return a JSON document as text.

    The result is the known text when it means the same, so that formatting is never drift.
    """
    if live in (None, "", {}):
        return None
    parsed = parse_json(live)
    if known is not None and parse_json(known) == parsed:
        return str(known)
    return live if isinstance(live, str) else json.dumps(parsed)


def parse_json(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def to_shape(value: Any, irregular: Mapping[str, str] | None = None) -> Any:
    """Convert nested camelCase properties to the PascalCase structure of an AWS API.

    botocore rejects a key that the API does not have, and names it.
    """
    if isinstance(value, list):
        return [to_shape(item, irregular) for item in value]
    if not isinstance(value, dict):
        return value
    names = irregular or {}
    return {names.get(key, key[0].upper() + key[1:]): to_shape(item, irregular) for key, item in value.items()}


def from_shape(value: Any, irregular: Mapping[str, str] | None = None) -> Any:
    """Convert back from the structure of `to_shape`."""
    if isinstance(value, list):
        return [from_shape(item, irregular) for item in value]
    if not isinstance(value, dict):
        return value
    names = {shape: name for name, shape in (irregular or {}).items()}
    return {names.get(key, key[0].lower() + key[1:]): from_shape(item, irregular) for key, item in value.items()}


def to_pairs(tags: Mapping[str, str] | None, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in (tags or {}).items()]


def from_pairs(pairs: Sequence[Mapping[str, str]] | None, key: str = "Key", value: str = "Value") -> dict[str, str]:
    return {pair[key]: pair.get(value, "") for pair in pairs or []}


def change_tags(
    old: Props,
    new: Props,
    *,
    tag: Callable[[dict[str, str]], object],
    untag: Callable[[list[str]], object],
) -> None:
    """Remove the keys that went, then set those that are new or changed."""
    before, after = old.get("tags") or {}, new.get("tags") or {}
    if gone := sorted(set(before) - set(after)):
        untag(gone)
    if changed := {key: value for key, value in after.items() if before.get(key) != value}:
        tag(changed)


def one_of(inputs: Props, field: str, allowed: Sequence[Any]) -> Problems:
    """Return a problem when a known value is not one that AWS accepts."""
    value = inputs.get(field)
    if not isinstance(value, str | int) or value in allowed:
        return []
    return [(field, f"is {value!r}: give one of {', '.join(str(item) for item in allowed)}")]


def between(inputs: Props, field: str, low: int, high: int, also: Sequence[int] = ()) -> Problems:
    value = inputs.get(field)
    if not isinstance(value, int) or low <= value <= high or value in also:
        return []
    extra = "".join(f"{item}, or " for item in also)
    return [(field, f"is {value}: give {extra}a number from {low} to {high}")]


def json_text(inputs: Props, field: str) -> Problems:
    """Return a problem when a known document is not a JSON object."""
    value = inputs.get(field)
    if isinstance(value, str) and not isinstance(parse_json(value), dict):
        return [(field, "is not a JSON object: pass the document as JSON text")]
    return []

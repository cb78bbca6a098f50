"""Markdown table of a schema for the documentation, generated from the schema so that it cannot become outdated."""

import json
import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from validation.base import Allowed

HEADER = ("| Setting | Allowed | Default | Meaning |", "|---|---|---|---|")


def between_marks(start: str, end: str, schema: type[BaseModel]) -> str:
    """Return the table between the comments that mark it in a document."""
    return "\n".join([start, *HEADER, *rows("", schema), end])


def rows(prefix: str, section: type[BaseModel]) -> Iterator[str]:
    """Yield one row per field, with dotted names for fields of subsections.

    Raises:
        TypeError: a type has no description.
    """
    for name, field in section.model_fields.items():
        path = f"{prefix}{name}"
        kinds = [kind for kind in _choices(field.annotation) if _is_section(kind)]
        if len(kinds) > 1:
            yield from _kinds(path, field, kinds)
            continue
        if kinds and get_origin(field.annotation) is not dict:
            if not field.is_required() and field.get_default() is None:
                yield _row(path, "section", field)
            yield from rows(f"{path}.", kinds[0])
            continue
        yield _row(path, _allowed(field.annotation, field.metadata), field)
        mapping = get_args(field.annotation) if get_origin(field.annotation) is dict else ()
        if mapping and _is_section(mapping[1]):
            yield from rows(f"{path}.<name>.", mapping[1])


def _kinds(path: str, field: FieldInfo, kinds: list[Any]) -> Iterator[str]:
    """Yield the rows of a section with variants. Its discriminator field comes first."""
    teller = str(field.discriminator)
    tags = [get_args(kind.model_fields[teller].annotation)[0] for kind in kinds]
    yield f"| `{path}.{teller}` | {', '.join(f'`{tag}`' for tag in tags)} | required | Which kind it is. |"
    for tag, kind in zip(tags, kinds, strict=True):
        for row in rows(f"{path}.", kind):
            if not row.startswith(f"| `{path}.{teller}`"):
                yield f"{row.removesuffix(' |')} (`{tag}`) |"


def _row(path: str, allowed: str, field: FieldInfo) -> str:
    meaning = " ".join((field.description or "").split())
    return f"| `{path}` | {allowed} | {_default(field)} | {meaning} |"


def _is_section(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _choices(kind: object) -> list[Any]:
    """Return the members of a union without None; for any other type, the type itself."""
    if get_origin(kind) in (Union, types.UnionType):
        return [choice for choice in get_args(kind) if choice is not type(None)]
    return [kind]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    return "" if value is PydanticUndefined or value is None else f"`{json.dumps(value)}`"


def _allowed(kind: object, metadata: list[object]) -> str:
    if get_origin(kind) is Annotated:
        base, *own = get_args(kind)
        return _allowed(base, [*own, *metadata])
    choices = _choices(kind)
    if len(choices) == 1 and choices[0] is not kind:
        return _allowed(choices[0], metadata)
    lengths = [item for item in metadata if isinstance(item, MinLen | MaxLen)]
    if get_origin(kind) is tuple:
        least = next((f", at least {item.min_length}" for item in lengths if isinstance(item, MinLen)), "")
        most = next((f", at most {item.max_length}" for item in lengths if isinstance(item, MaxLen)), "")
        return f"list of: {_allowed(get_args(kind)[0], [])}{least}{most}"
    stated = [item.text for item in metadata if isinstance(item, Allowed)]
    if stated:
        return stated[0]
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    low = next((item.ge for item in metadata if isinstance(item, Ge)), None)
    high = next((item.le for item in metadata if isinstance(item, Le)), None)
    if low is not None:
        return f"{low} to {high}" if high is not None else f"{low} or more"
    if kind is bool:
        return "`true`, `false`"
    if len(choices) > 1 or not isinstance(kind, type):
        raise TypeError(f"no words for the type {kind!r}: annotate it with Allowed(...)")
    most = next((f", at most {item.max_length} characters" for item in lengths if isinstance(item, MaxLen)), "")
    return {"str": "text", "int": "whole number", "float": "number"}[kind.__name__] + most

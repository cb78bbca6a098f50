"""Turns the schema's findings into one error that says, line by line: which setting, what it holds, what to do."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from stacks.settings.base import Problem

MAX_VALUE_LENGTH = 80
PLAIN_TYPES = {
    "int_type": "write a whole number, without quotes",
    "string_type": "write text; put numbers such as 1.34 into quotes",
    "bool_type": "write true or false, without quotes",
    "tuple_type": "write a list",
    "dict_type": "write a mapping of names to values",
    "model_type": "write a mapping of settings",
}


class SettingsError(ValueError):
    """The settings of an environment are wrong. The message is complete and meant for people."""


def explain(error: ValidationError, schema: type[BaseModel], source: str) -> SettingsError:
    lines = [line for detail in error.errors() for line in _lines(detail, schema)]
    heading = f"{source}: {len(lines)} wrong setting{'s' if len(lines) > 1 else ''}"
    return SettingsError("\n".join([heading, *(f"  {line}" for line in lines)]))


def _lines(detail: ErrorDetails, schema: type[BaseModel]) -> Iterator[str]:
    location = detail["loc"]
    context: Mapping[str, object] = detail.get("ctx", {})
    if detail["type"] == "broken_rules":
        problems = context["problems"]
        assert isinstance(problems, list)  # noqa: S101 - `refuse` is the only source of this error type
        for problem in problems:
            if isinstance(problem, Problem):
                yield _line((*location, *problem.field.split(".")), shown(problem.value), problem.fix)
    elif detail["type"] == "missing":
        yield _line(location, "nothing", "add this setting, it has no default")
    else:
        yield _line(location, shown(detail["input"]), _fix(detail, context, schema))


def _line(location: Sequence[str | int], value: str, fix: str) -> str:
    return f"{dotted(location)}: got {value}; {fix}"


def dotted(location: Sequence[str | int]) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".") or "platform"


def shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}..."


def _fix(detail: ErrorDetails, context: Mapping[str, object], schema: type[BaseModel]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(detail["loc"], schema)
        case "value_error":
            return str(context["error"])
        case "literal_error":
            choices = str(context["expected"])
            return f"write {'one of ' if ',' in choices or ' or ' in choices else ''}{choices}{_near(detail, choices)}"
        case "greater_than_equal":
            return f"write {context['ge']} or more"
        case "less_than_equal":
            return f"write {context['le']} or less"
        case "too_short":
            return f"list at least {context['min_length']}"
        case "too_long":
            return f"list at most {context['max_length']}"
        case kind:
            return PLAIN_TYPES.get(kind, detail["msg"])


def _near(detail: ErrorDetails, choices: str) -> str:
    near = difflib.get_close_matches(
        str(detail["input"]), choices.replace(" or ", ", ").replace("'", "").split(", "), 1
    )
    return f", perhaps '{near[0]}'" if near else ""


def _unknown_key(location: Sequence[str | int], schema: type[BaseModel]) -> str:
    known = sorted(known_keys(location[:-1], schema))
    near = difflib.get_close_matches(str(location[-1]), known, 1, cutoff=0.5)
    return f"unknown key, did you mean '{near[0]}'?" if near else f"unknown key, known here: {', '.join(known)}"


def known_keys(location: Sequence[str | int], schema: type[BaseModel]) -> list[str]:
    """The settings that a section has, found by walking from the root along an error's location."""
    section = schema
    for step in location:
        field = section.model_fields.get(str(step))
        if field is not None:  # else a name chosen by the user, inside a mapping of sections
            section = _section_of(field.annotation) or section
    return list(section.model_fields)


def _section_of(annotation: object) -> type[BaseModel] | None:
    for kind in (annotation, *get_args(annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return kind
    return None

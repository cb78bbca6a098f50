"""Conversion of Pydantic's validation errors into one error with a line per setting: name, value and fix."""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from validation.base import Problem

MAX_VALUE_LENGTH = 80
PLAIN_TYPES = {
    "int_type": "write a whole number, without quotes",
    "string_type": "write text; put numbers such as 1.34 into quotes",
    "float_type": "write a number, without quotes",
    "bool_type": "write true or false, without quotes",
    "tuple_type": "write a list",
    "dict_type": "write a mapping of names to values",
    "model_type": "write a mapping of settings",
}


class SettingsError(ValueError):
    """Error in a user's settings. The message is complete and written for users."""

    is_for_people = True
    """`mlp` shows the message without a traceback."""


def explain(error: ValidationError, schema: type[BaseModel], source: str) -> SettingsError:
    lines = [line for detail in _causes(error.errors()) for line in _lines(detail, schema)]
    heading = f"{source}: {len(lines)} wrong setting{'s' if len(lines) > 1 else ''}"
    return SettingsError("\n".join([heading, *(f"  {line}" for line in lines)]))


def _causes(details: Sequence[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Yield all errors except lists that are too short only because some of their items are invalid."""
    for detail in details:
        depth = len(detail["loc"])
        if detail["type"] == "too_short" and any(
            len(other["loc"]) > depth and other["loc"][:depth] == detail["loc"] for other in details
        ):
            continue
        yield detail


def _lines(detail: ErrorDetails, schema: type[BaseModel]) -> Iterator[str]:
    location, _ = walk(detail["loc"], schema)
    context: Mapping[str, object] = detail.get("ctx", {})
    if detail["type"] == "broken_rules":
        problems = context["problems"]
        assert isinstance(problems, list)  # noqa: S101 - `refuse` is the only source of this error type
        for problem in problems:
            if isinstance(problem, Problem):
                yield _line((*location, *problem.field.split(".")), shown(problem.value), problem.fix)
    elif detail["type"] == "missing":
        yield _line(location, "nothing", "add this setting, it has no default")
    elif detail["type"] in ("union_tag_invalid", "union_tag_not_found"):
        yield _wrong_kind(location, detail, context, schema)
    else:
        yield _line(location, shown(detail["input"]), _fix(detail, context, schema))


def _wrong_kind(
    location: Sequence[str | int], detail: ErrorDetails, context: Mapping[str, object], schema: type[BaseModel]
) -> str:
    """Return the error for a section whose discriminator field is missing or has an unknown value."""
    field = str(context["discriminator"]).strip("'")
    _, sections = walk(detail["loc"], schema)
    choices = ", ".join(f"'{tag}'" for section in sections for tag in get_args(section.model_fields[field].annotation))
    given = str(context["tag"]) if "tag" in context else ""
    near = difflib.get_close_matches(given, [choice.strip("'") for choice in choices.split(", ")], 1)
    perhaps = f", perhaps '{near[0]}'" if near else ""
    return _line((*location, field), shown(given) if given else "nothing", f"write one of {choices}{perhaps}")


def _line(location: Sequence[str | int], value: str, fix: str) -> str:
    return f"{dotted(location)}: got {value}; {fix}"


def dotted(location: Sequence[str | int]) -> str:
    text = ""
    for step in location:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.lstrip(".") or "the whole"


def shown(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}..."


def _fix(detail: ErrorDetails, context: Mapping[str, object], schema: type[BaseModel]) -> str:
    match detail["type"]:
        case "extra_forbidden":
            return _unknown_key(detail["loc"], schema)
        case "string_type":
            return _as_text(detail["input"])
        case "invalid_key":
            return f"write names as text; put {shown(detail['input'])} into quotes, or remove it"
        case "value_error":
            return str(context["error"])
        case "literal_error":
            choices = str(context["expected"])
            return f"write {'one of ' if ',' in choices or ' or ' in choices else ''}{choices}{_near(detail, choices)}"
        case "greater_than_equal":
            return f"write {context['ge']} or more"
        case "less_than_equal":
            return f"write {context['le']} or less"
        case "string_too_short":
            return "write some text"
        case "string_too_long":
            return f"write at most {context['max_length']} characters"
        case "too_short":
            return f"list at least {context['min_length']}"
        case "too_long":
            return f"list at most {context['max_length']}"
        case kind:
            return PLAIN_TYPES.get(kind, detail["msg"])


def _as_text(value: object) -> str:
    """Return the fix for a value that looks like text but has another type in YAML."""
    if isinstance(value, bool):
        return "write text; put words such as yes, no, on and off into quotes, YAML reads them as true and false"
    if isinstance(value, date):
        return "write text; put dates into quotes"
    if value is None:
        return 'write text; put the words null and ~ into quotes, and write "" for an empty text'
    return PLAIN_TYPES["string_type"]


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
    """Return the settings of the section that contains an error's location, sorted."""
    return sorted({name for section in walk(location, schema)[1] for name in section.model_fields})


def walk(
    location: Sequence[str | int], schema: type[BaseModel]
) -> tuple[tuple[str | int, ...], Sequence[type[BaseModel]]]:
    """Follow an error's location from the root.

    Pydantic inserts the chosen variant of a section as a level of its own; it is removed.

    Returns:
        The location as written in the file, and the sections at this location: one, or the variants to choose from.
    """
    written: list[str | int] = []
    sections: Sequence[type[BaseModel]] = [schema]
    for step in location:
        chosen = [section for section in sections if len(sections) > 1 and _is_kind(section, step)]
        if chosen:
            sections = chosen
            continue
        written.append(step)
        field = sections[0].model_fields.get(str(step))
        if field is not None:  # else a name chosen by the user, inside a mapping of sections
            sections = _sections_of(field.annotation) or sections
    return tuple(written), sections


def _is_kind(section: type[BaseModel], step: str | int) -> bool:
    return any(step in get_args(field.annotation) for field in section.model_fields.values())


def _sections_of(annotation: object) -> list[type[BaseModel]]:
    return [
        kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type) and issubclass(kind, BaseModel)
    ]

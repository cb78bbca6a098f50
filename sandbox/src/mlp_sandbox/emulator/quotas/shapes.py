"""Lengths, ranges and patterns from the services' own models, which moto checks for a few parameters only.

botocore checks minimum lengths before it sends a request. It leaves maximum lengths and patterns to the service.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from moto.core.utils import get_service_model

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.quotas.registry import Asked

# Services that validate requests against these models before any other check, and their error code.
CODES = {
    "autoscaling": "ValidationError",
    "ecr": "InvalidParameterException",
    "iam": "ValidationError",
    "kms": "ValidationException",
    "logs": "InvalidParameterException",
    "secretsmanager": "ValidationException",
}
# Values left out of error messages: long, or secret.
_UNNAMED = re.compile(r"document|secret|password|policy$|plaintext|userdata", re.IGNORECASE)
_SHOWN = 100
# Java's character classes, in the closest form that Python has.
_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\w", r"\p{Z}": r"\s", r"\p{M}": "", r"\p{Alnum}": "A-Za-z0-9"}


def check(asked: Asked) -> None:
    """Check every parameter against the model of its service.

    Raises:
        Fault: Some parameters do not fit; the message lists all of them.
    """
    code = CODES.get(asked.identity.service)
    if code is None:
        return
    model: Any = get_service_model(asked.identity.service).operation_model(asked.identity.operation)
    if model.input_shape is None:
        return
    problems = list(_problems(model.input_shape, asked.params, ""))
    if problems:
        count = "1 validation error" if len(problems) == 1 else f"{len(problems)} validation errors"
        raise Fault(code, f"{count} detected: {'; '.join(problems)}")


def _problems(shape: Any, value: Any, path: str) -> Iterator[str]:
    if value is None:
        return
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            if name in value:
                yield from _problems(member, value[name], f"{path}.{_small(name)}" if path else _small(name))
    elif shape.type_name == "list":
        yield from _size(shape, value, path)
        for number, item in enumerate(value, start=1):
            yield from _problems(shape.member, item, f"{path}.{number}.member")
    elif shape.type_name == "map":
        yield from _size(shape, value, path)
        for key, item in value.items():
            yield from _problems(shape.key, key, f"{path}.key")
            yield from _problems(shape.value, item, f"{path}.{key}.member")
    elif shape.type_name == "string":
        yield from _size(shape, str(value), path)
        yield from _form(shape, str(value), path)
    elif shape.type_name in ("integer", "long"):
        yield from _range(shape, int(value), path)


def _size(shape: Any, value: Any, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and len(value) > most:
        yield _words(path, value, f"Member must have length less than or equal to {most}")
    if least is not None and len(value) < least:
        yield _words(path, value, f"Member must have length greater than or equal to {least}")


def _range(shape: Any, value: int, path: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if most is not None and value > most:
        yield _words(path, value, f"Member must have value less than or equal to {most}")
    if least is not None and value < least:
        yield _words(path, value, f"Member must have value greater than or equal to {least}")


def _form(shape: Any, value: str, path: str) -> Iterator[str]:
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and compiled.fullmatch(value) is None:
        yield _words(path, value, f"Member must satisfy regular expression pattern: {pattern}")


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern; return None for one that Python cannot compile, which then goes unchecked."""
    for java, python in _CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _words(path: str, value: Any, constraint: str) -> str:
    shown = "" if _UNNAMED.search(path) or not isinstance(value, str | int) else f" '{str(value)[:_SHOWN]}'"
    return f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _small(name: str) -> str:
    return name[:1].lower() + name[1:]

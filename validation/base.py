"""Base of all settings sections: strict and frozen models, common value types, and the error of a broken rule.

Strict: YAML has types, so `multi_az: "yes"` or `version: 1.34` (a float) is a mistake that is not converted.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Strict
from pydantic_core import PydanticCustomError

Value = str | int | float | bool | None | tuple[str, ...] | tuple[int, ...]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class Allowed:
    """Description, for the documentation, of the values that a validator function accepts."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Broken rule. `field` is dotted and relative to the section that the rule belongs to."""

    field: str
    value: Value
    fix: str


def refuse(problems: Iterable[Problem]) -> None:
    """Raise one error with all problems, so that a reader sees all of them at once."""
    found = list(problems)
    if found:
        raise PydanticCustomError("broken_rules", "broken rules", {"problems": found})


def network_range(text: str) -> str:
    try:
        network = ipaddress.IPv4Network(text, strict=False)
    except ValueError as error:
        raise ValueError("write an IPv4 range such as 10.0.0.0/16") from error
    if str(network) != text:
        raise ValueError(f"write the start of the range: {network}")
    return text


def unique(values: tuple[str, ...]) -> tuple[str, ...]:
    repeated = sorted({value for value in values if values.count(value) > 1})
    if repeated:
        raise ValueError(f"remove the repetition of {', '.join(repeated)}")
    return values


# Strict mode would reject YAML lists for the immutable tuples of the schema. Items stay strict.
Cidr = Annotated[str, AfterValidator(network_range), Allowed("IPv4 range")]
Cidrs = Annotated[tuple[Cidr, ...], Strict(False), AfterValidator(unique)]
Strings = Annotated[tuple[str, ...], Strict(False), AfterValidator(unique)]
Integers = Annotated[tuple[int, ...], Strict(False)]

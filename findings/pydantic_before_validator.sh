#!/usr/bin/env bash
# pydantic: bounds written after a BeforeValidator are checked, but the JSON schema names them ge and le, not minimum
# and maximum.
#
# One would guess: Annotated[int, BeforeValidator(f), Field(ge=0, le=5)] has the JSON schema of Annotated[int,
# Field(ge=0, le=5), BeforeValidator(f)], as both refuse 9.
# What happens: only the second says minimum and maximum. The first says "ge": 0, "le": 5, which JSON schema and
# OpenAPI do not know, so that readers ignore them. A length gets its right name in either order.
# Why it matters: the document of an API promises that any integer will do, clients generated from it check nothing,
# and no test of the validation shows it. Field belongs before BeforeValidator.
#
# https://github.com/pydantic/pydantic/issues/7300
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install -q --no-compile pydantic==2.14.3
venv/bin/python - <<'END'
import sys
from typing import Annotated

from pydantic import VERSION, BeforeValidator, Field, TypeAdapter, ValidationError

same = BeforeValidator(lambda value: value)
bounds = Field(ge=0, le=5)
length = Field(max_length=5)
right = {"type": "integer", "minimum": 0, "maximum": 5}


def seen(name, adapter, refused):
    try:
        adapter.validate_python(refused)
        sys.exit(f"changed: {name} takes {refused!r}")
    except ValidationError:
        print(f"{name} refuses {refused!r}, JSON schema: {adapter.json_schema()}")
    return adapter.json_schema()


print("pydantic", VERSION)
if seen("bounds, then BeforeValidator", TypeAdapter(Annotated[int, bounds, same]), 9) != right:
    sys.exit("changed: the schema lacks the bounds in this order too")
if seen("BeforeValidator, then bounds", TypeAdapter(Annotated[int, same, bounds]), 9) == right:
    sys.exit("changed: the schema has the bounds in either order")
if seen("BeforeValidator, then length", TypeAdapter(Annotated[str, same, length]), "longer").get("maxLength") != 5:
    sys.exit("changed: the schema lacks the length")
END

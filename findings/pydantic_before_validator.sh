#!/usr/bin/env bash
# Behaviour: pydantic checks bounds that follow a BeforeValidator, but the JSON schema calls them ge and le instead of
#   minimum and maximum.
# Package: pydantic
# Version: 2.14.3
# Date: 2026-11-29
# Expected: Annotated[int, BeforeValidator(f), Field(ge=0, le=5)] has the JSON schema of Annotated[int, Field(ge=0,
#   le=5), BeforeValidator(f)], because both refuse 9.
# Observed: Only the second has minimum and maximum. The first has "ge": 0, "le": 5. JSON Schema and OpenAPI do not
#   define these words, so readers ignore them. A length gets its right name in either order.
# Consequence: The document of an API promises that any integer is valid, generated clients check nothing, and no test
#   of the validation shows it. Field belongs before BeforeValidator.
# Output:
#   pydantic 2.14.3
#   bounds, then BeforeValidator refuses 9, JSON schema: {'maximum': 5, 'minimum': 0, 'type': 'integer'}
#   BeforeValidator, then bounds refuses 9, JSON schema: {'ge': 0, 'le': 5, 'type': 'integer'}
#   BeforeValidator, then length refuses 'longer', JSON schema: {'maxLength': 5, 'type': 'string'}
# See: https://github.com/pydantic/pydantic/issues/7300
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

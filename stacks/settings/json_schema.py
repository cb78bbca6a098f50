"""JSON Schema of a stack file, for editors: `python -m stacks.settings.json_schema` prints it.

The first line of a stack file names the schema, so that an editor completes and validates the file. The schema covers
names, types, choices and bounds. The program validates patterns and rules across fields when it reads the file.
"""

import json
from typing import Any, cast

import yaml
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import CoreSchema

from components.images.sources import ROOT
from stacks.settings.load import KEY
from stacks.settings.platform import PlatformSettings

DRAFT = "https://json-schema.org/draft/2020-12/schema"
REF_TEMPLATE = "#/$defs/{model}"

# https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/
ENGINE_FIELDS = {
    "encryptionsalt": "Salt of the passphrase that encrypts secrets of the stack. The engine writes it.",
    "secretsprovider": "Key that encrypts the data key of the stack. `pulumi stack init` writes it.",
    "encryptedkey": "Data key of the stack, encrypted by the secrets provider. `pulumi stack init` writes it.",
}


class _Settings(GenerateJsonSchema):
    """Generator of Pydantic's schema without generated titles, and with each description on one line."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False

    def generate(self, schema: CoreSchema, mode: Any = "validation") -> JsonSchemaValue:
        return _on_one_line(super().generate(schema, mode))


def json_schema() -> str:
    """Return the text of `stacks/settings.schema.json`."""
    settings = PlatformSettings.model_json_schema(ref_template=REF_TEMPLATE, schema_generator=_Settings)
    definitions = settings.pop("$defs")
    name = f"{_project()}:{KEY}"
    schema = {
        "$schema": DRAFT,
        "title": "Stack file",
        "type": "object",
        "additionalProperties": False,
        "required": ["config"],
        "properties": {
            "config": {
                "description": "Configuration of the stack.",
                "type": "object",
                "additionalProperties": False,
                "required": [name],
                "properties": {
                    name: {"description": "Settings of the environment.", "$ref": REF_TEMPLATE.format(model="Platform")}
                },
            },
            **{field: {"description": text, "type": "string"} for field, text in ENGINE_FIELDS.items()},
        },
        "$defs": {"Platform": settings, **definitions},
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _project() -> str:
    """Return the name of the Pulumi project, which is the namespace of its configuration keys."""
    return yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["name"]


def _on_one_line(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: " ".join(value.split()) if key == "description" and isinstance(value, str) else _on_one_line(value)
            for key, value in cast("dict[str, Any]", schema).items()
        }
    return [_on_one_line(each) for each in cast("list[Any]", schema)] if isinstance(schema, list) else schema


if __name__ == "__main__":
    print(json_schema(), end="")

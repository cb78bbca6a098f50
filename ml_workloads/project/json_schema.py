"""The JSON Schema of `project.yaml`, for editors: `python -m ml_workloads.project.json_schema` prints it.

A file names it in its first line, `# yaml-language-server: $schema=../../project.schema.json`, and an editor then
completes and checks the file during editing. Rules that span fields are only checked when the file is loaded.
"""

import json

from ml_workloads.project.project import Project

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> str:
    """Return the JSON Schema, in the form in which `ml_workloads/project.schema.json` is committed."""
    schema = {"$schema": DRAFT, **Project.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")

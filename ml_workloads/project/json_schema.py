"""The JSON Schema of `project.yaml`, for editors: `python -m ml_workloads.project.json_schema` prints it.

A file says `# yaml-language-server: $schema=../../project.schema.json` in its first line, and an editor completes and
checks it while it is written. Rules that span fields are only checked when the file is read.
"""

import json

from ml_workloads.project.project import Project

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> str:
    """As committed in `ml_workloads/project.schema.json`."""
    schema = {"$schema": DRAFT, **Project.model_json_schema()}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")

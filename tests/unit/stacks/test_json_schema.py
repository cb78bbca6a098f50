"""The JSON Schema of stack files, for completion and checks in editors."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from stacks.settings.json_schema import json_schema
from tests.unit.spoiling import spoil

STACKS = Path(__file__).parents[3] / "stacks"
FILES = sorted(STACKS.glob("Pulumi.*.yaml"))
SETTINGS = "ml-platform:platform"
SCHEMA: dict[str, Any] = json.loads(json_schema())


def complaints(content: Any) -> list[str]:
    errors = Draft202012Validator(SCHEMA).iter_errors(content)  # pyright: ignore[reportUnknownMemberType]
    return [f"{error.json_path}: {error.message}" for error in errors]


def dev() -> dict[str, Any]:
    return yaml.safe_load((STACKS / "Pulumi.dev.yaml").read_text())


def properties(schema: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            yield f"{path}.{name}", value
        for key, value in schema.items():
            yield from properties(value, f"{path}.{key}")


def test_the_committed_schema_is_the_generated_one():
    assert (STACKS / "settings.schema.json").read_text() == json_schema(), (
        "run `python -m stacks.settings.json_schema > stacks/settings.schema.json`"
    )


def test_the_schema_is_a_valid_schema():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_committed_stack_file_names_the_schema_and_meets_it(path: Path):
    assert path.read_text().splitlines()[0] == "# yaml-language-server: $schema=settings.schema.json"
    assert complaints(yaml.safe_load(path.read_text())) == []


def test_a_stack_file_that_moved_to_aws_meets_the_schema():
    content = dev()
    del content["encryptionsalt"]
    content |= {"secretsprovider": "awskms://alias/ml-platform-dev-state?region=us-east-1", "encryptedkey": "AQID"}
    assert complaints(content) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("regoin", "us-east-1"), "'regoin' was unexpected"),
        (("network.zoness", []), "'zoness' was unexpected"),
        (("cluster.teams.data-science.polcy", "edit"), "'polcy' was unexpected"),
        (("cluster.gpu_pools.l4.max_sise", 2), "'max_sise' was unexpected"),
        (("region", "us-east-9"), "'us-east-9' is not one of"),
        (("network.interface_endpoints", ["ecr.ap"]), "'ecr.ap' is not one of"),
        (("cluster.gpu_pools.l4.accelerator", "nvidia-l5"), "'nvidia-l5' is not one of"),
        (("cluster.log_retention_days", 8), "8 is not one of"),
        (("cluster.version", "1.29"), "'1.29' is not one of"),
        (("protect", "yes"), "'yes' is not of type 'boolean'"),
        (("network.zones", ["us-east-1a"]), "is too short"),
    ],
)
def test_a_mistake_is_refused(change: tuple[str, object], message: str):
    content = dev()
    content["config"][SETTINGS] = spoil(content["config"][SETTINGS], change)
    (complaint,) = complaints(content)
    assert message in complaint


def test_a_misspelt_key_outside_the_settings_is_refused():
    config, top = copy.deepcopy(dev()), copy.deepcopy(dev())
    config["config"]["ml-platform:platfrom"] = config["config"].pop(SETTINGS)
    top["confg"] = top.pop("config")
    assert any("'ml-platform:platfrom' was unexpected" in each for each in complaints(config))
    assert any("'confg' was unexpected" in each for each in complaints(top))


def test_every_setting_and_every_section_has_a_description_of_one_line():
    listed = dict(properties(SCHEMA))
    assert len(listed) > 100
    assert [name for name, each in listed.items() if not each.get("description") or "\n" in each["description"]] == []

"""One command brings a copy of the example, with data in S3, to its first served answer.

It is the last module: afterwards the environment has one more project.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from ml_workloads.project import PROJECT_FILE
from ml_workloads.project.image import PROJECTS
from tests.environments.real_nodes.projects.deployed import DeployedProjects
from tests.environments.real_nodes.projects.sources import EXAMPLE, table

NEW = "tumour-copy"
KEY = f"projects/{NEW}/measurements.csv"
LAUNCH_SECONDS = 1200


@dataclass(frozen=True)
class Launched:
    """A launch: its output, its exit code, and its duration in seconds."""

    said: str
    code: int
    seconds: float


def launch(deployed: DeployedProjects, *options: str) -> Launched:
    copy, start = deployed.copy, time.monotonic()
    command = copy.mlp_command("projects", "launch", NEW, "--env", "dev", *options)
    process = deployed.box.start("env", f"PYTHONPATH={copy.folder}", *command, cwd=copy.folder)
    said, _ = process.communicate(timeout=LAUNCH_SECONDS)
    return Launched(" ".join(said.split()), process.returncode, time.monotonic() - start)


def listed(deployed: DeployedProjects, command: str) -> list[dict[str, Any]]:
    return list(json.loads(deployed.copy.mlp(command, NEW, "--env", "dev", "--json").stdout))


def add_copy(root: Path) -> None:
    """Copy the example as docs/projects.md describes, but smaller, so that the nodes have room for both."""
    folder = root / PROJECTS / NEW
    shutil.copytree(root / PROJECTS / EXAMPLE, folder)
    for path in (folder / "Dockerfile", folder / PROJECT_FILE):
        path.write_text(path.read_text().replace(EXAMPLE, NEW))
    content: dict[str, Any] = yaml.safe_load((folder / PROJECT_FILE).read_text())
    content["environments"] = ["dev"]
    content["data"]["source"] = {"type": "s3", "path": "measurements.csv"}
    content["training"]["resources"] = {"cpu": "100m", "memory": "768Mi"}
    content["training"].pop("schedule", None)
    content["serving"]["online"] = {"replicas": 1, "resources": {"cpu": "100m", "memory": "768Mi"}}
    (folder / PROJECT_FILE).write_text(yaml.safe_dump(content, sort_keys=False))


@pytest.fixture(scope="module")
def without_data(deployed: DeployedProjects) -> Launched:
    add_copy(deployed.copy.folder)
    return launch(deployed)


@pytest.fixture(scope="module")
def first(deployed: DeployedProjects, without_data: Launched, tmp_path_factory: pytest.TempPathFactory) -> Launched:
    """Launch again after running the suggested upload command."""
    found = re.search(r"aws s3 cp FILE (s3://\S+)", without_data.said)
    assert found, without_data.said
    file = tmp_path_factory.mktemp("data") / "measurements.csv"
    file.write_text(table(deployed.copy.folder))
    deployed.box.run("aws", "s3", "cp", str(file), found[1])
    return launch(deployed)


def test_it_stops_before_anything_is_deployed_and_tells_the_line_to_type(
    deployed: DeployedProjects, without_data: Launched
) -> None:
    assert without_data.code == 1, without_data.said
    bucket = deployed.outputs["data_lake_bucket"]
    assert f"there is no data at s3://{bucket}/{KEY} yet" in without_data.said
    assert f"mlp projects launch {NEW} --env dev --data FILE" in without_data.said
    assert deployed.api.find(f"/api/v1/namespaces/data-science-{NEW}") is None


def test_it_answers_after_the_data_is_there(first: Launched) -> None:
    assert first.code == 0, first.said
    assert f"{NEW} answers in dev with version 1: malignant" in first.said


def test_the_model_that_answers_was_trained_on_the_data_in_s3(deployed: DeployedProjects, first: Launched) -> None:
    (run,) = listed(deployed, "runs")
    with deployed.tracking(NEW) as client:
        tags = client.get_run(run["run_id"]).data.tags
        assert client.get_registered_model(NEW).aliases.keys() == {"dev", "staging", "production"}
    assert tags["data_source"] == f"s3://{deployed.outputs['data_lake_bucket']}/{KEY}"


def test_a_second_launch_changes_nothing_and_says_so(deployed: DeployedProjects, first: Launched) -> None:
    def seen() -> object:
        deployment = deployed.api.find(f"/apis/apps/v1/namespaces/data-science-{NEW}/deployments/serving")
        assert deployment is not None
        urns = {each["urn"] for each in deployed.box.export("dev", deployed.copy.folder)}
        generation = deployment["metadata"]["generation"]
        return urns, generation, listed(deployed, "models"), listed(deployed, "runs")

    before = seen()
    again = launch(deployed)
    assert again.code == 0, again.said
    assert f"Nothing was changed: all of it was there. {NEW} answers in dev with version 1" in again.said
    assert seen() == before

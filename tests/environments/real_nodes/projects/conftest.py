"""Fixtures: tests of the projects share failing runs, and one trained model in production.

Tests leave the environment with a model that answers, and restore the aliases of the example; `test_withdrawal` removes
a project, `test_zero_to_answer` adds one.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from ml_workloads.project.deployment_names import data_prefix
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.projects.deployed import (
    PREFIX,
    DeployedProjects,
    Document,
    follow_run,
    kill_run,
    start_run,
    wait_for_line,
)
from tests.environments.real_nodes.projects.secrets import ADDRESS
from tests.environments.real_nodes.projects.sources import (
    BROKEN_DATA,
    DATA,
    EXAMPLE,
    OTHER,
    OTHER_SECRET,
    broken,
    table,
)

DEADLINE_SECONDS = 120


@pytest.fixture(scope="package")
def deployed(deployed: DeployedProjects) -> DeployedProjects:
    """Return the environment, with the second project's data and secret in place."""
    text = table(deployed.copy.folder)
    for name, content in ((DATA, text), (BROKEN_DATA, broken(text))):
        deployed.box.client("s3").put_object(
            Bucket=deployed.outputs["data_lake_bucket"], Key=data_prefix(OTHER) + name, Body=content.encode()
        )
    deployed.box.client("secretsmanager").put_secret_value(
        SecretId=f"{PREFIX}/projects/{OTHER}/{OTHER_SECRET}", SecretString=ADDRESS
    )
    return deployed


@dataclass(frozen=True)
class FailingRuns:
    """Job names of the second project by kind of failure; `raises` is a command that follows one of them."""

    raises: subprocess.Popen[str]
    jobs: Mapping[str, str]


@pytest.fixture(scope="package")
def failing_runs(deployed: DeployedProjects) -> FailingRuns:
    """Start all failing runs at once, while the first model is trained."""
    copy, bucket = deployed.copy, deployed.outputs["data_lake_bucket"]
    secret = deployed.outputs["projects"][OTHER]["secret_arns"][OTHER_SECRET]
    data = f'{{"type": "s3", "bucket": "{bucket}", "key": "{data_prefix(OTHER)}{BROKEN_DATA}"}}'
    command = copy.mlp_command("train", OTHER, "--follow", "--json")
    raises = deployed.box.start("env", f"PYTHONPATH={copy.folder}", *command, cwd=copy.folder)
    with deployed.session(OTHER) as session:
        return FailingRuns(
            raises,
            {
                "data": start_run(session, "data", {"CONDUCTOR_DATA": data}),
                "address": start_run(
                    session,
                    "address",
                    {"CONDUCTOR_DATA": json.dumps({"type": "sql", "secret": secret, "query": "SELECT 1"})},
                ),
                "memory": start_run(session, "memory"),
                "deadline": start_run(
                    session, "deadline", change=lambda spec: spec.update(activeDeadlineSeconds=DEADLINE_SECONDS)
                ),
            },
        )


@dataclass(frozen=True)
class FirstModel:
    """Outputs of the commands that brought the first version into production."""

    trained: Document
    staging: Document
    production: Document
    predicted: Document


@pytest.fixture(scope="package")
def first_model(deployed: DeployedProjects, failing_runs: FailingRuns) -> FirstModel:
    trained = deployed.mlp("train", EXAMPLE, "--follow")
    staging = deployed.mlp("promote", EXAMPLE, "--to", "staging")
    production = deployed.mlp("promote", EXAMPLE, "--to", "production")
    with deployed.server(EXAMPLE) as forward:
        eventually(lambda: deployed.version_of(forward) == "1", "version 1 answers", 60)
    example = deployed.copy.folder / "ml_workloads" / "projects" / EXAMPLE / "example.json"
    return FirstModel(trained, staging, production, deployed.mlp("predict", EXAMPLE, "--data", str(example)))


@dataclass(frozen=True)
class LaterRuns:
    """Two Jobs of the example, run side by side: in one the first attempt was killed, the other trained badly."""

    killed: str
    weak: str
    killed_pod: str


@pytest.fixture(scope="package")
def later_runs(deployed: DeployedProjects, first_model: FirstModel) -> LaterRuns:
    with deployed.session(EXAMPLE) as session:
        killed = start_run(session, "killed")
        pod = wait_for_line(session, killed, "measured")
        kill_run(deployed, killed)
        weak = start_run(session, "weak")
        for job in (killed, weak):
            ended = follow_run(session, job)
            assert ended.reason is None, f"{job}: {ended.reason}\n{ended.log}"
    return LaterRuns(killed, weak, pod)

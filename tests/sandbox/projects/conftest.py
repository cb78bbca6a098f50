"""One environment with two projects on nodes that run containers, and one trained model in production.

Made once for the package; modules run in the order of their names. Tests leave it with a model that answers, and the
aliases of the example where they found them; `test_withdrawal`, the last one, takes a project out of it.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from ml_workloads.project.deployment_names import data_prefix
from sandbox import lifecycle
from sandbox.cluster import host
from sandbox.toolchain import ensure_kubernetes
from tests.sandbox.box import MakeBox, eventually
from tests.sandbox.environment_copy import EnvironmentCopy, copy_project
from tests.sandbox.projects.deployed import (
    PREFIX,
    DeployedProjects,
    Document,
    follow_run,
    kill_run,
    start_run,
    wait_for_line,
)
from tests.sandbox.projects.secrets import ADDRESS
from tests.sandbox.projects.sources import (
    BROKEN_DATA,
    DATA,
    EXAMPLE,
    OTHER,
    OTHER_SECRET,
    add_faults,
    add_other,
    broken,
    table,
)

DEADLINE_SECONDS = 120


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for the environment and its images; without root no node runs containers."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(1500))
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="nodes run containers as root only"))


def deploy(make_box: MakeBox, folder: Path) -> DeployedProjects:
    ensure_kubernetes(lambda _line: None)
    before = host.snapshot(folder.parent)
    # As late as AWS may be: the environment deploys at the first try, and so does a project that is added later.
    box = make_box("projects", nodes="real", propagation="slowest")
    copy = EnvironmentCopy(box, folder)
    copy_project(copy.folder)
    add_faults(copy.folder)
    add_other(copy.folder)
    # More nodes would be simulated ones, on which pods run nothing.
    copy.change(cluster__general_pool__max_size=2)
    copy.build_images()
    copy.up()
    made = DeployedProjects(copy, before)
    box.run(*shlex.split(made.outputs["kubeconfig_command"]))
    return made


@pytest.fixture(scope="package")
def deployed(make_box: MakeBox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedProjects]:
    """The second project's data and secret are there."""
    made = deploy(make_box, tmp_path_factory.mktemp("projects") / "project")
    text = table(made.copy.folder)
    for name, content in ((DATA, text), (BROKEN_DATA, broken(text))):
        made.box.client("s3").put_object(
            Bucket=made.outputs["data_lake_bucket"], Key=data_prefix(OTHER) + name, Body=content.encode()
        )
    made.box.client("secretsmanager").put_secret_value(
        SecretId=f"{PREFIX}/projects/{OTHER}/{OTHER_SECRET}", SecretString=ADDRESS
    )
    eventually(made.settled, f"every pod runs: {made.told('kube-system')}", 120)
    yield made
    lifecycle.down(made.box.instance)


@dataclass(frozen=True)
class FailingRuns:
    """Names of Jobs of the second project, by what goes wrong; `raises` is a command that follows one."""

    raises: subprocess.Popen[str]
    jobs: Mapping[str, str]


@pytest.fixture(scope="package")
def failing_runs(deployed: DeployedProjects) -> FailingRuns:
    """All at once, while the first model is trained."""
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
    """What the commands said that brought the first version into production."""

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
    """Jobs of the example that ran side by side: one whose first attempt was killed, and one that trained badly."""

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

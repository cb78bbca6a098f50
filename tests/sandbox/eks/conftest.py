"""One dev environment on nodes that run containers, made once for the package and taken down by its last tests.

Modules run in the order of their names. Tests leave the environment whole and without changes to come, but for those of
`test_recovery`, which kill everything, and of `test_teardown`, after which there is nothing left.
"""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox import lifecycle
from sandbox.cluster import host
from sandbox.toolchain import ensure_kubernetes
from tests.sandbox.box import MakeBox, eventually
from tests.sandbox.eks.deployed import Deployed, cluster_program
from tests.sandbox.eks.manifests import gpu_job
from tests.sandbox.environment_copy import EnvironmentCopy, copy_project
from tests.sandbox.plugins.clusters import ClusterProgram

DEPLOY_SECONDS = 600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test waits for the environment; without root no node runs containers."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.timeout(900))
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="nodes run containers as root only"))


@pytest.fixture(scope="package")
def deployed(make_box: MakeBox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    ensure_kubernetes(lambda _line: None)
    before = host.snapshot(tmp_path_factory.getbasetemp())
    box = make_box("eks", nodes="real", propagation="usual")
    copy = EnvironmentCopy(box, tmp_path_factory.mktemp("eks") / "project")
    copy_project(copy.folder)
    # As short as it may be: a test waits for it.
    copy.change(cluster__autoscaler__scale_down_minutes=1)
    copy.build_images()
    copy.up()
    made = Deployed(copy, before)
    box.run(*shlex.split(made.outputs["kubeconfig_command"]))
    eventually(made.settled, f"every pod runs: {made.told('kube-system')}", 120)
    yield made
    lifecycle.down(box.instance)


@dataclass(frozen=True)
class GpuRun:
    """A job that asked for a GPU and had its way: what it wrote, and where it ran."""

    log: str
    node: str
    nodes_before: int


@pytest.fixture(scope="package")
def gpu_run(deployed: Deployed) -> GpuRun:
    path, before = "/apis/batch/v1/namespaces/ml-platform/jobs", len(deployed.nodes("l4"))
    with deployed.created(path, gpu_job("gpu", "ml-platform", tolerated=True)) as name:
        log = deployed.log_of_job("ml-platform", name, 300)
        (pod,) = deployed.pods("ml-platform", f"job-name={name}")
        return GpuRun(log, str(pod["spec"]["nodeName"]), before)


@pytest.fixture
def kube(deployed: Deployed, tmp_path: Path) -> Iterator[ClusterProgram]:
    with cluster_program(deployed, tmp_path / "program") as program:
        yield program


AsRole = Callable[[str], dict[str, str]]


@pytest.fixture(scope="package")
def as_role(deployed: Deployed) -> AsRole:
    """Variables of the environment in which commands are a role's, by the end of the role's name."""

    @functools.cache
    def assume(name: str) -> dict[str, str]:
        role = deployed.outputs["cluster_role_arns"][name]
        given = deployed.box.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        names = {
            "ACCESS_KEY_ID": "AccessKeyId",
            "SECRET_ACCESS_KEY": "SecretAccessKey",
            "SESSION_TOKEN": "SessionToken",
        }
        return {f"AWS_{name}": given[field] for name, field in names.items()}

    return assume

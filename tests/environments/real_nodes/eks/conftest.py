"""Fixtures for tests of the cluster: a job on a GPU, small programs, and the roles of people."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.tests.live.providers.clusters import ClusterProgram
from tests.environments.real_nodes.deployed import Deployed, cluster_program
from tests.environments.real_nodes.eks.manifests import gpu_job


@dataclass(frozen=True)
class GpuRun:
    """A finished job with a GPU: its log and its node."""

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
    """Return a function from the end of a role's name to the environment variables of that role."""

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

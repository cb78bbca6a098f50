"""Fixtures: the package shares one dev environment with two projects, on nodes that run containers.

Modules run in the order of their names, `eks` before `projects`. Tests leave the environment complete and without
pending changes, except the last two modules: `test_recovery` stops everything, `test_teardown` destroys the
environment.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlp_sandbox import lifecycle
from mlp_sandbox.clusters import host
from mlp_sandbox.testing.box import MakeBox, eventually
from mlp_sandbox.toolchain import ensure_kubernetes
from tests.environments.environment_copy import EnvironmentCopy, copy_project
from tests.environments.real_nodes.projects.deployed import DeployedProjects
from tests.environments.real_nodes.projects.sources import add_faults, add_other

SECONDS = 900
# Projects are launched and withdrawn: both deploy once more.
SECONDS_OF_PROJECTS = 1500


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Extend timeouts, and skip without root.

    The first test waits for the environment and its images; without root no node runs containers.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            projects = here / "projects" in item.path.parents
            item.add_marker(pytest.mark.timeout(SECONDS_OF_PROJECTS if projects else SECONDS))
            if os.geteuid() != 0:
                item.add_marker(pytest.mark.skip(reason="nodes run containers as root only"))


@pytest.fixture(scope="package")
def deployed(make_box: MakeBox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedProjects]:
    """Deploy the environment at the first try, although changes take effect as late as they can on AWS."""
    ensure_kubernetes(lambda _line: None)
    before = host.snapshot(tmp_path_factory.getbasetemp())
    box = make_box("real", nodes="real", propagation="slowest")
    copy = EnvironmentCopy(box, tmp_path_factory.mktemp("real") / "project")
    copy_project(copy.folder)
    add_faults(copy.folder)
    add_other(copy.folder)
    # More nodes would be simulated ones, on which pods run nothing; a test waits for the autoscaler.
    copy.change(cluster__general_pool__max_size=2, cluster__autoscaler__scale_down_minutes=1)
    copy.build_images()
    copy.up()
    made = DeployedProjects(copy, before)
    box.run(*shlex.split(made.outputs["kubeconfig_command"]))
    eventually(made.settled, f"every pod runs: {made.told('kube-system')}", 120)
    yield made
    lifecycle.down(box.instance)

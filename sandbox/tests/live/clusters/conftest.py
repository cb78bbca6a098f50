"""Fixture with one control plane, shared by modules that only read from it."""

from collections.abc import Iterator

import pytest

from mlp_sandbox.clusters.control_plane.scratch import ScratchControlPlane, scratch_control_plane
from mlp_sandbox.toolchain import ensure_kubernetes
from sandbox.tests.live.clusters.real_cluster import wait_for


@pytest.fixture(scope="package")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScratchControlPlane]:
    tools = ensure_kubernetes(lambda _line: None)
    folder = tmp_path_factory.mktemp("plane")
    with scratch_control_plane(folder, tools, controllers=True, simulated_nodes=True) as made:
        wait_for("the default account", lambda: made.api.find("/api/v1/namespaces/default/serviceaccounts/default"))
        yield made

"""One real control plane and one engine for all tests of the kubernetes plugin; a namespace for each test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from mlp_sandbox.clusters.control_plane.scratch import scratch_control_plane
from mlp_sandbox.clusters.model import NodeSpec
from mlp_sandbox.clusters.nodes.simulated_nodes import manifest
from mlp_sandbox.instance import Instance
from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.testing.box import Box, eventually, free_port, new_program
from mlp_sandbox.toolchain import ensure_kubernetes
from sandbox.tests.live.providers.clusters import ClusterProgram, cluster_of, engine_only, make_namespace, ready_node

NODE = NodeSpec(
    name="simulated-1",
    provider_id="aws:///us-east-1a/i-1",
    private_ip="10.0.0.9",
    instance_type="m5.2xlarge",
    zone="us-east-1a",
    node_group="general",
    labels={},
    taints=(),
    cpus=8,
    memory_mib=32000,
    max_pods=110,
    accelerators={},
    real=False,
)


@dataclass(frozen=True)
class Plane:
    kubeconfig: Path
    cluster: Cluster


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    tools = ensure_kubernetes(lambda _line: None)
    folder = tmp_path_factory.mktemp("plane")
    with scratch_control_plane(folder, tools, controllers=True, simulated_nodes=True) as found:
        cluster = cluster_of(found.kubeconfig)
        cluster.connection.request("POST", "/api/v1/nodes", None, manifest(NODE))
        eventually(lambda: ready_node(cluster, NODE.name), "the simulated node is ready")
        yield Plane(found.kubeconfig, cluster)


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, pulumi_binary: Path) -> Iterator[Box]:
    root = tmp_path_factory.mktemp("engine")
    yield engine_only(Box(Instance("engine", free_port(), root / "engine"), pulumi_binary))
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def kube(plane: Plane, engine: Box, tmp_path: Path) -> Iterator[ClusterProgram]:
    namespace = f"test-{uuid4().hex[:8]}"
    make_namespace(plane.cluster, namespace)
    made = new_program(engine, tmp_path / "program")
    program = ClusterProgram(engine, made.folder, plane.kubeconfig, namespace)
    yield program
    program.pulumi("destroy", "--yes", "--skip-preview", ok=False)
    engine.pulumi("stack", "rm", "test", "--yes", "--force", cwd=program.folder, ok=False)


@pytest.fixture
def cluster(plane: Plane) -> Cluster:
    """Return a direct client of the API server, without the engine."""
    return plane.cluster

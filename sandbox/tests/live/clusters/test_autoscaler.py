"""The autoscaler's stand-in with a real API server and scheduler, simulated nodes and moto's Auto Scaling groups."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from mlp_sandbox.clusters.control_plane.scratch import ScratchControlPlane, scratch_control_plane
from mlp_sandbox.testing.box import free_port
from mlp_sandbox.toolchain import ensure_kubernetes
from sandbox.tests.live.clusters.autoscaled import (
    STANDINS,
    Account,
    autoscaler,
    event,
    node_of,
    pod_path,
    run_pod,
    text_with,
)
from sandbox.tests.live.clusters.real_cluster import wait_for

logging.getLogger("werkzeug").setLevel(logging.ERROR)
pytestmark = pytest.mark.timeout(600)
GPU_TAINT = {"key": "nvidia.com/gpu", "value": "true", "effect": "NoSchedule"}
GPU_TOLERATION = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScratchControlPlane]:
    tools = ensure_kubernetes(lambda _line: None)
    with scratch_control_plane(
        tmp_path_factory.mktemp("plane"), tools, controllers=True, simulated_nodes=True
    ) as found:
        accounts = "/api/v1/namespaces/default/serviceaccounts"
        wait_for("the default service account", lambda: found.api.list(accounts))
        yield found


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    port = free_port()
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def account(endpoint: str, plane: ScratchControlPlane) -> Iterator[Account]:
    found = Account(endpoint, plane)
    yield found
    for pod in plane.api.list("/api/v1/pods"):
        plane.api.delete(pod_path(pod["metadata"]["name"]))
    found.remove_groups()
    found.close()


def test_a_gpu_pod_scales_its_group_from_zero_and_the_idle_node_goes_again(
    account: Account, plane: ScratchControlPlane, endpoint: str, tmp_path: Path
) -> None:
    account.group("general", "m6i.large", (1, 3))
    account.group("gpu", "g5.xlarge", (0, 2), labels={"accelerator": "nvidia-a10g"}, taint=GPU_TAINT)
    quick = ("--scale-down-unneeded-time=3s", "--scale-down-delay-after-add=3s")
    with autoscaler(endpoint, plane, tmp_path, *quick) as address:
        selector = {"accelerator": "nvidia-a10g"}
        run_pod(plane, "train", {"nvidia.com/gpu": "1"}, nodeSelector=selector, tolerations=[GPU_TOLERATION])
        node = wait_for("the pod has a node", lambda: node_of(plane, "train"))

        assert node.startswith("gpu-")
        assert account.sizes() == {"general": 1, "gpu": 1}
        assert event(plane, "train", "TriggeredScaleUp") == "pod triggered scale-up: [{gpu 0->1 (max: 2)}]"

        plane.api.delete(pod_path("train"))
        wait_for("the idle node is gone", lambda: account.sizes()["gpu"] == 0)
        assert account.sizes()["general"] == 1, "the last node of the minimum stays"
        metrics = wait_for("a turn later", lambda: text_with(f"{address}/metrics", "scaled_down_nodes_total 1"))
        assert "cluster_autoscaler_scaled_up_nodes_total 1" in metrics
        assert text_with(f"{address}/health-check", "OK")


def test_a_pod_that_no_group_can_hold_is_told_the_reason_of_each(
    account: Account, plane: ScratchControlPlane, endpoint: str, tmp_path: Path
) -> None:
    account.group("general", "m6i.large", (1, 1))
    account.group("gpu", "g5.xlarge", (0, 2), labels={"accelerator": "nvidia-a10g"}, taint=GPU_TAINT)
    account.group("not-ours", "g5.12xlarge", (0, 2), tagged=False)
    with autoscaler(endpoint, plane, tmp_path):
        run_pod(plane, "untolerating", {"nvidia.com/gpu": "1"})
        run_pod(plane, "too-large", {"nvidia.com/gpu": "4"}, tolerations=[GPU_TOLERATION])
        run_pod(plane, "no-room", {"cpu": "1500m"})
        run_pod(plane, "no-room-either", {"cpu": "1500m"})
        said = wait_for("untolerating", lambda: event(plane, "untolerating", "NotTriggerScaleUp"))
        assert "1 node(s) had untolerated taint {nvidia.com/gpu: true} (gpu)" in said
        assert "1 Insufficient nvidia.com/gpu (general)" in said
        said = wait_for("too-large", lambda: event(plane, "too-large", "NotTriggerScaleUp"))
        assert "2 Insufficient nvidia.com/gpu (general, gpu)" in said
        said = wait_for(
            "no room",
            lambda: event(plane, "no-room", "NotTriggerScaleUp") or event(plane, "no-room-either", "NotTriggerScaleUp"),
        )
        assert "1 max node group size reached (general)" in said
    assert account.sizes() == {"general": 1, "gpu": 0, "not-ours": 0}


def test_as_many_nodes_come_as_the_pods_need_and_no_more(
    account: Account, plane: ScratchControlPlane, endpoint: str, tmp_path: Path
) -> None:
    account.group("general", "m6i.large", (0, 5))
    with autoscaler(endpoint, plane, tmp_path, "--scale-down-enabled=false"):
        for number in range(5):
            run_pod(plane, f"half-{number}", {"cpu": "900m"})
        wait_for("all pods have nodes", lambda: all(node_of(plane, f"half-{number}") for number in range(5)))
        status = plane.api.call("GET", "/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status")
        assert "name: general" in status["data"]["status"]
    assert account.sizes() == {"general": 3}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--cloud-provider=gce"], "knows only aws"),
        (["--cloud-provider=aws", "--no-such-flag"], "unknown flag: --no-such-flag"),
    ],
)
def test_a_wrong_command_line_ends_it_at_once_with_the_reason(flags: list[str], message: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cluster_autoscaler", *flags],
        env={**os.environ, "PYTHONPATH": str(STANDINS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert message in done.stderr


def test_the_package_imports_nothing_of_the_project() -> None:
    """Its image contains only this package, boto3 and kubernetes."""
    code = (
        "import sys, cluster_autoscaler.__main__; print([name for name in sys.modules if name.startswith('sandbox')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(STANDINS)},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.replace("'", '"')) == []


def test_a_little_used_node_is_drained_and_its_pods_move(
    account: Account, plane: ScratchControlPlane, endpoint: str, tmp_path: Path
) -> None:
    account.group("general", "m6i.large", (0, 3))
    labels = {"app": "web"}
    container = {"name": "main", "image": "nothing", "resources": {"requests": {"cpu": "800m"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    path = "/apis/apps/v1/namespaces/default/deployments"
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {"replicas": 3, "selector": {"matchLabels": labels}, "template": template},
    }

    def on_nodes() -> list[str]:
        found = plane.api.list("/api/v1/namespaces/default/pods")
        return [each["spec"].get("nodeName", "") for each in found if "deletionTimestamp" not in each["metadata"]]

    quick = (
        "--scale-down-unneeded-time=3s",
        "--scale-down-delay-after-add=3s",
        "--scale-down-utilization-threshold=0.6",
    )
    with autoscaler(endpoint, plane, tmp_path, *quick):
        plane.api.create(path, deployment)
        wait_for("three pods on two nodes", lambda: len(set(on_nodes())) == 2 and "" not in on_nodes())
        plane.api.merge(f"{path}/web", {"spec": {"replicas": 2}})
        wait_for("one node is enough", lambda: account.sizes() == {"general": 1})
        wait_for(
            "both pods are there", lambda: len(on_nodes()) == 2 and len(set(on_nodes())) == 1 and "" not in on_nodes()
        )
    plane.api.delete(f"{path}/web", {"propagationPolicy": "Foreground"})
    wait_for("they are gone", lambda: not on_nodes())

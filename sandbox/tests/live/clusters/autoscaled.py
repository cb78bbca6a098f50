"""Test bench of the autoscaler's stand-in: its process, an account whose groups become simulated nodes, and pods."""

import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from mlp_sandbox.clusters.control_plane.scratch import ScratchControlPlane
from mlp_sandbox.clusters.model import NodeSpec
from mlp_sandbox.clusters.nodes.instance_types import instance_type
from mlp_sandbox.clusters.nodes.simulated_nodes import manifest
from mlp_sandbox.contracts.desired import EksTaint
from mlp_sandbox.instance import SOURCES
from mlp_sandbox.testing.box import free_port
from sandbox.tests.live.clusters.real_cluster import wait_for

CLUSTER = "autoscaled"
STANDINS = SOURCES / "mlp_sandbox" / "clusters" / "standins"


class Account:
    """Auto Scaling groups whose instances become simulated nodes, as in the data plane."""

    def __init__(self, endpoint: str, plane: ScratchControlPlane) -> None:
        common = {"endpoint_url": endpoint, "region_name": "us-east-1"}
        common |= {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.autoscaling: Any = boto3.client("autoscaling", **common)
        self.ec2: Any = boto3.client("ec2", **common)
        self.plane = plane
        self.kinds: dict[str, tuple[str, dict[str, str], tuple[EksTaint, ...]]] = {}
        self.subnet: str = self.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        self.image: str = self.ec2.describe_images()["Images"][0]["ImageId"]
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._follow)
        self._thread.start()

    def group(
        self,
        name: str,
        kind: str,
        limits: tuple[int, int],
        *,
        labels: dict[str, str] | None = None,
        taint: dict[str, str] | None = None,
        tagged: bool = True,
    ) -> None:
        self.ec2.create_launch_template(
            LaunchTemplateName=name, LaunchTemplateData={"InstanceType": kind, "ImageId": self.image}
        )
        prefix = "k8s.io/cluster-autoscaler/node-template"
        tags = {f"{prefix}/label/{key}": value for key, value in (labels or {}).items()}
        taints: tuple[EksTaint, ...] = ()
        if taint:
            tags[f"{prefix}/taint/{taint['key']}"] = f"{taint['value']}:{taint['effect']}"
            taints = (EksTaint(**taint),)
        if tagged:
            tags |= {"k8s.io/cluster-autoscaler/enabled": "true", f"k8s.io/cluster-autoscaler/{CLUSTER}": "owned"}
        self.kinds[name] = (kind, labels or {}, taints)
        self.autoscaling.create_auto_scaling_group(
            AutoScalingGroupName=name,
            LaunchTemplate={"LaunchTemplateName": name, "Version": "$Latest"},
            MinSize=limits[0],
            MaxSize=limits[1],
            DesiredCapacity=limits[0],
            VPCZoneIdentifier=self.subnet,
            Tags=[{"Key": key, "Value": value, "PropagateAtLaunch": False} for key, value in tags.items()],
        )

    def sizes(self) -> dict[str, int]:
        found = self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {each["AutoScalingGroupName"]: each["DesiredCapacity"] for each in found}

    def remove_groups(self) -> None:
        for name in self.sizes():
            self.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
            self.ec2.delete_launch_template(LaunchTemplateName=name)
        wait_for("nodes are gone", lambda: not self.plane.api.list("/api/v1/nodes"))

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._ending.wait(0.5):
            wanted: dict[str, NodeSpec] = {}
            for group in self.autoscaling.describe_auto_scaling_groups()["AutoScalingGroups"]:
                for instance in group["Instances"]:
                    spec = self._spec(group["AutoScalingGroupName"], instance)
                    wanted[spec.name] = spec
            there = {each["metadata"]["name"] for each in self.plane.api.list("/api/v1/nodes")}
            for name in wanted.keys() - there:
                self.plane.api.create("/api/v1/nodes", manifest(wanted[name]))
            for name in there - wanted.keys():
                self.plane.api.delete(f"/api/v1/nodes/{name}")

    def _spec(self, group: str, instance: dict[str, Any]) -> NodeSpec:
        kind, labels, taints = self.kinds[group]
        facts = instance_type(kind)
        zone: str = instance["AvailabilityZone"]
        name = f"{group}-{instance['InstanceId']}"
        own = {
            "kubernetes.io/hostname": name,
            "topology.kubernetes.io/region": "us-east-1",
            "kubernetes.io/os": "linux",
        }
        return NodeSpec(
            name=name,
            provider_id=f"aws:///{zone}/{instance['InstanceId']}",
            private_ip="10.0.0.1",
            instance_type=kind,
            zone=zone,
            node_group=group,
            labels=labels | own,
            taints=taints,
            cpus=facts.cpus,
            memory_mib=facts.memory_mib,
            max_pods=110,
            accelerators=facts.accelerators,
            real=False,
        )


def pod_path(name: str) -> str:
    return f"/api/v1/namespaces/default/pods/{name}"


def run_pod(plane: ScratchControlPlane, name: str, requests: dict[str, str], **spec: Any) -> None:
    container = {"name": "main", "image": "nothing", "resources": {"requests": requests, "limits": requests}}
    pod_spec = {"containers": [container], "automountServiceAccountToken": False, **spec}
    body = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": pod_spec}
    plane.api.create("/api/v1/namespaces/default/pods", body)


def node_of(plane: ScratchControlPlane, name: str) -> str | None:
    return plane.api.call("GET", pod_path(name))["spec"].get("nodeName")


def event(plane: ScratchControlPlane, pod: str, reason: str) -> str | None:
    for each in plane.api.list("/api/v1/namespaces/default/events"):
        if each["involvedObject"]["name"] == pod and each["reason"] == reason:
            return str(each["message"])
    return None


def text_with(url: str, words: str) -> str | None:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - our own address
        text: str = answer.read().decode()
    return text if words in text else None


@contextmanager
def autoscaler(endpoint: str, plane: ScratchControlPlane, folder: Path, *flags: str) -> Generator[str]:
    """Run the autoscaler as its container does, with kubeconfig and credentials from the environment.

    Yields its address.
    """
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
    environment |= {"PYTHONPATH": str(STANDINS), "KUBECONFIG": str(plane.kubeconfig), "AWS_ENDPOINT_URL": endpoint}
    environment |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-east-1"}
    command = [sys.executable, "-m", "cluster_autoscaler", "--cloud-provider=aws", f"--address=127.0.0.1:{port}"]
    command += [
        f"--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/{CLUSTER}"
    ]
    log = folder / "autoscaler.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--scan-interval=1s", "--v=4", *flags], env=environment, stdout=output, stderr=output
        )
    try:
        yield f"http://127.0.0.1:{port}"
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(20)
    assert "turn failed" not in log.read_text()

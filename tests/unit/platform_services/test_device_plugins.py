"""One device plugin for every vendor with nodes, on those nodes only."""

from typing import Any

import pytest

from mlp.recording import Deploy, RecordingCloud
from platform_services.device_plugins import DevicePlugins, DevicePluginsArgs
from tests.unit.platform_services.clusters import RANGES

DAEMON_SET = "kubernetes:apps/v1:DaemonSet"


def plugins(deploy: Deploy, *accelerators: str) -> RecordingCloud:
    args = DevicePluginsArgs(namespace="accelerators", accelerators=accelerators, ranges=RANGES)
    _, cloud = deploy(lambda: DevicePlugins("devices", args))
    return cloud


def pod(cloud: RecordingCloud, name: str) -> dict[str, Any]:
    return cloud.named(name).inputs["spec"]["template"]["spec"]


def wanted(spec: dict[str, Any]) -> list[str]:
    required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    [term] = required["nodeSelectorTerms"]
    [match] = term["matchExpressions"]
    assert (match["key"], match["operator"]) == ("accelerator", "In")
    return match["values"]


def test_a_cluster_without_accelerators_has_no_plugins(deploy: Deploy):
    assert plugins(deploy).of_type(DAEMON_SET) == []


def test_nvidia_nodes_get_the_nvidia_plugin_and_nothing_for_neuron(deploy: Deploy):
    cloud = plugins(deploy, "nvidia-h100", "nvidia-l4")
    [only] = cloud.of_type(DAEMON_SET)
    assert only.name == "devices-nvidia"
    assert wanted(pod(cloud, only.name)) == ["nvidia-h100", "nvidia-l4"]
    assert cloud.of_type("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole") == []


def test_neuron_nodes_get_the_neuron_plugin_with_the_rights_that_it_needs(deploy: Deploy):
    cloud = plugins(deploy, "aws-trainium", "nvidia-l4")
    assert {each.name for each in cloud.of_type(DAEMON_SET)} == {"devices-neuron", "devices-nvidia"}
    spec = pod(cloud, "devices-neuron")
    assert wanted(spec) == ["aws-trainium"]
    assert spec["automountServiceAccountToken"] is True
    [binding] = cloud.of_type("kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding")
    assert binding.inputs["subjects"] == [
        {"kind": "ServiceAccount", "name": spec["serviceAccountName"], "namespace": "accelerators"}
    ]
    assert binding.urn in cloud.named("devices-neuron").depends_on


@pytest.mark.parametrize(
    ("accelerator", "name", "key"),
    [("nvidia-l4", "devices-nvidia", "nvidia.com/gpu"), ("aws-inferentia2", "devices-neuron", "aws.amazon.com/neuron")],
)
def test_a_plugin_tolerates_the_taint_of_its_vendor_and_no_other(deploy: Deploy, accelerator: str, name: str, key: str):
    assert pod(plugins(deploy, accelerator), name)["tolerations"] == [
        {"key": key, "operator": "Exists", "effect": "NoSchedule"}
    ]


def test_a_plugin_registers_through_the_folder_of_the_kubelet(deploy: Deploy):
    spec = pod(plugins(deploy, "nvidia-l4"), "devices-nvidia")
    [volume], [container] = spec["volumes"], spec["containers"]
    assert volume["hostPath"]["path"] == "/var/lib/kubelet/device-plugins"
    assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/var/lib/kubelet/device-plugins"}]


def test_a_plugin_is_not_the_first_to_be_evicted(deploy: Deploy):
    assert pod(plugins(deploy, "nvidia-l4"), "devices-nvidia")["priorityClassName"] == "system-node-critical"

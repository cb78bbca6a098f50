"""The EFA device plugin runs only on nodes with EFA interfaces."""

from typing import Any

import pulumi
import pytest

from components.eks.arguments import NodePool
from mlp.recording import Deploy, RecordingCloud
from platform_services.efa_plugin import EfaPlugin, EfaPluginArgs
from platform_services.platform import Platform
from platform_services.versions import EKS_IMAGES_ACCOUNTS, WITHOUT_EKS_IMAGES, efa_device_plugin
from stacks.providers import kubernetes_provider
from stacks.settings.regions import REGIONS
from tests.unit.platform_services.clusters import GENERAL, handle, platform_args, pool

H100 = pool("h100", "p5.48xlarge", "nvidia-h100", efa=True)
FAST = pool("fast", "m7i.48xlarge", efa=True, taints={"team": "NoExecute"})


def plugin(deploy: Deploy, *pools: NodePool) -> dict[str, Any]:
    args = EfaPluginArgs(namespace="accelerators", region="eu-south-1", pools=pools)
    _, cloud = deploy(lambda: EfaPlugin("efa", args))
    return cloud.named("efa-pods").inputs["spec"]["template"]["spec"]


def platform(deploy: Deploy, *pools: NodePool) -> RecordingCloud:
    def program() -> Platform:
        cluster = handle(*pools)
        return Platform(
            "platform", platform_args(cluster), pulumi.ResourceOptions(providers=[kubernetes_provider(cluster)])
        )

    return deploy(program)[1]


def test_a_platform_has_it_where_a_pool_has_efa(deploy: Deploy):
    [made] = [
        each
        for each in platform(deploy, H100).of_type("kubernetes:apps/v1:DaemonSet")
        if each.inputs["metadata"]["name"] == "efa-device-plugin"
    ]
    assert made.inputs["metadata"]["namespace"] == "accelerators"


def test_a_platform_without_such_a_pool_has_none(deploy: Deploy):
    without = platform(deploy, pool("h100", "p5.48xlarge", "nvidia-h100")).of_type("kubernetes:apps/v1:DaemonSet")
    assert [each.inputs["metadata"]["name"] for each in without] == ["nvidia-device-plugin"]


def test_it_selects_the_nodes_of_those_pools_and_tolerates_their_taints_and_no_others(deploy: Deploy):
    spec = plugin(deploy, H100, FAST)
    required = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    [term] = required["nodeSelectorTerms"]
    assert term["matchExpressions"] == [{"key": "pool", "operator": "In", "values": ["fast", "h100"]}]
    assert spec["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "team", "operator": "Exists", "effect": "NoExecute"},
    ]


def test_it_sees_the_nodes_devices_and_has_no_token(deploy: Deploy):
    spec = plugin(deploy, H100)
    [container] = spec["containers"]
    paths = {volume["name"]: volume["hostPath"]["path"] for volume in spec["volumes"]}
    assert {paths[each["name"]] for each in container["volumeMounts"]} == {
        *("/var/lib/kubelet/device-plugins", "/dev/infiniband", "/opt/aws/neuron")
    }
    assert (spec["hostNetwork"], spec["automountServiceAccountToken"]) == (True, False)
    assert container["securityContext"] == {"privileged": True, "runAsUser": 0, "readOnlyRootFilesystem": True}


def test_its_image_is_the_regions_own(deploy: Deploy):
    [container] = plugin(deploy, H100)["containers"]
    assert container["image"] == ("590381155156.dkr.ecr.eu-south-1.amazonaws.com/eks/aws-efa-k8s-device-plugin:v0.5.20")
    assert efa_device_plugin("us-east-1").startswith("602401143452.dkr.ecr.us-east-1.amazonaws.com/")
    assert {*EKS_IMAGES_ACCOUNTS, *WITHOUT_EKS_IMAGES} <= set(REGIONS)


@pytest.mark.parametrize("region", WITHOUT_EKS_IMAGES)
def test_a_region_without_a_known_registry_is_named(region: str):
    with pytest.raises(ValueError, match=f"efa: AWS's documentation names no registry of EKS's images in {region}"):
        efa_device_plugin(region)


@pytest.mark.parametrize("pools", [(), (GENERAL,), (H100, GENERAL)])
def test_pools_without_efa_are_refused(pools: tuple[NodePool, ...]):
    with pytest.raises(ValueError, match=r"pools must be those with efa, got (none|general)"):
        EfaPluginArgs(namespace="accelerators", region="us-east-1", pools=pools)

"""What a project's pods may connect to, and who to them: nothing but what a policy here names.

https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
"""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from ml_workloads.deployment.arguments import metadata, selector
from ml_workloads.project import Project
from ml_workloads.project.data import SqlSource
from ml_workloads.project.deployment_names import SERVING, SERVING_PORT, TRAINING
from platform_services.handles import PlatformHandle
from platform_services.network_policies import to_aws, to_dns, to_service

Egress = k8s.networking.v1.NetworkPolicyEgressRuleArgsDict
Spec = k8s.networking.v1.NetworkPolicySpecArgsDict

POSTGRES_PORT = 5432


class Isolation(pulumi.ComponentResource):
    """`policies` have to be there before pods are, and go after them."""

    policies: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        project: Project,
        platform: PlatformHandle,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops:index:ProjectIsolation", name, {}, opts)
        self.policies = tuple(
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{title}",
                metadata=metadata(title, namespace),
                spec=spec,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for title, spec in _policies(project, platform).items()
        )
        self.register_outputs({})


def _policies(project: Project, platform: PlatformHandle) -> dict[str, Spec]:
    policies: dict[str, Spec] = {
        "default-deny": {"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
        "allow-dns": {"pod_selector": {}, "policy_types": ["Egress"], "egress": [to_dns()]},
        TRAINING: {
            "pod_selector": {"match_labels": selector(TRAINING)},
            "policy_types": ["Egress"],
            "egress": [*_platform(platform), *_database(project, platform)],
        },
    }
    if project.serving.online:
        policies[SERVING] = {
            "pod_selector": {"match_labels": selector(SERVING)},
            "policy_types": ["Ingress", "Egress"],
            "ingress": [{"from_": [{"pod_selector": {}}], "ports": [{"protocol": "TCP", "port": SERVING_PORT}]}],
            "egress": _platform(platform),
        }
    return policies


def _platform(platform: PlatformHandle) -> list[Egress]:
    tracking = platform.tracking
    return [to_service(tracking.namespace, tracking.labels, tracking.port), *to_aws(platform.ranges)]


def _database(project: Project, platform: PlatformHandle) -> Sequence[Egress]:
    """Security groups decide which databases of the network let pods in; the secret decides who may read there."""
    if not isinstance(project.data.source, SqlSource):
        return []
    network = platform.ranges.vpc
    return [{"to": [{"ip_block": {"cidr": network}}], "ports": [{"protocol": "TCP", "port": POSTGRES_PORT}]}]

"""Network policies of a project's pods. Every connection that no policy here allows is denied, in and out.

https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
"""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as k8s

from ml_workloads.deployment.arguments import PART_LABEL, metadata, selector
from ml_workloads.project import Project
from ml_workloads.project.data import SqlSource
from ml_workloads.project.deployment_names import CONDUCTOR, FIT, SERVING, SERVING_PORT, WORKER, WORKER_PORT
from platform_services.handles import PlatformHandle
from platform_services.network_policies import to_aws, to_dns, to_kubernetes, to_service

Egress = k8s.networking.v1.NetworkPolicyEgressRuleArgsDict
Spec = k8s.networking.v1.NetworkPolicySpecArgsDict

POSTGRES_PORT = 5432


class ProjectNetworkPolicies(pulumi.ComponentResource):
    """The network policies of a project. They have to exist before its pods start, and are deleted after the pods."""

    policies: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        project: Project,
        platform: PlatformHandle,
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops:index:ProjectNetworkPolicies", name, {}, opts)
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
        # Workers get no DNS, because a pod can send data to the outside in the names that it looks up.
        "allow-dns": {
            "pod_selector": {"match_expressions": [{"key": PART_LABEL, "operator": "NotIn", "values": [WORKER]}]},
            "policy_types": ["Egress"],
            "egress": [to_dns()],
        },
        CONDUCTOR: {
            "pod_selector": {"match_labels": selector(CONDUCTOR)},
            "policy_types": ["Egress"],
            "egress": [
                *_platform(platform),
                *_database(project, platform),
                to_kubernetes(platform.ranges),
                _to_workers(),
            ],
        },
        FIT: {
            "pod_selector": {"match_labels": selector(FIT)},
            "policy_types": ["Egress"],
            "egress": list(to_aws(platform.ranges)),
        },
        WORKER: {
            "pod_selector": {"match_labels": selector(WORKER)},
            "policy_types": ["Ingress"],
            "ingress": [
                {
                    "from_": [{"pod_selector": {"match_labels": selector(CONDUCTOR)}}],
                    "ports": [{"protocol": "TCP", "port": WORKER_PORT}],
                }
            ],
        },
    }
    if project.serving.online:
        policies[SERVING] = {
            "pod_selector": {"match_labels": selector(SERVING)},
            "policy_types": ["Ingress", "Egress"],
            # Pods of a training run may not connect to the server, because they run code that is not evaluated yet.
            "ingress": [{"from_": [{"pod_selector": _others()}], "ports": [{"protocol": "TCP", "port": SERVING_PORT}]}],
            "egress": _platform(platform),
        }
    return policies


def _others() -> k8s.meta.v1.LabelSelectorArgsDict:
    return {"match_expressions": [{"key": PART_LABEL, "operator": "NotIn", "values": [FIT, WORKER]}]}


def _to_workers() -> Egress:
    return {
        "to": [{"pod_selector": {"match_labels": selector(WORKER)}}],
        "ports": [{"protocol": "TCP", "port": WORKER_PORT}],
    }


def _platform(platform: PlatformHandle) -> list[Egress]:
    tracking = platform.tracking
    return [to_service(tracking.namespace, tracking.labels, tracking.port), *to_aws(platform.ranges)]


def _database(project: Project, platform: PlatformHandle) -> Sequence[Egress]:
    """Return the egress rule for a SQL source, or none for other sources.

    Security groups decide which databases of the network let pods in; the secret decides who may read there.
    """
    if not isinstance(project.data.source, SqlSource):
        return []
    network = platform.ranges.vpc
    return [{"to": [{"ip_block": {"cidr": network}}], "ports": [{"protocol": "TCP", "port": POSTGRES_PORT}]}]

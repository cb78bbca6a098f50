"""Cluster Autoscaler: adds nodes for pods that are pending, and removes idle nodes.

Its image follows the cluster's minor version, because it contains the scheduler that it simulates with.
https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md
"""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from components.eks.arguments import ClusterHandle
from components.eks.autoscaler_spec import AutoscalerSpec
from components.pod_identity import NEEDS_ROLE, PodIdentity, PodRoleArgs
from platform_services.autoscaler_policies import CLUSTER_RULES, NAMESPACE_RULES, autoscaler_policy
from platform_services.network_policies import Ranges, to_aws, to_kubernetes
from platform_services.pods import closed_container, resources, restricted_pod
from platform_services.versions import CLUSTER_AUTOSCALER

NAME = "cluster-autoscaler"
PORT = 8085
LABELS = {"app.kubernetes.io/name": NAME}


@dataclass(frozen=True, kw_only=True)
class AutoscalerArgs:
    """Section `cluster.autoscaler` of the stack file, and the values of other components that the autoscaler needs.

    `namespace` is a plain name, because the role's trust policy contains it too.
    """

    spec: AutoscalerSpec
    cluster: ClusterHandle
    namespace: str
    namespace_ready: pulumi.Input[str]
    ranges: Ranges


def autoscaler_flags(cluster: ClusterHandle, namespace: str, scale_down_minutes: int) -> list[str]:
    """Return the command line arguments of Cluster Autoscaler."""
    tags = ("k8s.io/cluster-autoscaler/enabled", f"k8s.io/cluster-autoscaler/{cluster.plain_name}")
    return [
        "--cloud-provider=aws",
        f"--namespace={namespace}",
        f"--node-group-auto-discovery=asg:tag={','.join(tags)}",
        f"--max-nodes-total={cluster.max_nodes}",
        "--balance-similar-node-groups=true",
        "--expander=least-waste",
        # Local files are scratch space here. Data that has to outlive a node is on a volume or in a bucket.
        "--skip-nodes-with-local-storage=false",
        f"--scale-down-unneeded-time={scale_down_minutes}m",
        f"--scale-down-delay-after-add={scale_down_minutes}m",
        "--stderrthreshold=info",
        "--v=2",
    ]


class Autoscaler(pulumi.ComponentResource):
    """Cluster Autoscaler with its permissions, disruption budget and network policy."""

    def __init__(self, name: str, args: AutoscalerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Autoscaler", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        cluster = args.cluster
        identity = PodIdentity(
            f"{name}-pod",
            PodRoleArgs(
                account=cluster.account,
                cluster_name=cluster.plain_name,
                cluster=cluster.name,
                namespace=args.namespace,
                service_account=NAME,
                policy=cluster.account.scope.apply(lambda scope: autoscaler_policy(scope, cluster.plain_name)),
            ),
            self._child,
        )
        rights = self._rights()
        k8s.apps.v1.Deployment(
            f"{name}-deployment",
            metadata={"name": NAME, "namespace": args.namespace_ready, "labels": LABELS},
            spec={
                "replicas": 1,
                "selector": {"match_labels": LABELS},
                "template": {"metadata": {"labels": {**LABELS, **NEEDS_ROLE}}, "spec": self._pod()},
            },
            # Credentials are injected when the pod is created, and without its permissions the autoscaler exits at
            # once.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[identity, *rights]),
        )
        k8s.policy.v1.PodDisruptionBudget(
            f"{name}-disruptions",
            metadata={"name": NAME, "namespace": args.namespace_ready},
            spec={"max_unavailable": 1, "selector": {"match_labels": LABELS}},
            opts=self._child,
        )
        k8s.networking.v1.NetworkPolicy(
            f"{name}-apis",
            metadata={"name": NAME, "namespace": args.namespace_ready},
            spec={
                "pod_selector": {"match_labels": LABELS},
                "policy_types": ["Egress"],
                "egress": [*to_aws(args.ranges), to_kubernetes(args.ranges)],
            },
            opts=self._child,
        )
        self.register_outputs({})

    def _pod(self) -> k8s.core.v1.PodSpecArgsDict:
        args, cluster = self._args, self._args.cluster
        return {
            "priority_class_name": "system-cluster-critical",
            "service_account_name": NAME,
            "automount_service_account_token": True,
            "security_context": restricted_pod(),
            "containers": [
                {
                    "name": NAME,
                    "image": CLUSTER_AUTOSCALER[cluster.version],
                    "command": ["./cluster-autoscaler"],
                    "args": autoscaler_flags(cluster, args.namespace, args.spec.scale_down_minutes),
                    "env": [{"name": "AWS_REGION", "value": cluster.region}],
                    "ports": [{"name": "http", "container_port": PORT}],
                    "liveness_probe": {
                        "http_get": {"path": "/health-check", "port": PORT},
                        "initial_delay_seconds": 30,
                        "period_seconds": 15,
                        "failure_threshold": 4,
                    },
                    "security_context": closed_container(),
                    "resources": resources("100m", "256Mi", "1Gi"),
                }
            ],
        }

    def _rights(self) -> list[pulumi.Resource]:
        name, namespace = self._name, self._args.namespace_ready
        group = "rbac.authorization.k8s.io"
        subject: k8s.rbac.v1.SubjectArgsDict = {"kind": "ServiceAccount", "name": NAME, "namespace": namespace}
        rights: list[pulumi.Resource] = [
            k8s.core.v1.ServiceAccount(
                f"{name}-account",
                metadata={"name": NAME, "namespace": namespace},
                automount_service_account_token=False,
                opts=self._child,
            ),
            k8s.rbac.v1.ClusterRole(
                f"{name}-cluster-role", metadata={"name": NAME}, rules=list(CLUSTER_RULES), opts=self._child
            ),
            k8s.rbac.v1.ClusterRoleBinding(
                f"{name}-cluster-binding",
                metadata={"name": NAME},
                role_ref={"api_group": group, "kind": "ClusterRole", "name": NAME},
                subjects=[subject],
                opts=self._child,
            ),
            k8s.rbac.v1.Role(
                f"{name}-role",
                metadata={"name": NAME, "namespace": namespace},
                rules=list(NAMESPACE_RULES),
                opts=self._child,
            ),
            k8s.rbac.v1.RoleBinding(
                f"{name}-binding",
                metadata={"name": NAME, "namespace": namespace},
                role_ref={"api_group": group, "kind": "Role", "name": NAME},
                subjects=[subject],
                opts=self._child,
            ),
        ]
        return rights

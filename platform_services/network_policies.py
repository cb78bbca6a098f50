"""Nothing talks to anything in the platform's namespaces unless a policy here says so.

https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from platform_services.namespaces import ACCELERATORS, NAMESPACES

DNS_PORT, HTTPS, HTTP = 53, 443, 80
ANYWHERE = "0.0.0.0/0"
# https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
POD_IDENTITY_AGENT = "169.254.170.23/32"


@dataclass(frozen=True, kw_only=True)
class NetworkPoliciesArgs:
    namespaces: Mapping[str, pulumi.Input[str]]


class NetworkPolicies(pulumi.ComponentResource):
    """All pods of every namespace: no connection in or out; where names are looked up, DNS."""

    def __init__(self, name: str, args: NetworkPoliciesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:NetworkPolicies", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        for namespace in NAMESPACES:
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{namespace}-deny",
                metadata={"name": "default-deny", "namespace": args.namespaces[namespace]},
                spec={"pod_selector": {}, "policy_types": ["Ingress", "Egress"]},
                opts=child,
            )
            if namespace == ACCELERATORS:  # device plugins talk to the kubelet through a socket
                continue
            k8s.networking.v1.NetworkPolicy(
                f"{name}-{namespace}-dns",
                metadata={"name": "allow-dns", "namespace": args.namespaces[namespace]},
                spec={"pod_selector": {}, "policy_types": ["Egress"], "egress": [to_dns()]},
                opts=child,
            )
        self.register_outputs({})


def to_dns() -> k8s.networking.v1.NetworkPolicyEgressRuleArgsDict:
    return {
        "to": [
            {
                "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": "kube-system"}},
                "pod_selector": {"match_labels": {"k8s-app": "kube-dns"}},
            }
        ],
        "ports": [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")],
    }


def to_apis() -> Sequence[k8s.networking.v1.NetworkPolicyEgressRuleArgsDict]:
    """The Kubernetes API and those of AWS, whose addresses nobody promises, and the agent that hands out roles."""
    return [
        {"to": [{"ip_block": {"cidr": ANYWHERE}}], "ports": [{"protocol": "TCP", "port": HTTPS}]},
        {"to": [{"ip_block": {"cidr": POD_IDENTITY_AGENT}}], "ports": [{"protocol": "TCP", "port": HTTP}]},
    ]


def to_service(
    namespace: str, labels: Mapping[str, str], port: int
) -> k8s.networking.v1.NetworkPolicyEgressRuleArgsDict:
    """Pods with these labels in another namespace, or the same."""
    return {
        "to": [
            {
                "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": namespace}},
                "pod_selector": {"match_labels": labels},
            }
        ],
        "ports": [{"protocol": "TCP", "port": port}],
    }

"""Nothing talks to anything in the platform's namespaces unless a policy here says so.

https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from platform_services.namespaces import ACCELERATORS, NAMESPACES

DNS_PORT, HTTPS, HTTP = 53, 443, 80
ANYWHERE = "0.0.0.0/0"
# Ranges that no public address is in: networks of companies, carriers (pods have addresses of theirs), links of a node.
# https://www.rfc-editor.org/rfc/rfc1918, rfc6598 and rfc3927
NOT_PUBLIC = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
# https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
POD_IDENTITY_AGENT = "169.254.170.23/32"


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """Where in the network pods find what: `vpc` is all of it, where databases are.

    `endpoints` is where AWS answers inside the VPC, none where it does on the internet only. `kubernetes` is where the
    Kubernetes API does: the first address of the services' range, and the subnets of the cluster's interfaces.
    """

    vpc: str
    endpoints: tuple[str, ...]
    kubernetes: tuple[str, ...]


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


def to_aws(ranges: Ranges) -> Sequence[k8s.networking.v1.NetworkPolicyEgressRuleArgsDict]:
    """The APIs of AWS, and the agent that hands out roles.

    Which public addresses AWS has, nobody promises: all of them are let through, on one port. Addresses of private
    networks are not: the Kubernetes API, other pods, and what lies behind a connection have theirs there.
    """
    public: k8s.networking.v1.NetworkPolicyPeerArgsDict = {"ip_block": {"cidr": ANYWHERE, "except_": list(NOT_PUBLIC)}}
    return [
        {"to": [public, *_blocks(ranges.endpoints)], "ports": [{"protocol": "TCP", "port": HTTPS}]},
        {"to": _blocks([POD_IDENTITY_AGENT]), "ports": [{"protocol": "TCP", "port": HTTP}]},
    ]


def to_kubernetes(ranges: Ranges) -> k8s.networking.v1.NetworkPolicyEgressRuleArgsDict:
    """The Kubernetes API, by the address of its Service and by those behind it."""
    return {"to": _blocks(ranges.kubernetes), "ports": [{"protocol": "TCP", "port": HTTPS}]}


def _blocks(cidrs: Iterable[str]) -> list[k8s.networking.v1.NetworkPolicyPeerArgsDict]:
    return [{"ip_block": {"cidr": cidr}} for cidr in cidrs]


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

"""Network policies of the platform's namespaces. Every connection that no policy here allows is denied.

https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as k8s

from platform_services.namespaces import ACCELERATORS, NAMESPACES

DNS_PORT, HTTPS, HTTP = 53, 443, 80
ANYWHERE = "0.0.0.0/0"
# Ranges without public addresses: private networks, carrier-grade NAT (pods have addresses of that range), link-local.
# https://www.rfc-editor.org/rfc/rfc1918, rfc6598 and rfc3927
NOT_PUBLIC = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
# https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html
POD_IDENTITY_AGENT = "169.254.170.23/32"


@dataclass(frozen=True, kw_only=True)
class Ranges:
    """IP ranges of the network. `vpc` is the whole VPC, which contains the databases.

    `endpoints` are the ranges in which AWS answers inside the VPC; it is empty if AWS is reached over the internet
    only. `kubernetes` are the ranges of the Kubernetes API: the first address of the services' range, and the subnets
    of the cluster's interfaces.
    """

    vpc: str
    endpoints: tuple[str, ...]
    kubernetes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class NetworkPoliciesArgs:
    namespaces: Mapping[str, pulumi.Input[str]]


class NetworkPolicies(pulumi.ComponentResource):
    """Default policies for all pods of every namespace: deny all connections, allow DNS where names are looked up."""

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
    """Return a rule for the cluster's DNS."""
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
    """Return rules for the APIs of AWS, and for the agent that provides credentials of roles.

    AWS does not guarantee the list of its public addresses, so all public addresses are allowed, on one port. Addresses
    of private networks are not: the Kubernetes API, other pods, and networks behind a connection have their addresses
    there.
    """
    public: k8s.networking.v1.NetworkPolicyPeerArgsDict = {"ip_block": {"cidr": ANYWHERE, "except_": list(NOT_PUBLIC)}}
    return [
        {"to": [public, *_blocks(ranges.endpoints)], "ports": [{"protocol": "TCP", "port": HTTPS}]},
        {"to": _blocks([POD_IDENTITY_AGENT]), "ports": [{"protocol": "TCP", "port": HTTP}]},
    ]


def to_kubernetes(ranges: Ranges) -> k8s.networking.v1.NetworkPolicyEgressRuleArgsDict:
    """Return a rule for the Kubernetes API, by the address of its Service and by those behind it."""
    return {"to": _blocks(ranges.kubernetes), "ports": [{"protocol": "TCP", "port": HTTPS}]}


def _blocks(cidrs: Iterable[str]) -> list[k8s.networking.v1.NetworkPolicyPeerArgsDict]:
    return [{"ip_block": {"cidr": cidr}} for cidr in cidrs]


def to_service(
    namespace: str, labels: Mapping[str, str], port: int
) -> k8s.networking.v1.NetworkPolicyEgressRuleArgsDict:
    """Return a rule for pods with these labels in another namespace, or in the same one."""
    return {
        "to": [
            {
                "namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": namespace}},
                "pod_selector": {"match_labels": labels},
            }
        ],
        "ports": [{"protocol": "TCP", "port": port}],
    }

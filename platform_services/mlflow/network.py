"""Network policies of MLflow: its clients, and the addresses that it may connect to."""

from collections.abc import Sequence

import pulumi_kubernetes as k8s

from platform_services.mlflow.pods import NAME, PORT, labels
from platform_services.namespaces import PROJECT_LABEL


def to_database(parts: Sequence[str], vpc_cidr: str, port: int) -> k8s.networking.v1.NetworkPolicySpecArgsDict:
    """Return the policy for connections to the database.

    The address of the database changes after a failover, so all addresses of the VPC are allowed.
    """
    return {
        "pod_selector": {
            "match_expressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": list(parts)}]
        },
        "policy_types": ["Egress"],
        "egress": [{"to": [{"ip_block": {"cidr": vpc_cidr}}], "ports": [{"protocol": "TCP", "port": port}]}],
    }


def from_clients() -> k8s.networking.v1.NetworkPolicySpecArgsDict:
    """Return the policy for clients: pods of projects, and of MLflow's own parts."""
    return {
        "pod_selector": {"match_labels": labels(NAME)},
        "policy_types": ["Ingress"],
        "ingress": [
            {
                "from_": [
                    {"namespace_selector": {"match_expressions": [{"key": PROJECT_LABEL, "operator": "Exists"}]}},
                    {"pod_selector": {"match_labels": {"app.kubernetes.io/part-of": NAME}}},
                ],
                "ports": [{"protocol": "TCP", "port": PORT}],
            }
        ],
    }

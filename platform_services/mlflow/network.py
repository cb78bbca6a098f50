"""Who may talk to MLflow, and what it may talk to."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from components.database import PORT as DATABASE_PORT
from components.database import DatabaseHandle
from components.eks.arguments import ClusterHandle
from platform_services.mlflow.pods import NAME, PORT, labels
from platform_services.namespaces import PROJECT_LABEL


def to_database(parts: Sequence[str], vpc_cidr: str, port: int) -> k8s.networking.v1.NetworkPolicySpecArgsDict:
    """The address of the database is another one after a failover; it is always one of the VPC's."""
    return {
        "pod_selector": {
            "match_expressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": list(parts)}]
        },
        "policy_types": ["Egress"],
        "egress": [{"to": [{"ip_block": {"cidr": vpc_cidr}}], "ports": [{"protocol": "TCP", "port": port}]}],
    }


def from_clients() -> k8s.networking.v1.NetworkPolicySpecArgsDict:
    """Pods of projects, and of MLflow's own parts."""
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


def rule_for_pods(
    name: str, database: DatabaseHandle, cluster: ClusterHandle, prefix: str, opts: pulumi.ResourceOptions
) -> pulumi.Resource:
    """Let pods into the database's security group: all are in the cluster's. Network policies say which get through."""
    return aws.vpc.SecurityGroupIngressRule(
        name,
        security_group_id=database.security_group_id,
        referenced_security_group_id=cluster.security_group_id,
        ip_protocol="tcp",
        from_port=DATABASE_PORT,
        to_port=DATABASE_PORT,
        description="PostgreSQL from pods of the cluster",
        tags={"Name": f"{prefix}-mlflow-from-cluster"},
        opts=opts,
    )

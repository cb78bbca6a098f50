"""Clusters, groups and instances as the emulated API would describe them."""

from __future__ import annotations

from typing import Any

from mlp_sandbox.contracts.desired import EksAddon, EksCluster, EksInstance, EksNodeGroup, EksTaint

GPU_TAINT = EksTaint(key="nvidia.com/gpu", value="true", effect="NoSchedule")


def instance(number: int, kind: str = "m7i.large") -> EksInstance:
    address = f"10.10.{number // 200}.{number % 200 + 10}"
    return EksInstance(
        instance_id=f"i-{number:017x}",
        instance_type=kind,
        zone="us-east-1a",
        private_ip=address,
        private_dns_name=f"ip-{address.replace('.', '-')}.ec2.internal",
    )


def group(name: str, *instances: EksInstance, **changes: Any) -> EksNodeGroup:
    described: dict[str, Any] = {
        "ami_type": "AL2023_x86_64_STANDARD",
        "capacity_type": "ON_DEMAND",
        "max_size": 9,
        "labels": {},
        "taints": (),
        "instances": instances,
    }
    return EksNodeGroup(name=name, **(described | changes))


def cluster(*groups: EksNodeGroup, **changes: Any) -> EksCluster:
    described: dict[str, Any] = {
        "cluster_id": "c-1",
        "arn": "arn:aws:eks:us-east-1:123456789012:cluster/ml",
        "name": "ml",
        "account": "123456789012",
        "region": "us-east-1",
        "version": "1.36",
        "vpc_cidr": "10.10.0.0/16",
        "pod_cidr": "100.64.0.0/16",
        "service_cidr": "172.20.0.0/16",
        "oidc_issuer": "https://oidc.eks.us-east-1.amazonaws.com/id/ABC",
        "addons": (EksAddon(name="coredns", version="v1.13.2-eksbuild.1", configuration={"replicaCount": 1}),),
    }
    return EksCluster(node_groups=groups, **(described | changes))

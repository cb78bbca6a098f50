"""Prerequisites of EKS clusters, created with boto3 and not with the handlers under test."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sandbox.tests.unit.providers.emulated import Emulated

NODE_POLICIES = ("AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly")


@dataclass
class Ground:
    """A VPC with subnets in two zones, a key and roles; each is created on first use."""

    account: Emulated

    @cached_property
    def vpc(self) -> str:
        return str(self.account.client("ec2").create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"])

    @cached_property
    def subnets(self) -> list[str]:
        ec2 = self.account.client("ec2")
        return [
            str(
                ec2.create_subnet(VpcId=self.vpc, CidrBlock=f"10.10.{index}.0/24", AvailabilityZone=f"us-east-1{zone}")[
                    "Subnet"
                ]["SubnetId"]
            )
            for index, zone in enumerate("abc")
        ]

    @cached_property
    def key(self) -> str:
        return str(self.account.client("kms").create_key()["KeyMetadata"]["Arn"])

    @cached_property
    def cluster_role(self) -> str:
        return self.role("eks-cluster", "eks.amazonaws.com", "AmazonEKSClusterPolicy")

    @cached_property
    def node_role(self) -> str:
        return self.role("eks-node", "ec2.amazonaws.com", *NODE_POLICIES)

    def pod_role(self, name: str) -> str:
        return self.role(name, "pods.eks.amazonaws.com")

    def group(self, name: str) -> str:
        reply = self.account.client("ec2").create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        return str(reply["GroupId"])

    def role(self, name: str, service: str, *policies: str) -> str:
        iam = self.account.client("iam")
        actions = ["sts:AssumeRole", "sts:TagSession"] if service.startswith("pods") else "sts:AssumeRole"
        statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": actions}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        arn = str(iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
        for policy in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
        return arn

    def cluster_inputs(self, name: str, **more: Any) -> dict[str, Any]:
        """Return inputs of a private cluster as the platform declares it."""
        inputs: dict[str, Any] = {
            "name": name,
            "roleArn": self.cluster_role,
            "version": "1.35",
            "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
            "bootstrapSelfManagedAddons": False,
            "enabledClusterLogTypes": ["audit", "api"],
            "encryptionConfig": {"provider": {"keyArn": self.key}, "resources": ["secrets"]},
            "kubernetesNetworkConfig": {"serviceIpv4Cidr": "172.20.0.0/16"},
            "upgradePolicy": {"supportType": "STANDARD"},
            "vpcConfig": {
                "endpointPrivateAccess": True,
                "endpointPublicAccess": False,
                "subnetIds": self.subnets[:2],
            },
            "tags": {"team": "ml"},
        }
        return {**inputs, **more}

    def cluster(self, name: str, **more: Any) -> str:
        """Create a running cluster for tests of other types."""
        eks, inputs = self.account.client("eks"), self.cluster_inputs(name, **more)
        eks.create_cluster(
            **{key: inputs[key] for key in ("name", "roleArn", "version", "accessConfig", "kubernetesNetworkConfig")},
            resourcesVpcConfig=inputs["vpcConfig"],
        )
        eks.get_waiter("cluster_active").wait(name=name, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
        return name

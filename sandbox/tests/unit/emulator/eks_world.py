"""Resources that an EKS cluster needs around it, created through the emulated API."""

import json
from typing import Any

from sandbox.tests.unit.emulator.emulated import Emulated


def trust(service: str, *actions: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": list(actions) or ["sts:AssumeRole"],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class World:
    """A VPC with two zones and a range for pods, the roles of cluster, nodes and pods, and the clients."""

    def __init__(self, emulated: Emulated) -> None:
        self.emulated = emulated
        self.ec2, self.eks = emulated.client("ec2"), emulated.client("eks")
        self.iam, self.scaling = emulated.client("iam"), emulated.client("autoscaling")
        self.vpc = str(self.ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"])
        self.ec2.associate_vpc_cidr_block(VpcId=self.vpc, CidrBlock="100.64.0.0/16")
        self.subnets = [self.subnet(f"10.10.{32 * number}.0/24", zone) for number, zone in enumerate("ab")]
        self.cluster_role = self.role("cluster", trust("eks.amazonaws.com"))
        self.node_role = self.role("nodes", trust("ec2.amazonaws.com"))
        self.pod_role = self.role("pods", trust("pods.eks.amazonaws.com", "sts:AssumeRole", "sts:TagSession"))

    def subnet(self, cidr: str, zone: str) -> str:
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=f"us-east-1{zone}")
        return str(made["Subnet"]["SubnetId"])

    def role(self, name: str, document: str) -> str:
        return str(self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])

    def cluster(self, name: str = "ml", **changes: Any) -> dict[str, Any]:
        sent: dict[str, Any] = {
            "name": name,
            "version": "1.36",
            "roleArn": self.cluster_role,
            "resourcesVpcConfig": {"subnetIds": self.subnets},
            "accessConfig": {"authenticationMode": "API"},
        }
        return self.eks.create_cluster(**sent | changes)["cluster"]

    def node_group(self, name: str = "general", **changes: Any) -> dict[str, Any]:
        sent: dict[str, Any] = {
            "clusterName": "ml",
            "nodegroupName": name,
            "subnets": self.subnets,
            "nodeRole": self.node_role,
            "instanceTypes": ["m6i.large"],
            "scalingConfig": {"minSize": 0, "maxSize": 5, "desiredSize": 2},
        }
        return self.eks.create_nodegroup(**sent | changes)["nodegroup"]

    def launch_template(self, name: str = "nodes", **data: Any) -> dict[str, str]:
        """Create a launch template; returns the reference to it for a request for a node group."""
        sent = {
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
            "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 50, "VolumeType": "gp3"}}],
            "TagSpecifications": [
                {"ResourceType": kind, "Tags": [{"Key": "team", "Value": "ml"}]} for kind in ("instance", "volume")
            ],
            "UserData": "aGVsbG8=",
        }
        made = self.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=sent | data)
        return {"id": made["LaunchTemplate"]["LaunchTemplateId"], "version": "1"}

    def described(self, name: str = "general") -> dict[str, Any]:
        return self.eks.describe_nodegroup(clusterName="ml", nodegroupName=name)["nodegroup"]

    def instances(self) -> list[dict[str, Any]]:
        filters = [{"Name": "instance-state-name", "Values": ["running"]}]
        found = self.ec2.describe_instances(Filters=filters)["Reservations"]
        return [instance for reservation in found for instance in reservation["Instances"]]

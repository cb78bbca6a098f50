"""EKS in a real emulator process: acknowledged changes survive a kill -9, and the webhooks answer."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from sandbox.tests.live.emulator.running import Running, plain


def _trust(service: str) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _fill(running: Running) -> None:
    ec2, eks, iam = running.client("ec2"), running.client("eks"), running.client("iam")
    roles = [
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust(service))["Role"]["Arn"]
        for name, service in (("cluster", "eks.amazonaws.com"), ("nodes", "ec2.amazonaws.com"))
    ]
    vpc = ec2.create_vpc(CidrBlock="10.10.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.10.{number}.0/24", AvailabilityZone=f"us-east-1{zone}")["Subnet"][
            "SubnetId"
        ]
        for number, zone in enumerate("ab")
    ]
    eks.create_cluster(
        name="ml",
        roleArn=roles[0],
        resourcesVpcConfig={"subnetIds": subnets},
        accessConfig={"authenticationMode": "API"},
    )
    eks.create_nodegroup(
        clusterName="ml",
        nodegroupName="general",
        subnets=subnets,
        nodeRole=roles[1],
        scalingConfig={"minSize": 0, "maxSize": 9, "desiredSize": 6},
    )
    eks.create_addon(clusterName="ml", addonName="coredns")
    group = eks.describe_nodegroup(clusterName="ml", nodegroupName="general")["nodegroup"]["resources"]
    name = group["autoScalingGroups"][0]["name"]
    for size in (3, 7, 2):
        running.client("autoscaling").set_desired_capacity(AutoScalingGroupName=name, DesiredCapacity=size)
    eks.update_nodegroup_version(clusterName="ml", nodegroupName="general")


def _described(running: Running) -> list[dict[str, Any]]:
    ec2, eks = running.client("ec2"), running.client("eks")
    return [
        plain(answer)
        for answer in (
            eks.describe_cluster(name="ml"),
            eks.describe_nodegroup(clusterName="ml", nodegroupName="general"),
            eks.describe_addon(clusterName="ml", addonName="coredns"),
            eks.list_access_entries(clusterName="ml"),
            running.client("autoscaling").describe_auto_scaling_groups(),
            ec2.describe_instances(),
            ec2.describe_volumes(),
            ec2.describe_network_interfaces(),
            ec2.describe_launch_template_versions(Versions=["$Latest"]),
        )
    ]


def test_a_cluster_and_its_instances_come_back_the_same_after_a_kill(fresh: Running):
    _fill(fresh.start())
    before = _described(fresh)
    fresh.kill()
    fresh.start()
    assert _described(fresh) == before


def test_the_webhooks_answer_beside_the_api(fresh: Running):
    _fill(fresh.start())
    issuer = fresh.client("eks").describe_cluster(name="ml")["cluster"]["identity"]["oidc"]["issuer"]
    url = f"{fresh.url}/_mlp/eks/{issuer.rpartition('/')[2]}/authenticate"
    body = json.dumps({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": "x"}})
    with urllib.request.urlopen(urllib.request.Request(url, body.encode()), timeout=5) as answer:  # noqa: S310
        assert json.load(answer)["status"]["authenticated"] is False
    assert "a token was refused: the token does not begin with k8s-aws-v1." in fresh.log.read_text()
    with pytest.raises(urllib.error.HTTPError, match="405"):
        urllib.request.urlopen(url, timeout=5)  # noqa: S310

"""`pulumi destroy` on an environment in use: in a working order, with no billable resource left."""

from __future__ import annotations

from typing import Any

import pytest

from mlp_sandbox.clusters import host
from mlp_sandbox.clusters.folder import existing_folders
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.deployed import CLUSTER, Deployed

TAG = {"Name": "tag:environment", "Values": ["dev"]}


@pytest.fixture(scope="module")
def destroyed(deployed: Deployed) -> str:
    """Return the engine's output while it destroys an environment in which a user's pods still run."""
    made = deployed.api.create("/api/v1/namespaces", {"metadata": {"name": "left-behind"}})
    assert made["status"]["phase"] == "Active"
    return deployed.copy.pulumi("destroy", "--yes", "--skip-preview")


def test_no_resource_is_left_in_the_state(deployed: Deployed, destroyed: str) -> None:
    left = deployed.box.export(deployed.copy.stack, deployed.copy.folder)
    assert [each["urn"] for each in left if each.get("custom")] == []
    assert "errored" not in destroyed


@pytest.mark.usefixtures("destroyed")
def test_the_cluster_its_processes_and_its_folders_are_gone_and_the_host_is_as_before(deployed: Deployed) -> None:
    assert deployed.box.client("eks").list_clusters()["clusters"] == []
    home = deployed.box.instance.aws
    eventually(lambda: not list(existing_folders(home)), "the cluster's folder is gone", 60)
    found = host.snapshot(home)
    assert found.processes == frozenset()
    assert host.leftovers(deployed.host, found) == []


@pytest.mark.usefixtures("destroyed")
def test_the_account_has_nothing_left_that_bills_or_blocks(deployed: Deployed) -> None:
    ec2 = deployed.box.client("ec2")
    running = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    left: dict[str, list[Any]] = {
        "instances": ec2.describe_instances(Filters=running)["Reservations"],
        "volumes": ec2.describe_volumes()["Volumes"],
        "network interfaces": ec2.describe_network_interfaces()["NetworkInterfaces"],
        "security groups": [
            group for group in ec2.describe_security_groups()["SecurityGroups"] if group["GroupName"] != "default"
        ],
        "launch templates": ec2.describe_launch_templates()["LaunchTemplates"],
        "networks": [vpc for vpc in ec2.describe_vpcs()["Vpcs"] if not vpc["IsDefault"]],
        "addresses": ec2.describe_addresses()["Addresses"],
        "NAT gateways": [
            gateway for gateway in ec2.describe_nat_gateways()["NatGateways"] if gateway["State"] != "deleted"
        ],
        "Auto Scaling groups": deployed.box.client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"],
        "log groups": [
            group
            for group in deployed.box.client("logs").describe_log_groups()["logGroups"]
            if CLUSTER in group["logGroupName"]
        ],
        "OIDC providers": deployed.box.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"],
        "roles": [
            role["RoleName"]
            for role in deployed.box.client("iam").list_roles()["Roles"]
            if role["RoleName"].startswith("ml-platform-dev") or "eks" in role["Path"]
        ],
    }
    assert {kind: found for kind, found in left.items() if found} == {}

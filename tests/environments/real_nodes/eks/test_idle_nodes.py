"""Idle nodes are removed.

This is a separate module, because the wait is nearly over by the time it runs.
"""

from __future__ import annotations

from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.deployed import Deployed
from tests.environments.real_nodes.eks.conftest import GpuRun


def test_an_accelerated_node_that_is_idle_goes_away_with_its_instance(deployed: Deployed, gpu_run: GpuRun) -> None:
    eventually(lambda: deployed.api.find(f"/api/v1/nodes/{gpu_run.node}") is None, "the idle node is gone", 300)
    filters = [{"Name": "private-dns-name", "Values": [gpu_run.node]}]
    found = deployed.box.client("ec2").describe_instances(Filters=filters)["Reservations"]
    states = {instance["State"]["Name"] for each in found for instance in each["Instances"]}
    assert states <= {"shutting-down", "terminated"}
    group = deployed.box.client("eks").describe_nodegroup(
        clusterName=deployed.outputs["cluster_name"], nodegroupName=deployed.group("l4")
    )["nodegroup"]
    assert group["scalingConfig"]["desiredSize"] == 0
    # What it was is written on the group, for the next job to come.
    deployed.copy.pulumi("preview", "--expect-no-changes")


def test_the_nodes_of_the_general_pool_stay(deployed: Deployed) -> None:
    assert len(deployed.nodes("general")) >= 2

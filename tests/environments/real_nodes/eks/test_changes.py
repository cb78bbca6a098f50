"""Changes of node groups on a running cluster: minimal, and shown with their real effect."""

from __future__ import annotations

from typing import Any

from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.deployed import CLUSTER, Deployed

GROUP = "aws:eks/nodeGroup:NodeGroup"
LABEL = "example.com/team"


def _instances(deployed: Deployed) -> dict[str, str]:
    """Return the nodes of the general pool, by the provider's id of their instance."""
    return {node["spec"]["providerID"]: node["metadata"]["name"] for node in deployed.nodes("general")}


def test_two_previews_in_a_row_show_no_change_also_when_everything_is_asked_for_anew(deployed: Deployed) -> None:
    deployed.copy.pulumi("preview", "--expect-no-changes")
    deployed.copy.pulumi("preview", "--expect-no-changes", "--refresh")


def test_a_label_is_one_change_in_place_that_reaches_running_nodes_and_disturbs_no_pod(deployed: Deployed) -> None:
    before = (_instances(deployed), deployed.restarts())
    deployed.copy.change(cluster__general_pool__labels={LABEL: "vision"})
    assert deployed.copy.planned() == {"nodes-general-group": "update"}
    deployed.copy.up()

    def labelled() -> bool:
        return all(node["metadata"]["labels"].get(LABEL) == "vision" for node in deployed.nodes("general"))

    eventually(labelled, "all nodes carry the label", 60)
    assert (_instances(deployed), deployed.restarts()) == before
    deployed.copy.is_settled()


def test_another_instance_type_of_the_general_pool_would_replace_that_group_and_nothing_else(
    deployed: Deployed,
) -> None:
    settings = deployed.copy.stack_file.read_text()
    deployed.copy.change(cluster__general_pool__instance_types=["m7i.xlarge"])
    assert deployed.copy.planned() == {"nodes-general-group": "replace"}
    deployed.copy.stack_file.write_text(settings)


def test_another_instance_type_of_an_accelerated_pool_replaces_that_group_and_what_is_written_on_it(
    deployed: Deployed,
) -> None:
    nodes, old = _instances(deployed), deployed.group("l4")
    deployed.copy.change(cluster__gpu_pools__l4__instance_types=["g6.2xlarge"])
    plan = deployed.copy.planned()
    assert plan.pop("nodes-l4-group") == "replace"
    assert all(name.startswith("nodes-l4-tag-") for name in plan)
    assert set(plan.values()) == {"replace"}
    deployed.copy.up()
    eks = deployed.box.client("eks")
    assert old not in eks.list_nodegroups(clusterName=CLUSTER)["nodegroups"]
    group: dict[str, Any] = eks.describe_nodegroup(clusterName=CLUSTER, nodegroupName=deployed.group("l4"))["nodegroup"]
    assert (group["status"], group["instanceTypes"]) == ("ACTIVE", ["g6.2xlarge"])
    (scaling,) = group["resources"]["autoScalingGroups"]
    found = deployed.box.client("autoscaling").describe_tags(
        Filters=[{"Name": "auto-scaling-group", "Values": [scaling["name"]]}]
    )["Tags"]
    tags = {tag["Key"]: tag["Value"] for tag in found}
    assert tags["k8s.io/cluster-autoscaler/node-template/label/accelerator"] == "nvidia-l4"
    assert tags[f"k8s.io/cluster-autoscaler/{CLUSTER}"] == "owned"
    assert _instances(deployed) == nodes
    deployed.copy.is_settled()

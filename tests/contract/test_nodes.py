"""Node groups, device plugins and selectors agree with each other's tables."""

import base64
from typing import Any

import pytest

from components.accelerators import ACCELERATORS, LABEL
from components.eks.node_groups import TEMPLATE_TAG
from mlp.recording import Recorded
from tests.contract.manifests import Pod, pods
from tests.contract.programs import Program

GROUP, TEMPLATE = "aws:eks/nodeGroup:NodeGroup", "aws:ec2/launchTemplate:LaunchTemplate"
EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}


def groups(environment: Program) -> dict[str, Recorded]:
    return {each.inputs["labels"]["pool"]: each for each in environment.of_type(GROUP)}


def tolerates(pod: Pod, taint: dict[str, str]) -> bool:
    return any(
        each.get("key") in (None, taint["key"])
        and each.get("effect") in (None, EFFECTS[taint["effect"]])
        and (each.get("operator") == "Exists" or each.get("value") == taint["value"])
        for each in pod.spec.get("tolerations") or []
    )


def selects(pod: Pod, labels: dict[str, str]) -> bool:
    affinity = (pod.spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {"nodeSelectorTerms": []}
    terms = required["nodeSelectorTerms"]
    matches = not terms or any(
        all(labels.get(each["key"]) in each["values"] for each in term["matchExpressions"]) for term in terms
    )
    return matches and (pod.spec.get("nodeSelector") or {}).items() <= labels.items()


def plugins(environment: Program) -> list[Pod]:
    return [pod for pod in pods(environment) if pod.namespace == "accelerators"]


def test_there_is_a_group_for_every_pool_of_the_settings(environment: Program):
    assert set(groups(environment)) == set(environment.settings.cluster.pools)


def test_every_accelerated_node_gets_exactly_one_device_plugin_and_no_other_node_gets_any(environment: Program):
    for name, group in groups(environment).items():
        taints, labels = group.inputs.get("taints") or [], group.inputs["labels"]
        running = [
            pod.title
            for pod in plugins(environment)
            if selects(pod, labels) and all(tolerates(pod, taint) for taint in taints)
        ]
        assert len(running) == (1 if LABEL in labels else 0), f"{name}: {running}"


def test_accelerated_nodes_are_labelled_and_tainted_as_the_table_says(environment: Program):
    for name, group in groups(environment).items():
        pool = environment.settings.cluster.pools[name]
        if pool.accelerator == "none":
            assert LABEL not in group.inputs["labels"]
            continue
        known = ACCELERATORS[pool.accelerator]
        assert known.labels.items() <= group.inputs["labels"].items()
        assert {"key": known.vendor.resource, "value": "true", "effect": "NO_SCHEDULE"} in group.inputs["taints"]
        assert group.inputs["amiType"] == known.vendor.images["x86_64"]


def test_nothing_but_device_plugins_tolerates_the_taint_of_an_accelerator(environment: Program):
    for group in groups(environment).values():
        for taint in group.inputs.get("taints") or []:
            strays = [
                pod.title for pod in pods(environment) if pod.namespace != "accelerators" and tolerates(pod, taint)
            ]
            assert strays == []


def tags_of(environment: Program, group: Recorded) -> dict[str, str]:
    return {
        each.inputs["tag"]["key"]: each.inputs["tag"]["value"]
        for each in environment.of_type("aws:autoscaling/tag:Tag")
        if each.inputs["autoscalingGroupName"] == f"eks-{group.name}"
    }


def test_groups_that_can_be_empty_tell_the_autoscaler_what_their_nodes_would_be(environment: Program):
    empty = {name: each for name, each in groups(environment).items() if each.inputs["scalingConfig"]["minSize"] == 0}
    assert empty
    for group in empty.values():
        tags = tags_of(environment, group)
        for key, value in group.inputs["labels"].items():
            assert tags[f"{TEMPLATE_TAG}/label/{key}"] == value
        for taint in group.inputs["taints"]:
            assert tags[f"{TEMPLATE_TAG}/taint/{taint['key']}"] == f"{taint['value']}:{EFFECTS[taint['effect']]}"
            assert int(tags[f"{TEMPLATE_TAG}/resources/{taint['key']}"]) >= 1
        assert tags[f"{TEMPLATE_TAG}/resources/ephemeral-storage"].endswith("Gi")


def test_the_autoscaler_decides_how_many_nodes_there_are(environment: Program):
    for group in groups(environment).values():
        assert group.ignore_changes == ("scalingConfig.desiredSize",)


def test_nodes_are_pinned_to_an_image_and_run_no_newer_kubernetes_than_the_cluster(environment: Program):
    version = environment.settings.cluster.version
    for group in groups(environment).values():
        assert group.inputs["version"] == version
        assert group.inputs["releaseVersion"].startswith(f"{version}.")


@pytest.mark.parametrize("field", ["httpTokens", "httpPutResponseHopLimit"])
def test_pods_cannot_reach_the_metadata_of_their_node(environment: Program, field: str):
    expected: dict[str, Any] = {"httpTokens": "required", "httpPutResponseHopLimit": 1}
    for template in environment.of_type(TEMPLATE):
        assert template.inputs["metadataOptions"][field] == expected[field], template.name


def test_disks_of_nodes_are_encrypted_with_our_key(environment: Program):
    for template in environment.of_type(TEMPLATE):
        [mapping] = template.inputs["blockDeviceMappings"]
        assert mapping["ebs"]["encrypted"] == "true"
        assert mapping["ebs"]["kmsKeyId"].endswith("keys-data")
        assert mapping["ebs"]["volumeType"] == "gp3"


def test_what_aws_starts_for_us_carries_our_tags(environment: Program):
    """The provider's default tags reach the template, not the resources started from it."""
    for template in environment.of_type(TEMPLATE):
        tagged = {each["resourceType"]: each["tags"] for each in template.inputs["tagSpecifications"]}
        assert set(tagged) == {"instance", "volume", "network-interface"}
        for tags in tagged.values():
            assert tags["environment"] == environment.stack
            assert tags["cost-center"] == environment.settings.tags.cost_center


def test_nodes_take_as_many_pods_as_their_network_was_planned_for(environment: Program):
    for template in environment.of_type(TEMPLATE):
        told = base64.b64decode(template.inputs["userData"]).decode()
        assert f"maxPods: {environment.settings.cluster.pods_per_node}\n" in told

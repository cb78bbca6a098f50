"""Launch templates and placement groups through their lives."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from mlp_sandbox.providers.aws.resource import Handler, Props
from mlp_sandbox.providers.aws.services.ec2.launch_template import LaunchTemplate
from mlp_sandbox.providers.aws.services.ec2.placement_group import PlacementGroup
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk
from sandbox.tests.unit.providers.emulated import Emulated, emulated

NODEADM = base64.b64encode(b"MIME-Version: 1.0\n\napiVersion: node.eks.aws/v1alpha1\n").decode()
NODE: dict[str, Any] = {
    "blockDeviceMappings": [
        {
            "deviceName": "/dev/xvda",
            "ebs": {
                "volumeSize": 80,
                "volumeType": "gp3",
                "encrypted": "true",
                "deleteOnTermination": "true",
                "iops": 3000,
                "throughput": 125,
                "kmsKeyId": "arn:aws:kms:us-east-1:123456789012:key/1",
            },
        }
    ],
    "metadataOptions": {"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1},
    "monitoring": {"enabled": True},
    "tagSpecifications": [
        {"resourceType": "instance", "tags": {"Name": "gpu", "team": "ml"}},
        {"resourceType": "volume", "tags": {"Name": "gpu"}},
    ],
    "userData": NODEADM,
    "vpcSecurityGroupIds": ["sg-00000001", "sg-00000002"],
    "tags": {"Name": "gpu"},
}
EFA = [
    {"networkCardIndex": card, "deviceIndex": min(card, 1), "interfaceType": "efa", "securityGroups": ["sg-00000001"]}
    for card in range(4)
]


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    with emulated(tmp_path_factory.mktemp("account")) as made:
        yield made


@pytest.fixture
def life(account: Emulated) -> Life:
    # `pulumi import` cannot know what updates shall do
    return account.life(LaunchTemplate(), unread=("updateDefaultVersion",))


@pytest.mark.parametrize("handler", [LaunchTemplate(), PlacementGroup()], ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_a_template_of_nodes_is_read_back_as_it_was_sent(life: Life) -> None:
    bigger = [{"deviceName": "/dev/xvda", "ebs": {**NODE["blockDeviceMappings"][0]["ebs"], "volumeSize": 100}}]
    retagged = {**NODE, "name": "nodes", "blockDeviceMappings": bigger, "tags": {"Name": "gpu", "cost": "ml"}}
    id = life.lives({**NODE, "name": "nodes"}, retagged, {"name": "nodes", "description": "bare"})
    assert id.startswith("lt-")


def test_a_template_with_elastic_fabric_adapters_placement_and_a_reservation(life: Life) -> None:
    cluster: Props = {
        "name": "efa",
        "networkInterfaces": EFA,
        "placement": {"groupName": "training", "tenancy": "default"},
        "capacityReservationSpecification": {
            "capacityReservationTarget": {"capacityReservationId": "cr-0123456789abcdef0"}
        },
        "instanceMarketOptions": {"marketType": "capacity-block"},
        "instanceType": "p5.48xlarge",
    }
    life.lives(cluster, {**cluster, "networkInterfaces": EFA[:1], "placement": {"groupName": "other"}})


def test_every_other_block_is_read_back(life: Life) -> None:
    interface = {
        "associatePublicIpAddress": "false",
        "deleteOnTermination": "true",
        "deviceIndex": 0,
        "ipv4AddressCount": 2,
        "ipv4Prefixes": ["10.0.0.0/28"],
        "ipv6Addresses": ["2001:db8::1"],
        "connectionTrackingSpecification": {"tcpEstablishedTimeout": 60},
        "enaSrdSpecification": {"enaSrdEnabled": True},
    }
    inputs: Props = {
        "name": "rest",
        "cpuOptions": {"coreCount": 4, "threadsPerCore": 1},
        "creditSpecification": {"cpuCredits": "unlimited"},
        "disableApiStop": True,
        "disableApiTermination": True,
        "ebsOptimized": "true",
        "enclaveOptions": {"enabled": False},
        "hibernationOptions": {"configured": False},
        "iamInstanceProfile": {"name": "nodes"},
        "imageId": "resolve:ssm:/aws/service/eks/optimized-ami/1.36/recommended/image_id",
        "instanceInitiatedShutdownBehavior": "terminate",
        "instanceMarketOptions": {
            "marketType": "spot",
            "spotOptions": {"maxPrice": "1.5", "spotInstanceType": "one-time", "validUntil": "2031-01-01T00:00:00Z"},
        },
        "keyName": "ops",
        "licenseSpecifications": [{"licenseConfigurationArn": "arn:aws:license-manager:us-east-1:1:lc-1"}],
        "maintenanceOptions": {"autoRecovery": "default"},
        "networkInterfaces": [interface],
        "networkPerformanceOptions": {"bandwidthWeighting": "ebs-1"},
        "privateDnsNameOptions": {"enableResourceNameDnsAaaaRecord": True, "hostnameType": "resource-name"},
        "tagSpecifications": [{"resourceType": "instance", "tags": {"encrypted": "true"}}],
    }
    life.lives(inputs)


def test_a_change_makes_a_new_version_and_the_default_follows_when_that_was_said(life: Life) -> None:
    inputs = {**NODE, "name": "versions"}
    id = life.create(**inputs)
    life.update(id, inputs, {**inputs, "monitoring": {"enabled": False}})
    assert _versions(life, id) == (2, 1)
    followed = {**inputs, "updateDefaultVersion": True}
    life.update(id, {**inputs, "monitoring": {"enabled": False}}, followed)
    assert _versions(life, id) == (3, 3)
    life.update(id, followed, {**inputs, "defaultVersion": 1})
    assert _versions(life, id) == (3, 1)


def test_another_tag_of_the_template_makes_no_version(life: Life) -> None:
    inputs = {**NODE, "name": "tagged"}
    id = life.create(**inputs)
    life.update(id, inputs, {**inputs, "tags": {"team": "ml"}})
    assert _versions(life, id) == (1, 1)


def test_a_tag_taken_from_the_instances_is_a_change(life: Life) -> None:
    inputs = {**NODE, "name": "untagged"}
    id = life.create(**inputs)
    fewer = {**inputs, "tagSpecifications": [{"resourceType": "instance", "tags": {"Name": "gpu"}}]}
    life.update(id, inputs, fewer)
    assert _versions(life, id) == (2, 1)
    life.reads_back(id, fewer)


def test_a_preview_does_not_know_the_version_that_an_update_will_make() -> None:
    handler = LaunchTemplate()
    assert handler.moved({}, {"userData"}) == {"latestVersion"}
    assert handler.moved({"updateDefaultVersion": True}, {"userData"}) == {"latestVersion", "defaultVersion"}
    assert handler.moved({}, {"tags"}) == set()


def test_bad_templates_are_refused_with_what_to_do() -> None:
    check = LaunchTemplate().check
    assert "3 to 128" in dict(check({"name": "x"}))["name"]
    assert "base64" in dict(check({"name": "xxx", "userData": "#!/bin/sh"}))["userData"]
    assert (
        "at most 16384" in dict(check({"name": "xxx", "userData": base64.b64encode(bytes(17000)).decode()}))["userData"]
    )
    assert (
        "optional, required"
        in dict(check({"name": "xxx", "metadataOptions": {"httpTokens": "yes"}}))["metadataOptions"]
    )
    hops = {"name": "xxx", "metadataOptions": {"httpPutResponseHopLimit": 0}}
    assert "from 1 to 64" in dict(check(hops))["metadataOptions"]
    both = {"name": "xxx", "networkInterfaces": EFA, "vpcSecurityGroupIds": ["sg-1"]}
    assert "securityGroups" in dict(check(both))["vpcSecurityGroupIds"]
    specs = {"name": "xxx", "tagSpecifications": [{"resourceType": "instances"}]}
    assert "volume" in dict(check(specs))["tagSpecifications"]
    assert (
        "instanceTypes"
        in dict(check({"name": "xxx", "instanceRequirements": {"vcpuCount": {"min": 1}}}))["instanceRequirements"]
    )


def test_a_template_of_values_that_are_not_known_yet_passes() -> None:
    unknown = dict.fromkeys(("userData", "metadataOptions", "networkInterfaces", "tagSpecifications"), UNKNOWN)
    assert LaunchTemplate().check({"name": "xxx", **unknown, "vpcSecurityGroupIds": [UNKNOWN]}) == []


def test_a_placement_group_changes_its_tags_only(account: Emulated) -> None:
    life = account.life(PlacementGroup())
    assert life.lives(
        {"name": "near", "strategy": "cluster", "tags": {"a": "b"}}, {"name": "near", "strategy": "cluster"}
    )
    life.lives({"name": "apart", "strategy": "spread", "spreadLevel": "rack"})
    life.lives({"name": "parts", "strategy": "partition", "partitionCount": 3})


def test_bad_placement_groups_are_refused() -> None:
    check = PlacementGroup().check
    assert "cluster, partition, spread" in dict(check({"name": "xxx", "strategy": "close"}))["strategy"]
    assert "leave it out" in dict(check({"name": "xxx", "strategy": "cluster", "partitionCount": 2}))["partitionCount"]
    assert "is missing" in dict(check({"name": "xxx"}))["strategy"]


def _versions(life: Life, id: str) -> tuple[int, int]:
    live = life.live(id)
    return live["latestVersion"], live["defaultVersion"]

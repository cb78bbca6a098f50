"""EC2 resources behind node groups: launch templates, capacity reservations, and the names of node images."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.unit.emulator.eks_world import World
from sandbox.tests.unit.emulator.emulated import Emulated

DATA: dict[str, Any] = {
    "BlockDeviceMappings": [
        {
            "DeviceName": "/dev/xvda",
            "Ebs": {"Encrypted": True, "VolumeSize": 100, "VolumeType": "gp3", "Iops": 3000, "Throughput": 125},
        }
    ],
    "CapacityReservationSpecification": {
        "CapacityReservationTarget": {"CapacityReservationId": "cr-0123456789abcdef0"}
    },
    "InstanceMarketOptions": {"MarketType": "capacity-block"},
    "MetadataOptions": {"HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1, "HttpTokens": "required"},
    "NetworkInterfaces": [
        {"DeviceIndex": min(card, 1), "NetworkCardIndex": card, "InterfaceType": "efa", "Groups": ["sg-1"]}
        for card in range(3)
    ],
    "Placement": {"GroupName": "gpu"},
    "TagSpecifications": [{"ResourceType": "volume", "Tags": [{"Key": "team", "Value": "ml"}]}],
    "UserData": "aGVsbG8=",
}


@pytest.fixture
def ec2(emulated: Emulated) -> Any:
    return emulated.client("ec2")


def _versions(ec2: Any, *versions: str, name: str = "nodes") -> list[dict[str, Any]]:
    return ec2.describe_launch_template_versions(LaunchTemplateName=name, Versions=list(versions))[
        "LaunchTemplateVersions"
    ]


def _create(ec2: Any, data: dict[str, Any], name: str = "nodes", **sent: Any) -> str:
    made = ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data, **sent)
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


def test_a_launch_template_reads_back_as_it_was_sent_and_keeps_its_own_tags_apart(ec2: Any):
    tags = [{"ResourceType": "launch-template", "Tags": [{"Key": "owner", "Value": "me"}]}]
    id = _create(ec2, DATA, TagSpecifications=tags)
    [version] = _versions(ec2, "$Latest")
    assert version["LaunchTemplateData"] == DATA
    [template] = ec2.describe_launch_templates(LaunchTemplateIds=[id])["LaunchTemplates"]
    assert template["Tags"] == [{"Key": "owner", "Value": "me"}]


def test_a_version_inherits_from_its_source_only(ec2: Any):
    _create(ec2, {"ImageId": "ami-1", "InstanceType": "m6i.large"})
    ec2.create_launch_template_version(
        LaunchTemplateName="nodes", SourceVersion="1", LaunchTemplateData={"InstanceType": "m6i.xlarge"}
    )
    ec2.create_launch_template_version(LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": "ami-2"})
    two, three = _versions(ec2, "2", "3")
    assert two["LaunchTemplateData"] == {"ImageId": "ami-1", "InstanceType": "m6i.xlarge"}
    assert three["LaunchTemplateData"] == {"ImageId": "ami-2"}


def test_the_default_version_moves_and_stays_while_others_go(ec2: Any):
    _create(ec2, {"ImageId": "ami-1"})
    for number in (2, 3):
        ec2.create_launch_template_version(LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": f"ami-{number}"})
    assert (
        ec2.modify_launch_template(LaunchTemplateName="nodes", DefaultVersion="2")["LaunchTemplate"][
            "DefaultVersionNumber"
        ]
        == 2
    )
    answer = ec2.delete_launch_template_versions(LaunchTemplateName="nodes", Versions=["1", "2", "9"])
    gone = [item["VersionNumber"] for item in answer["SuccessfullyDeletedLaunchTemplateVersions"]]
    kept = [item["VersionNumber"] for item in answer["UnsuccessfullyDeletedLaunchTemplateVersions"]]
    assert (gone, kept) == ([1], [2, 9])
    default, latest = _versions(ec2, "$Default", "$Latest")
    assert (default["VersionNumber"], latest["VersionNumber"]) == (2, 3)
    ec2.delete_launch_template_versions(LaunchTemplateName="nodes", Versions=["3"])
    made = ec2.create_launch_template_version(LaunchTemplateName="nodes", LaunchTemplateData={"ImageId": "ami-4"})
    assert made["LaunchTemplateVersion"]["VersionNumber"] == 4, "numbers are not used again"


def test_more_launch_templates_than_a_page_are_all_listed(ec2: Any):
    for number in range(20):
        _create(ec2, {"ImageId": "ami-1"}, name=f"template-{number}")
    assert len(ec2.describe_launch_templates()["LaunchTemplates"]) == 20
    pages = ec2.get_paginator("describe_launch_templates").paginate(PaginationConfig={"PageSize": 8})
    assert [len(page["LaunchTemplates"]) for page in pages] == [8, 8, 4]


@pytest.mark.parametrize(
    ("operation", "sent", "code"),
    [
        ("describe_launch_template_versions", {"LaunchTemplateId": "lt-0"}, "InvalidLaunchTemplateId.NotFound"),
        (
            "describe_launch_template_versions",
            {"LaunchTemplateName": "nothing"},
            "InvalidLaunchTemplateName.NotFoundException",
        ),
        (
            "modify_launch_template",
            {"LaunchTemplateName": "nodes", "DefaultVersion": "7"},
            "InvalidLaunchTemplateId.VersionNotFound",
        ),
        (
            "create_launch_template_version",
            {"LaunchTemplateName": "nodes", "LaunchTemplateData": {"UserData": "no base64!"}},
            "InvalidUserData.Malformed",
        ),
    ],
)
def test_what_does_not_exist_or_read_is_refused_with_its_code(
    ec2: Any, operation: str, sent: dict[str, Any], code: str
):
    _create(ec2, {"ImageId": "ami-1"})
    with pytest.raises(ClientError) as caught:
        getattr(ec2, operation)(**sent)
    assert caught.value.response["Error"]["Code"] == code


def test_a_capacity_reservation_lives_changes_and_is_cancelled(ec2: Any):
    made = ec2.create_capacity_reservation(
        InstanceType="p5.48xlarge",
        InstancePlatform="Linux/UNIX",
        AvailabilityZone="us-east-1a",
        InstanceCount=2,
        InstanceMatchCriteria="targeted",
        EndDateType="limited",
        EndDate=datetime(2030, 1, 1, tzinfo=UTC),
        TagSpecifications=[{"ResourceType": "capacity-reservation", "Tags": [{"Key": "team", "Value": "ml"}]}],
    )["CapacityReservation"]
    id = made["CapacityReservationId"]
    assert (made["State"], made["TotalInstanceCount"], made["Tags"]) == ("active", 2, [{"Key": "team", "Value": "ml"}])
    ec2.modify_capacity_reservation(CapacityReservationId=id, InstanceCount=3, EndDateType="unlimited")
    ec2.create_tags(Resources=[id], Tags=[{"Key": "a", "Value": "b"}])
    filters = [{"Name": "instance-type", "Values": ["p5.48xlarge"]}, {"Name": "tag:a", "Values": ["b"]}]
    [found] = ec2.describe_capacity_reservations(Filters=filters)["CapacityReservations"]
    assert (found["TotalInstanceCount"], found["EndDateType"]) == (3, "unlimited")
    assert "EndDate" not in found
    ec2.cancel_capacity_reservation(CapacityReservationId=id)
    [found] = ec2.describe_capacity_reservations(CapacityReservationIds=[id])["CapacityReservations"]
    assert found["State"] == "cancelled"
    with pytest.raises(ClientError, match="is cancelled"):
        ec2.modify_capacity_reservation(CapacityReservationId=id, InstanceCount=1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"InstanceType": "m99.large"}, "The instance type 'm99.large' does not exist"),
        ({"AvailabilityZone": "us-east-1z"}, "The availability zone 'us-east-1z' does not exist"),
        ({"InstanceCount": 0}, "InstanceCount 0 must be 1 or more"),
        ({"EndDateType": "limited"}, "EndDateType limited needs EndDate"),
    ],
)
def test_a_reservation_of_nothing_is_refused_by_name(ec2: Any, changes: dict[str, Any], message: str):
    sent = {
        "InstanceType": "p5.48xlarge",
        "InstancePlatform": "Linux/UNIX",
        "AvailabilityZone": "us-east-1a",
        "InstanceCount": 1,
    }
    with pytest.raises(ClientError, match=message):
        ec2.create_capacity_reservation(**sent | changes)
    assert ec2.describe_capacity_reservations()["CapacityReservations"] == []


def test_public_parameters_name_the_images_that_node_groups_run(world: World):
    ssm = world.emulated.client("ssm")
    base = "/aws/service/eks/optimized-ami/1.36/amazon-linux-2023/x86_64/{}/recommended/{}"
    release = ssm.get_parameter(Name=base.format("standard", "release_version"))["Parameter"]["Value"]
    image = ssm.get_parameter(Name=base.format("standard", "image_id"))["Parameter"]["Value"]
    world.cluster()
    assert world.node_group()["releaseVersion"] == release
    assert {instance["ImageId"] for instance in world.instances()} == {image}
    whole = ssm.get_parameter(Name=base.format("nvidia", "")[:-1])["Parameter"]["Value"]
    assert json.loads(whole)["release_version"] == release
    assert json.loads(whole)["image_id"] != image
    ssm.put_parameter(Name="/own", Type="String", Value="mine")
    answer = ssm.get_parameters(
        Names=["/own", "/nothing", base.format("neuron", "image_id"), base.format("riscv", "image_id")]
    )
    assert {item["Name"] for item in answer["Parameters"]} == {"/own", base.format("neuron", "image_id")}
    assert set(answer["InvalidParameters"]) == {"/nothing", base.format("riscv", "image_id")}
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name="/aws/service/eks/optimized-ami/1.20/amazon-linux-2023/x86_64/standard/recommended")

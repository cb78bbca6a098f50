"""Deleted resources lose their tags, also when they are deleted together with another resource."""

from typing import Any

from sandbox.tests.unit.emulator.eks_world import World


def tagged(world: World) -> list[str]:
    found = world.ec2.describe_tags(Filters=[{"Name": "key", "Values": ["environment"]}])["Tags"]
    return sorted(tag["ResourceType"] for tag in found)


def tags_of(kind: str) -> dict[str, Any]:
    return {"ResourceType": kind, "Tags": [{"Key": "environment", "Value": "dev"}]}


def test_volumes_go_with_their_instance_and_so_do_their_tags(world: World):
    made = world.ec2.run_instances(
        ImageId="ami-0123456789abcdef0",
        MinCount=1,
        MaxCount=1,
        SubnetId=world.subnets[0],
        TagSpecifications=[tags_of("instance"), tags_of("volume")],
    )["Instances"][0]
    assert tagged(world) == ["instance", "volume"]
    world.ec2.terminate_instances(InstanceIds=[made["InstanceId"]])
    assert world.ec2.describe_volumes()["Volumes"] == []
    # AWS shows a terminated instance, with its tags, for about an hour.
    assert tagged(world) == ["instance"]


def test_tags_of_deleted_volumes_and_network_interfaces_go(world: World):
    volume = world.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1, TagSpecifications=[tags_of("volume")])
    interface = world.ec2.create_network_interface(
        SubnetId=world.subnets[0], TagSpecifications=[tags_of("network-interface")]
    )["NetworkInterface"]
    assert tagged(world) == ["network-interface", "volume"]
    world.ec2.delete_volume(VolumeId=volume["VolumeId"])
    world.ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    assert tagged(world) == []

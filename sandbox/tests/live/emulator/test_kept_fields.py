"""The emulator keeps changes of subnets, subnet groups, endpoints and buckets that moto loses."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

Clients = Callable[[str], Any]


@pytest.fixture
def other_zone(client: Clients, vpc: str) -> str:
    made = client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.0.20.0/24", AvailabilityZone="us-east-1c")
    return str(made["Subnet"]["SubnetId"])


def test_the_dns_attributes_of_a_subnet_are_kept(client: Clients, subnets: list[str]):
    ec2, subnet = client("ec2"), subnets[0]

    def read() -> dict[str, Any]:
        return ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]

    assert read()["EnableDns64"] is False
    ec2.modify_subnet_attribute(SubnetId=subnet, EnableDns64={"Value": True})
    ec2.modify_subnet_attribute(SubnetId=subnet, PrivateDnsHostnameTypeOnLaunch="resource-name")
    for record in ("A", "AAAA"):
        name: Any = f"EnableResourceNameDns{record}RecordOnLaunch"
        ec2.modify_subnet_attribute(SubnetId=subnet, **{name: {"Value": True}})
    assert read()["EnableDns64"] is True
    assert read()["PrivateDnsNameOptionsOnLaunch"] == {
        "HostnameType": "resource-name",
        "EnableResourceNameDnsARecord": True,
        "EnableResourceNameDnsAAAARecord": True,
    }
    ec2.modify_subnet_attribute(SubnetId=subnet, EnableDns64={"Value": False})
    ec2.modify_subnet_attribute(SubnetId=subnet, EnableResourceNameDnsARecordOnLaunch={"Value": False})
    assert read()["EnableDns64"] is False
    assert read()["PrivateDnsNameOptionsOnLaunch"]["EnableResourceNameDnsARecord"] is False


def test_a_changed_subnet_group_is_still_there_with_its_new_subnets(
    client: Clients, subnets: list[str], other_zone: str
):
    rds = client("rds")
    rds.create_db_subnet_group(
        DBSubnetGroupName="changed",
        DBSubnetGroupDescription="before",
        SubnetIds=subnets,
        Tags=[{"Key": "k", "Value": "v"}],
    )
    wanted = [subnets[1], other_zone]
    rds.modify_db_subnet_group(DBSubnetGroupName="Changed", DBSubnetGroupDescription="after", SubnetIds=wanted)
    [group] = rds.describe_db_subnet_groups(DBSubnetGroupName="changed")["DBSubnetGroups"]
    assert group["DBSubnetGroupDescription"] == "after"
    assert [subnet["SubnetIdentifier"] for subnet in group["Subnets"]] == wanted
    assert rds.list_tags_for_resource(ResourceName=group["DBSubnetGroupArn"])["TagList"] == [{"Key": "k", "Value": "v"}]


def test_subnets_that_aws_would_refuse_leave_a_subnet_group_as_it_was(client: Clients, subnets: list[str]):
    ec2, rds = client("ec2"), client("rds")
    rds.create_db_subnet_group(DBSubnetGroupName="checked", DBSubnetGroupDescription="d", SubnetIds=subnets)
    strange = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    stranger = ec2.create_subnet(VpcId=strange, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
    for refused, message in (
        ([subnets[0], "subnet-0badbadbadbadbad0"], r"Some input subnets in :\[subnet-0badbadbadbadbad0\] are invalid"),
        ([subnets[0], stranger], "not in the same Vpc"),
        (subnets[:1], "Add subnets to cover at least 2 AZs"),
    ):
        with pytest.raises(ClientError, match=message):
            rds.modify_db_subnet_group(DBSubnetGroupName="checked", SubnetIds=refused)
    [group] = rds.describe_db_subnet_groups(DBSubnetGroupName="checked")["DBSubnetGroups"]
    assert [subnet["SubnetIdentifier"] for subnet in group["Subnets"]] == subnets
    with pytest.raises(ClientError, match="DBSubnetGroupNotFoundFault"):
        rds.modify_db_subnet_group(DBSubnetGroupName="nowhere", SubnetIds=subnets)


def test_an_interface_endpoint_has_one_network_interface_per_subnet(client: Clients, vpc: str, subnets: list[str]):
    ec2 = client("ec2")
    endpoint = ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Interface", ServiceName="com.amazonaws.us-east-1.sqs", SubnetIds=subnets
    )["VpcEndpoint"]["VpcEndpointId"]

    def interfaces() -> dict[str, str]:
        [read] = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
        found = ec2.describe_network_interfaces(NetworkInterfaceIds=read["NetworkInterfaceIds"])["NetworkInterfaces"]
        return {item["SubnetId"]: item["NetworkInterfaceId"] for item in found}

    before = interfaces()
    assert sorted(before) == sorted(subnets)
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, RemoveSubnetIds=subnets[:1])
    assert interfaces() == {subnets[1]: before[subnets[1]]}
    with pytest.raises(ClientError, match="NotFound"):
        ec2.describe_network_interfaces(NetworkInterfaceIds=[before[subnets[0]]])
    ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddSubnetIds=subnets[:1])
    assert sorted(interfaces()) == sorted(subnets)
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])


@pytest.mark.parametrize("types", [["SSE-C"], ["NONE"], ["SSE-C", "NONE"]])
def test_blocked_kinds_of_encryption_of_a_bucket_are_kept(client: Clients, types: list[str]):
    s3, bucket = client("s3"), f"blocked-{'-'.join(types).lower()}"
    s3.create_bucket(Bucket=bucket)
    rule = {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
        "BucketKeyEnabled": True,
        "BlockedEncryptionTypes": {"EncryptionType": types},
    }
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [rule]
    del rule["BlockedEncryptionTypes"]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"] == [rule]

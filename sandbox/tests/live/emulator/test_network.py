"""EC2: fields read back as sent, and defaults match AWS."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def ec2(client: Callable[[str], Any]) -> Any:
    return client("ec2")


def _rules(ec2: Any, group: str) -> list[Any]:
    filters = [{"Name": "group-id", "Values": [group]}]
    return ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]


def _permission(port: int, *ranges: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": item} for item in ranges]}


def test_a_default_security_group_admits_itself_and_can_be_emptied(ec2: Any):
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    [group] = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    [ingress] = group["IpPermissions"]
    assert ingress["IpProtocol"] == "-1"
    assert [pair["GroupId"] for pair in ingress["UserIdGroupPairs"]] == [group["GroupId"]]
    [egress] = group["IpPermissionsEgress"]
    assert egress["IpRanges"] == [{"CidrIp": "0.0.0.0/0"}]
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
    ec2.revoke_security_group_egress(GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"])
    assert _rules(ec2, group["GroupId"]) == []


def test_a_rule_is_the_same_with_another_description(ec2: Any, vpc: str):
    one, other = (ec2.create_security_group(GroupName=n, Description="d", VpcId=vpc)["GroupId"] for n in ("e1", "e2"))
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    described = rule | {"UserIdGroupPairs": [{"GroupId": other, "Description": "from the cluster"}]}
    plain = rule | {"UserIdGroupPairs": [{"GroupId": other}]}
    ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[described])
    with pytest.raises(ClientError, match="Duplicate"):
        ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[plain])
    ec2.revoke_security_group_ingress(GroupId=one, IpPermissions=[plain])
    assert [item for item in _rules(ec2, one) if not item["IsEgress"]] == []


def test_a_rule_for_a_group_has_its_description_also_after_a_change(ec2: Any, vpc: str):
    one, other = (ec2.create_security_group(GroupName=n, Description="d", VpcId=vpc)["GroupId"] for n in ("s1", "s2"))
    rule = {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432}
    described = rule | {"UserIdGroupPairs": [{"GroupId": other, "Description": "from the cluster"}]}
    [made] = ec2.authorize_security_group_ingress(GroupId=one, IpPermissions=[described])["SecurityGroupRules"]
    assert made["Description"] == "from the cluster"

    def description() -> Any:
        [found] = [item for item in _rules(ec2, one) if not item["IsEgress"]]
        return found.get("Description")

    assert description() == "from the cluster"
    changed = rule | {"ReferencedGroupId": other, "Description": "from elsewhere"}
    update = {"SecurityGroupRuleId": made["SecurityGroupRuleId"], "SecurityGroupRule": changed}
    ec2.modify_security_group_rules(GroupId=one, SecurityGroupRules=[update])
    assert description() == "from elsewhere"
    ec2.revoke_security_group_ingress(GroupId=one, SecurityGroupRuleIds=[made["SecurityGroupRuleId"]])


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_call_with_several_permissions_answers_all_its_rules(ec2: Any, vpc: str, direction: str):
    group = ec2.create_security_group(GroupName=f"two-{direction}", Description="d", VpcId=vpc)["GroupId"]
    authorize = getattr(ec2, f"authorize_security_group_{direction}")
    permissions = [_permission(1, "10.0.0.0/8", "172.16.0.0/12"), _permission(2, "192.168.0.0/16")]
    answered = authorize(GroupId=group, IpPermissions=permissions)["SecurityGroupRules"]
    assert {(rule["FromPort"], rule["CidrIpv4"]) for rule in answered} == {
        (1, "10.0.0.0/8"),
        (1, "172.16.0.0/12"),
        (2, "192.168.0.0/16"),
    }
    assert {rule["SecurityGroupRuleId"] for rule in answered} <= {
        rule["SecurityGroupRuleId"] for rule in _rules(ec2, group)
    }
    with pytest.raises(ClientError, match="Duplicate"):
        authorize(GroupId=group, IpPermissions=[_permission(3, "10.0.0.0/8"), permissions[0]])
    assert 3 not in {rule.get("FromPort") for rule in _rules(ec2, group)}


def test_an_interface_endpoint_reads_back_as_sent_and_changes_in_place(ec2: Any, vpc: str, subnets: list[str]):
    made = ec2.create_vpc_endpoint(
        VpcId=vpc,
        ServiceName="com.amazonaws.us-east-1.sts",
        VpcEndpointType="Interface",
        SubnetIds=subnets[:1],
        PrivateDnsEnabled=True,
        IpAddressType="ipv4",
        DnsOptions={"DnsRecordIpType": "ipv4"},
    )["VpcEndpoint"]
    name = made["VpcEndpointId"]
    [read] = ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
    for answer in (made, read):
        assert (answer["IpAddressType"], answer["PrivateDnsEnabled"]) == ("ipv4", True)
        assert answer["DnsOptions"]["DnsRecordIpType"] == "ipv4"
    assert [group["GroupName"] for group in read["Groups"]] == ["default"]
    ec2.modify_vpc_endpoint(
        VpcEndpointId=name,
        PrivateDnsEnabled=False,
        IpAddressType="dualstack",
        DnsOptions={"DnsRecordIpType": "dualstack"},
        AddSubnetIds=subnets[1:],
    )
    [read] = ec2.describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
    assert (read["IpAddressType"], read["PrivateDnsEnabled"]) == ("dualstack", False)
    assert read["DnsOptions"]["DnsRecordIpType"] == "dualstack"
    assert sorted(read["SubnetIds"]) == sorted(subnets)
    assert ec2.delete_vpc_endpoints(VpcEndpointIds=[name])["Unsuccessful"] == []
    with pytest.raises(ClientError, match="NotFound"):
        ec2.describe_vpc_endpoints(VpcEndpointIds=[name])
    [unsuccessful] = ec2.delete_vpc_endpoints(VpcEndpointIds=[name])["Unsuccessful"]
    assert unsuccessful["ResourceId"] == name


def test_routes_of_a_gateway_endpoint_follow_its_route_tables(ec2: Any, vpc: str):
    tables = [ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"] for _ in range(2)]
    made = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName="com.amazonaws.us-east-1.s3", RouteTableIds=tables[:1])[
        "VpcEndpoint"
    ]
    assert (made["VpcEndpointType"], made["PrivateDnsEnabled"]) == ("Gateway", False)

    def routed() -> list[str]:
        described = ec2.describe_route_tables(RouteTableIds=tables)["RouteTables"]
        return [
            table["RouteTableId"]
            for table in described
            if any(route.get("GatewayId") == made["VpcEndpointId"] for route in table["Routes"])
        ]

    assert routed() == tables[:1]
    ec2.modify_vpc_endpoint(
        VpcEndpointId=made["VpcEndpointId"], AddRouteTableIds=tables[1:], RemoveRouteTableIds=tables[:1]
    )
    assert routed() == tables[1:]
    ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
    assert routed() == []


def test_a_flow_log_to_a_folder_of_a_bucket_keeps_its_options(client: Callable[[str], Any], ec2: Any, vpc: str):
    client("s3").create_bucket(Bucket="flow-logs")
    options = {"FileFormat": "parquet", "HiveCompatiblePartitions": True, "PerHourPartition": True}
    sent = {
        "TrafficType": "REJECT",
        "LogDestinationType": "s3",
        "LogDestination": "arn:aws:s3:::flow-logs/vpc",
        "DestinationOptions": options,
        "MaxAggregationInterval": 60,
        "LogFormat": "${version} ${vpc-id}",
    }
    made = ec2.create_flow_logs(ResourceIds=[vpc], ResourceType="VPC", **sent)
    assert made["Unsuccessful"] == []
    [read] = ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"]
    assert sent.items() <= read.items()


def test_a_flow_log_to_a_log_group_given_by_arn_is_delivered(client: Callable[[str], Any], ec2: Any, vpc: str):
    client("logs").create_log_group(logGroupName="/vpc/flow")
    made = ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogDestination="arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow",
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flow",
    )
    [read] = ec2.describe_flow_logs(FlowLogIds=made["FlowLogIds"])["FlowLogs"]
    assert (read["DeliverLogsStatus"], read["LogGroupName"]) == ("SUCCESS", "/vpc/flow")
    assert read["MaxAggregationInterval"] == 600
    with pytest.raises(ClientError, match="it must be 60 or 600"):
        ec2.create_flow_logs(
            ResourceIds=[vpc],
            ResourceType="VPC",
            TrafficType="ALL",
            LogGroupName="/x",
            MaxAggregationInterval=61,
            DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flow",
        )


def test_tags_go_with_what_they_were_on(ec2: Any):
    def tags(kind: str) -> list[Any]:
        return [{"ResourceType": kind, "Tags": [{"Key": "of", "Value": "the-deleted"}]}]

    vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16", TagSpecifications=tags("vpc"))["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.1.0/24", TagSpecifications=tags("subnet"))["Subnet"]
    group = ec2.create_security_group(
        GroupName="g", Description="g", VpcId=vpc, TagSpecifications=tags("security-group")
    )["GroupId"]
    (default,) = ec2.describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    ec2.create_tags(Resources=[default["GroupId"]], Tags=[{"Key": "of", "Value": "the-deleted"}])
    by_key = [{"Name": "key", "Values": ["of"]}]
    assert len(ec2.describe_tags(Filters=by_key)["Tags"]) == 4
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    ec2.delete_vpc(VpcId=vpc)
    assert ec2.describe_tags(Filters=by_key)["Tags"] == []


def test_what_something_else_needs_cannot_be_deleted_and_a_nat_gateway_takes_its_own_along(ec2: Any):
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="held", Description="d", VpcId=vpc)["GroupId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address)["NatGateway"]["NatGatewayId"]
    interface = ec2.create_network_interface(SubnetId=subnet, Groups=[group])["NetworkInterface"]["NetworkInterfaceId"]
    ec2.delete_nat_gateway(NatGatewayId=gateway)
    inside = [{"Name": "subnet-id", "Values": [subnet]}]
    left = ec2.describe_network_interfaces(Filters=inside)["NetworkInterfaces"]
    assert [each["NetworkInterfaceId"] for each in left] == [interface]
    assert "AssociationId" not in ec2.describe_addresses(AllocationIds=[address])["Addresses"][0]
    with pytest.raises(ClientError, match=r"DependencyViolation.*The subnet 'subnet-\w+' has dependencies"):
        ec2.delete_subnet(SubnetId=subnet)
    with pytest.raises(ClientError, match=r"DependencyViolation.*resource sg-\w+ has a dependent object"):
        ec2.delete_security_group(GroupId=group)
    with pytest.raises(ClientError, match=r"DependencyViolation.*The vpc 'vpc-\w+' has dependencies"):
        ec2.delete_vpc(VpcId=vpc)
    ec2.delete_network_interface(NetworkInterfaceId=interface)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_subnet(SubnetId=subnet)
    ec2.release_address(AllocationId=address)
    ec2.delete_vpc(VpcId=vpc)
    with pytest.raises(ClientError, match="NatGatewayNotFound"):
        ec2.delete_nat_gateway(NatGatewayId="nat-0123456789abcdef0")

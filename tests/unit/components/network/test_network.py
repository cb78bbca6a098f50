"""The network component: reachability, and resources that stay in place when settings change."""

import json
from typing import Any

import pytest

from components.account import Account
from components.network.arguments import NetworkArgs
from components.network.network import Network
from components.network.spec import ConnectionSpec, Nat, NetworkSpec
from mlp.recording import ACCOUNT, Deploy, Recorded, RecordingCloud

ZONES = ("us-east-1a", "us-east-1b", "us-east-1c")
KEY = "arn:aws:kms:us-east-1:123456789012:key/logs"


def arguments(
    nat: Nat = "per_zone",
    zones: tuple[str, ...] = ZONES,
    endpoints: tuple[str, ...] = (),
    connections: dict[str, ConnectionSpec] | None = None,
) -> NetworkArgs:
    return NetworkArgs(
        spec=NetworkSpec(
            cidr="10.10.0.0/16",
            pod_cidr="100.64.0.0/16",
            service_cidr="172.20.0.0/16",
            zones=zones,
            nat=nat,
            interface_endpoints=endpoints,
            connections=connections or {},
            flow_log_retention_days=14,
        ),
        account=Account(id=ACCOUNT, partition="aws", region="us-east-1"),
        logs_key_arn=KEY,
    )


def build(deploy: Deploy, args: NetworkArgs) -> RecordingCloud:
    return deploy(lambda: Network("network", args))[1]


def table_of(cloud: RecordingCloud, subnet: str) -> str:
    """Return the identifier of the route table that a subnet uses."""
    associations = cloud.of_type("aws:ec2/routeTableAssociation:RouteTableAssociation")
    [table] = [each.inputs["routeTableId"] for each in associations if each.inputs["subnetId"] == f"{subnet}-id"]
    return table


def way_out(cloud: RecordingCloud, subnet: str) -> str | None:
    """Return the target of a subnet's default route."""
    table = table_of(cloud, subnet)
    routes = [each.inputs for each in cloud.of_type("aws:ec2/route:Route") if each.inputs["routeTableId"] == table]
    assert len(routes) <= 1
    return (routes[0].get("natGatewayId") or routes[0]["gatewayId"]) if routes else None


def names(resources: list[Recorded]) -> set[str]:
    return {resource.name for resource in resources}


def test_the_vpc_resolves_names_because_private_endpoints_need_it(deploy: Deploy):
    vpc = build(deploy, arguments()).named("network-vpc").inputs
    assert (vpc["cidrBlock"], vpc["enableDnsSupport"], vpc["enableDnsHostnames"]) == ("10.10.0.0/16", True, True)


def test_every_zone_has_all_four_kinds_of_subnets_and_none_hands_out_public_addresses(deploy: Deploy):
    subnets = build(deploy, arguments()).of_type("aws:ec2/subnet:Subnet")
    expected = {f"network-{kind}-{zone}" for kind in ("public", "private", "intra", "pods") for zone in "abc"}
    assert names(subnets) == expected
    assert [subnet.name for subnet in subnets if subnet.inputs["mapPublicIpOnLaunch"]] == []
    assert all(subnet.inputs["availabilityZone"][-1] == subnet.name[-1] for subnet in subnets)


def test_load_balancers_find_their_subnets_by_tag(deploy: Deploy):
    cloud = build(deploy, arguments())
    for subnet in cloud.of_type("aws:ec2/subnet:Subnet"):
        roles = {tag for tag in subnet.inputs["tags"] if tag.startswith("kubernetes.io/role/")}
        expected = {"public": {"kubernetes.io/role/elb"}, "private": {"kubernetes.io/role/internal-elb"}}
        assert roles == expected.get(subnet.name.split("-")[1], set()), subnet.name


def test_pod_subnets_wait_for_the_secondary_range(deploy: Deploy):
    cloud = build(deploy, arguments())
    pod_range = cloud.named("network-pod-range")
    assert pod_range.inputs["cidrBlock"] == "100.64.0.0/16"
    assert pod_range.urn in cloud.named("network-pods-a").depends_on


def test_public_subnets_leave_by_the_internet_gateway(deploy: Deploy):
    cloud = build(deploy, arguments())
    assert {way_out(cloud, f"network-public-{zone}") for zone in "abc"} == {"network-internet-id"}


def test_with_nat_per_zone_each_zone_leaves_through_its_own_gateway(deploy: Deploy):
    cloud = build(deploy, arguments("per_zone"))
    for zone in "abc":
        assert way_out(cloud, f"network-private-{zone}") == f"network-nat-{zone}-id"
        assert way_out(cloud, f"network-pods-{zone}") == f"network-nat-{zone}-id"
        assert cloud.named(f"network-nat-{zone}").inputs["subnetId"] == f"network-public-{zone}-id"
    assert len(cloud.of_type("aws:ec2/eip:Eip")) == 3


def test_with_a_single_nat_all_zones_share_one_gateway_and_one_address(deploy: Deploy):
    cloud = build(deploy, arguments("single"))
    assert {way_out(cloud, f"network-{kind}-{zone}") for kind in ("private", "pods") for zone in "abc"} == {
        "network-nat-a-id"
    }
    assert len(cloud.of_type("aws:ec2/eip:Eip")) == 1


def test_without_nat_private_subnets_have_no_way_out(deploy: Deploy):
    cloud = build(deploy, arguments("none"))
    assert {way_out(cloud, f"network-{kind}-{zone}") for kind in ("private", "pods") for zone in "abc"} == {None}
    assert cloud.of_type("aws:ec2/natGateway:NatGateway") + cloud.of_type("aws:ec2/eip:Eip") == []


@pytest.mark.parametrize("nat", ["none", "single", "per_zone"])
def test_intra_subnets_never_have_a_way_out(deploy: Deploy, nat: Nat):
    cloud = build(deploy, arguments(nat))
    assert {way_out(cloud, f"network-intra-{zone}") for zone in "abc"} == {None}


def test_nat_gateways_wait_for_the_internet_gateway(deploy: Deploy):
    cloud = build(deploy, arguments())
    assert cloud.named("network-internet").urn in cloud.named("network-nat-b").depends_on


def state(cloud: RecordingCloud) -> dict[str, Any]:
    return {resource.name: resource.inputs for resource in cloud.resources}


def test_a_change_from_one_nat_gateway_to_several_changes_routes_only(deploy: Deploy):
    single, several = (state(build(deploy, arguments(nat))) for nat in ("single", "per_zone"))
    assert {name for name in single if single[name] != several[name]} == {
        "network-private-b-nat",
        "network-private-c-nat",
    }
    assert set(several) - set(single) == {f"network-nat-{zone}{end}" for zone in "bc" for end in ("", "-address")}


def test_a_zone_more_leaves_the_others_as_they_are(deploy: Deploy):
    two, three = (state(build(deploy, arguments(zones=zones))) for zones in (ZONES[1:], ZONES))
    assert {name for name in two if two[name] != three[name]} == {"network-endpoints-s3"}, "it learns a new route table"


def test_the_order_of_zones_in_the_settings_changes_nothing(deploy: Deploy):
    forwards, backwards = (state(build(deploy, arguments("single", zones))) for zones in (ZONES, ZONES[::-1]))
    assert forwards == backwards


def test_s3_is_reached_without_nat_from_every_subnet_that_is_not_public(deploy: Deploy):
    cloud = build(deploy, arguments("none"))
    s3 = cloud.named("network-endpoints-s3").inputs
    assert (s3["vpcEndpointType"], s3["serviceName"]) == ("Gateway", "com.amazonaws.us-east-1.s3")
    tables = {table_of(cloud, f"network-{kind}-{zone}") for kind in ("private", "pods", "intra") for zone in "abc"}
    assert set(s3["routeTableIds"]) == tables


def test_interface_endpoints_answer_to_https_from_inside_only(deploy: Deploy):
    cloud = build(deploy, arguments(endpoints=("ecr.api", "sts")))
    for name, service in (("ecr-api", "ecr.api"), ("sts", "sts")):
        endpoint = cloud.named(f"network-endpoints-{name}").inputs
        assert endpoint["serviceName"] == f"com.amazonaws.us-east-1.{service}"
        assert endpoint["privateDnsEnabled"] is True
        assert endpoint["securityGroupIds"] == ["network-endpoints-callers-id"]
        assert endpoint["subnetIds"] == [f"network-private-{zone}-id" for zone in "abc"]
    rules = cloud.of_type("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
    assert {(rule.inputs["cidrIpv4"], rule.inputs["fromPort"], rule.inputs["toPort"]) for rule in rules} == {
        ("10.10.0.0/16", 443, 443),
        ("100.64.0.0/16", 443, 443),
    }


def test_without_interface_endpoints_there_is_no_group_for_them(deploy: Deploy):
    assert build(deploy, arguments()).of_type("aws:ec2/securityGroup:SecurityGroup") == []


def test_the_default_security_group_allows_nothing(deploy: Deploy):
    group = build(deploy, arguments()).named("network-default").inputs
    assert (group["ingress"], group["egress"]) == ([], [])


def test_flow_logs_of_all_traffic_are_kept_encrypted_for_as_long_as_asked(deploy: Deploy):
    cloud = build(deploy, arguments())
    group, log = cloud.named("network-flow-logs-group"), cloud.named("network-flow-logs-all")
    assert (group.inputs["retentionInDays"], group.inputs["kmsKeyId"]) == (14, KEY)
    assert (log.inputs["trafficType"], log.inputs["vpcId"]) == ("ALL", "network-vpc-id")
    assert log.inputs["logDestination"] == "arn:aws:mock:::network-flow-logs-group"
    assert cloud.named("network-flow-logs-delivery-policy").urn in log.depends_on


def test_flow_log_delivery_may_write_to_its_log_group_and_nothing_else(deploy: Deploy):
    cloud = build(deploy, arguments())
    group_arn = "arn:aws:mock:::network-flow-logs-group"
    policy = json.loads(cloud.named("network-flow-logs-delivery-policy").inputs["policy"])
    writing = [each for each in policy["Statement"] if "logs:PutLogEvents" in each["Action"]]
    assert [statement["Resource"] for statement in writing] == [[group_arn, f"{group_arn}:log-stream:*"]]
    assert {action for each in policy["Statement"] for action in as_list(each["Action"])} == {
        "logs:CreateLogStream",
        "logs:DescribeLogGroups",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    }


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_only_this_accounts_flow_logs_may_assume_the_delivery_role(deploy: Deploy):
    role = build(deploy, arguments()).named("network-flow-logs-delivery")
    [statement] = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": ACCOUNT}


def test_the_handle_names_the_subnets_of_each_zone(deploy: Deploy):
    network, _ = deploy(lambda: Network("network", arguments()))
    for subnets in (network.handle.public_subnets, network.handle.private_subnets, network.handle.pod_subnets):
        assert tuple(subnets) == ZONES


TRANSIT = ConnectionSpec(gateway="tgw-0123456789abcdef0", cidrs={"vpn": "10.200.0.0/16", "runners": "10.201.0.0/20"})
PEERING = ConnectionSpec(gateway="pcx-0123456789abcdef0", cidrs={"ci": "10.202.0.0/16"})
ROUTE, ATTACHMENT = "aws:ec2/route:Route", "aws:ec2transitgateway/vpcAttachment:VpcAttachment"


def test_a_transit_gateway_is_attached_in_one_subnet_of_each_zone(deploy: Deploy):
    [attachment] = build(deploy, arguments(connections={"corporate": TRANSIT})).of_type(ATTACHMENT)
    assert attachment.inputs["transitGatewayId"] == TRANSIT.gateway
    assert attachment.inputs["subnetIds"] == [f"network-intra-{zone}-id" for zone in "abc"]
    assert "transitGatewayDefaultRouteTableAssociation" not in attachment.inputs, "a shared gateway refuses it"


def test_what_answers_behind_a_transit_gateway_has_a_way_back_that_waits_for_the_attachment(deploy: Deploy):
    cloud = build(deploy, arguments(connections={"corporate": TRANSIT}))
    routes = [each for each in cloud.of_type(ROUTE) if each.inputs.get("transitGatewayId")]
    assert {(each.inputs["destinationCidrBlock"], each.inputs["routeTableId"]) for each in routes} == {
        ("10.200.0.0/16", table_of(cloud, "network-intra-a")),
        ("10.201.0.0/20", table_of(cloud, "network-intra-a")),
    }
    [attachment] = cloud.of_type(ATTACHMENT)
    assert all(attachment.urn in each.depends_on for each in routes)


def test_a_peering_connection_gets_routes_and_nothing_that_bills(deploy: Deploy):
    cloud = build(deploy, arguments(connections={"ci": PEERING}))
    [route] = [each for each in cloud.of_type(ROUTE) if each.inputs.get("vpcPeeringConnectionId")]
    assert route.inputs["vpcPeeringConnectionId"] == PEERING.gateway
    assert (route.inputs["destinationCidrBlock"], cloud.of_type(ATTACHMENT)) == ("10.202.0.0/16", [])


def test_subnets_of_nodes_pods_and_load_balancers_get_no_way_to_other_networks(deploy: Deploy):
    plain, connected = (
        build(deploy, arguments(connections=each)) for each in ({}, {"corporate": TRANSIT, "ci": PEERING})
    )
    for kind in ("public", "private", "pods"):
        assert way_out(connected, f"network-{kind}-a") == way_out(plain, f"network-{kind}-a")


def test_whatever_names_a_gateway_asks_first_whether_it_is_there(deploy: Deploy):
    cloud = build(deploy, arguments(connections={"corporate": TRANSIT, "ci": PEERING}))
    asking = {each.name: each.before for each in cloud.resources if each.before}
    assert asking["network-to-corporate-attachment"] == ("tgw-0123456789abcdef0 is there",)
    assert asking["network-to-ci-to-ci"] == ("pcx-0123456789abcdef0 is there",)


def test_zones_of_another_region_are_refused_before_anything_is_created():
    with pytest.raises(ValueError, match=r"zones must be in region us-east-1, got eu-west-1b"):
        arguments(zones=("us-east-1a", "eu-west-1b"))

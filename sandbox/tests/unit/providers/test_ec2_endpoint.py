"""VPC endpoints and flow logs through their lives."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Handler
from mlp_sandbox.providers.aws.services.ec2.endpoint import HANDLERS, VpcEndpoint
from mlp_sandbox.providers.aws.services.ec2.flow_log import HANDLERS as FLOW_LOGS
from mlp_sandbox.providers.aws.services.ec2.flow_log import FlowLog
from mlp_sandbox.providers.values import UNKNOWN
from sandbox.tests.unit.providers import network
from sandbox.tests.unit.providers.driver import Life, assert_speaks_the_sdk

S3, STS = "com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.sts"
LOGS = "arn:aws:logs:us-east-1:123456789012:log-group:/vpc/flow"
ROLE = "arn:aws:iam::123456789012:role/flow-logs"
BUCKET = "mlops-flow-logs"
# moto loses these, or never changes them; the emulator's extension keeps them
LOST_BY_MOTO = {"ipAddressType", "dnsOptions", "privateDnsEnabled"}


@pytest.fixture(scope="module", autouse=True)
def account() -> Iterator[None]:
    """Start one account for all tests here: that takes moto a second. Each test has its own VPC."""
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        boto3.client("logs", region_name="us-east-1").create_log_group(logGroupName="/vpc/flow")
        yield


@pytest.mark.parametrize("handler", [*HANDLERS, *FLOW_LOGS], ids=lambda handler: handler.token)
def test_handlers_know_the_inputs_of_the_official_sdk(handler: Handler) -> None:
    assert_speaks_the_sdk(handler)


def test_a_gateway_endpoint_changes_its_policy_in_place() -> None:
    vpc = network.vpc()
    fixed = {"vpcId": vpc, "serviceName": S3, "vpcEndpointType": "Gateway", "routeTableIds": [network.route_table(vpc)]}
    Life(VpcEndpoint()).lives(
        {**fixed, "tags": {"Name": "s3"}},
        {**fixed, "policy": _policy("s3:GetObject")},
        {**fixed, "policy": _policy("s3:*")},
    )


def test_a_gateway_endpoint_changes_its_route_tables_in_place() -> None:
    vpc, life = network.vpc(), Life(VpcEndpoint())
    first, second, third = (network.route_table(vpc) for _ in range(3))
    old = {"vpcId": vpc, "serviceName": S3, "routeTableIds": [first, second]}
    new = {**old, "routeTableIds": [third, second]}
    id = life.create(**old)
    life.update(id, old, new)
    # not deleted here: moto fails on the routes that it did not add; the emulator's extension adds them
    life.reads_back(id, new)


def test_an_interface_endpoint_changes_subnets_groups_and_private_dns_in_place() -> None:
    vpc = network.vpc()
    first, second = network.subnet(vpc), network.subnet(vpc, "10.0.2.0/24", "us-east-1b")
    one, other = network.group(vpc, "one"), network.group(vpc, "other")
    fixed = {"vpcId": vpc, "serviceName": STS, "vpcEndpointType": "Interface"}
    dns = {"ipAddressType": "ipv4", "dnsOptions": {"dnsRecordIpType": "ipv4"}, "privateDnsEnabled": True}
    Life(VpcEndpoint(), unread=LOST_BY_MOTO).lives(
        {**fixed, **dns, "subnetIds": [first], "securityGroupIds": [one]},
        {**fixed, **dns, "subnetIds": [second, first], "securityGroupIds": [other], "privateDnsEnabled": False},
    )


def test_the_prefix_list_of_a_gateway_endpoint_is_an_output() -> None:
    life = Life(VpcEndpoint())
    live = life.live(life.create(vpcId=network.vpc(), serviceName=S3))
    assert live["prefixListId"].startswith("pl-")
    assert live["state"] == "available"
    assert life.created == [live["arn"].rsplit("/", 1)[1]]


def test_the_policy_that_aws_gives_an_endpoint_is_no_drift() -> None:
    life, inputs = Life(VpcEndpoint()), {"vpcId": network.vpc(), "serviceName": S3}
    id = life.create(**inputs)
    assert json.loads(life.live(id)["policy"])["Statement"][0]["Effect"] == "Allow"
    life.reads_back(id, inputs)


def test_an_endpoint_that_failed_is_an_error_that_names_its_state() -> None:
    life = Life(VpcEndpoint())
    handler: Any = life.handler
    id = life.create(vpcId=network.vpc(), serviceName=S3)
    life.aws.timeout = 0.01
    with pytest.raises(TimeoutError, match=f"VPC endpoint {id}: the last status after 0 seconds is 'available'"):
        handler._wait(life.aws, id, {}, "deleted")


def test_a_flow_log_to_cloudwatch_changes_its_tags_in_place() -> None:
    fixed = {"vpcId": network.vpc(), "trafficType": "ALL", "logDestination": LOGS, "iamRoleArn": ROLE}
    id = Life(FlowLog()).lives({**fixed, "maxAggregationInterval": 60, "tags": {"Name": "flow"}})
    assert id.startswith("fl-")


def test_the_wildcard_at_the_end_of_a_log_group_is_no_drift() -> None:
    fixed = {"vpcId": network.vpc(), "trafficType": "REJECT", "iamRoleArn": ROLE}
    Life(FlowLog(), unread={"logDestination"}).lives({**fixed, "logDestination": f"{LOGS}:*"})
    life = Life(FlowLog())
    id = life.create(**fixed, logDestination=f"{LOGS}:*")
    assert life.live(id, logDestination=f"{LOGS}:*")["logDestination"] == f"{LOGS}:*"


def test_a_flow_log_to_a_bucket_keeps_its_file_options() -> None:
    options = {"fileFormat": "parquet", "hiveCompatiblePartitions": True, "perHourPartition": True}
    inputs = {"logDestinationType": "s3", "logDestination": f"arn:aws:s3:::{BUCKET}", "destinationOptions": options}
    # moto loses destinationOptions; the emulator's extension keeps them
    life = Life(FlowLog(), unread={"destinationOptions"})
    life.lives({**inputs, "subnetId": network.subnet(network.vpc()), "trafficType": "ALL"})


def test_a_flow_log_to_a_bucket_that_does_not_exist_is_refused() -> None:
    with pytest.raises((ClientError, ValueError), match="not-there"):
        Life(FlowLog()).create(
            vpcId=network.vpc(),
            trafficType="ALL",
            logDestinationType="s3",
            logDestination="arn:aws:s3:::not-there",
        )


def test_bad_inputs_are_refused_with_what_to_do() -> None:
    endpoint = {"vpcId": "vpc-1", "vpcEndpointType": "Gateway", "subnetIds": ["subnet-1"], "policy": "allow"}
    problems = dict(VpcEndpoint().check(endpoint))
    assert "does not apply to a Gateway endpoint" in problems["subnetIds"]
    assert "give the service" in problems["serviceName"]
    assert "policy" in problems
    log = {"vpcId": "vpc-1", "subnetId": "subnet-1", "maxAggregationInterval": 30, "destinationOptions": {}}
    problems = dict(FlowLog().check(log))
    assert "subnetId and vpcId are given" in problems["subnetId"]
    assert "give one of 60, 600" in problems["maxAggregationInterval"]
    assert "S3" in problems["destinationOptions"]
    assert "trafficType" in dict(FlowLog().check({"vpcId": "vpc-1"}))


def test_values_that_are_not_known_yet_pass() -> None:
    unknown = {"vpcId": UNKNOWN, "serviceName": STS, "vpcEndpointType": "Interface", "subnetIds": [UNKNOWN]}
    assert VpcEndpoint().check({**unknown, "policy": UNKNOWN, "dnsOptions": UNKNOWN}) == []
    assert FlowLog().check({"vpcId": UNKNOWN, "trafficType": "ALL", "logDestination": UNKNOWN}) == []


def _policy(action: str) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

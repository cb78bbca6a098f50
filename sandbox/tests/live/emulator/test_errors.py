"""Missing operations and crashes produce errors in the protocol of the service, which clients never retry."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError

from mlp_sandbox.emulator.limits import LIMITS
from sandbox.tests.live.emulator.running import Running

UNCHECKED = Config(retries={"mode": "standard", "max_attempts": 3}, parameter_validation=False)
# One of each protocol: query, ec2, json 1.0 and 1.1, rest-json, rest-xml, a service that moto has no module of, and
# one that speaks CBOR.
EXAMPLES = [
    ("iam", "GenerateServiceLastAccessedDetails"),
    ("ec2", "PurchaseCapacityBlock"),
    ("dynamodb", "DescribeContributorInsights"),
    ("budgets", "CreateBudgetAction"),
    ("eks", "RegisterCluster"),
    ("s3", "PutBucketMetricsConfiguration"),
    ("grafana", "ListWorkspaces"),
    ("codeartifact", "ListDomains"),
    ("cloudwatch", "PutMetricStream"),
]
LISTED = [(limit.service, operation) for limit in LIMITS for operation in limit.operations]


def _call(emulator: Running, service: str, operation: str) -> None:
    client = emulator.client(service, config=UNCHECKED)
    shape = client.meta.service_model.operation_model(operation).input_shape
    members = shape.members if shape else {}
    routed = {
        name: "some-name"
        for name in (shape.required_members if shape else [])
        if members[name].serialization.get("location") in {"uri", "querystring"}
    }
    getattr(client, xform_name(operation))(**routed)


@pytest.mark.parametrize(("service", "operation"), sorted({*EXAMPLES, *LISTED}))
def test_a_missing_operation_answers_not_implemented_once(emulator: Running, service: str, operation: str):
    with pytest.raises(ClientError) as failure:
        _call(emulator, service, operation)
    response = failure.value.response
    assert response["Error"]["Code"] == "NotImplemented"
    assert f"{service}: {operation} is not emulated" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert response["ResponseMetadata"]["RetryAttempts"] == 0


def test_a_crash_answers_internal_failure_once_and_leaves_its_traceback_in_the_log(emulator: Running):
    with pytest.raises(ClientError) as failure:
        emulator.client("ecs", config=UNCHECKED).put_attributes(attributes=[])
    response = failure.value.response
    assert response["Error"]["Code"] == "InternalFailure"
    assert "ecs: PutAttributes failed" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    assert "Traceback (most recent call last)" in emulator.log.read_text()


def test_an_unknown_region_is_an_error_and_no_web_page(emulator: Running):
    with pytest.raises(ClientError) as failure:
        emulator.client("ec2", region_name="mars-east-1").describe_vpcs()
    assert failure.value.response["Error"]["Code"] in {"InternalFailure", "NotImplemented", "UnknownRegion"}


def test_errors_of_aws_itself_stay_what_they_are(client: Callable[[str], Any]):
    with pytest.raises(ClientError, match="NoSuchEntity"):
        client("iam").get_role(RoleName="nobody")

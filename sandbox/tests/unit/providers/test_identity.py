"""Account, partition and region lookups of a program."""

from __future__ import annotations

import importlib
import inspect

import pulumi_aws
import pytest
from moto import mock_aws

from mlp_sandbox.providers.aws.resource import Aws
from mlp_sandbox.providers.aws.services.identity import INVOKES


def call(name: str, region: str = "us-east-1", **args: str) -> dict[str, str]:
    return INVOKES[f"aws:index/{name}:{name}"](Aws(region=region), args)


@mock_aws
def test_the_caller_is_named_with_account_and_arn() -> None:
    caller = call("getCallerIdentity")
    assert caller["accountId"] == caller["id"] == "123456789012"
    assert caller["arn"].startswith("arn:aws:sts::123456789012:")
    assert caller["userId"]


@pytest.mark.parametrize(
    ("region", "partition", "suffix", "reverse"),
    [
        ("us-east-1", "aws", "amazonaws.com", "com.amazonaws"),
        ("cn-north-1", "aws-cn", "amazonaws.com.cn", "cn.com.amazonaws"),
        ("us-gov-west-1", "aws-us-gov", "amazonaws.com", "com.amazonaws"),
    ],
)
def test_the_partition_follows_the_region(region: str, partition: str, suffix: str, reverse: str) -> None:
    found = call("getPartition", region)
    assert found == {"partition": partition, "id": partition, "dnsSuffix": suffix, "reverseDnsPrefix": reverse}


def test_the_region_is_the_providers_unless_asked_otherwise() -> None:
    assert call("getRegion")["region"] == "us-east-1"
    assert call("getRegion", region="eu-west-1")["name"] == "eu-west-1"
    assert call("getRegion", endpoint="ec2.eu-west-1.amazonaws.com")["id"] == "eu-west-1"
    assert call("getRegion")["description"] == "US East (N. Virginia)"
    assert call("getRegion", "cn-north-1")["endpoint"] == "ec2.cn-north-1.amazonaws.com.cn"


def test_a_region_that_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"no region 'us-east-9'; known: .*us-east-1"):
        call("getRegion", region="us-east-9")


@mock_aws
@pytest.mark.parametrize("token", sorted(INVOKES))
def test_every_function_answers_what_the_official_sdk_reads(token: str) -> None:
    snake = {"getCallerIdentity": "get_caller_identity", "getPartition": "get_partition", "getRegion": "get_region"}
    name = token.rsplit(":", 1)[1]
    module = importlib.import_module(f"{pulumi_aws.__name__}.{snake[name]}")
    result = getattr(module, f"G{name[1:]}Result")
    wanted = {
        getter.fget.__dict__.get("_pulumi_name", attribute)
        for attribute, getter in inspect.getmembers(result, lambda member: isinstance(member, property))
    }
    assert set(INVOKES[token](Aws(region="us-east-1"), {})) == wanted

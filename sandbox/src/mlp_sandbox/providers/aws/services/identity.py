"""Functions that return the program's identity, region and partition."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session

from mlp_sandbox.providers.aws.resource import Aws, Props


def caller_identity(aws: Aws, args: Props) -> Props:
    found = aws.client("sts").get_caller_identity()
    return {"accountId": found["Account"], "arn": found["Arn"], "userId": found["UserId"], "id": found["Account"]}


def partition(aws: Aws, args: Props) -> Props:
    about = _partition_of(aws.region)
    suffix, name = about["dnsSuffix"], about["partition"]
    return {
        "partition": name,
        "dnsSuffix": suffix,
        "reverseDnsPrefix": ".".join(reversed(suffix.split("."))),
        "id": name,
    }


def region(aws: Aws, args: Props) -> Props:
    endpoint = args.get("endpoint")
    # An EC2 endpoint reads ec2.us-east-1.amazonaws.com.
    named = endpoint.split(".")[1] if isinstance(endpoint, str) and endpoint.count(".") > 1 else None
    name = str(args.get("region") or args.get("name") or named or aws.region)
    about = _partition_of(name)
    title = about["regions"].get(name)
    if title is None:
        raise ValueError(f"getRegion: there is no region {name!r}; known: {', '.join(sorted(about['regions']))}")
    return {
        "region": name,
        "name": name,
        "id": name,
        "description": title["description"],
        "endpoint": f"ec2.{name}.{about['dnsSuffix']}",
    }


def _partition_of(region: str) -> dict[str, Any]:
    for about in _partitions():
        if re.match(about["regionRegex"], region):
            return about
    return _partitions()[0]


@cache
def _partitions() -> list[dict[str, Any]]:
    """Return AWS's own table of partitions and regions, as it comes with botocore."""
    return botocore.session.Session().get_data("endpoints")["partitions"]


INVOKES: dict[str, Callable[[Aws, Props], Props]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getPartition:getPartition": partition,
    "aws:index/getRegion:getRegion": region,
}

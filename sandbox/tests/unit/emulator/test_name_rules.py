"""Names, descriptions, sizes and tags: the emulator rejects those that AWS rejects, and accepts the longest valid."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.unit.emulator.emulated import ACCOUNT, Emulated

_LOST = f"arn:aws:iam::{ACCOUNT}:role/lost"


def _code(emulated: Emulated, service: str, operation: str, parameters: Mapping[str, Any]) -> str:
    """Return the error code, or "" when the request is accepted."""
    try:
        getattr(emulated.client(service), operation)(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def _large_policy(resource: str, characters: int) -> str:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement] * (characters // 100)})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        *(
            (name, "InvalidBucketName")
            for name in ("ab", "Upper", "under_score", "192.168.0.1", "xn--a", "a..b", "-ab")
        ),
        *((name, "InvalidBucketName") for name in ("b" * 64, "logs-s3alias", "amzn-s3-demo-x", "ends-")),
        *((name, "") for name in ("b" * 63, "a.b-c.9", "192.168.0.x", "123")),
    ],
)
def test_buckets_have_names_that_work_as_host_names(emulated: Emulated, name: str, code: str):
    assert _code(emulated, "s3", "create_bucket", {"Bucket": name}) == code


@pytest.mark.parametrize(
    ("key", "code"),
    [("k" * 1024, ""), ("k" * 1025, "KeyTooLongError"), ("é" * 512, ""), ("é" * 513, "KeyTooLongError")],
)
def test_a_key_has_1024_bytes_of_utf8_however_it_is_written(emulated: Emulated, key: str, code: str):
    s3 = emulated.client("s3")
    s3.create_bucket(Bucket="data")
    s3.put_object(Bucket="data", Key="source", Body=b"x")
    assert _code(emulated, "s3", "put_object", {"Bucket": "data", "Key": key, "Body": b"x"}) == code
    assert _code(emulated, "s3", "create_multipart_upload", {"Bucket": "data", "Key": key}) == code
    assert _code(emulated, "s3", "copy_object", {"Bucket": "data", "Key": key, "CopySource": "data/source"}) == code


def test_policies_of_buckets_have_a_size_and_principals_that_exist(emulated: Emulated):
    emulated.client("s3").create_bucket(Bucket="data")
    large = _large_policy("arn:aws:s3:::data/*", 30_000)
    assert _code(emulated, "s3", "put_bucket_policy", {"Bucket": "data", "Policy": large}) == "PolicyTooLarge"
    statement = {"Effect": "Allow", "Principal": {"AWS": _LOST}, "Action": "s3:*", "Resource": "arn:aws:s3:::data"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert _code(emulated, "s3", "put_bucket_policy", {"Bucket": "data", "Policy": text}) == "MalformedPolicy"
    assert _code(emulated, "kms", "create_key", {"Policy": text}) == "MalformedPolicyDocumentException"
    assert _code(emulated, "kms", "create_key", {"Policy": large * 2}) == "LimitExceededException"


_SG = {"GroupName": "nodes", "Description": "Nodes: [a-z] {x} $1 *", "VpcId": "vpc-1"}
_SECRET = {"Name": "mlflow/admin_+=.@!-9", "SecretString": "x" * 65_536}


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("secretsmanager", "create_secret", _SECRET, ""),
        ("secretsmanager", "create_secret", _SECRET | {"Name": "two words"}, "ValidationException"),
        ("secretsmanager", "create_secret", _SECRET | {"Name": "n" * 513}, "ValidationException"),
        ("secretsmanager", "create_secret", _SECRET | {"SecretString": "x" * 65_537}, "ValidationException"),
        ("secretsmanager", "create_secret", _SECRET | {"Description": "x" * 2_049}, "ValidationException"),
        ("kms", "create_key", {"Description": "x" * 8_192}, ""),
        ("kms", "create_key", {"Description": "x" * 8_193}, "ValidationException"),
        ("kms", "create_alias", {"AliasName": "alias/aws/mine", "TargetKeyId": "x"}, "NotAuthorizedException"),
        ("kms", "create_alias", {"AliasName": "alias/" + "x" * 251, "TargetKeyId": "x"}, "ValidationException"),
        ("ecr", "create_repository", {"repositoryName": "ml/scoring_1.x-y"}, ""),
        ("ecr", "create_repository", {"repositoryName": "ml/Scoring"}, "InvalidParameterException"),
        ("ecr", "create_repository", {"repositoryName": "r" * 257}, "InvalidParameterException"),
        ("logs", "create_log_group", {"logGroupName": "/aws/eks/ml-1.#_/cluster"}, ""),
        ("logs", "create_log_group", {"logGroupName": "a:b"}, "InvalidParameterException"),
        ("logs", "create_log_group", {"logGroupName": "g" * 513}, "InvalidParameterException"),
        ("logs", "put_retention_policy", {"logGroupName": "g", "retentionInDays": 8}, "InvalidParameterException"),
        ("ec2", "create_security_group", _SG | {"Description": "l'équipe"}, "InvalidParameterValue"),
        ("ec2", "create_security_group", _SG | {"Description": "d" * 256}, "InvalidParameterValue"),
        ("ec2", "create_security_group", _SG | {"GroupName": "sg-nodes"}, "InvalidParameterValue"),
        ("ec2", "create_security_group", _SG, "InvalidVpcID.NotFound"),
    ],
)
def test_names_and_sizes_of_what_this_platform_makes(
    emulated: Emulated, service: str, operation: str, parameters: dict[str, Any], code: str
):
    assert _code(emulated, service, operation, parameters) == code


def test_descriptions_of_security_rules_have_the_characters_that_ec2_takes(emulated: Emulated):
    ec2 = emulated.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
    for description, code in (("HTTPS, pods (443)", ""), ("pods' HTTPS", "InvalidParameterValue")):
        ranges = [{"CidrIp": "10.0.0.0/8", "Description": description}]
        permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": ranges}
        sent = {"GroupId": group, "IpPermissions": [permission]}
        assert _code(emulated, "ec2", "authorize_security_group_ingress", sent) == code


_MANY = {f"k{number}": "v" for number in range(51)}


@pytest.mark.parametrize(("tags", "reserved"), [({"aws:team": "ml"}, True), ({"AWS:team": "ml"}, True), (_MANY, False)])
def test_reserved_tags_and_more_than_fifty_are_refused_everywhere(
    emulated: Emulated, tags: dict[str, str], reserved: bool
):
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    vpc = {"CidrBlock": "10.0.0.0/16", "TagSpecifications": [{"ResourceType": "vpc", "Tags": listed}]}
    requests: list[tuple[str, str, dict[str, Any], str, str]] = [
        ("kms", "create_key", {"Tags": [{"TagKey": k, "TagValue": v} for k, v in tags.items()]}, "TagE", "TagE"),
        ("sns", "create_topic", {"Name": "t", "Tags": listed}, "InvalidParameter", "TagLimitExceeded"),
        ("ecr", "create_repository", {"repositoryName": "ml", "tags": listed}, "InvalidTag", "TooManyTags"),
        ("logs", "create_log_group", {"logGroupName": "g", "tags": tags}, "InvalidParameter", "InvalidParameter"),
        ("secretsmanager", "create_secret", {"Name": "s", "Tags": listed}, "InvalidParameter", "InvalidParameter"),
        ("iam", "create_policy", {"PolicyName": "p", "PolicyDocument": "{}", "Tags": listed}, "InvalidInput", "Valid"),
        ("ec2", "create_vpc", vpc, "InvalidParameterValue", "TagLimitExceeded"),
    ]
    for service, operation, parameters, code, too_many in requests:
        found = _code(emulated, service, operation, parameters)
        assert found.startswith(code if reserved else too_many), f"{service}: {found!r}"

"""The journal records every operation that is not known to be read-only."""

import pytest

from mlp_sandbox.emulator.classify import is_write
from mlp_sandbox.emulator.identify import Identity


def _identity(service: str, operation: str, protocol: str = "query") -> Identity:
    return Identity(
        service=service, operation=operation, region="us-east-1", protocol=protocol, account="1", access_key="k"
    )


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "CreateVpc"),
        ("iam", "TagRole"),
        ("sts", "AssumeRole"),
        ("sts", "AssumeRoleWithWebIdentity"),
        ("sts", "GetSessionToken"),
        ("kms", "CreateKey"),
        ("kms", "ScheduleKeyDeletion"),
        ("sqs", "ReceiveMessage"),
        ("dynamodb", "TransactWriteItems"),
        ("unheard-of", "Frobnicate"),
    ],
)
def test_these_are_writes(service: str, operation: str):
    assert is_write(_identity(service, operation), "POST")


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("ec2", "DescribeVpcs"),
        ("iam", "ListRoles"),
        ("sts", "GetCallerIdentity"),
        ("kms", "Encrypt"),
        ("kms", "Decrypt"),
        ("kms", "GenerateDataKey"),
        ("kms", "Sign"),
        ("kms", "Verify"),
        ("secretsmanager", "GetSecretValue"),
        ("ecr", "BatchCheckLayerAvailability"),
        ("dynamodb", "Query"),
    ],
)
def test_these_only_read(service: str, operation: str):
    assert not is_write(_identity(service, operation), "POST")


@pytest.mark.parametrize(
    ("operation", "method", "write"),
    [
        ("PutObject", "PUT", True),
        ("", "DELETE", True),
        ("", "POST", True),
        ("GetObject", "GET", False),
        ("", "GET", False),
        ("HeadObject", "HEAD", False),
        ("SelectObjectContent", "POST", False),
    ],
)
def test_rest_services_write_by_their_method(operation: str, method: str, *, write: bool):
    assert is_write(_identity("s3", operation, "rest-xml"), method) is write

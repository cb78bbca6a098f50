"""Bucket policies with conditions: a TLS-only bucket serves its owner and rejects plain HTTP."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.live.emulator.running import Running

BUCKET = "tls-only-bucket"
STATEMENT = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
}


@pytest.fixture
def s3(client: Callable[[str], Any]) -> Iterator[Any]:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="reports/a", Body=b"a")
    yield s3
    s3.delete_bucket_policy(Bucket=BUCKET)
    s3.delete_object(Bucket=BUCKET, Key="reports/a")
    s3.delete_bucket(Bucket=BUCKET)


def _deny(s3: Any, **changes: Any) -> None:
    document = {"Version": "2012-10-17", "Statement": [STATEMENT | changes]}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(document))


def _over_http(emulator: Running) -> Any:
    client = emulator.client("s3")

    def add_header(request: Any, **_: Any) -> None:
        request.headers["X-Forwarded-Proto"] = "http"

    client.meta.events.register("before-sign.s3", add_header)
    return client


def test_a_tls_only_bucket_serves_its_owner(s3: Any):
    _deny(s3, Condition={"Bool": {"aws:SecureTransport": "false"}})
    s3.put_object(Bucket=BUCKET, Key="reports/a", Body=b"b")
    assert s3.get_object(Bucket=BUCKET, Key="reports/a")["Body"].read() == b"b"
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1


@pytest.mark.parametrize("operation", ["put_object", "get_object", "list_objects_v2", "get_bucket_versioning"])
def test_a_tls_only_bucket_refuses_plain_http(emulator: Running, s3: Any, operation: str):
    _deny(s3, Condition={"Bool": {"aws:SecureTransport": "false"}})
    arguments = {"Key": "reports/a"} if operation.endswith("_object") else {}
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy") as failure:
        getattr(_over_http(emulator), operation)(Bucket=BUCKET, **arguments)
    assert failure.value.response["Error"]["Code"] == "AccessDenied"


def test_uploads_must_name_the_key_that_the_policy_asks_for(s3: Any, key: str):
    _deny(
        s3,
        Action="s3:PutObject",
        Condition={"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": key}},
    )
    s3.put_object(Bucket=BUCKET, Key="reports/a", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket=BUCKET, Key="reports/a", Body=b"", ServerSideEncryption="AES256")


def test_listing_can_be_bound_to_a_prefix(s3: Any):
    _deny(s3, Action="s3:ListBucket", Condition={"StringNotLike": {"s3:prefix": "reports/*"}})
    s3.list_objects_v2(Bucket=BUCKET, Prefix="reports/2026")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket=BUCKET, Prefix="other/")


def test_a_role_is_denied_by_name_and_the_account_is_not(emulator: Running, s3: Any):
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}]}
    iam, sts = emulator.client("iam"), emulator.client("sts")
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    session = sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    as_role = emulator.client(
        "s3", aws_access_key_id=session["AccessKeyId"], aws_secret_access_key=session["SecretAccessKey"]
    )
    _deny(s3, Principal={"AWS": role})
    s3.get_object(Bucket=BUCKET, Key="reports/a")
    with pytest.raises(ClientError, match="assumed-role/reader/me is not authorized to perform: s3:GetObject"):
        as_role.get_object(Bucket=BUCKET, Key="reports/a")


def test_deleting_many_and_copying_ask_the_policy_too(s3: Any):
    _deny(s3, Action=["s3:DeleteObject", "s3:GetObject"])
    with pytest.raises(ClientError, match="s3:DeleteObject"):
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "reports/a"}]})
    with pytest.raises(ClientError, match="s3:GetObject"):
        s3.copy_object(Bucket=BUCKET, Key="reports/b", CopySource={"Bucket": BUCKET, "Key": "reports/a"})


def test_the_account_can_take_a_policy_back_that_denies_everything(s3: Any):
    _deny(s3)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=BUCKET, Key="reports/a")
    s3.delete_bucket_policy(Bucket=BUCKET)
    s3.get_object(Bucket=BUCKET, Key="reports/a")

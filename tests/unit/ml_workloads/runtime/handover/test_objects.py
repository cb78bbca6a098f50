"""Objects that a run's pods exchange, in S3 as AWS answers: without list permission a missing object is forbidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from ml_workloads.runtime import aws
from ml_workloads.runtime.errors import PlatformError
from ml_workloads.runtime.handover.objects import Bucket


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        client: Any = boto3.client("s3")
        client.create_bucket(Bucket="lake")
        yield client


def forbidding(client: Any, forbidden: Callable[[str], bool]) -> Any:
    """Return a client that is denied read access to some objects."""

    class Client:
        def get_object(self, **arguments: Any) -> Any:
            if forbidden(arguments["Key"]):
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "Access Denied"}}, "GetObject")
            return client.get_object(**arguments)

        def __getattr__(self, name: str) -> Any:
            return getattr(client, name)

    return Client()


def test_an_object_is_read_as_it_was_written_and_deleted(s3: Any):
    bucket = Bucket("lake", patience=1)
    bucket.put("runs/a/1", b"one")
    assert (bucket.get("runs/a/1"), bucket.keys("runs/a/")) == (b"one", ["runs/a/1"])
    bucket.delete("runs/a/1")
    assert (bucket.get("runs/a/1"), bucket.keys("runs/a/")) == (None, [])


def test_the_first_to_write_wins(s3: Any):
    bucket = Bucket("lake", patience=1)
    assert bucket.put_first("key", b"one")
    assert not bucket.put_first("key", b"two")
    assert bucket.get("key") == b"one"


def test_an_absent_object_that_is_forbidden_is_absent(s3: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(aws, "client", lambda _: forbidding(s3, lambda key: True))
    assert Bucket("lake", patience=1).get("runs/a/1") is None


def test_an_object_that_is_there_and_forbidden_is_told(s3: Any, monkeypatch: pytest.MonkeyPatch):
    s3.put_object(Bucket="lake", Key="runs/a/1", Body=b"one")
    monkeypatch.setattr(aws, "client", lambda _: forbidding(s3, lambda key: True))
    with pytest.raises(PlatformError, match=r"cannot read runs/a/1 in s3://lake: .*AccessDenied"):
        Bucket("lake", patience=1).get("runs/a/1")


def test_a_bucket_that_is_not_there_is_told(s3: Any):
    with pytest.raises(PlatformError, match=r"cannot write runs/a/1 in s3://gone: .*NoSuchBucket"):
        Bucket("gone", patience=1).put("runs/a/1", b"one")

"""Lifecycle rules: those that S3 rejects are rejected; accepted ones read back as sent."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.unit.emulator.emulated import Emulated

COOL: dict[str, Any] = {
    "ID": "cool",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
    "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}
END: dict[str, Any] = {
    "ID": "end",
    "Status": "Enabled",
    "Filter": {"Prefix": "runs/"},
    "Expiration": {"Days": 7},
    "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


@pytest.fixture
def s3(emulated: Emulated) -> Any:
    client = emulated.client("s3")
    client.create_bucket(Bucket="data")
    return client


def put(s3: Any, *rules: dict[str, Any]) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket="data", LifecycleConfiguration={"Rules": list(rules)})


def test_rules_for_all_objects_and_for_some_stand_beside_each_other(s3: Any):
    put(s3, COOL, END)
    assert s3.get_bucket_lifecycle_configuration(Bucket="data")["Rules"] == [COOL, END]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([COOL, {**END, "ID": "cool"}], "Rule ID must be unique"),
        ([{**COOL, "Transitions": [{"Days": 29, "StorageClass": "STANDARD_IA"}]}], "greater than or equal to 30"),
        ([{**COOL, "Expiration": {"Days": 30}}], r"filter '\(prefix=\)' must be greater than 'Days' in the Transition"),
        ([{**END, "Expiration": {"Days": 7, "ExpiredObjectDeleteMarker": True}}], "not well-formed"),
    ],
)
def test_what_s3_refuses_is_refused_and_changes_nothing(s3: Any, rules: list[dict[str, Any]], said: str):
    put(s3, COOL)
    with pytest.raises(ClientError, match=said):
        put(s3, *rules)
    assert s3.get_bucket_lifecycle_configuration(Bucket="data")["Rules"] == [COOL]

"""Buckets: versioned, private, encrypted under one key, with access logs."""

from typing import Any

import pytest
from annotated_types import Le
from pydantic import ValidationError

from components.buckets.buckets import RUNS_DAYS, RUNS_PREFIX, Buckets, BucketsArgs
from components.buckets.documents import (
    ENCRYPTION,
    ENCRYPTION_KEY,
    access_log_bucket_policy,
    data_bucket_policy,
)
from components.buckets.spec import BucketSpec
from ml_workloads.project.deployment_names import data_prefix
from ml_workloads.project.training import TrainingSettings
from ml_workloads.runtime.handover import keys
from mlp.recording import Deploy, RecordingCloud

from .policies import ACCOUNT, SCOPE, statements

KEY = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
DATA = ("data-lake", "model-artifacts", "feature-data")
ALL = (*DATA, "access-logs")


def s3(kind: str) -> str:
    return f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}"


def buckets(deploy: Deploy, **changes: Any) -> tuple[Buckets, RecordingCloud]:
    return deploy(lambda: Buckets("buckets", BucketsArgs(spec=BucketSpec(**changes), account=ACCOUNT, key_arn=KEY)))


def rule(cloud: RecordingCloud, name: str) -> dict[str, Any]:
    [only] = cloud.named(name).inputs["rules"]
    return only


@pytest.mark.parametrize(
    "kind",
    [
        "BucketVersioning",
        "BucketServerSideEncryptionConfiguration",
        "BucketOwnershipControls",
        "BucketPublicAccessBlock",
        "BucketLifecycleConfiguration",
        "BucketPolicy",
    ],
)
def test_every_bucket_has_every_protection(deploy: Deploy, kind: str):
    _, cloud = buckets(deploy)
    protected = {resource.inputs["bucket"] for resource in cloud.of_type(s3(kind))}
    assert protected == {f"buckets-{purpose}-id" for purpose in ALL}


def test_no_switch_of_the_public_access_block_is_off(deploy: Deploy):
    _, cloud = buckets(deploy)
    for block in cloud.of_type(s3("BucketPublicAccessBlock")):
        switches = {key: value for key, value in block.inputs.items() if key != "bucket"}
        assert switches == dict.fromkeys(
            ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
        )


def test_versions_are_kept_and_access_lists_are_off(deploy: Deploy):
    _, cloud = buckets(deploy)
    for versioning in cloud.of_type(s3("BucketVersioning")):
        assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    for ownership in cloud.of_type(s3("BucketOwnershipControls")):
        assert ownership.inputs["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


@pytest.mark.parametrize("purpose", DATA)
def test_data_is_encrypted_with_the_given_key_through_a_bucket_key(deploy: Deploy, purpose: str):
    _, cloud = buckets(deploy)
    encryption = rule(cloud, f"buckets-{purpose}-encryption")
    assert encryption["applyServerSideEncryptionByDefault"] == {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY}
    assert encryption["bucketKeyEnabled"] is True


def test_access_logs_use_the_only_encryption_that_log_delivery_supports(deploy: Deploy):
    _, cloud = buckets(deploy)
    encryption = rule(cloud, "buckets-access-logs-encryption")
    assert encryption == {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}


def test_access_to_data_is_logged_once_delivery_is_permitted(deploy: Deploy):
    _, cloud = buckets(deploy)
    policy = cloud.named("buckets-access-logs-policy")
    for purpose in DATA:
        logging = cloud.named(f"buckets-{purpose}-logging")
        assert logging.inputs["targetBucket"] == "buckets-access-logs-id"
        assert logging.inputs["targetPrefix"] == f"{purpose}/"
        assert policy.urn in logging.depends_on


def lifecycles(cloud: RecordingCloud, purpose: str) -> dict[str, dict[str, Any]]:
    """Return the lifecycle rules of a bucket by name."""
    rules = cloud.named(f"buckets-{purpose}-lifecycle").inputs["rules"]
    found = {each["id"]: each for each in rules}
    assert len(found) == len(rules), "S3 refuses two rules with one name"
    return found


def test_storage_gets_cheaper_and_leftovers_go(deploy: Deploy):
    _, cloud = buckets(deploy, infrequent_access_days=45, noncurrent_days=20, access_log_days=100)
    for purpose in DATA:
        lifecycle = lifecycles(cloud, purpose)["keep-cheaply"]
        assert lifecycle["filter"] == {"prefix": ""}
        assert lifecycle["status"] == "Enabled"
        assert lifecycle["transitions"] == [{"days": 45, "storageClass": "STANDARD_IA"}]
        assert lifecycle["noncurrentVersionExpiration"] == {"noncurrentDays": 20}
        assert lifecycle["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
        assert "expiration" not in lifecycle, "data in use must never expire by itself"
    assert rule(cloud, "buckets-access-logs-lifecycle")["expiration"] == {"days": 100}


def test_what_a_training_run_leaves_in_the_data_lake_goes_and_nothing_else_does(deploy: Deploy):
    _, cloud = buckets(deploy)
    runs = lifecycles(cloud, "data-lake")["end-runs"]
    assert runs == {
        "id": "end-runs",
        "status": "Enabled",
        "filter": {"prefix": "runs/"},
        "expiration": {"days": 7},
        "noncurrentVersionExpiration": {"noncurrentDays": 1},
        "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
    }
    expiring = [
        (purpose, each["filter"]["prefix"])
        for purpose in DATA
        for each in lifecycles(cloud, purpose).values()
        if "expiration" in each
    ]
    assert expiring == [("data-lake", "runs/")]


def test_what_runs_hand_to_each_other_lies_where_it_expires_and_lasts_as_long_as_any_run():
    project = "churn"
    handed = (keys.training_parts(project), keys.models(project), keys.checkpoints(project))
    assert all(each.startswith(RUNS_PREFIX) for each in handed)
    assert keys.RUNS == RUNS_PREFIX
    # What decides which rows are held out, and the projects' data, stay.
    assert not keys.split_key(project).startswith(RUNS_PREFIX)
    assert not data_prefix(project).startswith(RUNS_PREFIX)
    [longest] = [each.le for each in TrainingSettings.model_fields["deadline_minutes"].metadata if isinstance(each, Le)]
    assert longest == RUNS_DAYS * 24 * 60


@pytest.mark.parametrize("force", [True, False])
def test_buckets_with_objects_are_deleted_only_where_asked(deploy: Deploy, force: bool):
    _, cloud = buckets(deploy, force_destroy=force)
    assert [bucket.inputs["forceDestroy"] for bucket in cloud.of_type(s3("Bucket"))] == [force] * 4


def test_buckets_use_no_inline_settings_that_compete_with_their_own_resources(deploy: Deploy):
    _, cloud = buckets(deploy)
    for bucket in cloud.of_type(s3("Bucket")):
        assert set(bucket.inputs) == {"forceDestroy", "tags"}


def test_the_data_policy_refuses_http_and_any_other_encryption():
    policy = statements(data_bucket_policy(SCOPE, "data", KEY))
    assert all(statement["Effect"] == "Deny" and statement["Principal"] == "*" for statement in policy.values())
    tls = policy["DenyInsecureTransport"]
    assert tls["Resource"] == ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert policy["DenyOtherKeys"]["Condition"] == {
        "StringNotEquals": {ENCRYPTION_KEY: KEY},
        "Null": {ENCRYPTION_KEY: "false"},
    }
    assert policy["DenyUnnamedKeys"]["Condition"] == {
        "StringEquals": {ENCRYPTION: "aws:kms"},
        "Null": {ENCRYPTION_KEY: "true"},
    }


def test_a_put_without_encryption_headers_is_left_to_the_default_key():
    policy = statements(data_bucket_policy(SCOPE, "data", KEY))
    for sid in ("DenyOtherEncryption", "DenyOtherKeys"):
        condition = policy[sid]["Condition"]
        [tested] = condition["StringNotEquals"]
        assert condition["Null"][tested] == "false", "a negated condition is true where the header is absent"


def test_only_log_delivery_from_the_named_buckets_of_this_account_writes_logs():
    policy = statements(access_log_bucket_policy(SCOPE, "logs", ["a", "b"]))
    allowed = [statement for statement in policy.values() if statement["Effect"] == "Allow"]
    assert [statement["Sid"] for statement in allowed] == ["DeliverAccessLogs"]
    assert allowed[0]["Principal"] == {"Service": "logging.s3.amazonaws.com"}
    assert allowed[0]["Action"] == "s3:PutObject"
    assert allowed[0]["Condition"] == {
        "ArnLike": {"aws:SourceArn": ["arn:aws:s3:::a", "arn:aws:s3:::b"]},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noncurrent_days": 0}, "noncurrent_days\n.*greater than or equal to 1 "),
        ({"noncurrent_days": 3651}, "noncurrent_days\n.*less than or equal to 3650 "),
        ({"infrequent_access_days": 3651}, "infrequent_access_days\n.*less than or equal to 3650 "),
        ({"access_log_days": -1}, "access_log_days\n.*greater than or equal to 1 "),
        ({"access_log_days": 3651}, "access_log_days\n.*less than or equal to 3650 "),
    ],
)
def test_periods_that_aws_refuses_are_refused_at_once(changes: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        BucketSpec(**changes)

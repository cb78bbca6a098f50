"""What pods of a project may do on AWS, decided as IAM would: their own, and nothing of their neighbours'."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from ml_workloads.deployment.rights import DataToRead
from sandbox.emulator.authorization.conditions import lookup_in
from sandbox.emulator.authorization.documents import Access, parse
from sandbox.emulator.authorization.evaluation import Caller, evaluate
from tests.unit.ml_workloads.deployment.platforms import (
    ACCOUNT_SECRET,
    READER_SECRET,
    SECRETS,
    Deployed,
    deployed,
    project,
)

KMS = "arn:aws:kms:us-east-1:123456789012:key"
OWN_SECRET = "arn:aws:mock:::workloads-churn-secrets-projects-churn-warehouse"
FROM_LAKE = {"source": {"type": "s3", "path": "customers/"}}
GET, DECRYPT = "secretsmanager:GetSecretValue", "kms:Decrypt"
LISTING, OBJECT = "s3:ListBucket", "s3:GetObject"


def policy(made: Deployed, part: str) -> str:
    return made.cloud.named(f"workloads-churn-{part}-identity-pod-policy").inputs["policy"]


def may(text: str, action: str, resource: str, context: Mapping[str, str] | None = None) -> bool:
    caller = Caller(
        kind="session", arn="arn:aws:sts::123456789012:role/x", account="123456789012", identity=[parse(text)]
    )
    values = {key: [value] for key, value in (context or {}).items()}
    return evaluate(caller, Access(action=action, resource=resource), lookup_in(values)).allowed


def through_secrets(secret: str) -> dict[str, str]:
    return {
        "kms:ViaService": "secretsmanager.us-east-1.amazonaws.com",
        "kms:EncryptionContext:SecretARN": secret,
        "kms:EncryptionContext:SecretVersionId": "1",
    }


def through_s3(arn: str) -> dict[str, str]:
    return {"kms:ViaService": "s3.us-east-1.amazonaws.com", "kms:EncryptionContext:aws:s3:arn": arn}


@pytest.mark.parametrize(
    ("part", "secret"),
    [
        ("training", ACCOUNT_SECRET),
        ("training", OWN_SECRET),
        ("serving", READER_SECRET),
        ("serving", OWN_SECRET),
    ],
)
def test_pods_read_their_account_and_their_own_secrets(part: str, secret: str):
    text = policy(deployed(), part)
    assert may(text, GET, secret)
    assert may(text, DECRYPT, f"{KMS}/secrets", through_secrets(secret))


@pytest.mark.parametrize(("part", "secret"), [("serving", ACCOUNT_SECRET), ("training", READER_SECRET)])
def test_no_part_reads_the_account_of_another_part(part: str, secret: str):
    """Or a pod that serves could promote its own model."""
    text = policy(deployed(), part)
    assert not may(text, GET, secret)
    assert not may(text, DECRYPT, f"{KMS}/secrets", through_secrets(secret))


@pytest.mark.parametrize("part", ["training", "serving"])
@pytest.mark.parametrize(
    "secret",
    [
        f"{SECRETS}/mlflow/admin-AbCdEf",
        f"{SECRETS}/mlflow/accounts/other/password-AbCdEf",
        f"{SECRETS}/mlflow/accounts/other/serving-AbCdEf",
        f"{SECRETS}/projects/other/warehouse-AbCdEf",
        f"{OWN_SECRET}-2",
    ],
)
def test_no_secret_of_anybody_else(part: str, secret: str):
    text = policy(deployed(), part)
    assert not may(text, GET, secret)
    assert not may(text, DECRYPT, f"{KMS}/secrets", through_secrets(secret))


@pytest.mark.parametrize("part", ["training", "serving"])
@pytest.mark.parametrize(
    "context",
    [
        {},
        {"kms:EncryptionContext:SecretARN": OWN_SECRET},
        {**through_secrets(OWN_SECRET), "kms:ViaService": "ec2.us-east-1.amazonaws.com"},
        {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"},
    ],
)
def test_the_key_of_the_secrets_opens_nothing_by_itself(part: str, context: dict[str, str]):
    assert not may(policy(deployed(), part), DECRYPT, f"{KMS}/secrets", context)


@pytest.mark.parametrize("part", ["training", "serving"])
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("secretsmanager:PutSecretValue", OWN_SECRET),
        ("secretsmanager:DescribeSecret", OWN_SECRET),
        ("secretsmanager:ListSecrets", "*"),
        ("s3:PutObject", "arn:aws:s3:::lake/projects/churn/customers/a.csv"),
        ("s3:DeleteObject", "arn:aws:s3:::lake/projects/churn/customers/a.csv"),
        ("s3:GetObject", "arn:aws:s3:::artifacts/1/model"),
        ("rds-db:connect", "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-1/mlflow"),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/ml-platform-dev-ml-other-training"),
    ],
)
def test_they_write_nothing_and_have_nothing_else(part: str, action: str, resource: str):
    assert not may(policy(deployed(project(data=FROM_LAKE)), part), action, resource)


def test_training_on_objects_reads_and_lists_its_own_prefix():
    text = policy(deployed(project(data=FROM_LAKE)), "training")
    own = "arn:aws:s3:::lake/projects/churn/customers/a.parquet"
    assert may(text, OBJECT, own)
    assert may(text, LISTING, "arn:aws:s3:::lake", {"s3:prefix": "projects/churn/customers/"})
    assert may(text, DECRYPT, f"{KMS}/data", through_s3(own))
    # With a key of the bucket, which the data lake has, S3 names the bucket only.
    assert may(text, DECRYPT, f"{KMS}/data", through_s3("arn:aws:s3:::lake"))


@pytest.mark.parametrize(
    "neighbour", ["projects/other/a.csv", "projects/churn-2/a.csv", "projects/", "projects/churn", ""]
)
def test_it_neither_reads_nor_lists_what_lies_beside_it(neighbour: str):
    text = policy(deployed(project(data=FROM_LAKE)), "training")
    assert not may(text, OBJECT, f"arn:aws:s3:::lake/{neighbour}")
    assert not may(text, LISTING, "arn:aws:s3:::lake", {"s3:prefix": neighbour})


def test_it_lists_no_bucket_as_a_whole_and_opens_no_other():
    text = policy(deployed(project(data=FROM_LAKE)), "training")
    assert not may(text, LISTING, "arn:aws:s3:::lake")
    assert not may(text, LISTING, "arn:aws:s3:::artifacts", {"s3:prefix": "projects/churn/"})
    assert not may(text, DECRYPT, f"{KMS}/data")
    assert not may(text, DECRYPT, f"{KMS}/data", {"kms:ViaService": "ec2.us-east-1.amazonaws.com"})


@pytest.mark.parametrize(
    ("data", "part"),
    [
        ({}, "training"),
        ({"source": {"type": "local", "path": "a.csv"}}, "training"),
        (FROM_LAKE, "serving"),
    ],
)
def test_who_does_not_train_on_objects_reads_none(data: dict[str, Any], part: str):
    text = policy(deployed(project(data=data)), part)
    assert not may(text, OBJECT, "arn:aws:s3:::lake/projects/churn/customers/a.parquet")
    assert not may(text, LISTING, "arn:aws:s3:::lake", {"s3:prefix": "projects/churn/"})
    assert "s3" not in text


@pytest.mark.parametrize("part", ["training", "serving"])
def test_nothing_is_as_wide_as_it_could_be(part: str):
    for statement in json.loads(policy(deployed(project(data=FROM_LAKE)), part))["Statement"]:
        actions, resources = (
            value if isinstance(value, list) else [value] for value in (statement["Action"], statement["Resource"])
        )
        assert not any("*" in action for action in actions)
        assert "*" not in resources


@pytest.mark.parametrize("part", ["training", "serving"])
def test_a_role_is_for_one_service_account_of_the_namespace(part: str):
    made = deployed()
    identity = f"workloads-churn-{part}-identity-pod"
    association = made.cloud.named(f"{identity}-association").inputs
    assert (association["namespace"], association["serviceAccount"]) == ("growth-churn", part)
    [trust] = json.loads(made.cloud.named(f"{identity}-role").inputs["assumeRolePolicy"])["Statement"]
    assert trust["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-namespace"] == "growth-churn"
    assert trust["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-service-account"] == part
    assert made.kind("ServiceAccount", part).inputs["automountServiceAccountToken"] is False


def test_a_prefix_that_would_cover_its_neighbours_is_refused():
    with pytest.raises(ValueError, match="prefix must end with /, got 'projects/churn'"):
        DataToRead(bucket="lake", prefix="projects/churn", key_arn="arn:key")

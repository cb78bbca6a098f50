"""AWS permissions of a project's pods, evaluated as IAM would: access to their own resources only.

A run's conductor reads the data and signs in at MLflow. Training pods, which run the project's code, do neither.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from ml_workloads.deployment.iam_policies import DataToRead
from mlp_sandbox.emulator.authorization.conditions import lookup_in
from mlp_sandbox.emulator.authorization.documents import Access, parse
from mlp_sandbox.emulator.authorization.evaluation import Caller, evaluate
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
KEY_OF_SHOP = OWN_SECRET.replace("warehouse", "key-of-shop")
FROM_LAKE = {"source": {"type": "s3", "path": "customers/"}}
GET, DECRYPT, DATA_KEY = "secretsmanager:GetSecretValue", "kms:Decrypt", "kms:GenerateDataKey"
LISTING, READ, WRITE, DELETE = "s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"

CONDUCTOR, FIT, SERVING = "conductor", "fit", "serving"
PARTS = [CONDUCTOR, FIT, SERVING]
IDENTITIES = {
    CONDUCTOR: "training-conductor-pod",
    FIT: "training-fit-pod",
    SERVING: "serving-identity-pod",
}


def policy(made: Deployed, part: str) -> str:
    return made.cloud.named(f"workloads-churn-{IDENTITIES[part]}-policy").inputs["policy"]


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


def with_secrets() -> Deployed:
    """Deploy a project that trains on a query: one secret holds the data address, the other one is for its code."""
    return deployed(project(secrets=["warehouse", "key-of-shop"]))


@pytest.mark.parametrize(
    ("part", "secret", "allowed"),
    [
        (CONDUCTOR, ACCOUNT_SECRET, True),
        (CONDUCTOR, OWN_SECRET, True),
        (CONDUCTOR, KEY_OF_SHOP, False),
        (FIT, ACCOUNT_SECRET, False),
        (FIT, OWN_SECRET, False),
        (FIT, KEY_OF_SHOP, True),
        (CONDUCTOR, READER_SECRET, False),
        (FIT, READER_SECRET, False),
        (SERVING, ACCOUNT_SECRET, False),
        (SERVING, READER_SECRET, True),
        (SERVING, OWN_SECRET, False),
        (SERVING, KEY_OF_SHOP, True),
    ],
)
def test_the_address_of_the_data_is_for_conductors_and_what_else_the_project_keeps_secret_for_its_code(
    part: str, secret: str, allowed: bool
):
    text = policy(with_secrets(), part)
    assert may(text, GET, secret) is allowed
    assert may(text, DECRYPT, f"{KMS}/secrets", through_secrets(secret)) is allowed


def test_a_conductor_of_data_that_is_no_query_reads_the_account_alone():
    text = policy(deployed(project(data=FROM_LAKE)), CONDUCTOR)
    assert may(text, GET, ACCOUNT_SECRET)
    assert not may(text, GET, OWN_SECRET)
    # The secret is an ordinary one of the project's then.
    assert may(policy(deployed(project(data=FROM_LAKE)), FIT), GET, OWN_SECRET)


def test_training_without_secrets_of_its_own_has_nothing_at_secrets_manager():
    assert "secretsmanager" not in policy(deployed(), FIT)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "secret",
    [
        f"{SECRETS}/mlflow/admin-AbCdEf",
        f"{SECRETS}/mlflow/accounts/other/password-AbCdEf",
        f"{SECRETS}/mlflow/accounts/other/serving-AbCdEf",
        f"{SECRETS}/projects/other/warehouse-AbCdEf",
        f"{OWN_SECRET}-2",
        f"{KEY_OF_SHOP}-2",
    ],
)
def test_no_secret_of_anybody_else(part: str, secret: str):
    text = policy(with_secrets(), part)
    assert not may(text, GET, secret)
    assert not may(text, DECRYPT, f"{KMS}/secrets", through_secrets(secret))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "context",
    [
        {},
        {"kms:EncryptionContext:SecretARN": ACCOUNT_SECRET},
        {**through_secrets(ACCOUNT_SECRET), "kms:ViaService": "ec2.us-east-1.amazonaws.com"},
        {**through_secrets(KEY_OF_SHOP), "kms:ViaService": "ec2.us-east-1.amazonaws.com"},
        {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"},
    ],
)
def test_the_key_of_the_secrets_opens_nothing_by_itself(part: str, context: dict[str, str]):
    assert not may(policy(with_secrets(), part), DECRYPT, f"{KMS}/secrets", context)


SOURCE, OWN = "projects/churn/customers/a.parquet", "conductor/churn/split-key"
ROWS, MODEL, CHECKPOINT = (
    f"runs/churn/{kind}" for kind in ("training/job.arrow", "models/job/model.skops", "checkpoints/1")
)
ON_OBJECTS = (READ, WRITE, DELETE)
MAY_ON_OBJECTS: dict[tuple[str, str], tuple[str, ...]] = {
    (CONDUCTOR, SOURCE): (READ,),
    (CONDUCTOR, ROWS): ON_OBJECTS,
    (CONDUCTOR, MODEL): ON_OBJECTS,
    (CONDUCTOR, CHECKPOINT): ON_OBJECTS,
    (CONDUCTOR, OWN): ON_OBJECTS,
    (FIT, ROWS): (READ,),
    (FIT, MODEL): (WRITE,),
    (FIT, CHECKPOINT): ON_OBJECTS,
}
"""Who may do what in the data lake. What is not here may nobody."""

NEIGHBOURS = (
    *("projects/other/a.csv", "projects/churn-2/a.csv", "projects/", "projects/churn", ""),
    *("runs/other/training/job.arrow", "runs/other/models/job/model.skops", "runs/other/checkpoints/1"),
    *("runs/churn-2/training/job.arrow", "runs/churn-2/models/job/model.skops", "runs/churn-2/checkpoints/1"),
    *("conductor/other/split-key", "conductor/churn-2/split-key", "conductor/churn", "runs/churn", "runs/"),
)


@pytest.mark.parametrize(("part", "key"), product(PARTS, (SOURCE, OWN, ROWS, MODEL, CHECKPOINT)))
@pytest.mark.parametrize("action", ON_OBJECTS)
def test_each_part_of_a_run_may_do_what_it_is_for_and_no_more(part: str, key: str, action: str):
    text = policy(deployed(project(data=FROM_LAKE)), part)
    assert may(text, action, f"arn:aws:s3:::lake/{key}") is (action in MAY_ON_OBJECTS.get((part, key), ()))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("neighbour", NEIGHBOURS)
def test_nobody_reads_writes_or_lists_what_lies_beside_it(part: str, neighbour: str):
    text = policy(deployed(project(data=FROM_LAKE)), part)
    assert not any(may(text, action, f"arn:aws:s3:::lake/{neighbour}") for action in ON_OBJECTS)
    assert not may(text, LISTING, "arn:aws:s3:::lake", {"s3:prefix": neighbour})


@pytest.mark.parametrize(
    ("part", "prefix", "allowed"),
    [
        (CONDUCTOR, "projects/churn/customers/", True),
        (CONDUCTOR, "runs/churn/models/job/", True),
        (CONDUCTOR, "conductor/churn/", True),
        (FIT, "projects/churn/customers/", False),
        (FIT, "runs/churn/training/", True),
        (FIT, "runs/churn/checkpoints/", True),
        (FIT, "runs/churn/models/", False),
        (FIT, "runs/churn/", False),
        (FIT, "conductor/churn/", False),
        (SERVING, "projects/churn/", False),
        (SERVING, "runs/churn/models/", False),
    ],
)
def test_who_misses_an_object_may_look_for_it_where_it_reads(part: str, prefix: str, allowed: bool):
    text = policy(deployed(project(data=FROM_LAKE)), part)
    assert may(text, LISTING, "arn:aws:s3:::lake", {"s3:prefix": prefix}) is allowed


def test_objects_are_decrypted_and_encrypted_through_s3_alone():
    made = deployed(project(data=FROM_LAKE))
    for part, action in product((CONDUCTOR, FIT), (DECRYPT, DATA_KEY)):
        text = policy(made, part)
        # With a key of the bucket, which the data lake has, S3 names the bucket only.
        assert may(text, action, f"{KMS}/data", through_s3("arn:aws:s3:::lake"))
        assert may(text, action, f"{KMS}/data", through_s3(f"arn:aws:s3:::lake/{MODEL}"))
        assert not may(text, action, f"{KMS}/data")
        assert not may(text, action, f"{KMS}/data", {"kms:ViaService": "ec2.us-east-1.amazonaws.com"})


@pytest.mark.parametrize("part", PARTS)
def test_no_bucket_is_listed_as_a_whole_and_no_other_is_opened(part: str):
    text = policy(deployed(project(data=FROM_LAKE)), part)
    assert not may(text, LISTING, "arn:aws:s3:::lake")
    assert not may(text, LISTING, "arn:aws:s3:::artifacts", {"s3:prefix": "projects/churn/"})
    for key, action in product((SOURCE, ROWS, MODEL, CHECKPOINT, OWN), ON_OBJECTS):
        assert not may(text, action, f"arn:aws:s3:::artifacts/{key}")


@pytest.mark.parametrize("data", [{}, {"source": {"type": "local", "path": "a.csv"}}])
@pytest.mark.parametrize("part", PARTS)
def test_who_does_not_train_on_objects_reads_none_of_the_projects(data: dict[str, Any], part: str):
    text = policy(deployed(project(data=data)), part)
    assert not may(text, READ, f"arn:aws:s3:::lake/{SOURCE}")
    assert not may(text, LISTING, "arn:aws:s3:::lake", {"s3:prefix": "projects/churn/"})


def test_servers_have_nothing_at_s3():
    assert "s3" not in policy(deployed(project(data=FROM_LAKE)), SERVING)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("secretsmanager:PutSecretValue", OWN_SECRET),
        ("secretsmanager:PutSecretValue", KEY_OF_SHOP),
        ("secretsmanager:DescribeSecret", OWN_SECRET),
        ("secretsmanager:ListSecrets", "*"),
        ("s3:DeleteObjectVersion", f"arn:aws:s3:::lake/{CHECKPOINT}"),
        ("s3:GetObjectVersion", f"arn:aws:s3:::lake/{MODEL}"),
        ("s3:ListBucketVersions", "arn:aws:s3:::lake"),
        ("s3:PutLifecycleConfiguration", "arn:aws:s3:::lake"),
        ("rds-db:connect", "arn:aws:rds-db:us-east-1:123456789012:dbuser:db-1/mlflow"),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/ml-platform-dev-ml-other-fit"),
        ("sts:AssumeRole", "arn:aws:iam::123456789012:role/ml-platform-dev-ml-churn-conductor"),
    ],
)
def test_they_have_nothing_else(part: str, action: str, resource: str):
    assert not may(policy(deployed(project(data=FROM_LAKE)), part), action, resource)


@pytest.mark.parametrize("part", PARTS)
def test_nothing_is_as_wide_as_it_could_be(part: str):
    for statement in json.loads(policy(deployed(project(data=FROM_LAKE)), part))["Statement"]:
        actions, resources = (
            value if isinstance(value, list) else [value] for value in (statement["Action"], statement["Resource"])
        )
        assert not any("*" in action for action in actions)
        assert "*" not in resources


@pytest.mark.parametrize("part", PARTS)
def test_a_policy_names_each_statement_once(part: str):
    """IAM rejects a document with two statements of one name."""
    names = [each["Sid"] for each in json.loads(policy(deployed(project(data=FROM_LAKE)), part))["Statement"]]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("part", PARTS)
def test_a_role_is_for_one_service_account_of_the_namespace(part: str):
    made = deployed()
    identity = f"workloads-churn-{IDENTITIES[part]}"
    association = made.cloud.named(f"{identity}-association").inputs
    assert (association["namespace"], association["serviceAccount"]) == ("growth-churn", part)
    [trust] = json.loads(made.cloud.named(f"{identity}-role").inputs["assumeRolePolicy"])["Statement"]
    assert trust["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-namespace"] == "growth-churn"
    assert trust["Condition"]["StringEquals"]["aws:RequestTag/kubernetes-service-account"] == part


def associated(made: Deployed) -> Iterator[str]:
    for each in made.cloud.of_type("aws:eks/podIdentityAssociation:PodIdentityAssociation"):
        yield each.inputs["serviceAccount"]


def test_workers_have_no_role():
    made = deployed()
    assert sorted(associated(made)) == sorted(PARTS)
    assert {each.inputs["name"] for each in made.cloud.of_type("aws:iam/role:Role")} == {
        f"ml-platform-dev-ml-churn-{part}" for part in PARTS
    }
    assert made.kind("ServiceAccount", "worker")


@pytest.mark.parametrize(
    ("account", "mounted"), [("conductor", True), ("fit", False), ("worker", False), ("serving", False)]
)
def test_only_conductors_have_a_token_of_the_kubernetes_api(account: str, mounted: bool):
    assert deployed().kind("ServiceAccount", account).inputs["automountServiceAccountToken"] is mounted
    assert deployed().pod(account)["automountServiceAccountToken"] is mounted


def test_a_prefix_that_would_cover_its_neighbours_is_refused():
    with pytest.raises(ValueError, match="prefix must end with /, got 'projects/churn'"):
        DataToRead(bucket="lake", prefix="projects/churn", key_arn="arn:key")

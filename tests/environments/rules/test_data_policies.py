"""Data rights of roles: read and list their own prefix only; use the key of a pattern via Secrets Manager only."""

import json
from typing import Any

import pytest

from components.data_policies import keep_objects, read_objects, read_secrets, rotate_secrets, write_objects
from components.iam_documents import document
from mlp_sandbox.emulator.authorization.conditions import as_list, wildcard
from tests.unit.components.policies import PREFIX, SCOPE, statements

LAKE, KEY = "lake", "arn:aws:kms:us-east-1:123456789012:key/one"
ACCOUNTS = SCOPE.arn("secretsmanager", f"secret:{PREFIX}/mlflow/accounts/*")


@pytest.mark.parametrize(
    ("prefix", "allowed"),
    [
        ("projects/churn/", True),
        ("projects/churn/2024/", True),
        ("projects/churn/2024/part-0.parquet", True),
        ("projects/churn", False),
        ("projects/churn-2/", False),
        ("projects/", False),
        ("", False),
    ],
)
def test_a_folder_of_the_own_prefix_is_listed_and_no_other(prefix: str, allowed: bool):
    """S3 then answers 403 for a missing object, so that readers check the listing for it.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (permissions)
    """
    policy = statements(document(read_objects(SCOPE, LAKE, "projects/churn/", KEY)))
    listing: Any = policy["ListObjects"]
    assert (listing["Action"], listing["Resource"]) == ("s3:ListBucket", f"arn:aws:s3:::{LAKE}")
    assert list(listing["Condition"]) == ["StringLike"]
    patterns = as_list(listing["Condition"]["StringLike"]["s3:prefix"])
    assert any(wildcard(pattern, prefix) for pattern in patterns) is allowed


def test_a_pattern_of_secrets_is_compared_as_a_pattern_and_one_secret_as_it_is_written():
    for build in (read_secrets, rotate_secrets):
        one, many = (statements(document(build(SCOPE, [arn], KEY))) for arn in (ACCOUNTS.replace("*", "a"), ACCOUNTS))
        [of_one] = [each["Condition"] for each in one.values() if "Condition" in each]
        [of_many] = [each["Condition"] for each in many.values() if "Condition" in each]
        assert set(of_one) == {"StringEquals"}
        assert of_many["StringLike"] == {"kms:EncryptionContext:SecretARN": ACCOUNTS}
        assert of_many["StringEquals"] == {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}


def test_a_role_with_many_secrets_names_each_of_them_once():
    secrets = [ACCOUNTS.replace("*", f"account-{index}") for index in range(40)]
    text = document(read_secrets(SCOPE, secrets, KEY, within=ACCOUNTS))
    assert {text.count(f'"{secret}"') for secret in secrets} == {1}
    assert json.loads(text)["Statement"][1]["Condition"]["StringLike"] == {"kms:EncryptionContext:SecretARN": ACCOUNTS}


def test_who_only_writes_below_a_prefix_neither_reads_nor_lists_nor_deletes_there():
    policy = statements(document(write_objects(SCOPE, LAKE, "runs/churn/models/", KEY)))
    assert set(policy) == {"WriteObjects", "EncryptObjects"}
    assert policy["WriteObjects"]["Action"] == ["s3:AbortMultipartUpload", "s3:PutObject"]
    assert policy["WriteObjects"]["Resource"] == f"arn:aws:s3:::{LAKE}/runs/churn/models/*"
    # S3 puts the parts of a large object together, for which the caller decrypts them.
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
    assert policy["EncryptObjects"]["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]


def test_statements_for_several_prefixes_have_names_of_their_own():
    built = [
        *read_objects(SCOPE, LAKE, "one/", KEY, "One"),
        *write_objects(SCOPE, LAKE, "two/", KEY, "Two"),
        *keep_objects(SCOPE, LAKE, "three/", KEY, "Three"),
    ]
    assert len({each.sid for each in built}) == len(built) == 8
    listing = statements(document(built))["ListThree"]
    assert listing["Condition"]["StringLike"]["s3:prefix"] == ["three/", "three/*"]

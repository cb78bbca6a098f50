"""`mlp bootstrap` creates missing resources, repairs changed ones, and leaves others alone."""

import json
import re
from typing import Any

import pytest

from mlp.bootstrap.account import AwsAccount
from mlp.bootstrap.plan import BootstrapError
from tests.unit.mlp.bootstrap.bootstrapping import ALIAS, BUCKET, PROVIDER, apply, client, run, state_key

pytestmark = pytest.mark.usefixtures("account")


def test_a_bare_account_gets_everything_and_a_second_run_changes_nothing():
    assert {item["status"] for item in apply().values()} == {"created"}
    before = (len(client("kms").list_keys()["Keys"]), client("s3").get_bucket_policy(Bucket=BUCKET)["Policy"])
    again = apply()
    assert {item["status"] for item in again.values()} == {"existed"}
    assert not [step for item in again.values() for step in item["steps"]]
    assert before == (len(client("kms").list_keys()["Keys"]), client("s3").get_bucket_policy(Bucket=BUCKET)["Policy"])


def test_the_state_bucket_is_versioned_encrypted_closed_and_for_tls_only():
    apply()
    s3, key = client("s3"), client("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]["Arn"]
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert rule["BucketKeyEnabled"] is True
    assert set(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values()) == {True}
    statements = {s["Sid"]: s for s in json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]}
    assert statements["DenyInsecureTransport"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statements["DenyOtherKeys"]["Condition"]["StringNotEquals"] == {
        "s3:x-amz-server-side-encryption-aws-kms-key-id": key
    }


def test_the_key_rotates_and_the_account_administers_it():
    apply()
    kms = client("kms")
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    assert [s["Principal"] for s in policy["Statement"]] == [{"AWS": "arn:aws:iam::123456789012:root"}]


def test_nothing_carries_the_tags_that_the_deploy_role_may_change_by():
    apply()
    tags = {tag["Key"] for tag in client("s3").get_bucket_tagging(Bucket=BUCKET)["TagSet"]}
    key = client("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"]
    tags |= {tag["TagKey"] for tag in client("kms").list_resource_tags(KeyId=key)["Tags"]}
    assert tags == {"team", "cost-center", "owner", "managed-by"}


def test_the_oidc_provider_is_made_only_where_no_stack_makes_it():
    assert apply("dev")["GitHub OIDC provider"]["status"] == "not needed"
    assert client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    assert apply("staging")["GitHub OIDC provider"]["status"] == "created"
    found = client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=PROVIDER)
    assert found["ClientIDList"] == ["sts.amazonaws.com"]


@pytest.mark.parametrize(
    ("damage", "step"),
    [
        (
            lambda: client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"}),
            "turn versioning on",
        ),
        (lambda: client("s3").delete_bucket_encryption(Bucket=BUCKET), "encrypt with the KMS key"),
        (lambda: client("s3").delete_public_access_block(Bucket=BUCKET), "block public access"),
        (lambda: client("s3").delete_bucket_ownership_controls(Bucket=BUCKET), "enforce bucket ownership"),
        (lambda: client("s3").delete_bucket_policy(Bucket=BUCKET), "refuse connections without TLS"),
        (lambda: client("s3").delete_bucket_tagging(Bucket=BUCKET), "tag"),
        (lambda: client("kms").disable_key_rotation(KeyId=state_key()), "turn rotation on"),
        (lambda: client("kms").delete_alias(AliasName=ALIAS), "create the key"),
    ],
)
def test_what_was_changed_behind_its_back_is_mended_and_told(damage: Any, step: str):
    apply()
    damage()
    assert step in [told for item in apply().values() for told in item["steps"]]
    assert {item["status"] for item in apply().values()} == {"existed"}


def test_statements_and_tags_of_others_on_the_bucket_stay():
    apply()
    s3 = client("s3")
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    audit = {
        "Sid": "Audit",
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:role/audit"},
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{BUCKET}",
    }
    policy["Statement"] = [audit]
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "audited", "Value": "yes"}]})
    apply()
    assert audit in json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert {"Key": "audited", "Value": "yes"} in s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"]
    assert {item["status"] for item in apply().values()} == {"existed"}


def test_without_a_yes_the_plan_is_shown_and_nothing_is_changed():
    for arguments in ((), ("--json",)):
        done = run("--env", "staging", *arguments)
        assert done.exit_code == 1
        assert "to create" in done.stdout
        assert "run again with --yes" in done.stderr
    assert client("s3").list_buckets()["Buckets"] == []
    assert client("kms").list_keys()["Keys"] == []


def test_once_all_is_there_no_yes_is_needed():
    apply()
    assert run("--env", "staging").exit_code == 0


def test_it_ends_with_the_commands_to_type_next():
    output = run("--env", "staging", "--yes").stdout
    assert f"pulumi login 's3://{BUCKET}?region=us-east-1'\n" in output
    assert f"pulumi stack init staging --secrets-provider 'awskms://{ALIAS}?region=us-east-1'\n" in output


def test_in_the_sandbox_the_bootstrap_asks_no_other_address(foreign_addresses: str):
    with pytest.raises(BootstrapError, match=re.escape(foreign_addresses)):
        AwsAccount("us-east-1")


def test_quotas_that_are_too_small_for_the_environments_nodes_are_told_with_the_command_that_asks_for_more():
    done = run("--env", "prod", "--yes", "--json")
    assert done.exit_code == 0, done.output
    [gpus] = [line for line in json.loads(done.stdout)["quotas"] if "L-DB2E81BA" in line]
    assert "the account may run 0 vCPUs, and its pools' min_size needs 8" in gpus
    assert "aws service-quotas request-service-quota-increase" in gpus

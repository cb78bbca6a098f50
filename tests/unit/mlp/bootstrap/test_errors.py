"""`mlp bootstrap` reports errors with a fix, and leaves nothing half created."""

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError
from moto.s3.models import s3_backends

from mlp.bootstrap import account as bootstrap_account
from mlp.bootstrap import command
from mlp.bootstrap.errors import explain, plain_aws_errors
from mlp.bootstrap.plan import BootstrapError
from mlp.environments import stack_file
from tests.unit.mlp.bootstrap.bootstrapping import ALIAS, BUCKET, apply, client, run, state_key

pytestmark = pytest.mark.usefixtures("account")


def test_a_key_that_is_going_to_be_deleted_stops_it_with_the_command_that_saves_it():
    apply()
    client("kms").schedule_key_deletion(KeyId=state_key(), PendingWindowInDays=7)
    done = run("--env", "staging", "--yes")
    assert done.exit_code == 1
    assert "aws kms cancel-key-deletion --key-id arn:aws:kms:us-east-1:123456789012:key/" in done.stderr


@pytest.fixture
def owner_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer 403 when a bucket's owner is not the expected one, as AWS does; moto does not check."""
    call = BaseClient._make_api_call

    def checked(self: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        owner = s3_backends.bucket_accounts.get(arguments.get("Bucket", ""), ("aws", None))[1]
        if owner is not None and arguments.get("ExpectedBucketOwner") not in (None, owner):
            raise _error("403", operation, "Forbidden")
        return call(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", checked)


@pytest.mark.usefixtures("owner_checked")
def test_a_bucket_of_another_account_stops_it_before_anything_is_made():
    there = client("sts").assume_role(RoleArn="arn:aws:iam::999988887777:role/other", RoleSessionName="other")
    credentials = there["Credentials"]
    boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    ).create_bucket(Bucket=BUCKET)
    done = run("--env", "staging", "--yes")
    assert done.exit_code == 1
    assert "may not access the state bucket: it belongs to another AWS account" in done.stderr
    assert client("kms").list_keys()["Keys"] == []


def test_a_bucket_taken_between_looking_and_making_is_told(monkeypatch: pytest.MonkeyPatch):
    call = BaseClient._make_api_call

    def taken(self: BaseClient, operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "CreateBucket":
            raise _error("BucketAlreadyExists", operation, "The requested bucket name is not available")
        return call(self, operation, arguments)

    monkeypatch.setattr(BaseClient, "_make_api_call", taken)
    done = run("--env", "staging", "--yes")
    assert done.exit_code == 1
    assert "set identities.state_bucket to another name" in done.stderr


def test_a_bucket_in_another_region_stops_it():
    boto3.client("s3", region_name="eu-west-1").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
    )
    done = run("--env", "staging", "--yes")
    assert done.exit_code == 1
    assert f"state_bucket '{BUCKET}' is in eu-west-1, the environment in us-east-1" in done.stderr


def test_an_unknown_environment_is_told_with_those_there_are():
    done = run("--env", "production", "--yes")
    assert done.exit_code == 1
    assert "--env 'production': there is no such stack file; there are dev, prod, staging" in done.stderr


def test_missing_credentials_are_told_with_the_way_to_sign_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with monkeypatch.context() as signed_out:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            signed_out.delenv(name, raising=False)
        done = run("--env", "staging", "--yes")
    assert done.exit_code == 1
    assert "no AWS credentials were found: sign in with `aws sso login`" in done.stderr


def test_a_refused_call_names_the_caller_and_the_operation(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: Any) -> None:
        raise _error("AccessDeniedException", "CreateKey", "no identity-based policy allows it")

    monkeypatch.setattr(bootstrap_account.AwsAccount, "_create_key", refuse)
    done = run("--env", "staging", "--yes")
    assert done.exit_code == 1
    assert "arn:aws:sts::123456789012:user/moto may not CreateKey: no identity-based policy allows it" in done.stderr


def test_a_key_whose_alias_cannot_be_made_is_not_left_behind():
    client("kms").create_alias(AliasName=ALIAS, TargetKeyId=client("kms").create_key()["KeyMetadata"]["KeyId"])
    account = bootstrap_account.AwsAccount("us-east-1")
    target = bootstrap_account.Target(
        environment="dev",
        scope=account.scope,
        bucket="b",
        key_alias=ALIAS,
        provider_needed=False,
        tags={},
    )
    with pytest.raises(ClientError, match="AlreadyExists"):
        account._create_key(target)
    states = [client("kms").describe_key(KeyId=k["KeyId"])["KeyMetadata"] for k in client("kms").list_keys()["Keys"]]
    assert sorted(state["KeyState"] for state in states) == ["Enabled", "PendingDeletion"]


@pytest.mark.parametrize(
    ("code", "operation", "told"),
    [
        ("ExpiredToken", "GetCallerIdentity", "does not accept the credentials (ExpiredToken): sign in again"),
        ("403", "HeadBucket", "may not access the state bucket"),
        ("AccessDenied", "CreateBucket", "me may not CreateBucket: said so. Sign in as an administrator"),
        ("LimitExceededException", "CreateKey", "CreateKey failed with LimitExceededException: said so"),
    ],
)
def test_errors_of_aws_are_told_with_what_to_do(code: str, operation: str, told: str):
    assert told in explain(_error(code, operation, "said so"), "me")


def test_an_unreachable_endpoint_is_told():
    with (
        pytest.raises(
            BootstrapError, match=r"AWS cannot be reached .*check the network, proxy settings and AWS_ENDPOINT_URL"
        ),
        plain_aws_errors(),
    ):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("config: [", "is not YAML"),
        ("config: {}", "got None; add the settings"),
        ("- a\n", "got None; add the settings"),
        ("config: {'ml-platform:platform': {environment: dev}}", "wrong setting"),
    ],
)
def test_a_broken_stack_file_is_told(tmp_path: Path, text: str, told: str):
    (tmp_path / "Pulumi.dev.yaml").write_text(text)
    with pytest.raises((BootstrapError, ValueError), match=told):
        command.read_settings("dev", tmp_path)


def test_a_stack_file_of_another_environment_is_told(tmp_path: Path):
    (tmp_path / "Pulumi.dev.yaml").write_text(stack_file("prod").read_text())
    with pytest.raises(BootstrapError, match="environment: got 'prod'; write 'dev'"):
        command.read_settings("dev", tmp_path)


def _error(code: str, operation: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)

"""Access of `mlp bootstrap` to an AWS account: it observes the account and applies the plan.

Only this module calls AWS.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from components.ci.github import GITHUB_OIDC_URL, STS_AUDIENCE, github_provider_arn
from components.iam_documents import Scope, document
from components.keys import secrets_key_policy
from mlp.bootstrap.errors import plain_aws_errors
from mlp.bootstrap.plan import BootstrapError, BucketState, Item, KeyState, Observed, Target, bucket_policy
from mlp.projects.aws_access import local_account

_PUBLIC_ACCESS: Final = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


class AwsAccount:
    """Client for one account and region, with the standard credentials."""

    def __init__(self, region: str) -> None:
        with plain_aws_errors():
            session = boto3.Session(region_name=region)
            config = Config(connect_timeout=10, retries={"mode": "standard", "total_max_attempts": 5})
            place: Any = {"config": config, "endpoint_url": local_account()}
            self._kms: Any = session.client("kms", **place)
            self._s3: Any = session.client("s3", **place)
            self._iam: Any = session.client("iam", **place)
            self.service_quotas: Any = session.client("service-quotas", **place)
            caller: dict[str, str] = session.client("sts", **place).get_caller_identity()
        self.caller_arn = caller["Arn"]
        self.scope = Scope(partition=self.caller_arn.split(":")[1], account_id=caller["Account"], region=region)

    def observe(self, target: Target) -> Observed:
        """Return the current state of the target's resources."""
        with plain_aws_errors(self.caller_arn):
            return Observed(
                key=self._key(target.key_alias),
                bucket=self._bucket(target.bucket),
                provider_audiences=self._audiences() if target.provider_needed else None,
            )

    def carry_out(self, item: Item, target: Target) -> None:
        """Apply the steps of one item. Each step can be repeated; after a failure, the next run completes the rest."""
        operations: dict[str, Callable[[Target], None]] = {
            "create the key": self._create_key,
            "turn rotation on": self._rotate_key,
            "create the bucket": self._create_bucket,
            "turn versioning on": self._version_bucket,
            "encrypt with the KMS key": self._encrypt_bucket,
            "block public access": self._close_bucket,
            "enforce bucket ownership": self._own_bucket,
            "refuse connections without TLS": self._restrict_bucket,
            "tag": self._tag_bucket,
            "create the provider": self._create_provider,
            f"accept tokens for {STS_AUDIENCE}": self._accept_audience,
        }
        with plain_aws_errors(self.caller_arn):
            for step in item.steps:
                operations[step](target)

    def _key(self, alias: str) -> KeyState | None:
        found = absent(lambda: self._kms.describe_key(KeyId=alias), "NotFoundException")
        if found is None:
            return None
        key = found["KeyMetadata"]
        rotates = key["KeyState"] == "Enabled" and bool(
            self._kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"]
        )
        return KeyState(arn=key["Arn"], state=key["KeyState"], rotates=rotates)

    def _key_arn(self, target: Target) -> str:
        return str(self._kms.describe_key(KeyId=target.key_alias)["KeyMetadata"]["Arn"])

    def _create_key(self, target: Target) -> None:
        key = self._kms.create_key(
            Description=f"Pulumi state of {target.environment}: its bucket and the secrets in it",
            Policy=document(secrets_key_policy(self.scope)),
            Tags=[{"TagKey": name, "TagValue": value} for name, value in target.tags.items()],
        )["KeyMetadata"]["KeyId"]
        try:
            self._kms.create_alias(AliasName=target.key_alias, TargetKeyId=key)
        except ClientError:
            # Without an alias every run would create another key, and AWS bills each key.
            with contextlib.suppress(ClientError):
                self._kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
            raise

    def _rotate_key(self, target: Target) -> None:
        self._kms.enable_key_rotation(KeyId=self._key_arn(target))

    def _bucket(self, name: str) -> BucketState | None:
        # With the expected owner: a bucket of another account that grants access to this one must not receive the
        # state.
        bucket: dict[str, str] = {"Bucket": name, "ExpectedBucketOwner": self.scope.account_id}
        if absent(lambda: self._s3.head_bucket(**bucket), "404", "NoSuchBucket") is None:
            return None
        location = self._s3.get_bucket_location(**bucket).get("LocationConstraint") or "us-east-1"
        encryption = absent(
            lambda: self._s3.get_bucket_encryption(**bucket), "ServerSideEncryptionConfigurationNotFoundError"
        )
        rule = encryption["ServerSideEncryptionConfiguration"]["Rules"][0] if encryption else {}
        default: Mapping[str, str] = rule.get("ApplyServerSideEncryptionByDefault", {})
        block = absent(lambda: self._s3.get_public_access_block(**bucket), "NoSuchPublicAccessBlockConfiguration")
        owner = absent(lambda: self._s3.get_bucket_ownership_controls(**bucket), "OwnershipControlsNotFoundError")
        policy = absent(lambda: self._s3.get_bucket_policy(**bucket), "NoSuchBucketPolicy")
        return BucketState(
            region=location,
            versioned=self._s3.get_bucket_versioning(**bucket).get("Status") == "Enabled",
            encryption_key=default.get("KMSMasterKeyID") if default.get("SSEAlgorithm") == "aws:kms" else None,
            bucket_key=bool(rule.get("BucketKeyEnabled")),
            public_access_blocked=bool(block) and block["PublicAccessBlockConfiguration"] == _PUBLIC_ACCESS,
            owner_enforced=bool(owner)
            and owner["OwnershipControls"]["Rules"][0]["ObjectOwnership"] == "BucketOwnerEnforced",
            policy=policy["Policy"] if policy else None,
            tags=self._tags(name),
        )

    def _tags(self, bucket: str) -> dict[str, str]:
        found = absent(lambda: self._s3.get_bucket_tagging(Bucket=bucket), "NoSuchTagSet")
        return {tag["Key"]: tag["Value"] for tag in found["TagSet"]} if found else {}

    def _create_bucket(self, target: Target) -> None:
        region = self.scope.region
        # us-east-1 is the only region that must not be passed as location constraint.
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            self._s3.create_bucket(Bucket=target.bucket, ObjectOwnership="BucketOwnerEnforced", **where)
        except ClientError as error:
            if error.response["Error"]["Code"] == "BucketAlreadyExists":
                raise BootstrapError(owned_elsewhere(target.bucket)) from error
            raise

    def _version_bucket(self, target: Target) -> None:
        self._s3.put_bucket_versioning(Bucket=target.bucket, VersioningConfiguration={"Status": "Enabled"})

    def _encrypt_bucket(self, target: Target) -> None:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self._key_arn(target)}
        rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
        self._s3.put_bucket_encryption(Bucket=target.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})

    def _close_bucket(self, target: Target) -> None:
        self._s3.put_public_access_block(Bucket=target.bucket, PublicAccessBlockConfiguration=_PUBLIC_ACCESS)

    def _own_bucket(self, target: Target) -> None:
        rules = [{"ObjectOwnership": "BucketOwnerEnforced"}]
        self._s3.put_bucket_ownership_controls(Bucket=target.bucket, OwnershipControls={"Rules": rules})

    def _restrict_bucket(self, target: Target) -> None:
        current = absent(lambda: self._s3.get_bucket_policy(Bucket=target.bucket), "NoSuchBucketPolicy")
        policy = bucket_policy(current["Policy"] if current else None, target, self._key_arn(target))
        self._s3.put_bucket_policy(Bucket=target.bucket, Policy=policy)

    def _tag_bucket(self, target: Target) -> None:
        tags = {**self._tags(target.bucket), **target.tags}
        tag_set = [{"Key": name, "Value": value} for name, value in tags.items()]
        self._s3.put_bucket_tagging(Bucket=target.bucket, Tagging={"TagSet": tag_set})

    def _audiences(self) -> tuple[str, ...] | None:
        arn = github_provider_arn(self.scope)
        found = absent(lambda: self._iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn), "NoSuchEntity")
        return tuple(found["ClientIDList"]) if found else None

    def _create_provider(self, target: Target) -> None:
        tags = [{"Key": name, "Value": value} for name, value in target.tags.items()]
        self._iam.create_open_id_connect_provider(Url=GITHUB_OIDC_URL, ClientIDList=[STS_AUDIENCE], Tags=tags)

    def _accept_audience(self, _target: Target) -> None:
        self._iam.add_client_id_to_open_id_connect_provider(
            OpenIDConnectProviderArn=github_provider_arn(self.scope), ClientID=STS_AUDIENCE
        )


def absent(call: Callable[[], dict[str, Any]], *codes: str) -> dict[str, Any] | None:
    """Return the result of the call, or None if AWS reports with one of the codes that the resource does not exist."""
    try:
        return call()
    except ClientError as error:
        if error.response["Error"]["Code"] in codes:
            return None
        raise


def owned_elsewhere(bucket: str) -> str:
    return (
        f"state_bucket {bucket!r} belongs to another AWS account (names are unique in the world); "
        "set identities.state_bucket to another name"
    )

"""Buckets of the platform: data lake, model artifacts, feature data, and the access logs of those three.

All are versioned and deny public access and plain HTTP; data buckets reject objects encrypted with any other key.
Stateful: callers decide `protect`; `force_destroy` lets `destroy` delete buckets that still contain objects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.buckets.documents import access_log_bucket_policy, data_bucket_policy
from components.buckets.spec import BucketSpec

Rule = aws.s3.BucketLifecycleConfigurationRuleArgsDict

RUNS_PREFIX: Final = "runs/"
"""Prefix in the data lake for files that pods of a training run exchange; nobody needs them after the run."""

RUNS_DAYS: Final = 7
"""Days after which S3 deletes these files, counted from the midnight (UTC) after the upload. No run may last longer.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html#intro-lifecycle-rules-number-of-days"""

ABORT_DAYS: Final = 7
"""Days after which S3 deletes uploads that were started and never completed."""


@dataclass(frozen=True, kw_only=True)
class BucketHandle:
    name: pulumi.Output[str]
    arn: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class BucketsHandle:
    """Buckets of an environment."""

    data_lake: BucketHandle
    model_artifacts: BucketHandle
    feature_data: BucketHandle


@dataclass(frozen=True, kw_only=True)
class BucketsArgs:
    spec: BucketSpec
    account: Account
    key_arn: pulumi.Input[str]


class Buckets(pulumi.ComponentResource):
    handle: BucketsHandle

    def __init__(self, name: str, args: BucketsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Buckets", name, {}, opts)
        self._logical_name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)

        self.handle = BucketsHandle(
            data_lake=self._data_bucket("data-lake", [self._end_of_runs()]),
            model_artifacts=self._data_bucket("model-artifacts"),
            feature_data=self._data_bucket("feature-data"),
        )
        self._deliver_access_logs(
            self._access_log_bucket(),
            {
                "data-lake": self.handle.data_lake,
                "model-artifacts": self.handle.model_artifacts,
                "feature-data": self.handle.feature_data,
            },
        )
        self.register_outputs({})

    def _data_bucket(self, purpose: str, further: Sequence[Rule] = ()) -> BucketHandle:
        keep: Rule = {
            "id": "keep-cheaply",
            "status": "Enabled",
            "filter": {"prefix": ""},
            "transitions": [{"days": self._args.spec.infrequent_access_days, "storage_class": "STANDARD_IA"}],
            "noncurrent_version_expiration": {"noncurrent_days": self._args.spec.noncurrent_days},
            "abort_incomplete_multipart_upload": {"days_after_initiation": ABORT_DAYS},
        }
        handle = self._closed_bucket(
            purpose,
            lifecycle=[keep, *further],
            encryption={
                "apply_server_side_encryption_by_default": {
                    "sse_algorithm": "aws:kms",
                    "kms_master_key_id": self._args.key_arn,
                },
                "bucket_key_enabled": True,
            },
        )
        aws.s3.BucketPolicy(
            f"{self._logical_name}-{purpose}-policy",
            bucket=handle.name,
            policy=pulumi.Output.all(self._args.account.scope, handle.name, self._args.key_arn).apply(
                lambda known: data_bucket_policy(*known)
            ),
            opts=self._child,
        )
        return handle

    def _end_of_runs(self) -> Rule:
        """Return the lifecycle rule that expires files of training runs.

        It applies in addition to the rule for all objects: if two rules match an object, S3 applies the earlier expiry.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-conflicts.html
        """
        return {
            "id": "end-runs",
            "status": "Enabled",
            "filter": {"prefix": RUNS_PREFIX},
            "expiration": {"days": RUNS_DAYS},
            "noncurrent_version_expiration": {"noncurrent_days": 1},
            "abort_incomplete_multipart_upload": {"days_after_initiation": ABORT_DAYS},
        }

    def _access_log_bucket(self) -> BucketHandle:
        """Create the bucket for access logs with SSE-S3 as its default encryption.

        Log delivery supports no other default encryption in its target bucket.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
        """
        return self._closed_bucket(
            "access-logs",
            lifecycle=[
                {
                    "id": "expire-logs",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": self._args.spec.access_log_days},
                    "noncurrent_version_expiration": {"noncurrent_days": self._args.spec.noncurrent_days},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": ABORT_DAYS},
                }
            ],
            encryption={"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}},
        )

    def _deliver_access_logs(self, logs: BucketHandle, sources: dict[str, BucketHandle]) -> None:
        policy = aws.s3.BucketPolicy(
            f"{self._logical_name}-access-logs-policy",
            bucket=logs.name,
            policy=pulumi.Output.all(
                self._args.account.scope, logs.name, [handle.name for handle in sources.values()]
            ).apply(lambda known: access_log_bucket_policy(*known)),
            opts=self._child,
        )
        for purpose, handle in sources.items():
            aws.s3.BucketLogging(
                f"{self._logical_name}-{purpose}-logging",
                bucket=handle.name,
                target_bucket=logs.name,
                target_prefix=f"{purpose}/",
                # S3 rejects a target bucket that it may not write to yet, and no property refers to the target's
                # policy.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
            )

    def _closed_bucket(
        self,
        purpose: str,
        *,
        lifecycle: Sequence[Rule],
        encryption: aws.s3.BucketServerSideEncryptionConfigurationRuleArgsDict,
    ) -> BucketHandle:
        logical = f"{self._logical_name}-{purpose}"
        bucket = aws.s3.Bucket(
            logical, force_destroy=self._args.spec.force_destroy, tags={"Name": logical}, opts=self._child
        )
        versioning = aws.s3.BucketVersioning(
            f"{logical}-versioning",
            bucket=bucket.id,
            versioning_configuration={"status": "Enabled"},
            opts=self._child,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{logical}-encryption", bucket=bucket.id, rules=[encryption], opts=self._child
        )
        aws.s3.BucketOwnershipControls(
            f"{logical}-ownership",
            bucket=bucket.id,
            rule={"object_ownership": "BucketOwnerEnforced"},
            opts=self._child,
        )
        aws.s3.BucketPublicAccessBlock(
            f"{logical}-public-access",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{logical}-lifecycle",
            bucket=bucket.id,
            rules=list(lifecycle),
            # Rules for noncurrent versions require that versioning is already on.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        return BucketHandle(name=bucket.id, arn=bucket.arn)

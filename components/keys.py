"""KMS keys by purpose, so that access to logs, data and secrets can be granted and revoked separately.

Stateful: deleting a key makes everything that it encrypted unreadable, so callers decide `protect`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from pydantic import Field

from components.account import Account
from components.iam_documents import KEY_ITSELF, KEY_ITSELF_REASON, Scope, Statement, document
from components.naming import check_prefix
from validation.base import Section

# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services: EventBridge sends
# no aws:SourceAccount with its calls to KMS, so the policy checks the topic's ARN in the encryption context instead.
PUBLISHERS_THAT_NAME_THEIR_ACCOUNT = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com")
PUBLISHERS_THAT_DO_NOT = ("events.amazonaws.com",)
AUTO_SCALING_ROLE = "aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
VOLUME_ENCRYPTION = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


@dataclass(frozen=True, kw_only=True)
class KeyHandle:
    arn: pulumi.Output[str]


@dataclass(frozen=True, kw_only=True)
class KeysHandle:
    """Keys of an environment by what they encrypt."""

    secrets: KeyHandle
    cluster: KeyHandle
    data: KeyHandle
    logs: KeyHandle


# Section `keys`. https://docs.aws.amazon.com/kms/latest/developerguide/rotating-keys-enable.html
class KeySpec(Section):
    rotation_days: int = Field(default=365, ge=90, le=2560)
    """Days between automatic rotations of the key material."""
    deletion_window_days: int = Field(default=30, ge=7, le=30)
    """Waiting period in days in which a deletion can be cancelled. After it, everything that the key encrypts is
    lost."""


@dataclass(frozen=True, kw_only=True)
class KeysArgs:
    spec: KeySpec
    account: Account
    prefix: str

    def __post_init__(self) -> None:
        check_prefix(self.prefix)


def administration(scope: Scope) -> Statement:
    """Return the statement that lets the account's root administer the key.

    Without it no IAM policy could grant use of the key, and losing a role would lock everybody out.
    """
    return Statement(
        sid="AccountAdministration",
        principals={"AWS": [scope.root]},
        actions=["kms:*"],
        resources=[KEY_ITSELF],
        reason=KEY_ITSELF_REASON + "; IAM policies of the account decide who may use it",
    )


def secrets_key_policy(scope: Scope) -> Sequence[Statement]:
    return [administration(scope)]


def cluster_key_policy(scope: Scope) -> Sequence[Statement]:
    """Return the key policy: only administration by the account.

    EKS uses the key through a grant by the caller of CreateCluster, and through the cluster's role.
    """
    return [administration(scope)]


def node_volume_statements(scope: Scope) -> Sequence[Statement]:
    """Return statements for Auto Scaling, which starts nodes with encrypted volumes as its service-linked role.

    IAM policies cannot extend that role, so the key policy must allow it. A condition names the role instead of the
    principal, because a new account does not have the role yet.
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html
    """
    role = scope.global_arn("iam", f"role/{AUTO_SCALING_ROLE}")
    return [
        Statement(
            sid="EncryptVolumesOfNodes",
            principals="*",
            actions=VOLUME_ENCRYPTION,
            resources=[KEY_ITSELF],
            conditions={"ArnEquals": {"aws:PrincipalArn": role}},
            reason=KEY_ITSELF_REASON,
        ),
        Statement(
            sid="LendToVolumesOfNodes",
            principals="*",
            actions=["kms:CreateGrant"],
            resources=[KEY_ITSELF],
            conditions={"ArnEquals": {"aws:PrincipalArn": role}, "Bool": {"kms:GrantIsForAWSResource": "true"}},
            reason=KEY_ITSELF_REASON,
        ),
    ]


def data_key_policy(scope: Scope) -> Sequence[Statement]:
    """Return statements for AWS services that publish to an encrypted topic.

    They call KMS as themselves; other services act with the permissions of their caller.
    """
    return [
        administration(scope),
        Statement(
            sid="PublishFromThisAccount",
            principals={"Service": PUBLISHERS_THAT_NAME_THEIR_ACCOUNT},
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[KEY_ITSELF],
            conditions={"StringEquals": {"aws:SourceAccount": scope.account_id}},
            reason=KEY_ITSELF_REASON,
        ),
        Statement(
            sid="PublishEventsToTopics",
            principals={"Service": PUBLISHERS_THAT_DO_NOT},
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[KEY_ITSELF],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:sns:topicArn": scope.arn("sns", "*")}},
            reason=KEY_ITSELF_REASON,
        ),
        *node_volume_statements(scope),
    ]


def logs_key_policy(scope: Scope) -> Sequence[Statement]:
    """Return the statement for CloudWatch Logs.

    The encryption context is the log group's ARN, so only log groups of this account and region may use the key.
    """
    return [
        administration(scope),
        Statement(
            sid="EncryptLogGroups",
            principals={"Service": [f"logs.{scope.region}.amazonaws.com"]},
            actions=[
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            resources=[KEY_ITSELF],
            conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": scope.arn("logs", "log-group:*")}},
            reason=KEY_ITSELF_REASON,
        ),
    ]


class Keys(pulumi.ComponentResource):
    handle: KeysHandle

    def __init__(self, name: str, args: KeysArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Keys", name, {}, opts)
        self._logical_name, self._args = name, args
        self.handle = KeysHandle(
            secrets=self._key("secrets", "Secrets Manager entries", secrets_key_policy),
            cluster=self._key("cluster", "Secrets of the Kubernetes API", cluster_key_policy),
            data=self._key("data", "Buckets, images, database storage, volumes, notifications", data_key_policy),
            logs=self._key("logs", "CloudWatch log groups", logs_key_policy),
        )
        self.register_outputs({})

    def _key(self, purpose: str, description: str, policy: Callable[[Scope], Sequence[Statement]]) -> KeyHandle:
        child = pulumi.ResourceOptions(parent=self)
        key = aws.kms.Key(
            f"{self._logical_name}-{purpose}",
            description=description,
            deletion_window_in_days=self._args.spec.deletion_window_days,
            enable_key_rotation=True,
            rotation_period_in_days=self._args.spec.rotation_days,
            policy=self._args.account.scope.apply(lambda scope: document(policy(scope))),
            tags={"Name": f"{self._args.prefix}-{purpose}"},
            opts=child,
        )
        aws.kms.Alias(
            f"{self._logical_name}-{purpose}-alias",
            name=f"alias/{self._args.prefix}-{purpose}",
            target_key_id=key.key_id,
            opts=child,
        )
        return KeyHandle(arn=key.arn)

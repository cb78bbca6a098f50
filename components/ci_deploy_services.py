"""What the deploy role may change in the services whose resources have names: only names that start with the prefix."""

from collections.abc import Sequence

from components.ci_read_access import Reach
from components.iam_documents import Statement


def data_statements(reach: Reach) -> Sequence[Statement]:
    """Buckets, databases, secrets, images: their settings. Objects, secret values and images stay out of reach."""
    scope, prefix = reach.scope, reach.prefix
    return [
        Statement(
            sid="ChangeBuckets",
            actions=[
                "s3:CreateBucket",
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:PutBucketLogging",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketTagging",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
            ],
            resources=reach.buckets,
        ),
        Statement(
            sid="ChangeDatabases",
            actions=[
                "rds:AddTagsToResource",
                "rds:CreateDBInstance",
                "rds:CreateDBParameterGroup",
                "rds:CreateDBSnapshot",
                "rds:CreateDBSubnetGroup",
                "rds:DeleteDBInstance",
                "rds:DeleteDBParameterGroup",
                "rds:DeleteDBSubnetGroup",
                "rds:ModifyDBInstance",
                "rds:ModifyDBParameterGroup",
                "rds:ModifyDBSubnetGroup",
                "rds:RebootDBInstance",
                "rds:RemoveTagsFromResource",
                "rds:ResetDBParameterGroup",
            ],
            resources=[scope.arn("rds", f"{kind}:{prefix}-*") for kind in ("db", "pg", "snapshot", "subgrp")],
        ),
        Statement(
            sid="UseDefaultOptionGroups",
            actions=["rds:CreateDBInstance", "rds:ModifyDBInstance"],
            resources=[scope.arn("rds", "og:default:postgres-*")],
        ),
        # RDS creates the secret of a managed master password in the caller's name; names with `rds!` are its own.
        Statement(
            sid="LetRdsKeepPasswords",
            actions=["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
            resources=[scope.arn("secretsmanager", "secret:rds!db-*")],
        ),
        Statement(
            sid="ChangeSecretsNotValues",
            actions=[
                "secretsmanager:CreateSecret",
                "secretsmanager:DeleteResourcePolicy",
                "secretsmanager:DeleteSecret",
                "secretsmanager:PutResourcePolicy",
                "secretsmanager:RestoreSecret",
                "secretsmanager:TagResource",
                "secretsmanager:UntagResource",
                "secretsmanager:UpdateSecret",
                "secretsmanager:ValidateResourcePolicy",
            ],
            resources=[scope.arn("secretsmanager", f"secret:{prefix}/*")],
        ),
        Statement(
            sid="ChangeRepositories",
            actions=[
                "ecr:CreateRepository",
                "ecr:DeleteLifecyclePolicy",
                "ecr:DeleteRepository",
                "ecr:PutImageScanningConfiguration",
                "ecr:PutImageTagMutability",
                "ecr:PutLifecyclePolicy",
                "ecr:TagResource",
                "ecr:UntagResource",
            ],
            resources=[scope.arn("ecr", f"repository/{prefix}/*")],
        ),
    ]


def key_statements(reach: Reach) -> Sequence[Statement]:
    scope = reach.scope
    keys = [scope.arn("kms", "key/*")]
    return [
        Statement(
            sid="CreateKeys",
            actions=["kms:CreateKey"],
            resources=["*"],
            conditions={"StringEquals": reach.request_tags},
            reason="a key has no ARN before it exists; it must be born with the environment's tags",
        ),
        # Tagging at creation is authorised on the key's ARN, where a new key and an old untagged one look the same.
        Statement(
            sid="TagNewKeys",
            actions=["kms:TagResource"],
            resources=keys,
            conditions={"Null": reach.untagged, "StringEquals": reach.request_tags},
        ),
        Statement(
            sid="ChangeKeys",
            actions=[
                "kms:CancelKeyDeletion",
                "kms:CreateAlias",
                "kms:DeleteAlias",
                "kms:DisableKey",
                "kms:EnableKey",
                "kms:EnableKeyRotation",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:TagResource",
                "kms:UntagResource",
                "kms:UpdateAlias",
                "kms:UpdateKeyDescription",
            ],
            resources=keys,
            conditions={"StringEquals": reach.resource_tags},
        ),
        Statement(
            sid="ChangeAliases",
            actions=["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"],
            resources=[scope.arn("kms", f"alias/{reach.prefix}-*")],
        ),
        Statement(
            sid="EncryptThroughServices",
            actions=["kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            resources=keys,
            conditions={
                "StringEquals": {
                    **reach.resource_tags,
                    "kms:ViaService": [
                        f"{service}.{scope.region}.amazonaws.com" for service in ("ecr", "rds", "secretsmanager")
                    ],
                }
            },
        ),
    ]


def operations_statements(reach: Reach) -> Sequence[Statement]:
    scope, prefix = reach.scope, reach.prefix
    return [
        Statement(
            sid="ChangeTopics",
            actions=[
                "sns:CreateTopic",
                "sns:DeleteTopic",
                "sns:SetTopicAttributes",
                "sns:Subscribe",
                "sns:TagResource",
                "sns:UntagResource",
            ],
            resources=[scope.arn("sns", f"{prefix}-*")],
        ),
        Statement(
            sid="EndSubscriptions",
            actions=["sns:Unsubscribe"],
            resources=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": scope.region}},
            reason="AWS defines no resource for Unsubscribe",
        ),
        Statement(
            sid="ChangeBudgets",
            actions=["budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"],
            resources=[scope.global_arn("budgets", f"budget/{prefix}-*")],
        ),
        Statement(
            sid="ChangeLogGroups",
            actions=[
                "logs:AssociateKmsKey",
                "logs:CreateLogGroup",
                "logs:DeleteLogGroup",
                "logs:DeleteRetentionPolicy",
                "logs:DisassociateKmsKey",
                "logs:PutRetentionPolicy",
                "logs:TagResource",
                "logs:UntagResource",
            ],
            resources=reach.log_groups,
        ),
    ]

"""Permissions of the deploy role on services whose resources have names: only names that start with the prefix.

Resources that protect data are reserved for an administrator: keys with their policies and aliases; each bucket with
its policy, encryption, public access block and expiry rules; and deletion of the database. With these permissions a
role could let others read data, or lose it, and IAM has no condition on the contents of a resource policy.
"""

from collections.abc import Sequence

from components.ci.read_access import Reach
from components.iam_documents import Statement


def data_statements(reach: Reach) -> Sequence[Statement]:
    """Return permissions on the settings of buckets, databases, secrets and image repositories.

    They do not cover objects, secret values and images. A secret's policy may name other principals, but they cannot
    decrypt: only the environment's key encrypts the secret, and an administrator controls that key's policy.
    `UpdateSecret` is missing because it could set another key and another value.
    """
    scope, prefix = reach.scope, reach.prefix
    return [
        Statement(
            sid="ChangeBuckets",
            actions=["s3:PutBucketLogging", "s3:PutBucketTagging"],
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
        # With a password of its own choice the caller could reach all runs and accounts of MLflow.
        Statement(
            sid="DenyChosenPasswords",
            effect="Deny",
            actions=["rds:CreateDBInstance"],
            resources=["*"],
            conditions={"BoolIfExists": {"rds:ManageMasterUserPassword": "false"}},
        ),
        Statement(
            sid="DenyPasswordsOfOnesOwn",
            effect="Deny",
            actions=["rds:ModifyDBInstance"],
            resources=["*"],
            conditions={"Bool": {"rds:ManageMasterUserPassword": "false"}},
        ),
        Statement(
            sid="DenyPublicDatabases",
            effect="Deny",
            actions=["rds:CreateDBInstance"],
            resources=["*"],
            conditions={"Bool": {"rds:PubliclyAccessible": "true"}},
        ),
        Statement(
            sid="UseDefaultOptionGroups",
            actions=["rds:CreateDBInstance", "rds:ModifyDBInstance"],
            resources=[scope.arn("rds", "og:default:postgres-*")],
        ),
        # RDS creates the secret of a managed master password on behalf of the caller; names with `rds!` are reserved
        # for it.
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
                "secretsmanager:RestoreSecret",
                "secretsmanager:TagResource",
                "secretsmanager:UntagResource",
                "secretsmanager:ValidateResourcePolicy",
            ],
            resources=[scope.arn("secretsmanager", f"secret:{prefix}/*")],
        ),
        Statement(
            sid="ChangePoliciesOfSecrets",
            actions=["secretsmanager:PutResourcePolicy"],
            resources=[scope.arn("secretsmanager", f"secret:{prefix}/*")],
            conditions={"Bool": {"secretsmanager:BlockPublicPolicy": "true"}},
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
    """Return permissions on keys: use through services, and changes of key settings that grant no access.

    An administrator creates the keys. Tags assign a key to the environment, so the deploy role may tag only keys that
    already have the environment's tags.
    """
    scope = reach.scope
    keys = [scope.arn("kms", "key/*")]
    return [
        Statement(
            sid="ChangeKeys",
            actions=["kms:EnableKeyRotation", "kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription"],
            resources=keys,
            conditions={"StringEquals": reach.resource_tags},
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

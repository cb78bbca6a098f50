"""What the deploy role may change in the services whose resources have names: only names that start with the prefix.

What protects data is an administrator's: keys, their policies and aliases, and each bucket with its policy, encryption,
block of public access and rules of expiry; and to delete the database. Whoever may change these may let others read, or
lose what is there, and IAM has no condition on what a resource's policy says.
"""

from collections.abc import Sequence

from components.ci_read_access import Reach
from components.iam_documents import Statement


def data_statements(reach: Reach) -> Sequence[Statement]:
    """Buckets, databases, secrets, images: their settings. Objects, secret values and images stay out of reach.

    A secret's policy may name others, but they could not decrypt: no key but the environment's encrypts it, and that
    key's policy is an administrator's. `UpdateSecret` could give it another key, and another value.
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
        # A password that the caller chooses would be a way to all runs and accounts of MLflow.
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
    """Keys are used through services; of their own settings only those change that open nothing.

    Keys are born as an administrator's. Tags make a key the environment's, so the deploy role gives them to keys only
    that have them already.
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

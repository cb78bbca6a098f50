"""The deploy role's reach over roles and policies, the state it keeps, and what it may never touch: itself."""

from collections.abc import Sequence

from components.ci_read_access import Reach
from components.ci_trust import github_provider_arn
from components.eks.addons import CNI_POLICY, EBS_POLICY
from components.eks.cluster import CLUSTER_POLICY
from components.eks.node_role import POLICIES as NODE_POLICIES
from components.eks.node_role import SESSION_POLICY
from components.iam_documents import Statement

# Services that take a role of this program; a new one is a decision, so it is added here and reviewed.
ROLE_USERS = ("eks.amazonaws.com", "pods.eks.amazonaws.com", "vpc-flow-logs.amazonaws.com")
SERVICE_LINKED_ROLES = {
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "eks.amazonaws.com": "AWSServiceRoleForAmazonEKS",
    "eks-nodegroup.amazonaws.com": "AWSServiceRoleForAmazonEKSNodegroup",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
    "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
}
# Policies of AWS's own that a role of the program may be given; the rest of its rights are written out.
MANAGED_POLICIES = (CLUSTER_POLICY, *NODE_POLICIES, SESSION_POLICY, CNI_POLICY, EBS_POLICY)

POLICY_CHANGES = (
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:TagPolicy",
    "iam:UntagPolicy",
)
ROLE_CHANGES = (
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
ATTACHMENTS = ("iam:AttachRolePolicy", "iam:DetachRolePolicy")


def identity_statements(reach: Reach) -> Sequence[Statement]:
    scope, prefix = reach.scope, reach.prefix
    roles = [scope.global_arn("iam", f"role/{prefix}-*")]
    policies = [scope.global_arn("iam", f"policy/{prefix}-*")]
    return [
        Statement(sid="ChangeRoles", actions=["iam:CreateRole", *ROLE_CHANGES], resources=roles),
        Statement(sid="ChangePolicies", actions=["iam:CreatePolicy", *POLICY_CHANGES], resources=policies),
        Statement(
            sid="AttachKnownPolicies",
            actions=ATTACHMENTS,
            resources=roles,
            conditions={
                "ArnLike": {
                    "iam:PolicyARN": [
                        *policies,
                        *(f"arn:{scope.partition}:iam::aws:policy/{name}" for name in MANAGED_POLICIES),
                    ]
                }
            },
        ),
        Statement(
            sid="PassRolesToServices",
            actions=["iam:PassRole"],
            resources=roles,
            conditions={"StringEquals": {"iam:PassedToService": list(ROLE_USERS)}},
        ),
        *(
            Statement(
                sid=f"Create{role}",
                actions=["iam:CreateServiceLinkedRole"],
                resources=[scope.global_arn("iam", f"role/aws-service-role/{service}/{role}")],
                conditions={"StringEquals": {"iam:AWSServiceName": service}},
            )
            for service, role in SERVICE_LINKED_ROLES.items()
        ),
    ]


def state_write_statements(reach: Reach) -> Sequence[Statement]:
    return [
        Statement(
            sid="WriteState",
            actions=["s3:DeleteObject", "s3:PutObject"],
            resources=[reach.scope.bucket_arn(reach.state_bucket, "*")],
        ),
        Statement(
            sid="EncryptState",
            actions=["kms:Encrypt", "kms:GenerateDataKey"],
            resources=[reach.scope.arn("kms", "key/*")],
            conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": [reach.state_key_alias]}},
        ),
    ]


def self_denials(reach: Reach) -> Sequence[Statement]:
    """Who may deploy, and what deploying may do, is changed by an administrator and never by a deployment."""
    scope = reach.scope
    state_bucket = scope.bucket_arn(reach.state_bucket)
    return [
        Statement(
            sid="DenyChangingOwnIdentity",
            effect="Deny",
            actions=[
                "iam:CreatePolicy",
                "iam:CreateRole",
                "iam:PassRole",
                "iam:SetDefaultPolicyVersion",
                *POLICY_CHANGES,
                *ROLE_CHANGES,
                *ATTACHMENTS,
            ],
            resources=[scope.global_arn("iam", f"{kind}/{reach.prefix}-ci-*") for kind in ("policy", "role")],
        ),
        Statement(
            sid="DenyChangingTrust",
            effect="Deny",
            actions=[
                "iam:AddClientIDToOpenIDConnectProvider",
                "iam:CreateOpenIDConnectProvider",
                "iam:DeleteOpenIDConnectProvider",
                "iam:RemoveClientIDFromOpenIDConnectProvider",
                "iam:UpdateOpenIDConnectProviderThumbprint",
            ],
            resources=[github_provider_arn(scope)],
        ),
        Statement(
            sid="DenyChangingStateBucket",
            effect="Deny",
            actions=[
                "s3:DeleteBucket",
                "s3:DeleteBucketPolicy",
                "s3:DeleteObjectVersion",
                "s3:PutBucketOwnershipControls",
                "s3:PutBucketPolicy",
                "s3:PutBucketPublicAccessBlock",
                "s3:PutBucketVersioning",
                "s3:PutEncryptionConfiguration",
                "s3:PutLifecycleConfiguration",
            ],
            resources=[state_bucket, f"{state_bucket}/*"],
        ),
        Statement(
            sid="DenyChangingStateKey",
            effect="Deny",
            actions=[
                "kms:DeleteAlias",
                "kms:DisableKey",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:UpdateAlias",
            ],
            resources=[scope.arn("kms", "key/*")],
            conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": [reach.state_key_alias]}},
        ),
    ]

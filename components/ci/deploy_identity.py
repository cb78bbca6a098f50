"""Permissions of the deploy role on roles and on the state, and the denials that prevent privilege escalation.

The condition key `iam:PermissionsBoundary` contains the boundary that the role of a call has or gets.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate
"""

from collections.abc import Sequence

from components.boundary import boundary_arn
from components.ci.read_access import Reach
from components.iam_documents import Statement

# Services that the program passes roles to. A new service is a decision, so it is added here and reviewed.
ROLE_USERS = ("eks.amazonaws.com", "pods.eks.amazonaws.com", "vpc-flow-logs.amazonaws.com")
SERVICE_LINKED_ROLES = {
    "autoscaling.amazonaws.com": "AWSServiceRoleForAutoScaling",
    "eks.amazonaws.com": "AWSServiceRoleForAmazonEKS",
    "eks-nodegroup.amazonaws.com": "AWSServiceRoleForAmazonEKSNodegroup",
    "rds.amazonaws.com": "AWSServiceRoleForRDS",
    "spot.amazonaws.com": "AWSServiceRoleForEC2Spot",
    "transitgateway.amazonaws.com": "AWSServiceRoleForVPCTransitGateway",
}
# Actions of the deploy role on bounded roles. It attaches no policy: the program's roles have inline policies, and
# an administrator creates the roles with AWS managed policies.
BOUNDED_CHANGES = (
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePolicy",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
    "iam:UpdateRoleDescription",
)
ATTACHMENTS = ("iam:AttachRolePolicy", "iam:DetachRolePolicy")
TAGS = ("iam:TagRole", "iam:UntagRole")
POLICY_CHANGES = (
    "iam:CreatePolicy",
    "iam:CreatePolicyVersion",
    "iam:DeletePolicy",
    "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion",
    "iam:TagPolicy",
    "iam:UntagPolicy",
)
BOUNDARY_CHANGES = ("iam:DeleteRolePermissionsBoundary", "iam:PutRolePermissionsBoundary")


def identity_statements(reach: Reach) -> Sequence[Statement]:
    scope, prefix = reach.scope, reach.prefix
    roles = [scope.global_arn("iam", f"role/{prefix}-*")]
    return [
        Statement(
            sid="ChangeBoundedRoles",
            actions=BOUNDED_CHANGES,
            resources=roles,
            conditions={"StringEquals": {"iam:PermissionsBoundary": boundary_arn(scope, prefix)}},
        ),
        # A role's tags grant nothing, and IAM does not provide the boundary as a condition key for these calls.
        Statement(sid="TagRoles", actions=TAGS, resources=roles),
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


def escalation_denials(reach: Reach) -> Sequence[Statement]:
    """Return the denials that prevent privilege escalation.

    Only an administrator changes the deployers and the limits of a deployment; a deployment never does. Permissions
    that are granted later do not override these denials.
    """
    scope, prefix = reach.scope, reach.prefix
    return [
        Statement(
            sid="DenyBecomingARole",
            effect="Deny",
            actions=["sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoot", "sts:GetFederationToken"],
            resources=["*"],
        ),
        Statement(
            sid="DenyRolesWithoutBoundary",
            effect="Deny",
            actions=[*BOUNDED_CHANGES, *ATTACHMENTS],
            resources=["*"],
            conditions={"StringNotEquals": {"iam:PermissionsBoundary": boundary_arn(scope, prefix)}},
        ),
        Statement(
            sid="DenyChangingBoundaries",
            effect="Deny",
            actions=[*BOUNDARY_CHANGES, *POLICY_CHANGES],
            resources=["*"],
        ),
        Statement(
            sid="DenyChangingOwnIdentity",
            effect="Deny",
            actions=["iam:PassRole", *BOUNDED_CHANGES, *ATTACHMENTS, *TAGS],
            resources=[scope.global_arn("iam", f"role/{prefix}-ci-*")],
        ),
        Statement(
            sid="DenyUsersAndKeys",
            effect="Deny",
            actions=[
                "iam:AddUserToGroup",
                "iam:AttachGroupPolicy",
                "iam:AttachUserPolicy",
                "iam:CreateAccessKey",
                "iam:CreateLoginProfile",
                "iam:CreateUser",
                "iam:DeleteUserPermissionsBoundary",
                "iam:PutGroupPolicy",
                "iam:PutUserPolicy",
                "iam:UpdateLoginProfile",
            ],
            resources=["*"],
        ),
        Statement(
            sid="DenyChangingTrust",
            effect="Deny",
            actions=[
                "iam:AddClientIDToOpenIDConnectProvider",
                "iam:CreateOpenIDConnectProvider",
                "iam:CreateSAMLProvider",
                "iam:DeleteOpenIDConnectProvider",
                "iam:DeleteSAMLProvider",
                "iam:RemoveClientIDFromOpenIDConnectProvider",
                "iam:UpdateOpenIDConnectProviderThumbprint",
                "iam:UpdateSAMLProvider",
            ],
            resources=["*"],
        ),
    ]


def state_denials(reach: Reach) -> Sequence[Statement]:
    """Return the denials that protect the bucket and the keys of the state.

    They cover the state of other environments in the same account, too.
    """
    scope = reach.scope
    state_bucket = scope.bucket_arn(reach.state_bucket)
    return [
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
            sid="DenyChangingStateKeys",
            effect="Deny",
            actions=[
                "kms:CancelKeyDeletion",
                "kms:CreateAlias",
                "kms:CreateGrant",
                "kms:DeleteAlias",
                "kms:DisableKey",
                "kms:DisableKeyRotation",
                "kms:EnableKey",
                "kms:EnableKeyRotation",
                "kms:PutKeyPolicy",
                "kms:ScheduleKeyDeletion",
                "kms:TagResource",
                "kms:UntagResource",
                "kms:UpdateAlias",
                "kms:UpdateKeyDescription",
            ],
            resources=[scope.arn("kms", "key/*")],
            conditions={"ForAnyValue:StringLike": {"kms:ResourceAliases": ["alias/*-state", reach.state_key_alias]}},
        ),
    ]

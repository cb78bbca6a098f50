"""Read permissions of CI for preview and deploy: the descriptions of all managed resources, and the state.

Descriptions never reveal data: no object, no secret value, no image layer, no log line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from components.ci.github import github_provider_arn
from components.iam_documents import Scope, Statement, describe_only


@dataclass(frozen=True, kw_only=True)
class Reach:
    """Names, tags and ARNs that tell the resources of one environment apart from all others in the account."""

    scope: Scope
    prefix: str
    tags: Mapping[str, str]
    state_bucket: str
    state_key_alias: str
    vpc_id: str
    capacity_reservations: tuple[str, ...] = ()
    transit_gateways: tuple[str, ...] = ()

    @property
    def vpc_arn(self) -> str:
        return self.scope.arn("ec2", f"vpc/{self.vpc_id}")

    @property
    def request_tags(self) -> dict[str, str]:
        return {f"aws:RequestTag/{key}": value for key, value in self.tags.items()}

    @property
    def resource_tags(self) -> dict[str, str]:
        return {f"aws:ResourceTag/{key}": value for key, value in self.tags.items()}

    @property
    def log_groups(self) -> list[str]:
        names = (f"{self.prefix}-*", f"/{self.prefix}/*", f"/aws/*/{self.prefix}-*")
        return [self.scope.arn("logs", f"log-group:{name}") for name in names]

    @property
    def buckets(self) -> list[str]:
        return [self.scope.bucket_arn(f"{self.prefix}-*")]


def describe_statements(reach: Reach) -> Sequence[Statement]:
    scope, prefix = reach.scope, reach.prefix
    return [
        describe_only(
            "DescribeNetwork",
            [f"ec2:Describe{what}" for what in NETWORK_DESCRIPTIONS],
            "EC2 authorises these Describe calls on every resource or none",
            {"StringEquals": {"aws:RequestedRegion": scope.region}},
        ),
        describe_only(
            "ListWithoutResources",
            ["kms:ListAliases", "logs:DescribeLogGroups", "sns:GetSubscriptionAttributes"],
            "these calls look things up by filters, and AWS defines no resource for them",
        ),
        # The provider polls these to learn the result of an attachment, if this account owns the gateway.
        Statement(
            sid="ReadGatewayTables",
            actions=[
                "ec2:GetTransitGatewayRouteTableAssociations",
                "ec2:GetTransitGatewayRouteTablePropagations",
            ],
            resources=[scope.arn("ec2", "transit-gateway-route-table/*")],
        ),
        Statement(sid="ReadVpcAttributes", actions=["ec2:DescribeVpcAttribute"], resources=[scope.arn("ec2", "vpc/*")]),
        Statement(
            sid="ReadRoles",
            actions=[
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListInstanceProfilesForRole",
                "iam:ListRolePolicies",
                "iam:ListRoleTags",
            ],
            resources=[scope.global_arn("iam", f"role/{prefix}-*")],
        ),
        Statement(
            sid="ReadPolicies",
            actions=["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyTags", "iam:ListPolicyVersions"],
            resources=[scope.global_arn("iam", f"policy/{prefix}-*")],
        ),
        Statement(
            sid="ReadGithubProvider",
            actions=["iam:GetOpenIDConnectProvider", "iam:ListOpenIDConnectProviderTags"],
            resources=[github_provider_arn(scope)],
        ),
        Statement(
            sid="ReadKeys",
            actions=["kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListResourceTags"],
            resources=[scope.arn("kms", "key/*")],
            conditions={"StringEquals": reach.resource_tags},
        ),
        Statement(
            sid="ReadBucketSettings", actions=[f"s3:{action}" for action in BUCKET_SETTINGS], resources=reach.buckets
        ),
        Statement(
            sid="ReadRepositories",
            # Tags and digests of images show whether the images of a deployment were pushed.
            actions=[
                "ecr:DescribeImages",
                "ecr:DescribeRepositories",
                "ecr:GetLifecyclePolicy",
                "ecr:GetRepositoryPolicy",
                "ecr:ListTagsForResource",
            ],
            resources=[scope.arn("ecr", f"repository/{prefix}/*")],
        ),
        Statement(
            sid="ReadSecretDescriptions",
            actions=["secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"],
            resources=[scope.arn("secretsmanager", f"secret:{prefix}/*")],
        ),
        describe_only(
            "FindDatabases",
            ["rds:DescribeDBInstances"],
            "instances are looked for by their resource id, and such a search is authorised on all of them",
            {"StringEquals": {"aws:RequestedRegion": scope.region}},
        ),
        Statement(
            sid="ReadDatabases",
            actions=[
                "rds:DescribeDBParameterGroups",
                "rds:DescribeDBParameters",
                "rds:DescribeDBSubnetGroups",
                "rds:ListTagsForResource",
            ],
            resources=[scope.arn("rds", f"{kind}:{prefix}-*") for kind in ("db", "pg", "subgrp")],
        ),
        Statement(
            sid="ReadTopics",
            actions=["sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic", "sns:ListTagsForResource"],
            resources=[scope.arn("sns", f"{prefix}-*")],
        ),
        Statement(
            sid="ReadBudgets",
            actions=["budgets:ListTagsForResource", "budgets:ViewBudget"],
            resources=[scope.global_arn("budgets", f"budget/{prefix}-*")],
        ),
        Statement(sid="ReadLogGroups", actions=["logs:ListTagsForResource"], resources=reach.log_groups),
    ]


def state_read_statements(reach: Reach) -> Sequence[Statement]:
    """Return permissions to read the state. It lists every resource; the key behind the alias encrypts its secrets."""
    return [
        Statement(
            sid="FindState",
            actions=["s3:GetBucketLocation", "s3:ListBucket"],
            resources=[reach.scope.bucket_arn(reach.state_bucket)],
        ),
        Statement(
            sid="ReadState", actions=["s3:GetObject"], resources=[reach.scope.bucket_arn(reach.state_bucket, "*")]
        ),
        Statement(
            sid="DecryptState",
            actions=["kms:Decrypt", "kms:DescribeKey"],
            resources=[reach.scope.arn("kms", "key/*")],
            conditions={"ForAnyValue:StringEquals": {"kms:ResourceAliases": [reach.state_key_alias]}},
        ),
    ]


def data_denials(reach: Reach) -> Sequence[Statement]:
    """Return denials on data and secrets.

    CI runs code from the repository, so permissions that are granted later must not give it access to them.
    """
    return [
        Statement(
            sid="DenySecretValues",
            effect="Deny",
            actions=["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
            resources=["*"],
        ),
        Statement(
            sid="DenyDataObjects",
            effect="Deny",
            actions=["s3:GetObject", "s3:GetObjectVersion"],
            not_resources=[reach.scope.bucket_arn(reach.state_bucket, "*")],
        ),
    ]


NETWORK_DESCRIPTIONS = (
    "Addresses",
    "AddressesAttribute",
    "AvailabilityZones",
    "FlowLogs",
    "InternetGateways",
    "ManagedPrefixLists",
    "NatGateways",
    "NetworkAcls",
    "NetworkInterfaces",
    "PrefixLists",
    "RouteTables",
    "SecurityGroupRules",
    "SecurityGroups",
    "Subnets",
    "Tags",
    "TransitGatewayAttachments",
    "TransitGatewayVpcAttachments",
    "TransitGateways",
    "VpcEndpointServices",
    "VpcEndpoints",
    "VpcPeeringConnections",
    "Vpcs",
)
# All bucket properties that the provider reads, whether or not the program sets them. The provider uses `ListBucket` to
# check that the bucket exists; it also shows the names of objects, but never their contents.
BUCKET_SETTINGS = (
    "GetAccelerateConfiguration",
    "GetBucketAcl",
    "GetBucketCORS",
    "GetBucketLocation",
    "GetBucketLogging",
    "GetBucketObjectLockConfiguration",
    "GetBucketOwnershipControls",
    "GetBucketPolicy",
    "GetBucketPublicAccessBlock",
    "GetBucketRequestPayment",
    "GetBucketTagging",
    "GetBucketVersioning",
    "GetBucketWebsite",
    "GetEncryptionConfiguration",
    "GetLifecycleConfiguration",
    "GetReplicationConfiguration",
    "ListBucket",
    "ListTagsForResource",
)

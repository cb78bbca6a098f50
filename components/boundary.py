"""Permissions boundary: the maximum permissions of a role of the environment, whatever its policies grant.

The deploy role creates and changes roles. IAM allows this only for roles with this boundary attached, so no role that
the deploy role creates can exceed it. An administrator deploys the boundary; the deploy role cannot change it.

The boundary does not apply to roles with AWS managed policies (control plane, nodes, EKS add-ons) or to the two CI
roles. Because they lack the boundary, the deploy role cannot change them.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam_documents import Scope, Statement, describe_only, managed_document
from components.naming import check_prefix, cluster_name


@dataclass(frozen=True, kw_only=True)
class BoundaryArgs:
    """Arguments of the boundary.

    `resource_tags` identify the environment's resources. The boundary denies every role access to `state_bucket`.
    """

    account: Account
    prefix: str
    resource_tags: Mapping[str, str]
    state_bucket: str

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if not self.resource_tags:
            raise ValueError("resource_tags must name the default tags that tell this environment's resources apart")


def boundary_name(prefix: str) -> str:
    return f"{prefix}-boundary"


def boundary_arn(scope: Scope, prefix: str) -> str:
    return scope.global_arn("iam", f"policy/{boundary_name(prefix)}")


def boundary_statements(
    scope: Scope, prefix: str, resource_tags: Mapping[str, str], state_bucket: str
) -> Sequence[Statement]:
    """Return the statements of the boundary.

    They grant no `iam:*` and no `sts:*`, so a bounded role cannot escalate to another identity.

    None of these roles is meant for web identities. The creator of a role writes its trust policy and could trust the
    tokens of CI's own jobs, so the boundary denies everything to web identity sessions.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    """
    tagged = {f"aws:ResourceTag/{key}": value for key, value in resource_tags.items()}
    here = {"StringEquals": {"aws:RequestedRegion": scope.region}}
    cluster = cluster_name(prefix)
    return [
        *_data_statements(scope, prefix, tagged, state_bucket),
        Statement(
            sid="DenyWebIdentities",
            effect="Deny",
            actions=["*"],
            resources=["*"],
            conditions={"Null": {"aws:FederatedProvider": "false"}},
        ),
        Statement(
            sid="FindTheCluster",
            actions=["eks:DescribeCluster", "eks:DescribeNodegroup"],
            resources=[scope.arn("eks", f"cluster/{cluster}"), scope.arn("eks", f"nodegroup/{cluster}/*")],
        ),
        describe_only(
            "LookAtNodes",
            [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "autoscaling:DescribeTags",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
                "logs:DescribeLogGroups",
            ],
            "AWS authorises these calls on every resource or none",
            here,
        ),
        Statement(
            sid="ResizeOwnGroups",
            actions=["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            resources=[scope.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/eks-*")],
            conditions={"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{cluster}": "owned"}},
        ),
        Statement(
            sid="WriteLogs",
            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[scope.arn("logs", f"log-group:{prefix}-*")],
        ),
    ]


def _data_statements(scope: Scope, prefix: str, tagged: Mapping[str, str], state_bucket: str) -> Sequence[Statement]:
    services = [f"{service}.{scope.region}.amazonaws.com" for service in ("s3", "secretsmanager")]
    return [
        Statement(
            sid="SecretsOfTheEnvironment",
            actions=[
                "secretsmanager:DescribeSecret",
                "secretsmanager:GetSecretValue",
                "secretsmanager:PutSecretValue",
                "secretsmanager:UpdateSecretVersionStage",
            ],
            resources=[scope.arn("secretsmanager", f"secret:{prefix}/*")],
        ),
        # RDS generates the name of the secret that it manages. The secret's own tag names the database it belongs to.
        # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
        Statement(
            sid="PasswordsOfDatabases",
            actions=["secretsmanager:GetSecretValue"],
            resources=[scope.arn("secretsmanager", "secret:rds!db-*")],
            conditions={
                "ArnLike": {"aws:ResourceTag/aws:rds:primaryDBInstanceArn": scope.arn("rds", f"db:{prefix}-*")}
            },
        ),
        Statement(
            sid="ObjectsOfTheEnvironment",
            actions=[
                "s3:AbortMultipartUpload",
                "s3:DeleteObject",
                "s3:GetObject",
                "s3:ListBucket",
                "s3:PutObject",
            ],
            resources=[scope.bucket_arn(f"{prefix}-*")],
        ),
        Statement(
            sid="KeysOfTheEnvironment",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[scope.arn("kms", "key/*")],
            conditions={"StringEquals": {**tagged, "kms:ViaService": services}},
        ),
        # The name of the state bucket may start with the environment's prefix.
        Statement(
            sid="DenyState",
            effect="Deny",
            actions=["s3:*"],
            resources=[scope.bucket_arn(state_bucket), scope.bucket_arn(state_bucket, "*")],
        ),
    ]


class Boundary(pulumi.ComponentResource):
    """Permissions boundary. `arn` is the `permissions_boundary` of every role without AWS managed policies."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: BoundaryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Boundary", name, {}, opts)

        def render(scope: Scope) -> str:
            return managed_document(boundary_statements(scope, args.prefix, args.resource_tags, args.state_bucket))

        self.arn = aws.iam.Policy(
            f"{name}-policy",
            name=boundary_name(args.prefix),
            description=f"The most that a role of {args.prefix} may do",
            policy=args.account.scope.apply(render),
            opts=pulumi.ResourceOptions(parent=self),
        ).arn
        self.register_outputs({})

"""VPC flow logs, kept encrypted in CloudWatch for the retention period of the environment.

https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam_documents import Scope, Statement, document, trust_document


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    account: Account
    vpc_id: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    retention_days: int


def delivery_trust(scope: Scope) -> str:
    """Return the trust policy. Its conditions prevent the service from using the role for other accounts' flow logs."""
    return trust_document(
        Statement(
            sid="FlowLogsOfThisAccount",
            principals={"Service": ["vpc-flow-logs.amazonaws.com"]},
            actions=["sts:AssumeRole"],
            resources=["role"],
            conditions={
                "StringEquals": {"aws:SourceAccount": scope.account_id},
                "ArnLike": {"aws:SourceArn": scope.arn("ec2", "vpc-flow-log/*")},
            },
        )
    )


def delivery_policy(scope: Scope, log_group_arn: str) -> str:
    return document(
        [
            Statement(
                sid="WriteStreams",
                actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                resources=[log_group_arn, f"{log_group_arn}:log-stream:*"],
            ),
            Statement(
                sid="FindTheGroup",
                actions=["logs:DescribeLogGroups"],
                resources=[scope.arn("logs", "log-group:*")],
            ),
        ]
    )


class FlowLogs(pulumi.ComponentResource):
    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:FlowLogs", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        group = aws.cloudwatch.LogGroup(
            f"{name}-group",
            retention_in_days=args.retention_days,
            kms_key_id=args.key_arn,
            tags={"Name": name},
            opts=child,
        )
        role = aws.iam.Role(
            f"{name}-delivery",
            description="Writes the VPC's flow logs into their log group",
            assume_role_policy=args.account.scope.apply(delivery_trust),
            permissions_boundary=args.account.role_boundary,
            tags={"Name": name},
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-delivery-policy",
            role=role.id,
            policy=pulumi.Output.all(args.account.scope, group.arn).apply(lambda known: delivery_policy(*known)),
            opts=child,
        )
        aws.ec2.FlowLog(
            f"{name}-all",
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags={"Name": name},
            # Delivery fails permanently if the role has no permissions at the first attempt.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({})

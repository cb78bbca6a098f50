"""IAM role of the nodes: join the cluster, pull images, and no permission that would be useful to a pod.

Pods with roles of their own manage network interfaces, volumes and everything else.
https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam_documents import Scope, Statement, describe_only, document, trust_document

# The first policy lets the Pod Identity agent fetch credentials of pods, only for service accounts with an association.
POLICIES = ("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")
SESSION_POLICY = "AmazonSSMManagedInstanceCore"


@dataclass(frozen=True, kw_only=True)
class NodeRoleArgs:
    account: Account
    cluster_name: str
    node_sessions: bool


def node_trust() -> str:
    return trust_document(
        Statement(
            sid="InstancesOfThisAccount",
            principals={"Service": ["ec2.amazonaws.com"]},
            actions=["sts:AssumeRole"],
            resources=["role"],
        )
    )


def node_policy(scope: Scope, cluster: str) -> str:
    """Return the permissions that nodeadm needs before a node joins.

    https://awslabs.github.io/amazon-eks-ami/nodeadm/
    """
    return document(
        [
            describe_only(
                "DescribeItself",
                ["ec2:DescribeInstances", "ec2:DescribeInstanceTypes"],
                "EC2 authorises these Describe calls on every resource or none",
                {"StringEquals": {"aws:RequestedRegion": scope.region}},
            ),
            Statement(
                sid="FindTheCluster",
                actions=["eks:DescribeCluster"],
                resources=[scope.arn("eks", f"cluster/{cluster}")],
            ),
        ]
    )


class NodeRole(pulumi.ComponentResource):
    arn: pulumi.Output[str]
    permissions: list[pulumi.Resource]

    def __init__(self, name: str, args: NodeRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:NodeRole", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-instances",
            description=f"Nodes of {args.cluster_name}",
            assume_role_policy=node_trust(),
            tags={"Name": f"{args.cluster_name}-nodes"},
            opts=child,
        )
        self.arn = role.arn
        self.permissions = [
            aws.iam.RolePolicy(
                f"{name}-joining",
                role=role.id,
                policy=args.account.scope.apply(lambda scope: node_policy(scope, args.cluster_name)),
                opts=child,
            )
        ]
        for policy in (*POLICIES, *([SESSION_POLICY] if args.node_sessions else [])):
            self.permissions.append(
                aws.iam.RolePolicyAttachment(
                    f"{name}-{policy}",
                    role=role.name,
                    policy_arn=pulumi.Output.format("arn:{0}:iam::aws:policy/{1}", args.account.partition, policy),
                    opts=child,
                )
            )
        self.register_outputs({})

"""Workload identity: a role for the pods of one service account, from a policy document and nothing else.

https://docs.aws.amazon.com/eks/latest/userguide/pod-identities.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam_documents import Scope, Statement, trust_document

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-label-names
LABEL_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
MAX_ROLE_NAME = 64
NEEDS_ROLE = {"ml-platform/aws-role": "required"}
"""Labels of pods that are useless without their role on AWS. A policy of the cluster refuses them until EKS gives them
the variables of their association, which it does at their admission or never; their controllers try again.

An association takes effect some seconds after it is made:
https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html
"""
CREDENTIALS_VARIABLE = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""What EKS sets in every container of a pod whose service account has an association.
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html"""


@dataclass(frozen=True, kw_only=True)
class PodRoleArgs:
    """`policy` is the document of what the pods may do; `managed_policies` are names of AWS's own, for its add-ons.

    `cluster_name` is what the trust says, `cluster` the same name once the cluster exists. `role_name` is for roles
    whose automatic name would be longer than IAM allows.
    """

    account: Account
    cluster_name: str
    cluster: pulumi.Input[str]
    namespace: str
    service_account: str
    role_name: str | None = None
    policy: pulumi.Input[str] | None = None
    managed_policies: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        for name, value in (("namespace", self.namespace), ("service_account", self.service_account)):
            if not LABEL_NAME.fullmatch(value):
                raise ValueError(f"{name} must be lower-case letters, digits and dashes, got {value!r}")
        if self.policy is None and not self.managed_policies:
            raise ValueError(f"{self.namespace}/{self.service_account}: give `policy`, a role without one is useless")
        if self.role_name is not None and len(self.role_name) > MAX_ROLE_NAME:
            raise ValueError(f"role_name must have at most {MAX_ROLE_NAME} characters, got {self.role_name!r}")


def pod_trust(scope: Scope, cluster: str, namespace: str, service_account: str) -> str:
    """The session tags are set by EKS, so that no other pod of the cluster can be associated with the role.

    https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html
    """
    return trust_document(
        Statement(
            sid="PodsOfOneServiceAccount",
            principals={"Service": ["pods.eks.amazonaws.com"]},
            actions=["sts:AssumeRole", "sts:TagSession"],
            resources=["role"],
            conditions={
                "StringEquals": {
                    "aws:SourceAccount": scope.account_id,
                    "aws:RequestTag/kubernetes-namespace": namespace,
                    "aws:RequestTag/kubernetes-service-account": service_account,
                },
                "ArnEquals": {"aws:SourceArn": scope.arn("eks", f"cluster/{cluster}")},
            },
        )
    )


class PodRole(pulumi.ComponentResource):
    arn: pulumi.Output[str]
    permissions: list[pulumi.Resource]

    def __init__(self, name: str, args: PodRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:PodRole", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            f"{name}-role",
            name=args.role_name,
            description=f"Pods of {args.namespace}/{args.service_account} in {args.cluster_name}",
            assume_role_policy=args.account.scope.apply(
                lambda scope: pod_trust(scope, args.cluster_name, args.namespace, args.service_account)
            ),
            # AWS's own policies allow more than the boundary; without it the deploy role cannot change such a role.
            permissions_boundary=None if args.managed_policies else args.account.role_boundary,
            tags={"Name": f"{args.cluster_name}-{args.service_account}", **args.tags},
            opts=child,
        )
        self.arn, self.permissions = role.arn, []
        if args.policy is not None:
            self.permissions.append(aws.iam.RolePolicy(f"{name}-policy", role=role.id, policy=args.policy, opts=child))
        for policy in args.managed_policies:
            self.permissions.append(
                aws.iam.RolePolicyAttachment(
                    f"{name}-{policy}",
                    role=role.name,
                    policy_arn=pulumi.Output.format("arn:{0}:iam::aws:policy/{1}", args.account.partition, policy),
                    opts=child,
                )
            )
        self.register_outputs({"arn": self.arn})


class PodIdentity(pulumi.ComponentResource):
    """The role, and the association that gives it to the service account's pods."""

    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: PodRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:PodIdentity", name, {}, opts)
        role = PodRole(name, args, pulumi.ResourceOptions(parent=self))
        self.role_arn = role.arn
        aws.eks.PodIdentityAssociation(
            f"{name}-association",
            cluster_name=args.cluster,
            namespace=args.namespace,
            service_account=args.service_account,
            role_arn=role.arn,
            tags={"Name": f"{args.cluster_name}-{args.service_account}"},
            # Pods that start with the association would be refused what is granted only later.
            opts=pulumi.ResourceOptions(parent=self, depends_on=role.permissions),
        )
        self.register_outputs({"role_arn": self.role_arn})

"""Workload identity: an IAM role for the pods of one service account, with the permissions of one policy document.

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
"""Label of pods that cannot work without their IAM role. A cluster policy rejects these pods until EKS injects the
variables of their association. EKS does this at admission or never; the pods' controllers retry.

An association takes effect some seconds after its creation:
https://docs.aws.amazon.com/eks/latest/APIReference/API_CreatePodIdentityAssociation.html
"""
CREDENTIALS_VARIABLE = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""Variable that EKS sets in every container of a pod whose service account has an association.
https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html"""


@dataclass(frozen=True, kw_only=True)
class PodRoleArgs:
    """Arguments of a role for pods.

    `policy` is the policy document of the pods; `managed_policies` are names of AWS managed policies, for EKS add-ons.
    `cluster_name` appears in the trust policy; `cluster` is the same name as an output that waits for the cluster.
    `role_name` is for roles whose automatic name would be longer than IAM allows.
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
    """Return the trust policy for the pods of one service account.

    EKS sets the session tags, so no other service account of the cluster can be associated with the role.
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
            # AWS managed policies exceed the boundary. Without the boundary the deploy role cannot change such a role.
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
        self.register_outputs({})


class PodIdentity(pulumi.ComponentResource):
    """IAM role, and the Pod Identity association that assigns it to the service account's pods."""

    def __init__(self, name: str, args: PodRoleArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:PodIdentity", name, {}, opts)
        role = PodRole(name, args, pulumi.ResourceOptions(parent=self))
        aws.eks.PodIdentityAssociation(
            f"{name}-association",
            cluster_name=args.cluster,
            namespace=args.namespace,
            service_account=args.service_account,
            role_arn=role.arn,
            tags={"Name": f"{args.cluster_name}-{args.service_account}"},
            # The association waits for the permissions: pods that start with it would otherwise get AccessDenied.
            opts=pulumi.ResourceOptions(parent=self, depends_on=role.permissions),
        )
        self.register_outputs({})

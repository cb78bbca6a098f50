"""Who may do what on the cluster: access entries instead of a map inside it, each with a role of its own.

The program makes the roles; the account's own IAM says who may assume which. Names are fixed, because people type them.
https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.iam_documents import Scope, Statement, document, trust_document
from components.naming import check_prefix, check_unique, slug

Policy = Literal["view", "edit", "admin"]
POLICIES: Mapping[Policy, str] = {
    "view": "AmazonEKSViewPolicy",
    "edit": "AmazonEKSEditPolicy",
    "admin": "AmazonEKSAdminPolicy",
}
CLUSTER_ADMIN = "AmazonEKSClusterAdminPolicy"
# Bound inside the cluster to reading what belongs to no namespace: nodes, classes, roles.
READERS = "cluster-readers"
NAMESPACE_PATTERN = re.compile(r"[a-z0-9*](?:[a-z0-9*-]{0,61}[a-z0-9*])?")


@dataclass(frozen=True, kw_only=True)
class Team:
    namespaces: tuple[str, ...]
    policy: Policy = "edit"

    def __post_init__(self) -> None:
        if not self.namespaces:
            raise ValueError("namespaces: name those that the team works in")
        for name in self.namespaces:
            if not NAMESPACE_PATTERN.fullmatch(name) or name.strip("*") == "":
                raise ValueError(f"namespaces: {name!r} must be a namespace or the start of some, such as 'vision-*'")


@dataclass(frozen=True, kw_only=True)
class AccessArgs:
    account: Account
    prefix: str
    cluster_name: str
    cluster: pulumi.Input[str]
    deploy_role_arn: pulumi.Input[str]
    preview_role_arn: pulumi.Input[str]
    teams: Mapping[str, Team] = field(default_factory=dict[str, Team])

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        check_unique("teams", tuple(self.teams))


def account_trust(scope: Scope) -> str:
    """Whoever the account's IAM policies allow to assume it."""
    return trust_document(
        Statement(
            sid="PeopleOfThisAccount",
            principals={"AWS": [scope.root]},
            actions=["sts:AssumeRole"],
            resources=["role"],
        )
    )


def kubeconfig_policy(scope: Scope, cluster: str) -> str:
    """What `aws eks update-kubeconfig` asks; everything else is decided inside the cluster."""
    return document(
        [
            Statement(
                sid="FindTheCluster",
                actions=["eks:DescribeCluster"],
                resources=[scope.arn("eks", f"cluster/{cluster}")],
            )
        ]
    )


class Access(pulumi.ComponentResource):
    roles: dict[str, pulumi.Output[str]]
    granted: list[pulumi.Resource]

    def __init__(self, name: str, args: AccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Access", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.roles, self.granted = {}, []

        self._grant("admin", self._role("admin", "Administers the cluster"), [(CLUSTER_ADMIN, ())])
        platform = self._role("platform", "Runs the platform: all namespaces, nothing that belongs to the cluster")
        self._grant("platform", platform, [(POLICIES["admin"], ())], READERS)
        for team, given in args.teams.items():
            role = self._role(f"team-{slug(team)}", f"Team {team}: {given.policy} in its own namespaces")
            self._grant(f"team-{slug(team)}", role, [(POLICIES[given.policy], given.namespaces)], READERS)
        # A deployment changes roles and bindings too, and may grant only what it may do itself.
        self._grant("ci-deploy", args.deploy_role_arn, [(CLUSTER_ADMIN, ())])
        # A preview runs code of pull requests: it reads all but secrets, and writes nothing, not even as a dry run.
        self._grant("ci-preview", args.preview_role_arn, [(POLICIES["view"], ())], READERS)
        self.register_outputs({"roles": self.roles})

    def _role(self, purpose: str, description: str) -> pulumi.Output[str]:
        args = self._args
        role = aws.iam.Role(
            f"{self._name}-{purpose}",
            name=f"{args.prefix}-cluster-{purpose}",
            description=description,
            assume_role_policy=args.account.scope.apply(account_trust),
            opts=self._child,
        )
        aws.iam.RolePolicy(
            f"{self._name}-{purpose}-kubeconfig",
            role=role.id,
            policy=args.account.scope.apply(lambda scope: kubeconfig_policy(scope, args.cluster_name)),
            opts=self._child,
        )
        self.roles[purpose] = role.arn
        return role.arn

    def _grant(
        self, purpose: str, principal: pulumi.Input[str], policies: list[tuple[str, tuple[str, ...]]], *groups: str
    ) -> None:
        """A policy without namespaces applies to all of the cluster."""
        args = self._args
        entry = aws.eks.AccessEntry(
            f"{self._name}-{purpose}-entry",
            cluster_name=args.cluster,
            principal_arn=principal,
            type="STANDARD",
            kubernetes_groups=list(groups) or None,
            tags={"Name": f"{args.cluster_name}-{purpose}"},
            opts=self._child,
        )
        self.granted.append(entry)
        for policy, namespaces in policies:
            self.granted.append(
                aws.eks.AccessPolicyAssociation(
                    f"{self._name}-{purpose}-policy",
                    cluster_name=args.cluster,
                    # Read off the entry: a policy can be given to an entry that exists only.
                    principal_arn=entry.principal_arn,
                    policy_arn=pulumi.Output.format(
                        "arn:{0}:eks::aws:cluster-access-policy/{1}", args.account.partition, policy
                    ),
                    access_scope=(
                        {"type": "namespace", "namespaces": list(namespaces)} if namespaces else {"type": "cluster"}
                    ),
                    opts=self._child,
                )
            )

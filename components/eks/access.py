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
# Bound to what working on projects needs and no policy of EKS below the administrator's has: MLflow, and promotions.
TEAMS = "teams"
PLATFORM = "platform"
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

    @property
    def changes_things(self) -> bool:
        return self.policy != "view"


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


def team_group(team: str) -> str:
    """The team's own group inside the cluster. Names that begin with eks:, aws: or system: are refused.

    https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
    """
    return f"team:{team}"


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
    """`group_roles` are the names of the roles of those who work on projects, by their group inside the cluster."""

    roles: dict[str, pulumi.Output[str]]
    group_roles: dict[str, pulumi.Output[str]]
    granted: list[pulumi.Resource]

    def __init__(self, name: str, args: AccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Access", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self.roles, self.group_roles, self.granted = {}, {}, []

        self._grant("admin", self._role("admin", "Administers the cluster").arn, [(CLUSTER_ADMIN, ())])
        platform = self._role("platform", "Runs the platform: all namespaces, nothing that belongs to the cluster")
        self.group_roles[PLATFORM] = platform.name
        self._grant("platform", platform.arn, [(POLICIES["admin"], ())], READERS, PLATFORM)
        for team, given in args.teams.items():
            self._team(team, given)
        # A deployment changes roles and bindings too, and may grant only what it may do itself.
        self._grant("ci-deploy", args.deploy_role_arn, [(CLUSTER_ADMIN, ())])
        # A preview runs code of pull requests: it reads all but secrets, and writes nothing, not even as a dry run.
        self._grant("ci-preview", args.preview_role_arn, [(POLICIES["view"], ())], READERS)
        self.register_outputs({"roles": self.roles})

    def _team(self, team: str, given: Team) -> None:
        """One that may only look is in no group that changes something: promotions are not for it."""
        purpose, group = f"team-{slug(team)}", team_group(team)
        role = self._role(purpose, f"Team {team}: {given.policy} in its own namespaces")
        if given.changes_things:
            self.group_roles[group] = role.name
        groups = (READERS, TEAMS, group) if given.changes_things else (READERS,)
        self._grant(purpose, role.arn, [(POLICIES[given.policy], given.namespaces)], *groups)

    def _role(self, purpose: str, description: str) -> aws.iam.Role:
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
        return role

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
                        {"type": "namespace", "namespaces": sorted(namespaces)} if namespaces else {"type": "cluster"}
                    ),
                    opts=self._child,
                )
            )

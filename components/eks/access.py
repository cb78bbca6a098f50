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
from components.iam_documents import Conditions, Scope, Statement, document, trust_document
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
class SignIn:
    """What people show before they may assume a role of the cluster, beside a policy of the account that allows it.

    Sessions of IAM Identity Center and of other roles show no second factor; such a principal is known by its tags.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
    """

    mfa: bool = True
    principal_tags: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        if not self.mfa and not self.principal_tags:
            raise ValueError(
                "mfa is False and principal_tags is empty: every principal of the account could assume the roles, "
                "demand one of the two"
            )

    @property
    def conditions(self) -> Conditions:
        tags = {f"aws:PrincipalTag/{key}": value for key, value in self.principal_tags.items()}
        return {
            **({"Bool": {"aws:MultiFactorAuthPresent": "true"}} if self.mfa else {}),
            **({"StringEquals": tags} if tags else {}),
        }


@dataclass(frozen=True, kw_only=True)
class AccessArgs:
    """`platform_namespaces` are those that the platform's team administers; it looks at all others."""

    account: Account
    prefix: str
    cluster_name: str
    cluster: pulumi.Input[str]
    deploy_role_arn: pulumi.Input[str]
    preview_role_arn: pulumi.Input[str]
    platform_namespaces: tuple[str, ...]
    sign_in: SignIn = SignIn()
    teams: Mapping[str, Team] = field(default_factory=dict[str, Team])

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        check_unique("teams", tuple(self.teams))
        if not self.platform_namespaces:
            raise ValueError("platform_namespaces: name those that the platform's team administers")


def team_group(team: str) -> str:
    """The team's own group inside the cluster. Names that begin with eks:, aws: or system: are refused.

    https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
    """
    return f"team:{team}"


def account_trust(scope: Scope, sign_in: SignIn) -> str:
    """Whoever the account's IAM policies allow to assume it, and who has signed in as `sign_in` says."""
    return trust_document(
        Statement(
            sid="PeopleOfThisAccount",
            principals={"AWS": [scope.root]},
            actions=["sts:AssumeRole"],
            resources=["role"],
            conditions=sign_in.conditions,
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

        self._grant("admin", self._role("admin", "Administers the cluster").arn, {"policy": (CLUSTER_ADMIN, ())})
        platform = self._role("platform", "Runs the platform: its namespaces and those of projects")
        self.group_roles[PLATFORM] = platform.name
        # For all of the cluster the policy would be an administrator's: it acts as service accounts of kube-system.
        administers = (POLICIES["admin"], args.platform_namespaces)
        views = (POLICIES["view"], ())
        self._grant("platform", platform.arn, {"policy": administers, "view": views}, READERS, PLATFORM)
        for team, given in args.teams.items():
            self._team(team, given)
        # A deployment changes roles and bindings too, and may grant only what it may do itself.
        self._grant("ci-deploy", args.deploy_role_arn, {"policy": (CLUSTER_ADMIN, ())})
        # A preview runs code of pull requests: it reads all but secrets, and writes nothing, not even as a dry run.
        self._grant("ci-preview", args.preview_role_arn, {"policy": (POLICIES["view"], ())}, READERS)
        self.register_outputs({"roles": self.roles})

    def _team(self, team: str, given: Team) -> None:
        """One that may only look is in no group that changes something: promotions are not for it."""
        purpose, group = f"team-{slug(team)}", team_group(team)
        role = self._role(purpose, f"Team {team}: {given.policy} in its own namespaces")
        if given.changes_things:
            self.group_roles[group] = role.name
        groups = (READERS, TEAMS, group) if given.changes_things else (READERS,)
        self._grant(purpose, role.arn, {"policy": (POLICIES[given.policy], given.namespaces)}, *groups)

    def _role(self, purpose: str, description: str) -> aws.iam.Role:
        args = self._args
        role = aws.iam.Role(
            f"{self._name}-{purpose}",
            name=f"{args.prefix}-cluster-{purpose}",
            description=description,
            assume_role_policy=args.account.scope.apply(lambda scope: account_trust(scope, args.sign_in)),
            permissions_boundary=args.account.role_boundary,
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
        self,
        purpose: str,
        principal: pulumi.Input[str],
        policies: Mapping[str, tuple[str, tuple[str, ...]]],
        *groups: str,
    ) -> None:
        """`policies` by the ends of their resources' names. One without namespaces applies to all of the cluster."""
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
        for end, (policy, namespaces) in policies.items():
            self.granted.append(
                aws.eks.AccessPolicyAssociation(
                    f"{self._name}-{purpose}-{end}",
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

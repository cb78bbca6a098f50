"""Access to the cluster: EKS access entries, each with an IAM role of its own, instead of the aws-auth ConfigMap.

The program creates the roles; IAM policies of the account decide who may assume them. The roles have fixed names,
because people type them.
https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.account import Account
from components.eks.access_spec import Policy, SignInSpec, TeamSpec
from components.iam_documents import Scope, Statement, document, trust_document
from components.naming import check_prefix, slug

POLICIES: Mapping[Policy, str] = {
    "view": "AmazonEKSViewPolicy",
    "edit": "AmazonEKSEditPolicy",
    "admin": "AmazonEKSAdminPolicy",
}
CLUSTER_ADMIN = "AmazonEKSClusterAdminPolicy"
# Group with RBAC read access to cluster-scoped objects: nodes, classes, roles.
READERS = "cluster-readers"
# Group with RBAC rights for projects that no EKS policy below the administrator's contains: MLflow and promotions.
TEAMS = "teams"
PLATFORM = "platform"


@dataclass(frozen=True, kw_only=True)
class AccessArgs:
    """Arguments of the access entries.

    The platform team administers `platform_namespaces` and has read access to all others.
    """

    account: Account
    prefix: str
    cluster_name: str
    cluster: pulumi.Input[str]
    deploy_role_arn: pulumi.Input[str]
    preview_role_arn: pulumi.Input[str]
    platform_namespaces: tuple[str, ...]
    sign_in: SignInSpec
    teams: Mapping[str, TeamSpec]

    def __post_init__(self) -> None:
        check_prefix(self.prefix)
        if not self.platform_namespaces:
            raise ValueError("platform_namespaces: name those that the platform's team administers")


def team_group(team: str) -> str:
    """Return the name of the team's own Kubernetes group.

    EKS rejects group names that begin with eks:, aws: or system:.
    https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html
    """
    return f"team:{team}"


def account_trust(scope: Scope, sign_in: SignInSpec) -> str:
    """Return the trust policy that admits principals of this account that fulfil `sign_in`.

    An IAM policy of the account must also allow them to assume the role.
    """
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
    """Return the permissions of `aws eks update-kubeconfig`; the cluster decides on everything else."""
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
    """Access entries of the cluster and their roles.

    `group_roles` maps the Kubernetes group of each role that works on projects to the role's name.
    """

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
        # Cluster-wide, this policy would equal the administrator's: it can impersonate service accounts of kube-system.
        administers = (POLICIES["admin"], args.platform_namespaces)
        views = (POLICIES["view"], ())
        self._grant("platform", platform.arn, {"policy": administers, "view": views}, READERS, PLATFORM)
        for team, given in args.teams.items():
            self._team(team, given)
        # A deployment also changes roles and bindings, and can grant only permissions that it has itself.
        self._grant("ci-deploy", args.deploy_role_arn, {"policy": (CLUSTER_ADMIN, ())})
        # A preview runs code of pull requests: it reads everything except secrets, and writes nothing, not even as a
        # dry run.
        self._grant("ci-preview", args.preview_role_arn, {"policy": (POLICIES["view"], ())}, READERS)
        self.register_outputs({})

    def _team(self, team: str, given: TeamSpec) -> None:
        """Create the role and access entry of a team.

        A team with policy `view` gets no group with write access or promotions.
        """
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
        """Create an access entry with policies.

        `policies` maps a resource name suffix to policy and namespaces. Without namespaces a policy applies to the
        whole cluster.
        """
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
                    # Taken from the entry as a dependency: a policy can be associated only with an existing entry.
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

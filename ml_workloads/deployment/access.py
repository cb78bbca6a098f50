"""Permissions of people for a project beside their EKS access policy: the lease of its promotions, and its secrets.

A team without a role of its own on the cluster gets nothing here; the platform's team works on its projects instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as k8s

from components.eks.access import PLATFORM, team_group
from components.iam_documents import Scope
from ml_workloads.deployment.arguments import metadata
from ml_workloads.deployment.iam_policies import people_policy
from ml_workloads.project import Project
from ml_workloads.project.deployment_names import PROMOTION_LEASE
from platform_services.grants import grant, group
from platform_services.handles import PlatformHandle

Roles = Mapping[str, pulumi.Output[str]]

RULES: list[k8s.rbac.v1.PolicyRuleArgsDict] = [
    # `create` cannot be restricted by name, because the object does not exist yet.
    {"api_groups": ["coordination.k8s.io"], "resources": ["leases"], "verbs": ["create"]},
    {
        "api_groups": ["coordination.k8s.io"],
        "resources": ["leases"],
        "resource_names": [PROMOTION_LEASE],
        "verbs": ["get", "update"],
    },
]


def groups_of(project: Project, roles: Roles) -> tuple[str, ...]:
    """Return the existing groups of the cluster that work on a project: the platform's team and the project's team."""
    return tuple(group for group in (PLATFORM, team_group(project.team)) if group in roles)


class Promoters(pulumi.ComponentResource):
    """Permission to hold the lease of the project's promotions.

    Among the EKS access policies, only the administrator's includes it.
    """

    def __init__(
        self,
        name: str,
        groups: Sequence[str],
        namespace: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops:index:ProjectPromoters", name, {}, opts)
        subjects = [group(each) for each in groups]
        grant(name, metadata(PROMOTION_LEASE, namespace), RULES, subjects, pulumi.ResourceOptions(parent=self))
        self.register_outputs({})


@dataclass(frozen=True, kw_only=True)
class TeamAccessArgs:
    """Arguments of `TeamAccess`.

    Attributes:
        platform: the platform that the projects are deployed on.
        role: the IAM role of the people.
        accounts: ARNs of the secrets of the projects' MLflow accounts, or a pattern of them.
        filled: ARNs of the projects' own secrets, to which these people give values.
    """

    platform: PlatformHandle
    role: pulumi.Input[str]
    accounts: Sequence[pulumi.Input[str]]
    filled: Sequence[pulumi.Input[str]] = ()


class TeamAccess(pulumi.ComponentResource):
    """IAM policy of one role of the cluster, for all the projects that the role works on."""

    def __init__(self, name: str, args: TeamAccessArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:ProjectTeamAccess", name, {}, opts)
        known = pulumi.Output.all(
            scope=args.platform.account.scope,
            accounts=pulumi.Output.all(*args.accounts),
            key=args.platform.secrets_key_arn,
            filled=pulumi.Output.all(*args.filled),
        )
        prefix = args.platform.prefix
        aws.iam.RolePolicy(
            f"{name}-secrets",
            role=args.role,
            policy=known.apply(lambda found: _document(prefix, **found)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


def _document(prefix: str, scope: Scope, accounts: list[str], key: str, filled: list[str]) -> str:
    return people_policy(scope, prefix, accounts, key, filled)

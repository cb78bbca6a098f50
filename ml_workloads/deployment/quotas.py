"""Check of IAM's length limits. Roles whose names or policies are too long are reported before a resource is created.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from components.eks.access import kubeconfig_policy, team_group
from components.iam_documents import INLINE_POLICIES_LIMIT, Scope
from ml_workloads.deployment.iam_policies import (
    DataToRead,
    RunObjects,
    conductor_policy,
    fit_policy,
    people_policy,
    serving_policy,
)
from ml_workloads.deployment.identity import role_name
from ml_workloads.project import Project
from ml_workloads.project.deployment_names import CONDUCTOR, FIT, SERVING, data_prefix, secret
from platform_services.handles import PlatformHandle
from platform_services.mlflow.accounts import account_secret

ROLE_NAME_LIMIT: Final = 64
# The longest value of each that AWS has. A policy that fits with these values fits in every account.
PARTITION, ACCOUNT, KEY, ENDING, BUCKET = "aws-us-gov", "0" * 12, "key/" + "0" * 36, "-AbCdEf", "b" * 63


@dataclass(frozen=True, kw_only=True)
class Roles:
    """Values that determine the lengths of an environment's role names and policies.

    `prefix` begins each name of the environment, `cluster` is the name of its cluster, and `groups` are the groups
    inside the cluster whose role may change resources.
    """

    environment: str
    prefix: str
    region: str
    cluster: str
    groups: Collection[str]


def too_long(platform: PlatformHandle, projects: Sequence[Project]) -> Iterator[str]:
    """Yield one sentence per role that IAM would reject, with the numbers and the change that is needed.

    Args:
        platform: the platform that the projects are deployed on.
        projects: all projects of the environment.
    """
    roles = Roles(
        environment=platform.environment,
        prefix=platform.prefix,
        region=platform.account.region,
        cluster=platform.cluster.plain_name,
        groups=platform.cluster.group_roles,
    )
    return roles_too_long(roles, projects)


def roles_too_long(roles: Roles, projects: Sequence[Project]) -> Iterator[str]:
    """Yield the same as `too_long`, from plain names, for a check before there is a platform."""
    scope = Scope(partition=PARTITION, account_id=ACCOUNT, region=roles.region)
    for project in projects:
        longest = max((role_name(roles.prefix, project.name, part) for part in (CONDUCTOR, FIT, SERVING)), key=len)
        if len(longest) > ROLE_NAME_LIMIT:
            yield (
                f"project {project.name}: name: the role {longest} of its pods has {len(longest)} characters, IAM "
                f"takes {ROLE_NAME_LIMIT}; shorten the project's name by {len(longest) - ROLE_NAME_LIMIT}, or the name "
                "of this program in Pulumi.yaml"
            )
        size = max(len(policy) for policy in _of_pods(scope, roles.prefix, project))
        if size > INLINE_POLICIES_LIMIT:
            yield (
                f"project {project.name}: secrets: {len(project.secrets)} secrets make a policy of {size} characters "
                f"for the role of its pods, IAM takes {INLINE_POLICIES_LIMIT}; keep several values in one secret"
            )
    for team in sorted({project.team for project in projects}):
        theirs = [project for project in projects if project.team == team]
        size = len(_of_team(scope, roles.prefix, theirs)) + len(kubeconfig_policy(scope, roles.cluster))
        if team_group(team) in roles.groups and size > INLINE_POLICIES_LIMIT:
            count = sum(len(project.secrets) for project in theirs)
            yield (
                f"team {team}: its {len(theirs)} projects in {roles.environment}, with {count} secrets, make "
                f"policies of {size} characters for its role, IAM takes {INLINE_POLICIES_LIMIT}; give some of the "
                "projects to another team"
            )


def _of_pods(scope: Scope, prefix: str, project: Project) -> Iterator[str]:
    key = scope.arn("kms", KEY)
    runs = RunObjects(project=project.name, bucket=BUCKET, key_arn=key)
    data = DataToRead(bucket=BUCKET, prefix=data_prefix(project.name), key_arn=key)
    accounts, own = _accounts(scope, prefix, [project]), _own(scope, prefix, [project])
    yield conductor_policy(scope, [*accounts, *own[:1]], key, runs, data)
    yield fit_policy(scope, own, key, runs)
    yield serving_policy(scope, [*accounts, *own], key)


def _of_team(scope: Scope, prefix: str, projects: Sequence[Project]) -> str:
    accounts, own = _accounts(scope, prefix, projects), _own(scope, prefix, projects)
    return people_policy(scope, prefix, accounts, scope.arn("kms", KEY), own)


def _accounts(scope: Scope, prefix: str, projects: Sequence[Project]) -> list[str]:
    return [_arn(scope, prefix, account_secret(project.name)) for project in projects]


def _own(scope: Scope, prefix: str, projects: Sequence[Project]) -> list[str]:
    return [_arn(scope, prefix, secret(project.name, name)) for project in projects for name in project.secrets]


def _arn(scope: Scope, prefix: str, name: str) -> str:
    return scope.arn("secretsmanager", f"secret:{prefix}/{name}{ENDING}")

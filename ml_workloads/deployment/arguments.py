"""What a project's parts are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from ml_workloads.project import Project
from platform_services.handles import PlatformHandle
from platform_services.namespaces import PROJECT_LABEL

TEAM_LABEL = "ml-platform/team"


@dataclass(frozen=True, kw_only=True)
class PartArgs:
    """`namespace` is its name once it exists; `secret_arns` are the project's own secrets, by their names in its file.

    `after` is what pods need, and what has to outlive them, although no property of theirs says so.
    """

    project: Project
    platform: PlatformHandle
    namespace: pulumi.Input[str]
    image: pulumi.Input[str]
    revision: str
    account_secret_arn: pulumi.Input[str]
    secret_arns: Mapping[str, pulumi.Input[str]]
    after: Sequence[pulumi.Resource] = field(default=(), repr=False)


def labels(project: Project, part: str) -> dict[str, str]:
    """Of an object and its pods; what bills and metrics are split by."""
    return {**selector(part), PROJECT_LABEL: project.name, TEAM_LABEL: project.team}


def selector(part: str) -> dict[str, str]:
    """Which pods of the project's namespace are of that part; a Deployment's can never be changed."""
    return {"app.kubernetes.io/name": part}

"""What a project's parts are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_kubernetes as k8s

from ml_workloads.project import Project
from platform_services.handles import PlatformHandle
from platform_services.namespaces import PROJECT_LABEL

TEAM_LABEL = "ml-platform/team"
PART_LABEL = "app.kubernetes.io/name"
TAKES_BACK = {"pulumi.com/patchForce": "true"}
"""Annotation: what somebody else changed in a field that the program sets is changed back by the next deployment.
Without it a deployment of the whole environment would fail over one team's `kubectl patch`.
https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/"""


@dataclass(frozen=True, kw_only=True)
class RuntimeImage:
    """Where the runtime's image is, and what is asked before anything that runs it is made."""

    reference: pulumi.Output[str]
    hooks: pulumi.ResourceHookBinding = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class PartArgs:
    """`namespace` is its name once it exists; `account_secret_arn` is that of the account at MLflow that the part's
    pods sign in as; `secret_arns` are the project's own secrets, by their names in its file.

    `image` has the project's code, and `runtime` is the platform's own, which conducts training runs. `after` is what
    pods need, and what has to outlive them, although no property of theirs says so.
    """

    project: Project
    platform: PlatformHandle
    namespace: pulumi.Input[str]
    image: pulumi.Input[str]
    image_hooks: pulumi.ResourceHookBinding = field(repr=False)
    runtime: RuntimeImage
    revision: str
    account_secret_arn: pulumi.Input[str]
    secret_arns: Mapping[str, pulumi.Input[str]]
    after: Sequence[pulumi.Resource] = field(default=(), repr=False)


def metadata(
    name: pulumi.Input[str],
    namespace: pulumi.Input[str] | None = None,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> k8s.meta.v1.ObjectMetaArgsDict:
    """Return the metadata of a project's object; every object of a project has it from here."""
    found: k8s.meta.v1.ObjectMetaArgsDict = {"name": name, "annotations": {**TAKES_BACK, **(annotations or {})}}
    if namespace is not None:
        found["namespace"] = namespace
    if labels is not None:
        found["labels"] = dict(labels)
    return found


def labels(project: Project, part: str) -> dict[str, str]:
    """Of an object and its pods; what bills and metrics are split by."""
    return {**selector(part), PROJECT_LABEL: project.name, TEAM_LABEL: project.team}


def selector(part: str) -> dict[str, str]:
    """Which pods of the project's namespace are of that part; a Deployment's can never be changed."""
    return {PART_LABEL: part}

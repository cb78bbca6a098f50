"""Arguments that the parts of a project (training, serving) share, and the metadata and labels of their objects."""

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
"""Annotation with which the next deployment reverts changes that somebody else made to a field that the program sets.
Without it a deployment of the whole environment would fail because of one team's `kubectl patch`.
https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/"""


@dataclass(frozen=True, kw_only=True)
class RuntimeImage:
    """Reference of the runtime image, and the hooks that check the image before a resource that runs it is created."""

    reference: pulumi.Output[str]
    hooks: pulumi.ResourceHookBinding = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class PartArgs:
    """Arguments that every part of a project needs.

    Attributes:
        project: settings of the project.
        platform: the platform that the project is deployed on.
        namespace: name of the namespace; the output resolves once the namespace exists.
        image: reference of the image with the project's code.
        image_hooks: hooks that check this image before a resource that runs it is created.
        runtime: the platform's own image, which conducts training runs.
        revision: tag of the project's image.
        account_secret_arn: ARN of the secret of the MLflow account that the part's pods sign in with.
        secret_arns: ARNs of the project's own secrets, by their names in `project.yaml`.
        after: resources that pods need, and that have to outlive the pods, although no property of the pods refers to
            them.
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
    """Return the metadata of a project's object. Every object of a project gets its metadata from this function."""
    found: k8s.meta.v1.ObjectMetaArgsDict = {"name": name, "annotations": {**TAKES_BACK, **(annotations or {})}}
    if namespace is not None:
        found["namespace"] = namespace
    if labels is not None:
        found["labels"] = dict(labels)
    return found


def labels(project: Project, part: str) -> dict[str, str]:
    """Return the labels of an object and its pods. Costs and metrics are split by these labels."""
    return {**selector(part), PROJECT_LABEL: project.name, TEAM_LABEL: project.team}


def selector(part: str) -> dict[str, str]:
    """Return the labels that select the pods of one part in the project's namespace.

    The selector of a Deployment is immutable, so these labels can never change.
    """
    return {PART_LABEL: part}

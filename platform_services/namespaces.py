"""Namespaces of the platform, each with the Pod Security level that the API server enforces in it.

https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

Level = Literal["privileged", "restricted"]

SERVICES, ACCELERATORS, ML_PLATFORM = "cluster-services", "accelerators", "ml-platform"
PROJECT_LABEL = "ml-platform/project"
"""Label of projects' namespaces, whose pods may connect to the platform's services. Its value is the project's name."""


@dataclass(frozen=True, kw_only=True)
class Namespace:
    """A namespace of the platform. `reason` says why a level below `restricted` is enforced."""

    level: Level = "restricted"
    reason: str = ""

    def __post_init__(self) -> None:
        if self.level != "restricted" and not self.reason:
            raise ValueError(f"level {self.level!r}: give the `reason`, or enforce 'restricted'")


# EKS owns `kube-system`: its add-ons use the host's network and folders, and the platform does not set its labels.
NAMESPACES: Mapping[str, Namespace] = {
    SERVICES: Namespace(),
    ML_PLATFORM: Namespace(),
    ACCELERATORS: Namespace(
        level="privileged",
        reason="device plugins talk to the kubelet through a folder of the node, and no milder level allows hostPath",
    ),
}


def pod_security_labels(level: Level, minor: str) -> Mapping[str, str]:
    """Return the labels for a Pod Security level, in the version of the cluster's minor.

    Allowed violations of `restricted` are recorded in the audit log, but cause no warning with every deployment.
    """
    labels: dict[str, str] = {}
    for mode, applied in (("enforce", level), ("audit", "restricted"), ("warn", level)):
        labels[f"pod-security.kubernetes.io/{mode}"] = applied
        labels[f"pod-security.kubernetes.io/{mode}-version"] = f"v{minor}"
    return labels


class Namespaces(pulumi.ComponentResource):
    """The platform's namespaces. `names` resolve once the namespaces exist."""

    names: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, minor: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Namespaces", name, {}, opts)
        self.names = {}
        for namespace, rule in NAMESPACES.items():
            created = k8s.core.v1.Namespace(
                f"{name}-{namespace}",
                metadata={"name": namespace, "labels": dict(pod_security_labels(rule.level, minor))},
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.names[namespace] = created.metadata.apply(lambda metadata: metadata.name or "")
        self.register_outputs({})

"""The namespace of a project, and its quota of the cluster's resources.

https://kubernetes.io/docs/concepts/policy/resource-quotas/
https://kubernetes.io/docs/concepts/policy/limit-range/
"""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as k8s

from components.accelerators import EFA_RESOURCE, NEURON, NVIDIA
from ml_workloads.deployment.arguments import TEAM_LABEL, metadata
from ml_workloads.project import Project
from ml_workloads.project.project import QuotaSettings
from ml_workloads.project.quantities import mebibytes
from platform_services.namespaces import PROJECT_LABEL, pod_security_labels

DEFAULT_CPU, DEFAULT_MEMORY_MIB = "100m", 256
# Other resource names for the same devices of the Neuron plugin. A container that requests devices by these names would
# bypass the quota.
# https://awsdocs-neuron.readthedocs-hosted.com/en/latest/containers/kubernetes-getting-started.html
PARTS_OF_DEVICES = ("aws.amazon.com/neuroncore", "aws.amazon.com/neurondevice")
# Failed runs stay for a while, so that their logs can be read.
MAX_PODS, MAX_JOBS = 250, 100


def quota(settings: QuotaSettings) -> Mapping[str, str]:
    """Return the hard limits of the project's ResourceQuota.

    Requests and limits of memory are equal. Objects with costs of their own are forbidden: load balancers, and volumes,
    which would outlive the program because the program does not manage them.
    """
    devices = str(settings.accelerators)
    return {
        "requests.cpu": settings.cpu,
        "requests.memory": settings.memory,
        "limits.memory": settings.memory,
        **{f"requests.{vendor.resource}": devices for vendor in (NVIDIA, NEURON)},
        f"requests.{EFA_RESOURCE}": str(settings.efa),
        **{f"requests.{resource}": "0" for resource in PARTS_OF_DEVICES},
        "pods": str(MAX_PODS),
        "count/jobs.batch": str(MAX_JOBS),
        "services.loadbalancers": "0",
        "services.nodeports": "0",
        "persistentvolumeclaims": "0",
    }


def container_limits(settings: QuotaSettings) -> k8s.core.v1.LimitRangeItemArgsDict:
    """Return the limits and defaults of a container.

    A quota rejects pods that declare no requests and limits, so such pods get small defaults. No container can have
    more memory than the quota. There is no maximum for CPU, because it would limit the use of idle cores.
    """
    memory = f"{min(DEFAULT_MEMORY_MIB, mebibytes(settings.memory))}Mi"
    return {
        "type": "Container",
        "default": {"memory": memory},
        "default_request": {"cpu": DEFAULT_CPU, "memory": memory},
        "max": {"memory": settings.memory},
    }


class ProjectNamespace(pulumi.ComponentResource):
    """The namespace of a project with quota and limits.

    `name` resolves once the namespace exists. Pods may start when `limits` exist. The `admission` argument is created
    first.
    """

    name: pulumi.Output[str]
    limits: tuple[pulumi.Resource, ...]

    def __init__(
        self,
        name: str,
        project: Project,
        minor: str,
        admission: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("mlops:index:ProjectNamespace", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        created = k8s.core.v1.Namespace(
            f"{name}-itself",
            metadata=metadata(
                project.namespace,
                labels={
                    **pod_security_labels("restricted", minor),
                    PROJECT_LABEL: project.name,
                    TEAM_LABEL: project.team,
                },
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(admission)),
        )
        self.name = created.metadata.apply(lambda made: made.name or "")
        quotas = k8s.core.v1.ResourceQuota(
            f"{name}-quota",
            metadata=metadata("project", self.name),
            spec={"hard": dict(quota(project.quota))},
            opts=child,
        )
        ranges = k8s.core.v1.LimitRange(
            f"{name}-limits",
            metadata=metadata("project", self.name),
            spec={"limits": [container_limits(project.quota)]},
            opts=child,
        )
        self.limits = (quotas, ranges)
        self.register_outputs({})

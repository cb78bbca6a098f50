"""Priority classes and the storage class that workloads name.

Serving has the highest priority, then the platform's own services, then training, which is the only one that is
preempted: a model that answers requests gets its accelerator even if a training run has to start again.
https://kubernetes.io/docs/concepts/scheduling-eviction/pod-priority-preemption/
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pulumi
import pulumi_kubernetes as k8s

STORAGE_CLASS = "encrypted-gp3"


@dataclass(frozen=True, kw_only=True)
class Priority:
    value: int
    preemption: Literal["PreemptLowerPriority", "Never"]
    description: str


PRIORITIES: Mapping[str, Priority] = {
    "serving": Priority(
        value=300_000, preemption="PreemptLowerPriority", description="Answers requests: stops training to get a node"
    ),
    "platform": Priority(
        value=200_000, preemption="PreemptLowerPriority", description="Services of the platform: tracking, monitoring"
    ),
    "training": Priority(
        value=100_000,
        preemption="Never",
        description="Training and batch work: waits, and may be stopped and restarted",
    ),
}


@dataclass(frozen=True, kw_only=True)
class ClassesArgs:
    volume_key_arn: pulumi.Input[str]


class Classes(pulumi.ComponentResource):
    """The priority classes, and the default storage class."""

    priorities: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: ClassesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("mlops:index:Classes", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.priorities = {}
        for priority, rule in PRIORITIES.items():
            created = k8s.scheduling.v1.PriorityClass(
                f"{name}-{priority}",
                metadata={"name": priority},
                value=rule.value,
                preemption_policy=rule.preemption,
                global_default=False,
                description=rule.description,
                opts=child,
            )
            self.priorities[priority] = created.metadata.apply(lambda metadata: metadata.name or "")
        k8s.storage.v1.StorageClass(
            f"{name}-{STORAGE_CLASS}",
            metadata={
                "name": STORAGE_CLASS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            provisioner="ebs.csi.aws.com",
            # https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/parameters.md
            parameters={"type": "gp3", "encrypted": "true", "kmsKeyId": args.volume_key_arn},
            reclaim_policy="Delete",
            allow_volume_expansion=True,
            # A volume exists in one zone. It is created in the zone of its first pod.
            volume_binding_mode="WaitForFirstConsumer",
            opts=child,
        )
        self.register_outputs({})

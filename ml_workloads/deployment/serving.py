"""Serving of a project: replicas of its server behind one address inside the cluster.

The replicas follow the alias `production` at MLflow, so a promotion changes nothing here.
"""

from collections.abc import Sequence
from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from components.pod_identity import NEEDS_ROLE
from ml_workloads.deployment.arguments import PartArgs, labels, metadata, selector
from ml_workloads.deployment.environment_variables import entries, serving_variables
from ml_workloads.deployment.identity import Identity, IdentityArgs
from ml_workloads.deployment.pods import project_container, project_pod, sized
from ml_workloads.deployment.run_policies import policy_of_serving
from ml_workloads.project.deployment_names import SERVING, SERVING_PORT
from ml_workloads.project.serving import AutoscalingSettings, OnlineSettings

MODULE: Final = "ml_workloads.runtime.serving"
SERVICE_PORT, PORT_NAME = 80, "http"
SCALED_BY: Final = "ml-platform/scaled-by"
# Nodes learn within seconds that a pod takes no more requests. The pod stops listening only after that time.
LEAVE_SECONDS = 5
ANSWER_SECONDS = 25
GRACE_SECONDS = LEAVE_SECONDS + ANSWER_SECONDS + 5


def address(namespace: str) -> str:
    """Return the URL of the server inside the cluster."""
    return f"http://{SERVING}.{namespace}.svc.cluster.local"


def spread(most_replicas: int) -> Sequence[k8s.core.v1.TopologySpreadConstraintArgsDict]:
    """Return constraints that spread replicas over zones and nodes where possible.

    The constraints are soft, because a replica on the same node as another one is better than a pending replica.
    """
    if most_replicas == 1:
        return []
    return [
        {
            "topology_key": key,
            "max_skew": 1,
            "when_unsatisfiable": "ScheduleAnyway",
            "label_selector": {"match_labels": selector(SERVING)},
            # Replicas of the previous version, which are about to be deleted, do not count.
            "match_label_keys": ["pod-template-hash"],
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]


class Serving(pulumi.ComponentResource):
    """The server of a project: Deployment, Service, disruption budget and autoscaler.

    A drain of nodes evicts one replica at a time. With a single replica that causes a gap until the replica runs
    elsewhere; a budget without gap would block every update of nodes. With two or more replicas there is no gap.
    """

    def __init__(
        self, name: str, args: PartArgs, online: OnlineSettings, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("mlops:index:ProjectServing", name, {}, opts)
        self._name, self._args, self._online = name, args, online
        self._labels, self._child = labels(args.project, SERVING), pulumi.ResourceOptions(parent=self)
        self._metadata = metadata(SERVING, args.namespace, self._labels)
        identity = IdentityArgs(part=args, name=SERVING, policy=policy_of_serving(args))
        self._identity = Identity(f"{name}-identity", identity, self._child)
        replicas = self._deployment()
        k8s.core.v1.Service(
            f"{name}-service",
            metadata=self._metadata,
            spec={
                "selector": selector(SERVING),
                "ports": [{"name": PORT_NAME, "port": SERVICE_PORT, "target_port": PORT_NAME}],
            },
            # Pulumi waits for endpoints of the Service. After a failed rollout of the replicas it would wait ten
            # minutes in vain.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[replicas]),
        )
        k8s.policy.v1.PodDisruptionBudget(
            f"{name}-disruptions",
            metadata=self._metadata,
            spec={
                "max_unavailable": 1,
                "selector": {"match_labels": selector(SERVING)},
                # A replica that is not ready does not block the drain of its node.
                "unhealthy_pod_eviction_policy": "AlwaysAllow",
            },
            opts=self._child,
        )
        if online.autoscaling:
            self._autoscaler(online.autoscaling)
        self.register_outputs({})

    def _deployment(self) -> pulumi.Resource:
        """Create the Deployment. If there is an autoscaler, it owns the number of replicas.

        The program still sets the number in that case, and ignores changes of it: Kubernetes would scale down to one
        replica if the field disappeared from the object. The annotation changes when an autoscaler is added or removed,
        so that the object is updated and gets the program's number back.
        """
        scaled = self._online.autoscaling is not None
        annotations = {SCALED_BY: "autoscaler" if scaled else "program"}
        spec: k8s.apps.v1.DeploymentSpecArgsDict = {
            "replicas": self._online.replicas,
            "selector": {"match_labels": selector(SERVING)},
            "strategy": {"type": "RollingUpdate", "rolling_update": {"max_unavailable": 0, "max_surge": 1}},
            "revision_history_limit": 3,
            "template": {"metadata": {"labels": {**self._labels, **NEEDS_ROLE}}, "spec": self._pod()},
        }
        return k8s.apps.v1.Deployment(
            f"{self._name}-replicas",
            metadata=metadata(SERVING, self._args.namespace, self._labels, annotations),
            spec=spec,
            opts=pulumi.ResourceOptions(
                parent=self,
                # Without role and account at MLflow a replica never becomes ready.
                depends_on=[self._identity, *self._args.after],
                ignore_changes=["spec.replicas"] if scaled else None,
                hooks=self._args.image_hooks,
            ),
        )

    def _pod(self) -> k8s.core.v1.PodSpecArgsDict:
        args, online = self._args, self._online
        container = project_container(
            SERVING,
            args.image,
            MODULE,
            entries(serving_variables(args, online, ANSWER_SECONDS)),
            sized(online.resources),
        )
        alive: k8s.core.v1.HTTPGetActionArgsDict = {"path": "/healthz", "port": PORT_NAME}
        container["ports"] = [{"name": PORT_NAME, "container_port": SERVING_PORT}]
        container["lifecycle"] = {"pre_stop": {"sleep": {"seconds": LEAVE_SECONDS}}}
        # Libraries take long to load on a busy node. The probe allows five minutes before the other probes begin.
        container["startup_probe"] = {"http_get": alive, "period_seconds": 2, "failure_threshold": 150}
        container["liveness_probe"] = {
            "http_get": alive,
            "period_seconds": 10,
            "timeout_seconds": 5,
            "failure_threshold": 6,
        }
        container["readiness_probe"] = {
            "http_get": {"path": "/readyz", "port": PORT_NAME},
            "period_seconds": 5,
            "timeout_seconds": 3,
            "failure_threshold": 3,
        }
        pod = project_pod(self._identity.service_account, args.platform.priority_classes[SERVING], container)
        pod["termination_grace_period_seconds"] = GRACE_SECONDS
        pod["topology_spread_constraints"] = spread(online.most_replicas)
        return pod

    def _autoscaler(self, settings: AutoscalingSettings) -> None:
        k8s.autoscaling.v2.HorizontalPodAutoscaler(
            f"{self._name}-autoscaler",
            metadata=self._metadata,
            spec={
                "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": SERVING},
                "min_replicas": self._online.replicas,
                "max_replicas": settings.max_replicas,
                "metrics": [
                    {
                        "type": "Resource",
                        "resource": {
                            "name": "cpu",
                            "target": {"type": "Utilization", "average_utilization": settings.target_cpu_percent},
                        },
                    }
                ],
            },
            opts=self._child,
        )

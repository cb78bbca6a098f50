"""Rotation of MLflow's passwords: CronJobs that never run by themselves. `mlp rotate` makes a Job of one.

A rotation that Secrets Manager starts by its schedule is a Lambda function in the VPC, with a package of its own, a way
to PostgreSQL and MLflow, and MLflow's client. The same work is a pod of the image that is there.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-suspension
"""

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from platform_services.mlflow.pods import labels, pod, pod_labels
from platform_services.mlflow.rotation_names import cronjob

NEVER: Final = "0 0 1 1 *"
"""Kubernetes wants a schedule; the CronJob is suspended."""

KEPT_SECONDS: Final = 7 * 24 * 3600


def rotation(
    name: str,
    part: str,
    namespace: pulumi.Input[str],
    main: k8s.core.v1.ContainerArgsDict,
    opts: pulumi.ResourceOptions,
) -> k8s.batch.v1.CronJob:
    """Return the CronJob of a part. A Job that failed is tried again, and goes on where it was ended.

    Args:
        name: of the resource.
        part: what is rotated, one of `rotation_names.PARTS`.
        namespace: MLflow's, once it exists.
        main: what runs. Pods have the service account of its name, and network policies know them by it.
        opts: of the resource.
    """
    service_account = str(main["name"])
    tags = labels(service_account)
    return k8s.batch.v1.CronJob(
        name,
        metadata={"name": cronjob(part), "namespace": namespace, "labels": tags},
        spec={
            "schedule": NEVER,
            "suspend": True,
            "concurrency_policy": "Forbid",
            "job_template": {
                "metadata": {"labels": tags},
                "spec": {
                    "backoff_limit": 3,
                    "active_deadline_seconds": 1800,
                    "ttl_seconds_after_finished": KEPT_SECONDS,
                    "template": {
                        "metadata": {"labels": pod_labels(service_account)},
                        "spec": {**pod(service_account, main), "restart_policy": "Never"},
                    },
                },
            },
        },
        opts=opts,
    )

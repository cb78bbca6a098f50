"""Rotation of MLflow's passwords: CronJobs that never run by themselves. `mlp rotate` creates a Job from one.

A rotation that Secrets Manager starts on its schedule would need a Lambda function in the VPC, with a package of its
own, network access to PostgreSQL and MLflow, and MLflow's client. A pod of the existing image does the same work.
https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-suspension
"""

from typing import Final

import pulumi
import pulumi_kubernetes as k8s

from platform_services.mlflow.pods import labels, pod, pod_labels
from platform_services.mlflow.rotation_names import cronjob

NEVER: Final = "0 0 1 1 *"
"""Kubernetes requires a schedule; the CronJob is suspended."""

KEPT_SECONDS: Final = 7 * 24 * 3600


def rotation(
    name: str,
    part: str,
    namespace: pulumi.Input[str],
    main: k8s.core.v1.ContainerArgsDict,
    opts: pulumi.ResourceOptions,
) -> k8s.batch.v1.CronJob:
    """Return the CronJob of a part. A failed Job is retried, and continues where it was interrupted.

    Args:
        name: name of the resource.
        part: the part to rotate, one of `rotation_names.PARTS`.
        namespace: MLflow's namespace, once it exists.
        main: the container. Its name is also the name of the pods' service account, and the label that network policies
            select.
        opts: options of the resource.
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

"""Small languages that both a project's file and Kubernetes parse: both must accept the same texts."""

from __future__ import annotations

import pytest

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.errors import ApiError
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from tests.unit.ml_workloads.schedules import NEVER, REFUSED, TAKEN

CRONJOB = Kind("batch", "v1", "CronJob")


def cronjob(schedule: str) -> Object:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "registry.example/app:1"}]}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tried", "namespace": "default"},
        "spec": {"schedule": schedule, "timeZone": "Etc/UTC", "jobTemplate": {"spec": {"template": {"spec": pod}}}},
    }


def takes(cluster: Cluster, schedule: str) -> bool:
    """Return whether a dry run accepts the schedule; errors that are not about the schedule propagate."""
    try:
        cluster.apply(CRONJOB, cronjob(schedule), "schedules", dry_run=True)
    except ApiError as error:
        if "spec.schedule" not in error.message:
            raise
        return False
    return True


@pytest.mark.parametrize(
    ("schedule", "taken"), [*((each, True) for each in (*TAKEN, *NEVER)), *((each, False) for each in REFUSED)]
)
def test_the_api_server_has_our_opinion_of_a_schedule(cluster: Cluster, schedule: str, taken: bool):
    assert takes(cluster, schedule) is taken

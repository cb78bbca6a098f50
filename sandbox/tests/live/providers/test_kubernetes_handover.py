"""Fields that pass from the program to a controller or a person and back, on a real API server with controllers."""

from __future__ import annotations

import pytest

from mlp_sandbox.providers.kubernetes.cluster import Cluster
from mlp_sandbox.providers.kubernetes.kinds import Kind, Object
from mlp_sandbox.testing.box import eventually
from sandbox.tests.live.providers.clusters import ClusterProgram

pytestmark = pytest.mark.timeout(400)
DEPLOYMENT, CRONJOB, EVENT = Kind("apps", "v1", "Deployment"), Kind("batch", "v1", "CronJob"), Kind("", "v1", "Event")
# As in ml_workloads/deployment/serving.py: with an autoscaler the number is named and ignored.
SERVING = """
k8s.apps.v1.Deployment("serving", opts=options(ignore_changes=["spec.replicas"] if {scaled} else None),
    metadata={{"namespace": NAMESPACE, "name": "serving", "annotations": {{"pulumi.com/patchForce": "true",
        "ml-platform/scaled-by": "autoscaler" if {scaled} else "program", "note": "{note}"}}}},
    spec={{"replicas": 4, "selector": {{"match_labels": {{"app": "serving"}}}}, "template": labelled("serving",
        container={{"resources": {{"requests": {{"cpu": "0.1", "memory": "64Mi"}}}}}})}})
if {scaled}:
    k8s.autoscaling.v2.HorizontalPodAutoscaler("autoscaler", metadata={{"namespace": NAMESPACE, "name": "serving"}},
        opts=options(), spec={{"scale_target_ref": {{"api_version": "apps/v1", "kind": "Deployment",
                "name": "serving"}},
            "min_replicas": 4, "max_replicas": 6, "metrics": [{{"type": "Resource", "resource": {{"name": "cpu",
                "target": {{"type": "Utilization", "average_utilization": 70}}}}}}]}})
"""
RUNS = """
k8s.batch.v1.CronJob("training", opts=options(), metadata={{"namespace": NAMESPACE, "name": "training",
        "annotations": {{"pulumi.com/patchForce": "true"}}}},
    spec={{"schedule": "{schedule}", "suspend": False, "job_template": {{"spec": {{"template": {{
        "spec": {{**labelled("training")["spec"], "restartPolicy": "Never"}}}}}}}}}})
"""


def serving(*, scaled: bool, note: str = "first") -> str:
    return SERVING.format(scaled=scaled, note=note)


def live(cluster: Cluster, kind: Kind, namespace: str, name: str) -> Object:
    found = cluster.get(kind, namespace, name)
    assert found
    return found


def replicas(cluster: Cluster, namespace: str) -> int:
    return int(live(cluster, DEPLOYMENT, namespace, "serving")["spec"]["replicas"])


def scaled_down(cluster: Cluster, namespace: str) -> list[str]:
    events = cluster.find(EVENT, namespace)
    return [each["message"] for each in events if each["message"].startswith("Scaled down")]


def scale(cluster: Cluster, namespace: str, number: int) -> None:
    """Set the replicas through the scale subresource, as the autoscaler does under load."""
    path = f"{cluster.path(DEPLOYMENT, namespace, 'serving')}/scale"
    body = cluster.connection.request("GET", path).json()
    cluster.connection.request(
        "PUT", path, {"fieldManager": "kube-controller-manager"}, {**body, "spec": {"replicas": number}}
    )


def test_an_autoscaler_takes_the_replicas_over_and_gives_them_back(kube: ClusterProgram, cluster: Cluster) -> None:
    kube.write(serving(scaled=False))
    kube.up()
    kube.write(serving(scaled=True))
    assert "replicas: 4" not in kube.preview("--diff").replace("minReplicas: 4", "")
    kube.up()
    assert replicas(cluster, kube.namespace) == 4
    scale(cluster, kube.namespace, 6)
    kube.preview("--refresh", "--expect-no-changes")
    kube.write(serving(scaled=True, note="second"))
    kube.up()
    assert replicas(cluster, kube.namespace) == 6
    assert scaled_down(cluster, kube.namespace) == []
    kube.write(serving(scaled=False, note="second"))
    kube.up()
    eventually(lambda: replicas(cluster, kube.namespace) == 4, "the program's number is back")


def test_a_schedule_that_somebody_suspended_blocks_nothing_and_is_changed_back_with_a_word(
    kube: ClusterProgram, cluster: Cluster
) -> None:
    kube.write(RUNS.format(schedule="0 3 * * 1"))
    kube.up()
    path = cluster.path(CRONJOB, kube.namespace, "training")
    now = live(cluster, CRONJOB, kube.namespace, "training")
    now["spec"]["suspend"] = True
    cluster.connection.request("PUT", path, {"fieldManager": "kubectl-patch"}, now)
    kube.write(RUNS.format(schedule="0 4 * * 1"))
    preview = kube.preview()
    assert "somebody else changed what the program sets; changed back: .spec.suspend" in preview
    assert live(cluster, CRONJOB, kube.namespace, "training")["spec"]["suspend"] is True
    kube.up()
    after = live(cluster, CRONJOB, kube.namespace, "training")["spec"]
    assert (after["schedule"], after["suspend"]) == ("0 4 * * 1", False)
    kube.preview("--refresh", "--expect-no-changes")

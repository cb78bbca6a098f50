"""The server's replicas: the number in the file, reachable during rollouts."""

from typing import Any

import pytest

from ml_workloads.runtime.serving.__main__ import ServingSettings
from tests.contract.pod_security import violations
from tests.unit.ml_workloads.deployment.platforms import deployed, project, variables

FIXED: dict[str, Any] = {"replicas": 3, "resources": {"cpu": "500m", "memory": "1Gi"}}
SINGLE: dict[str, Any] = {**FIXED, "replicas": 1}


def test_the_runtime_reads_what_the_project_says(monkeypatch: pytest.MonkeyPatch):
    pod = deployed(project(serving={"online": {**FIXED, "max_concurrency": 7}})).serving_pod
    given = variables(pod)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    settings = ServingSettings()  # pyright: ignore[reportCallIssue]
    assert (settings.model, settings.alias) == ("churn", "production")
    assert (settings.host, settings.port, settings.max_concurrency) == ("0.0.0.0", 8080, 7)
    assert given["MLFLOW_TRACKING_URI"] == "http://mlflow.ml-platform.svc.cluster.local:5000"
    known = {f"SERVING_{field.upper()}" for field in ServingSettings.model_fields}
    assert {name for name in given if name.startswith("SERVING_")} <= known


def test_the_pod_is_restricted_and_runs_the_runtime():
    pod = deployed().serving_pod
    [container] = pod["containers"]
    assert list(violations(pod)) == []
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["command"] == ["python", "-m", "ml_workloads.runtime.serving"]
    assert (pod["priorityClassName"], pod["serviceAccountName"]) == ("serving", "serving")
    assert pod["enableServiceLinks"] is False


def test_an_autoscaler_has_the_number_of_replicas_as_its_least():
    made = deployed()
    spec = made.kind("HorizontalPodAutoscaler").inputs["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 6)
    assert spec["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "serving"}
    [metric] = spec["metrics"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}}


def test_without_one_it_is_that_of_the_file():
    made = deployed(project(serving={"online": FIXED}))
    assert made.kind("Deployment").inputs["spec"]["replicas"] == 3
    assert made.kinds("HorizontalPodAutoscaler") == []


@pytest.mark.parametrize("replicas", [1, 4])
def test_a_change_of_autoscaling_takes_no_field_off_the_replicas(replicas: int):
    fixed = {**FIXED, "replicas": replicas, "resources": {"cpu": "100m", "memory": "1Gi"}}
    scaled = {**fixed, "autoscaling": {"max_replicas": 6}}
    without, with_one = (deployed(project(serving={"online": each})).kind("Deployment") for each in (fixed, scaled))
    assert without.inputs["spec"]["replicas"] == with_one.inputs["spec"]["replicas"] == replicas
    assert without.inputs["spec"].keys() == with_one.inputs["spec"].keys()
    # So that the object is updated, and has the program's number again, when the autoscaler goes.
    assert without.inputs["metadata"]["annotations"] != with_one.inputs["metadata"]["annotations"]


def test_the_number_of_replicas_is_ignored_only_where_an_autoscaler_owns_it():
    assert deployed().kind("Deployment").ignore_changes == ("spec.replicas",)
    assert deployed(project(serving={"online": FIXED})).kind("Deployment").ignore_changes == ()


def test_a_rollout_never_has_fewer_replicas_than_before():
    strategy = deployed().kind("Deployment").inputs["spec"]["strategy"]
    assert strategy == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}}


def test_a_pod_leaves_its_address_before_it_stops_and_is_not_killed_while_it_answers(monkeypatch: pytest.MonkeyPatch):
    pod = deployed().serving_pod
    [container] = pod["containers"]
    leaving = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    answering = int(variables(pod)["SERVING_SHUTDOWN_SECONDS"])
    assert leaving >= 5
    assert pod["terminationGracePeriodSeconds"] > leaving + answering


def test_a_slow_start_is_no_reason_to_kill_and_only_readiness_asks_for_the_model():
    [container] = deployed().serving_pod["containers"]
    start = container["startupProbe"]
    assert start["periodSeconds"] * start["failureThreshold"] >= 300
    paths = {name: container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert paths == {"startup": "/healthz", "liveness": "/healthz", "readiness": "/readyz"}


def test_replicas_are_spread_where_there_can_be_more_than_one():
    constraints = deployed().serving_pod["topologySpreadConstraints"]
    assert [each["topologyKey"] for each in constraints] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert {each["whenUnsatisfiable"] for each in constraints} == {"ScheduleAnyway"}


def test_a_single_replica_has_nothing_to_be_spread_from():
    assert not deployed(project(serving={"online": SINGLE})).serving_pod.get("topologySpreadConstraints")


def test_the_address_leads_to_the_port_that_the_server_listens_on():
    made = deployed()
    [container] = made.serving_pod["containers"]
    [port] = made.kind("Service").inputs["spec"]["ports"]
    assert port == {"name": "http", "port": 80, "targetPort": "http"}
    assert container["ports"] == [{"name": "http", "containerPort": 8080}]
    assert variables(made.serving_pod)["SERVING_PORT"] == "8080"


def test_nodes_can_be_emptied_whatever_the_number_of_replicas():
    made = deployed(project(serving={"online": SINGLE}))
    spec = made.kind("PodDisruptionBudget").inputs["spec"]
    assert spec["maxUnavailable"] == 1
    assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_all_select_the_pods_of_the_deployment():
    made = deployed()
    labels = made.kind("Deployment").inputs["spec"]["template"]["metadata"]["labels"]
    selectors = (
        made.kind("Deployment").inputs["spec"]["selector"]["matchLabels"],
        made.kind("Service").inputs["spec"]["selector"],
        made.kind("PodDisruptionBudget").inputs["spec"]["selector"]["matchLabels"],
    )
    for each in selectors:
        assert each.items() <= labels.items()
        for part in ("conductor", "fit", "worker"):
            assert not each.items() <= made.job(part)["template"]["metadata"]["labels"].items()

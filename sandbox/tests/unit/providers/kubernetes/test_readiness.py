"""Readiness of objects, judged from the status that the API server reports."""

from __future__ import annotations

from typing import Any

import pytest

from mlp_sandbox.providers.kubernetes.readiness import others, workloads
from mlp_sandbox.providers.kubernetes.readiness.custom import judge_custom
from mlp_sandbox.providers.kubernetes.readiness.judgement import Judgement
from mlp_sandbox.providers.kubernetes.readiness.pods import judge_pod, last_failed_container, troubles

Object = dict[str, Any]


def seen(spec: Object, **status: Any) -> Object:
    return {"metadata": {"generation": 2}, "spec": spec, "status": {"observedGeneration": 2, **status}}


def condition(type: str, status: str = "True", **more: str) -> Object:
    return {"type": type, "status": status, **more}


STALLED = condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="it has timed out progressing")
REFUSED = condition("ReplicaFailure", reason="FailedCreate", message='pods "x" is forbidden: violates PodSecurity')
OVER_QUOTA = condition("ReplicaFailure", reason="FailedCreate", message='pods "x" is forbidden: exceeded quota')


@pytest.mark.parametrize(
    ("obj", "state", "text"),
    [
        (seen({"replicas": 2}, replicas=2, updatedReplicas=2, availableReplicas=2), "ready", ""),
        (seen({"replicas": 0}), "ready", ""),
        (seen({"replicas": 2, "paused": True}), "ready", ""),
        ({"metadata": {"generation": 2}, "status": {"observedGeneration": 1}}, "waiting", "not looked at it yet"),
        (seen({"replicas": 2}, replicas=3, updatedReplicas=1), "waiting", "1 of 2 pods are of the new version"),
        (seen({"replicas": 2}, replicas=3, updatedReplicas=2), "waiting", "1 pods of the old version"),
        (seen({}, replicas=1, updatedReplicas=1), "waiting", "0 of 1 pods are available"),
        (seen({}, conditions=[STALLED]), "waiting", "makes no progress: it has timed out progressing"),
        (seen({}, replicas=1, updatedReplicas=1, availableReplicas=1, conditions=[STALLED]), "ready", ""),
        (seen({}, conditions=[STALLED, REFUSED]), "failed", "violates PodSecurity"),
        (seen({}, conditions=[REFUSED]), "failed", "violates PodSecurity"),
        (seen({}, conditions=[OVER_QUOTA]), "waiting", "exceeded quota"),
    ],
)
def test_a_deployment_is_ready_when_its_rollout_is_through(obj: Object, state: str, text: str) -> None:
    says(workloads.judge_deployment(obj), state, text)


@pytest.mark.parametrize(
    ("obj", "state", "text"),
    [
        (seen({"replicas": 2}, replicas=2, readyReplicas=2, updateRevision="b", currentRevision="b"), "ready", ""),
        (
            seen({"replicas": 2}, readyReplicas=2, updatedReplicas=1, updateRevision="b", currentRevision="a"),
            *("waiting", "1 of 2 pods are of the new version"),
        ),
        (
            seen(
                {"replicas": 2, "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
                **{"replicas": 2, "readyReplicas": 2, "updatedReplicas": 1},
                **{"updateRevision": "b", "currentRevision": "a"},
            ),
            *("ready", ""),
        ),
        (
            seen({"replicas": 1, "updateStrategy": {"type": "OnDelete"}}, readyReplicas=1, updateRevision="b"),
            *("ready", ""),
        ),
        (seen({"replicas": 2}, readyReplicas=1), "waiting", "1 of 2 pods are ready"),
        (seen({"replicas": 1}, replicas=2, readyReplicas=2), "waiting", "1 pods too many"),
    ],
)
def test_a_stateful_set_is_ready_when_every_pod_is_of_the_new_version(obj: Object, state: str, text: str) -> None:
    says(workloads.judge_stateful_set(obj), state, text)


@pytest.mark.parametrize(
    ("status", "state", "text"),
    [
        ({"desiredNumberScheduled": 2, "numberReady": 2, "updatedNumberScheduled": 2}, "ready", ""),
        ({"desiredNumberScheduled": 0}, "ready", ""),
        ({"desiredNumberScheduled": 2, "numberReady": 2, "updatedNumberScheduled": 1}, "waiting", "1 of 2 nodes"),
        ({"desiredNumberScheduled": 2, "numberReady": 1, "updatedNumberScheduled": 2}, "waiting", "ready on 1 of 2"),
    ],
)
def test_a_daemon_set_is_ready_on_every_node_that_it_is_for(status: Object, state: str, text: str) -> None:
    says(workloads.judge_daemon_set(seen({}, **status)), state, text)


@pytest.mark.parametrize(
    ("obj", "state", "text"),
    [
        (seen({}, conditions=[condition("Complete")]), "ready", ""),
        (
            seen({}, conditions=[condition("Failed", reason="BackoffLimitExceeded", message="too often")]),
            *("failed", "BackoffLimitExceeded: too often"),
        ),
        (seen({"suspend": True}), "ready", ""),
        (seen({"completions": 3}, succeeded=1, active=2), "waiting", "1 of 3 pods succeeded (2 active, 0 failed)"),
    ],
)
def test_a_job_is_ready_when_it_is_done(obj: Object, state: str, text: str) -> None:
    says(workloads.judge_job(obj), state, text)


def pod(
    state: Object | None = None, phase: str = "Pending", conditions: list[Object] | None = None, **more: Any
) -> Object:
    status: Object = {"phase": phase, "conditions": conditions or []}
    if state is not None:
        status["containerStatuses"] = [{"name": "main", "image": "sha256:1", "state": state, **more}]
    spec = {"containers": [{"name": "main", "image": "registry/app:1"}]}
    return {"metadata": {"name": "web-1", "namespace": "apps"}, "spec": spec, "status": status}


@pytest.mark.parametrize(
    ("found", "outlook", "text"),
    [
        (
            pod({"waiting": {"reason": "ImagePullBackOff", "message": "ErrImagePull: not found"}}),
            *("never", "its image registry/app:1 cannot be had: ImagePullBackOff: ErrImagePull: not found"),
        ),
        (
            pod({"waiting": {"reason": "ErrImagePull", "message": "dial tcp: i/o timeout"}}),
            *("hardly", "dial tcp: i/o timeout"),
        ),
        (pod({"waiting": {"reason": "InvalidImageName", "message": "x"}}), "never", "InvalidImageName"),
        (
            pod(
                {"waiting": {"reason": "CrashLoopBackOff"}},
                restartCount=2,
                lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
            ),
            *("never", "ends again and again (2 restarts): exit code 137 (OOMKilled)"),
        ),
        (pod({"waiting": {"reason": "CrashLoopBackOff"}}, restartCount=1), "maybe", "its exit code is not known"),
        (
            pod({"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "x" not found'}}),
            *("hardly", 'secret "x" not found'),
        ),
        (
            pod(conditions=[condition("PodScheduled", "False", reason="Unschedulable", message="0/3 nodes")]),
            *("maybe", "cannot be placed: 0/3 nodes"),
        ),
    ],
)
def test_what_is_wrong_with_a_pod_is_told_with_its_outlook(found: Object, outlook: str, text: str) -> None:
    (trouble,) = troubles([found])
    assert (trouble.outlook, text in trouble.text) == (outlook, True), trouble.text
    assert "pod apps/web-1" in trouble.text


def test_the_worst_trouble_comes_first_and_a_healthy_pod_has_none() -> None:
    crashing = pod({"waiting": {"reason": "CrashLoopBackOff"}}, restartCount=5)
    held = pod({"waiting": {"reason": "ErrImagePull", "message": "timeout"}})
    assert [each.outlook for each in troubles([held, crashing])] == ["never", "hardly"]
    assert troubles([pod({"waiting": {"reason": "ContainerCreating"}}), pod({"running": {}})]) == []


@pytest.mark.parametrize(
    ("found", "state", "text"),
    [
        (pod(phase="Succeeded"), "ready", ""),
        (pod(phase="Running", conditions=[condition("Ready")]), "ready", ""),
        (
            pod({"terminated": {"exitCode": 2, "reason": "Error"}}, phase="Failed"),
            *("failed", "container 'main' ended with exit code 2 (Error)"),
        ),
        (pod(conditions=[condition("Ready", "False", reason="ContainersNotReady")]), "waiting", "ContainersNotReady"),
    ],
)
def test_a_pod_is_ready_or_done(found: Object, state: str, text: str) -> None:
    says(judge_pod(found), state, text)


def test_the_log_to_read_is_that_of_the_container_that_ended_badly() -> None:
    assert last_failed_container(pod({"terminated": {"exitCode": 2}})) == "main"
    assert last_failed_container(pod({"terminated": {"exitCode": 0}})) == ""


SELECTED = {"selector": {"app": "web"}, "clusterIP": "10.0.0.1"}
READY_SLICE = {"endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": True}}]}
UNREADY_SLICE = {"endpoints": [{"addresses": ["10.1.0.1"], "conditions": {"ready": False}}]}
ADDRESS = {"loadBalancer": {"ingress": [{"hostname": "x"}]}}


@pytest.mark.parametrize(
    ("service", "slices", "state", "text"),
    [
        ({"spec": SELECTED}, [READY_SLICE], "ready", ""),
        ({"spec": SELECTED}, [UNREADY_SLICE], "waiting", "1 pods match it, none is ready"),
        ({"spec": SELECTED}, [], "waiting", "its selector is app=web, no pod matches it"),
        ({"spec": {**SELECTED, "clusterIP": "None"}}, [], "ready", ""),
        ({"spec": {"type": "ExternalName"}}, [], "ready", ""),
        ({"spec": {"clusterIP": "10.0.0.1"}}, [], "ready", ""),
        ({"spec": {"type": "LoadBalancer"}, "status": {}}, [], "waiting", "no address yet"),
        ({"spec": {"type": "LoadBalancer"}, "status": ADDRESS}, [], "ready", ""),
    ],
)
def test_a_service_is_ready_when_it_has_where_to_send(
    service: Object, slices: list[Object], state: str, text: str
) -> None:
    says(others.judge_service(service, slices), state, text)


@pytest.mark.parametrize(
    ("phase", "storage_class", "spec", "state", "text"),
    [
        ("Bound", None, {}, "ready", ""),
        ("Pending", {"volumeBindingMode": "WaitForFirstConsumer"}, {"storageClassName": "gp3"}, "ready", ""),
        ("Pending", {"volumeBindingMode": "Immediate"}, {"storageClassName": "gp3"}, "waiting", "is Pending"),
        ("Pending", None, {"storageClassName": "gp3"}, "waiting", "there is no storage class 'gp3'"),
        ("Pending", None, {}, "waiting", "there is no default one"),
        ("Lost", None, {}, "failed", "lost its volume"),
    ],
)
def test_a_claim_is_ready_when_it_is_bound_or_waits_for_its_pod(
    phase: str, storage_class: Object | None, spec: Object, state: str, text: str
) -> None:
    says(others.judge_claim({"spec": spec, "status": {"phase": phase}}, storage_class), state, text)


INGRESS = {
    "spec": {
        "defaultBackend": {"service": {"name": "other"}},
        "rules": [{"http": {"paths": [{"backend": {"service": {"name": "web"}}}, {"backend": {"resource": {}}}]}}],
    }
}


def test_an_ingress_needs_its_services_and_an_address() -> None:
    assert others.services_of_ingress(INGRESS) == {"web", "other"}
    says(others.judge_ingress(INGRESS, ["web"]), "waiting", "services that are not there: web")
    says(others.judge_ingress(INGRESS, []), "waiting", "no address yet")
    says(others.judge_ingress({**INGRESS, "status": ADDRESS}, []), "ready", "")


@pytest.mark.parametrize(
    ("judge", "obj", "state", "text"),
    [
        (others.judge_definition, seen({}, conditions=[condition("Established")]), "ready", ""),
        (others.judge_definition, seen({}), "waiting", "not established"),
        (
            others.judge_definition,
            seen({}, conditions=[condition("NamesAccepted", "False", reason="ListKindConflict")]),
            *("failed", "its names are taken: ListKindConflict"),
        ),
        (others.judge_api_service, seen({}, conditions=[condition("Available")]), "ready", ""),
        (
            others.judge_api_service,
            seen({}, conditions=[condition("Available", "False", reason="MissingEndpoints")]),
            *("waiting", "MissingEndpoints"),
        ),
        (others.judge_namespace, {"status": {"phase": "Active"}}, "ready", ""),
        (others.judge_namespace, {"status": {"phase": "Terminating"}}, "failed", "being deleted"),
        (others.judge_quota, {"spec": {"hard": {"pods": 1}}, "status": {"hard": {"pods": 1}}}, "ready", ""),
        (others.judge_quota, {"spec": {"hard": {"pods": 1}}}, "waiting", "not counted yet: pods"),
        (others.judge_volume, {"status": {"phase": "Failed", "message": "no disk"}}, "failed", "no disk"),
        (others.judge_secret, {"type": "Opaque"}, "ready", ""),
        (others.judge_secret, {"type": "kubernetes.io/service-account-token"}, "waiting", "not there yet"),
    ],
)
def test_other_kinds(judge: Any, obj: Object, state: str, text: str) -> None:
    says(judge(obj), state, text)


def test_a_namespace_that_does_not_end_says_what_is_left_in_it() -> None:
    left = condition("NamespaceContentRemaining", message="pods. has 1 resource instances")
    done = condition("NamespaceDeletionDiscoveryFailure", "False", message="all well")
    assert others.blocks_of_namespace(seen({}, conditions=[done, left])) == "pods. has 1 resource instances"


READY = seen({}, phase="Running", count=3, conditions=[condition("Ready"), condition("Synced", "False", reason="No")])


@pytest.mark.parametrize(
    ("expression", "state", "text"),
    [
        ("jsonpath={.status.phase}=Running", "ready", ""),
        ("jsonpath=.status.phase=Running", "ready", ""),
        ("jsonpath={.status.count}=3", "ready", ""),
        ("jsonpath={.status.phase}=Done", "waiting", ".status.phase is Running, not Done"),
        ("jsonpath={.status.other}", "waiting", ".status.other is not there yet"),
        ("jsonpath={.status.conditions[?(@.type=='Ready')].status}=True", "ready", ""),
        ("jsonpath={.status[}=x", "failed", "is not a JSONPath"),
        ("condition=Ready", "ready", ""),
        ("condition=Synced=false", "ready", ""),
        ("condition=Synced", "waiting", "condition Synced is False No"),
        ("condition=Other", "waiting", "condition Other is not there"),
    ],
)
def test_a_condition_of_the_programs_own_must_hold_beside_others(expression: str, state: str, text: str) -> None:
    says(judge_custom(READY, ["condition=Ready", expression]), state, text)


def says(judged: Judgement, state: str, text: str) -> None:
    assert (judged.state, text in judged.text) == (state, True), judged

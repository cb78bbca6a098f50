"""Readiness of workloads, which are ready when they run in their newest version.

https://kubernetes.io/docs/concepts/workloads/controllers/
"""

from __future__ import annotations

from mlp_sandbox.providers.kubernetes.kinds import Object
from mlp_sandbox.providers.kubernetes.readiness.judgement import (
    READY,
    Judgement,
    condition,
    failed,
    is_seen,
    is_true,
    said_by,
    spec_of,
    status_of,
    waiting,
)

NOT_SEEN = waiting("its controller has not looked at it yet")


def judge_deployment(obj: Object) -> Judgement:
    """Judge a Deployment by its pods.

    A rollout past its progress deadline is still waited for, as pulumi-kubernetes does it. The condition stays until
    pods become available, so after a failed deployment it exists from the beginning, while the controller continues.
    https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment
    """
    if not is_seen(obj):
        return NOT_SEEN
    if spec_of(obj).get("paused"):
        return READY
    if refused := _refused(obj):
        return refused
    judged, progress = _judge_rollout(obj), condition(obj, "Progressing")
    if judged.state == "waiting" and progress.get("reason") == "ProgressDeadlineExceeded":
        return waiting(f"{judged.text}; the rollout makes no progress: {progress.get('message')}")
    return judged


def _judge_rollout(obj: Object) -> Judgement:
    spec, status = spec_of(obj), status_of(obj)
    wanted = int(spec.get("replicas", 1))
    updated, total = int(status.get("updatedReplicas") or 0), int(status.get("replicas") or 0)
    available = int(status.get("availableReplicas") or 0)
    if updated < wanted:
        return waiting(f"{updated} of {wanted} pods are of the new version")
    if total > updated:
        return waiting(f"{total - updated} pods of the old version are still there")
    if available < wanted:
        return waiting(f"{available} of {wanted} pods are available")
    return READY


def judge_stateful_set(obj: Object) -> Judgement:
    if not is_seen(obj):
        return NOT_SEEN
    spec, status = spec_of(obj), status_of(obj)
    wanted, ready = int(spec.get("replicas", 1)), int(status.get("readyReplicas") or 0)
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") != "OnDelete":
        kept = int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
        updated = int(status.get("updatedReplicas") or 0)
        if status.get("updateRevision") != status.get("currentRevision") and updated < wanted - kept:
            return waiting(f"{updated} of {max(wanted - kept, 0)} pods are of the new version")
    if ready < wanted:
        return waiting(f"{ready} of {wanted} pods are ready")
    if int(status.get("replicas") or 0) > wanted:
        return waiting(f"{int(status['replicas']) - wanted} pods too many are still there")
    return READY


def judge_daemon_set(obj: Object) -> Judgement:
    if not is_seen(obj):
        return NOT_SEEN
    status = status_of(obj)
    wanted, ready = int(status.get("desiredNumberScheduled") or 0), int(status.get("numberReady") or 0)
    updated = int(status.get("updatedNumberScheduled") or 0)
    if (spec_of(obj).get("updateStrategy") or {}).get("type") != "OnDelete" and updated < wanted:
        return waiting(f"{updated} of {wanted} nodes have the new version")
    if ready < wanted:
        return waiting(f"ready on {ready} of {wanted} nodes")
    return READY


def judge_replicas(obj: Object) -> Judgement:
    """Judge a ReplicaSet or a ReplicationController."""
    if not is_seen(obj):
        return NOT_SEEN
    if refused := _refused(obj):
        return refused
    wanted, ready = int(spec_of(obj).get("replicas", 1)), int(status_of(obj).get("readyReplicas") or 0)
    return READY if ready >= wanted else waiting(f"{ready} of {wanted} pods are ready")


def judge_job(obj: Object) -> Judgement:
    if is_true(obj, "Complete"):
        return READY
    if is_true(obj, "Failed"):
        return failed(f"the job failed: {said_by(condition(obj, 'Failed'))}")
    if spec_of(obj).get("suspend"):
        return READY
    status = status_of(obj)
    wanted = spec_of(obj).get("completions") or 1
    return waiting(
        f"{status.get('succeeded') or 0} of {wanted} pods succeeded"
        f" ({status.get('active') or 0} active, {status.get('failed') or 0} failed)"
    )


def refused_for_good(message: str) -> bool:
    """Return whether the API server will reject the pods again: Pod Security, or a wrong template."""
    return "violates PodSecurity" in message or " is invalid: " in message


def _refused(obj: Object) -> Judgement | None:
    failure = condition(obj, "ReplicaFailure")
    if failure.get("status") != "True":
        return None
    message = said_by(failure)
    return failed(message) if refused_for_good(message) else waiting(message)

"""`mlp rotate`: new passwords for MLflow's database role, its administrator and the projects' accounts.

Jobs on the cluster, created from the program's CronJobs, do the work: no password passes through this machine.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mlp.console import Json, PlainError, errors, plain_errors
from mlp.environments import Env
from mlp.projects.session import signed_in

if TYPE_CHECKING:
    from mlp.projects.cluster_access import Cluster

NAMESPACE: Final = "ml-platform"
_PAUSE_SECONDS: Final = 1.0
Object = Mapping[str, Any]


class Part(StrEnum):
    """Values of `--only`, as in `platform_services.mlflow.rotation_names`, whose import takes seconds."""

    database = "database"
    accounts = "accounts"
    administrator = "administrator"


def rotate(
    env: Env = "dev",
    only: Annotated[
        list[Part] | None,
        typer.Option(
            "--only",
            help="Rotate this and nothing else; may be given several times. The database's is that of MLflow's own "
            "role; accounts are those of all projects.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Give MLflow's database role, its administrator and all projects' accounts new passwords while they are in use.

    Ends when the old passwords are invalid. After an interruption at any point, the same command continues.
    """
    with plain_errors():
        from mlp.projects.environment import find_environment

        parts = [part.value for part in Part if not only or part in only]
        environment = find_environment(env)
        with signed_in(environment, environment.role_for(None)) as (_, cluster):
            jobs = start(cluster, parts, environment.deploy, datetime.now(UTC))
            ended = watch(cluster, jobs)
        rotations = [
            {"job": job, "parts": chosen, "status": "failed" if ended[job] else "finished", "reason": ended[job]}
            for job, chosen in jobs.items()
        ]
        if as_json:
            print(json.dumps({"environment": env, "rotations": rotations}, indent=2))
        failed = [f"{job}: {reason}" for job, reason in ended.items() if reason]
        if failed:
            raise PlainError("; ".join(failed) + f"; `mlp rotate --env {env}` goes on from there")
        if not as_json:
            for line in done(env, parts):
                errors.print(line, highlight=False, markup=False, soft_wrap=True)


def done(env: str, parts: Sequence[str]) -> list[str]:
    """Return the lines to print at the end."""
    lines = [f"Rotated in {env}: {', '.join(parts)}. The old passwords are worth nothing any more."]
    if Part.administrator in parts:
        lines.append(
            "MLflow's servers sign the forms of its page with the new session key after their next start: "
            f"kubectl rollout restart -n {NAMESPACE} deployment/mlflow"
        )
    return lines


def by_cronjob(parts: Sequence[str]) -> dict[str, list[str]]:
    """Return the parts that each CronJob rotates."""
    from platform_services.mlflow.rotation_names import cronjob

    found: dict[str, list[str]] = {}
    for part in parts:
        found.setdefault(cronjob(part), []).append(part)
    return found


def start(cluster: Cluster, parts: Sequence[str], deploy: str, now: datetime) -> dict[str, list[str]]:
    """Create the Jobs.

    Returns:
        The parts that each Job rotates, by Job name.

    Raises:
        PlainError: the environment has no such CronJobs, or one of their Jobs still runs.
    """
    from ml_workloads.runtime.job_failures import finished
    from mlp.projects.train import job_from, job_name

    made: dict[str, Any] = {}
    rotated: dict[str, list[str]] = {}
    running = cluster.items(_path("jobs"))
    for name, chosen in by_cronjob(parts).items():
        found = cluster.find(_path(f"cronjobs/{name}"))
        if found is None:
            raise PlainError(f"there is no CronJob {name} in {NAMESPACE}: {deploy}")
        for job in running:
            owners = [each["name"] for each in job["metadata"].get("ownerReferences") or []]
            if name in owners and finished(job) is None:
                raise PlainError(
                    f"{job['metadata']['name']} still rotates; wait for it: "
                    f"kubectl wait -n {NAMESPACE} job/{job['metadata']['name']} --for=condition=Complete"
                )
        job = job_name(name, now)
        made[job], rotated[job] = choose(job_from(found, job), chosen), chosen
    for job, body in made.items():
        cluster.create(_path("jobs"), body)
        _say(f"Started {job} in {NAMESPACE}.")
    return rotated


def choose(job: dict[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    """Return the Job, limited to the given parts."""
    from platform_services.mlflow.rotation_names import VARIABLE

    (container,) = job["spec"]["template"]["spec"]["containers"]
    for variable in container["env"]:
        if variable["name"] == VARIABLE:
            variable["value"] = json.dumps(list(parts))
    return job


def watch(cluster: Cluster, jobs: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Wait until all Jobs have ended, and show the logs of their pods.

    Returns:
        The reason of failure by Job name; None for a Job that succeeded.
    """
    from ml_workloads.runtime.job_failures import finished

    ended: dict[str, str | None] = {}
    shown: dict[str, int] = {}
    while True:
        for job in jobs:
            if job in ended:
                continue
            # Checked before the log is read, so that no line is missed.
            state = finished(cluster.find(_path(f"jobs/{job}")))
            _show(cluster, job, shown)
            if state is not None:
                ended[job] = None if state == "Complete" else _reason(cluster, job)
        if len(ended) == len(jobs):
            return ended
        time.sleep(_PAUSE_SECONDS)


def _pods(cluster: Cluster, job: str) -> list[Any]:
    found = cluster.items(f"/api/v1/namespaces/{NAMESPACE}/pods", labelSelector=f"batch.kubernetes.io/job-name={job}")
    return sorted(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))


def _show(cluster: Cluster, job: str, shown: dict[str, int]) -> None:
    """Print the new lines of the logs."""
    from mlp.projects.cluster_access import ApiError
    from mlp.projects.follow import has_begun

    for pod in filter(has_begun, _pods(cluster, job)):
        name = str(pod["metadata"]["name"])
        try:
            lines = list(cluster.lines(f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/log"))
        except ApiError:
            continue  # the pod is starting, or was deleted
        for line in lines[shown.get(name, 0) :]:
            _say(f"  {line}")
        shown[name] = len(lines)


def _reason(cluster: Cluster, job: str) -> str:
    """Return the last line of the last pod's termination message, or the Job's failure message from Kubernetes."""
    for pod in reversed(_pods(cluster, job)):
        for container in pod.get("status", {}).get("containerStatuses") or []:
            said = str(((container.get("state") or {}).get("terminated") or {}).get("message") or "")
            if lines := [line for line in said.splitlines() if line.strip()]:
                return lines[-1]
    found = cluster.find(_path(f"jobs/{job}"))
    conditions = (found or {}).get("status", {}).get("conditions") or []
    return next((str(each.get("message")) for each in conditions if each["type"] == "Failed"), "the Job was deleted")


def _path(what: str) -> str:
    return f"/apis/batch/v1/namespaces/{NAMESPACE}/{what}"


def _say(message: str) -> None:
    errors.print(message, highlight=False, markup=False, soft_wrap=True)

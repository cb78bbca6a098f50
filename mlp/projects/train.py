"""`mlp train`: a training run of a project, created from its CronJob."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mlp.console import Json, PlainError, errors, plain_errors
from mlp.environments import Env
from mlp.projects.session import ProjectArgument, Session, opened
from mlp.projects.show import number, print_json, print_table, tell

if TYPE_CHECKING:
    from mlp.projects.runs import ModelVersion, Run

MANUAL: Final = "cronjob.kubernetes.io/instantiate"
INTERRUPTED: Final = 130


def train(
    project: ProjectArgument,
    env: Env = "dev",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Show its log, and at the end what the gate said.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a project now: one run in addition to its schedule.

    With --follow, exit code 1 and the reason if the run failed; with --json its log goes to the error output. A run
    whose model the gate rejected has not failed.
    """
    with plain_errors(), opened(project, env) as session:
        name = start(session, datetime.now(UTC))
        document: dict[str, Any] = {"project": project, "environment": env, "job": name, "namespace": session.namespace}
        if not follow:
            if as_json:
                print_json(document)
                return
            tell(f"Started {name} in {session.namespace}.")
            tell(f"Its log: mlp logs {project} --env {env} --run {name} --follow")
            return
        errors.print(f"Started {name} in {session.namespace}.", highlight=False, markup=False)
        try:
            reason = _watch(session, name, as_json=as_json)
        except KeyboardInterrupt:
            errors.print(
                f"The run goes on. See it with: mlp logs {project} --env {env} --run {name} --follow",
                highlight=False,
                markup=False,
                soft_wrap=True,
            )
            raise typer.Exit(INTERRUPTED) from None
        _end(session, document, reason, as_json=as_json)


def start(session: Session, now: datetime) -> str:
    """Start a run and return the name of its Job."""
    from ml_workloads.project.deployment_names import TRAINING
    from mlp.projects.cluster_access import CONFLICT, ApiError

    found = session.cluster.find(session.path("cronjobs", TRAINING, "apis/batch/v1"))
    if found is None:
        raise PlainError(f"{session.name} has no CronJob {TRAINING} in {session.namespace}: {session.deploy}")
    for _ in range(3):
        name = job_name(TRAINING, now)
        try:
            session.cluster.create(session.jobs(), job_from(found, name))
        except ApiError as error:
            if error.status != CONFLICT:
                raise
        else:
            return name
    raise PlainError("three names for the run were taken already, which should not happen: try again")


def job_name(cronjob: str, now: datetime) -> str:
    return f"{cronjob}-{now.astimezone(UTC).strftime('%Y%m%d%H%M%S')}-{secrets.token_hex(2)}"


def job_from(cronjob: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a Job for a CronJob, like `kubectl create job --from=cronjob/...`.

    The CronJob's history contains the Job and cleans it up. Unlike with that command, the Job blocks the deletion of
    the CronJob, as scheduled runs do: the program deletes the CronJob before the namespace, and a namespace with
    unfinished Jobs may never terminate. No permission on the CronJob's finalizers is needed, because EKS does not run
    the admission plugin OwnerReferencesPermissionEnforcement.
    https://kubernetes.io/docs/reference/kubectl/generated/kubectl_create/kubectl_create_job/
    https://kubernetes.io/docs/concepts/architecture/garbage-collection/#foreground-deletion
    """
    template = copy.deepcopy(dict(cronjob["spec"]["jobTemplate"]))
    metadata = template.get("metadata") or {}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "labels": dict(metadata.get("labels") or {}),
            "annotations": {MANUAL: "manual", **(metadata.get("annotations") or {})},
            "ownerReferences": [
                {
                    "apiVersion": "batch/v1",
                    "kind": "CronJob",
                    "name": cronjob["metadata"]["name"],
                    "uid": cronjob["metadata"]["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": template["spec"],
    }


def _watch(session: Session, name: str, *, as_json: bool) -> str | None:
    """Follow the run and return the cause of failure, None if it succeeded."""
    from mlp.projects.follow import follow

    def say(message: str) -> None:
        errors.print(f"  {message}", highlight=False, markup=False, soft_wrap=True)

    def write(line: str) -> None:
        print(line, file=errors.file) if as_json else print(line, flush=True)

    return follow(session, name, say, write).reason


def _end(session: Session, document: dict[str, Any], reason: str | None, *, as_json: bool) -> None:
    from mlp.projects.runs import as_document

    name = str(document["job"])
    if reason is not None:
        _tell_mlflow(session, name)
        if as_json:
            print_json({**document, "status": "failed", "reason": reason})
        raise PlainError(f"{name} failed: {reason}")
    run, version = _recorded(session, name)
    if as_json:
        print_json(
            {
                **document,
                "status": "finished",
                "run": as_document(run) if run else None,
                "version": as_document(version) if version else None,
            }
        )
        return
    if run is None:
        tell(f"{name} ended well, but MLflow has no run of it.")
        return
    show(session, name, run, version)


def _tell_mlflow(session: Session, job: str) -> None:
    """Record the end of a killed run in MLflow. Errors on the way are less important than the run's failure itself."""
    from mlp.projects.abandoned import settle
    from mlp.projects.runs import runs_of
    from mlp.projects.tracking import tracking

    try:
        with errors.status("Asking MLflow"), tracking(session) as client:
            settle(session, client, runs_of(client, session.name, 1, job))
    except PlainError as error:
        said = f"MLflow could not be told: {error}"
        errors.print(said, style="yellow", highlight=False, markup=False, soft_wrap=True)


def _recorded(session: Session, job: str) -> tuple[Run | None, ModelVersion | None]:
    from mlp.projects.runs import runs_of, version_of_run
    from mlp.projects.tracking import tracking

    with errors.status("Asking MLflow"), tracking(session) as client:
        # Of several attempts, the newest one is the one that succeeded.
        run = next(iter(runs_of(client, session.name, 1, job)), None)
        return run, version_of_run(client, session.name, run.run_id) if run else None


def show(session: Session, job: str, run: Run, version: ModelVersion | None) -> None:
    from mlp.projects.runs import without_gaps

    rows: list[tuple[str, object]] = [("run", run.run_id), ("status", run.status)]
    rows += [(name, number(value)) for name, value in without_gaps(run.metrics)]
    rows += [("version", version.version if version else None), ("gate", version.gate if version else None)]
    rows += [("aliases", (", ".join(version.aliases) or None) if version else None)]
    print_table(job, ("What", "Value"), rows)
    if version and "dev" in version.aliases:
        tell(f"Next: mlp promote {session.name} --env {session.place.environment.name} --to staging")

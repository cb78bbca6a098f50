"""`mlp status`: state of a project's deployment, training and serving, and the version that answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from mlp.console import Json, PlainError, errors, plain_errors
from mlp.environments import Env
from mlp.projects.logs import newest_job
from mlp.projects.session import Session, opened, signed_in
from mlp.projects.show import from_kubernetes, print_json, print_table, tell
from mlp.projects.state import (
    Aliases,
    Answering,
    ProjectState,
    Quota,
    Run,
    Serving,
    Training,
    Unseen,
    as_document,
    overview_document,
    overview_row,
    rows,
)

if TYPE_CHECKING:
    from ml_workloads.project import Project

T = TypeVar("T")


def status(
    project: Annotated[
        str | None, typer.Argument(help="Name of the project; all that are meant for it if none.")
    ] = None,
    env: Env = "dev",
    as_json: Json = False,
) -> None:
    """Show the state of a project: image, schedule, last run, replicas, the version that answers, aliases, quota.

    Without a project: all projects of the environment, one line each.
    """
    with plain_errors():
        if project is None:
            _show_all(env, as_json=as_json)
            return
        with opened(project, env) as session, errors.status(f"Looking at {project}"):
            found = look(session, with_aliases=True)
        if as_json:
            print_json(as_document(found))
            return
        print_table(f"{project} in {env}", ("What", "State"), rows(found))
        for problem in found.problems:
            errors.print(f"note: {problem}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def look(session: Session, *, with_aliases: bool) -> ProjectState:
    """Return the state of a project. A part that cannot be read becomes a problem and does not end the command."""
    problems: list[str] = []

    def attempt(call: Callable[[], T]) -> T | None:
        try:
            return call()
        except PlainError as error:
            problems.append(str(error))
            return None

    from ml_workloads.project.deployment_names import FIT

    cluster = session.cluster
    cronjob = attempt(lambda: cluster.find(session.path("cronjobs", "training", "apis/batch/v1")))
    deployment = attempt(lambda: cluster.find(session.path("deployments", "serving", "apis/apps/v1")))
    job = attempt(lambda: newest_job(session))
    quotas = attempt(lambda: cluster.items(session.path("resourcequotas"))) or []
    aliases = attempt(lambda: aliases_of(session)) if with_aliases else None
    return ProjectState(
        project=session.name,
        environment=session.place.environment.name,
        namespace=session.namespace,
        image=image_of(attempt(lambda: cluster.find(session.path("cronjobs", FIT, "apis/batch/v1")))),
        training=training_of(cronjob),
        last_run=attempt(lambda: last_run(session, job)) if job else None,
        serving=serving_of(deployment),
        answering=attempt(lambda: answering(session)) if deployment else None,
        aliases=aliases,
        quota=quota_of(quotas),
        problems=tuple(problems),
    )


def image_of(template: Mapping[str, Any] | None) -> str | None:
    """Return the project's image, from the CronJob that is the template of trainings. Servers run the same image."""
    pod = template["spec"]["jobTemplate"]["spec"]["template"]["spec"] if template else None
    return str(pod["containers"][0]["image"]) if pod else None


def training_of(cronjob: Mapping[str, Any] | None) -> Training | None:
    """Return the schedule, None for a project without one, and whether it is suspended."""
    if cronjob is None:
        return None
    from ml_workloads.project.deployment_names import NO_SCHEDULE

    suspended, schedule = bool(cronjob["spec"].get("suspend")), cronjob["spec"]["schedule"]
    return Training(schedule=None if suspended and schedule == NO_SCHEDULE else schedule, suspended=suspended)


def last_run(session: Session, job: Mapping[str, Any]) -> Run:
    from ml_workloads.runtime.job_failures import explain_failure, finished, waiting
    from mlp.projects.follow import events_of, has_begun, is_over, pods_of

    name = str(job["metadata"]["name"])
    ended = finished(job)
    started = from_kubernetes(job.get("status", {}).get("startTime"))
    conditions = job.get("status", {}).get("conditions") or []
    times = [each.get("lastTransitionTime") for each in conditions if each["type"] == ended]
    until = from_kubernetes(job.get("status", {}).get("completionTime") or next(iter(times), None))
    run = Run(
        job=name,
        state="finished" if ended == "Complete" else "failed" if ended == "Failed" else "running",
        started=started,
        seconds=(until - started).total_seconds() if until and started else None,
    )
    if run.state == "finished":
        return run
    pods = pods_of(session, name)
    events = events_of(session, name, pods)
    if run.state == "failed":
        return replace(run, reason=explain_failure(job, pods, events))
    if any(has_begun(pod) and not is_over(pod) for pod in pods):
        return run
    return replace(run, state="waiting", reason=waiting(job, pods, events))


def serving_of(deployment: Mapping[str, Any] | None) -> Serving | None:
    if deployment is None:
        return None
    state = deployment.get("status", {})
    return Serving(
        replicas=int(deployment["spec"].get("replicas") or 0),
        ready=int(state.get("readyReplicas") or 0),
        updated=int(state.get("updatedReplicas") or 0),
    )


def answering(session: Session) -> Answering:
    """Return the status that one of the servers reports."""
    from mlp.projects.predict import call, serving

    with serving(session, unready=True) as forward:
        code, body = call(forward, "GET", "/readyz")
    try:
        said = json.loads(body)
    except ValueError:
        raise PlainError(f"/readyz of the server answered {code} and no JSON") from None
    model = said.get("model") or {}
    return Answering(ready=code == http.client.OK, version=model.get("version"), problem=said.get("problem") or None)


def aliases_of(session: Session) -> Aliases:
    """Return the version of each alias, and the account that moved it, if MLflow has recorded it."""
    from ml_workloads.promotion import ModelRegistry
    from mlp.projects.promote import plain_refusals
    from mlp.projects.tracking import tracking

    with tracking(session) as client, plain_refusals():
        registry = ModelRegistry(client, session.name)
        versions = registry.standing().aliases
        writes = {alias: registry.last_write(alias, version) for alias, version in versions.items()}
        writers = {alias: write.account if write else None for alias, write in writes.items()}
        return Aliases(versions=versions, writers=writers)


def quota_of(quotas: Sequence[Mapping[str, Any]]) -> Mapping[str, Quota]:
    """Return used and allowed amounts, without resources whose limit is 0."""
    found: dict[str, Quota] = {}
    for quota in quotas:
        hard = quota.get("status", {}).get("hard") or quota["spec"].get("hard") or {}
        used = quota.get("status", {}).get("used") or {}
        found |= {name: Quota(used=used.get(name, "0"), hard=most) for name, most in hard.items() if most != "0"}
    return found


def _show_all(env: str, *, as_json: bool) -> None:
    from mlp.projects.environment import Place, all_projects, find_environment

    environment = find_environment(env)
    meant = [each for each in all_projects() if env in each.environments]
    with signed_in(environment, environment.role_for(None)) as (aws, cluster), errors.status("Looking at the projects"):
        sessions = [
            Session(place=Place(project=each, environment=environment), aws=aws, cluster=cluster) for each in meant
        ]
        found = [_short(session.place.project, session) for session in sessions]
    if as_json:
        print_json([overview_document(each) for each in found])
        return
    if not found:
        tell(f"No project is meant for {env}: mlp projects")
        return
    columns = ("Project", "Deployed", "Last run", "Replicas", "Version that answers", "Problem")
    print_table(f"Projects in {env}", columns, (overview_row(each) for each in found))


def _short(project: Project, session: Session) -> ProjectState | Unseen:
    try:
        if not session.is_deployed():
            return Unseen(project=project.name)
    except PlainError as error:
        return Unseen(project=project.name, problem=str(error))
    return look(session, with_aliases=False)

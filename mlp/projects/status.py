"""`mlp status`: state of a project's deployment, training and serving, and the version that answers."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mlp.console import Json, PlainError, errors, plain_errors
from mlp.environments import Env
from mlp.projects.logs import newest_job
from mlp.projects.session import Session, opened, signed_in
from mlp.projects.show import duration, from_kubernetes, moment, print_json, print_table, tell

if TYPE_CHECKING:
    from ml_workloads.project import Project

Document = dict[str, Any]


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
            print_json(found)
            return
        print_table(f"{project} in {env}", ("What", "State"), rows(found))
        for problem in found["problems"]:
            errors.print(f"note: {problem}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def look(session: Session, *, with_aliases: bool) -> Document:
    """Return the state of a project. A part that cannot be read becomes a problem and does not end the command."""
    problems: list[str] = []

    def attempt(call: Callable[[], Any]) -> Any:
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
    aliases, writers = (attempt(lambda: aliases_of(session)) if with_aliases else None) or (None, None)
    return {
        "project": session.name,
        "environment": session.place.environment.name,
        "namespace": session.namespace,
        "image": image_of(attempt(lambda: cluster.find(session.path("cronjobs", FIT, "apis/batch/v1")))),
        "training": training_of(cronjob),
        "last_run": attempt(lambda: last_run(session, job)) if job else None,
        "serving": serving_of(deployment),
        "answering": attempt(lambda: answering(session)) if deployment else None,
        "aliases": aliases,
        "aliases_by": writers,
        "quota": quota_of(quotas),
        "problems": problems,
    }


def image_of(template: Mapping[str, Any] | None) -> str | None:
    """Return the project's image, from the CronJob that is the template of trainings. Servers run the same image."""
    pod = template["spec"]["jobTemplate"]["spec"]["template"]["spec"] if template else None
    return str(pod["containers"][0]["image"]) if pod else None


def training_of(cronjob: Mapping[str, Any] | None) -> Document | None:
    """Return the schedule, None for a project without one, and whether it is suspended."""
    if cronjob is None:
        return None
    from ml_workloads.project.deployment_names import NO_SCHEDULE

    suspended, schedule = bool(cronjob["spec"].get("suspend")), cronjob["spec"]["schedule"]
    return {"schedule": None if suspended and schedule == NO_SCHEDULE else schedule, "suspended": suspended}


def last_run(session: Session, job: Mapping[str, Any]) -> Document:
    from ml_workloads.runtime.job_failures import explain_failure, finished, waiting
    from mlp.projects.follow import events_of, has_begun, is_over, pods_of

    name = str(job["metadata"]["name"])
    ended = finished(job)
    started = from_kubernetes(job.get("status", {}).get("startTime"))
    found: Document = {"job": name, "state": {"Complete": "finished", "Failed": "failed"}.get(ended or "", "running")}
    found |= {"started": started, "seconds": None, "reason": None}
    conditions = job.get("status", {}).get("conditions") or []
    times = [each.get("lastTransitionTime") for each in conditions if each["type"] == ended]
    until = from_kubernetes(job.get("status", {}).get("completionTime") or next(iter(times), None))
    if until and started:
        found["seconds"] = (until - started).total_seconds()
    if ended == "Complete":
        return found
    pods = pods_of(session, name)
    events = events_of(session, name, pods)
    if ended == "Failed":
        found["reason"] = explain_failure(job, pods, events)
    elif not any(has_begun(pod) and not is_over(pod) for pod in pods):
        found |= {"state": "waiting", "reason": waiting(job, pods, events)}
    return found


def serving_of(deployment: Mapping[str, Any] | None) -> Document | None:
    if deployment is None:
        return None
    state = deployment.get("status", {})
    return {
        "replicas": int(deployment["spec"].get("replicas") or 0),
        "ready": int(state.get("readyReplicas") or 0),
        "updated": int(state.get("updatedReplicas") or 0),
    }


def answering(session: Session) -> Document:
    """Return the status that one of the servers reports."""
    from mlp.projects.predict import call, serving

    with serving(session, unready=True) as forward:
        code, body = call(forward, "GET", "/readyz")
    try:
        said = json.loads(body)
    except ValueError:
        raise PlainError(f"/readyz of the server answered {code} and no JSON") from None
    model = said.get("model") or {}
    return {
        "ready": code == http.client.OK,
        "version": model.get("version"),
        "problem": said.get("problem") or None,
    }


def aliases_of(session: Session) -> tuple[Mapping[str, str], Mapping[str, str | None]]:
    """Return the version of each alias, and the account that moved it, if MLflow has recorded it."""
    from ml_workloads.promotion import ModelRegistry
    from mlp.projects.promote import plain_refusals
    from mlp.projects.tracking import tracking

    with tracking(session) as client, plain_refusals():
        registry = ModelRegistry(client, session.name)
        aliases = registry.standing().aliases
        writes = {alias: registry.last_write(alias, version) for alias, version in aliases.items()}
        return aliases, {alias: write.account if write else None for alias, write in writes.items()}


def quota_of(quotas: list[Mapping[str, Any]]) -> Mapping[str, Mapping[str, str]]:
    """Return used and allowed amounts, without resources whose limit is 0."""
    found: dict[str, Mapping[str, str]] = {}
    for quota in quotas:
        hard = quota.get("status", {}).get("hard") or quota["spec"].get("hard") or {}
        used = quota.get("status", {}).get("used") or {}
        found |= {name: {"used": used.get(name, "0"), "hard": most} for name, most in hard.items() if most != "0"}
    return found


def rows(found: Document) -> list[tuple[str, object]]:
    training, run, serving, answers = (found[name] for name in ("training", "last_run", "serving", "answering"))
    lines: list[tuple[str, object]] = [("namespace", found["namespace"]), ("image", found["image"])]
    schedule = None if training is None else training["schedule"] or "none: only `mlp train` starts a run"
    if training and training["schedule"] and training["suspended"]:
        schedule = f"{schedule}, paused"
    lines += [("schedule (UTC)", schedule), ("last run", run["job"] if run else "none yet")]
    if run:
        took = f", took {duration(run['seconds'])}" if run["seconds"] is not None else ""
        lines.append(("", f"{run['state']}, began {moment(run['started'])}{took}"))
        lines += [("", line) for line in str(run["reason"] or "").splitlines()]
    if serving:
        lines.append(("replicas", f"{serving['ready']} of {serving['replicas']} ready"))
        lines.append(("version that answers", answers["version"] if answers else None))
        if answers and answers["problem"]:
            lines.append(("", answers["problem"]))
    aliases, writers = found["aliases"] or {}, found["aliases_by"] or {}
    by = {alias: f" (by {writer})" if writer else "" for alias, writer in writers.items()}
    named = ", ".join(f"{alias} {version}{by.get(alias, '')}" for alias, version in sorted(aliases.items()))
    lines.append(("aliases", named or None))
    lines += [(f"quota {name}", f"{each['used']} of {each['hard']}") for name, each in found["quota"].items()]
    return lines


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
        print_json(found)
        return
    if not found:
        tell(f"No project is meant for {env}: mlp projects")
        return
    columns = ("Project", "Deployed", "Last run", "Replicas", "Version that answers", "Problem")
    print_table(f"Projects in {env}", columns, (_line(each) for each in found))


def _short(project: Project, session: Session) -> Document:
    try:
        if not session.is_deployed():
            return {"project": project.name, "deployed": False, "problems": []}
    except PlainError as error:
        return {"project": project.name, "deployed": None, "problems": [str(error)]}
    return {**look(session, with_aliases=False), "deployed": True}


def _line(found: Document) -> tuple[object, ...]:
    deployed = {True: "yes", False: "no", None: "unknown"}[found["deployed"]]
    run, serving, answers = found.get("last_run"), found.get("serving"), found.get("answering")
    return (
        found["project"],
        deployed,
        f"{run['state']} {moment(run['started'])}" if run else None,
        f"{serving['ready']} of {serving['replicas']}" if serving else None,
        answers["version"] if answers else None,
        "; ".join(found["problems"]) or None,
    )

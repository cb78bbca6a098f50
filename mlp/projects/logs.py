"""`mlp logs`: logs of a project's servers or training runs."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Any

import typer

from ml_workloads.project.deployment_names import CONDUCTOR, SERVING
from mlp.console import Json, PlainError, plain_errors
from mlp.environments import Env
from mlp.projects.session import ProjectArgument, Session, opened
from mlp.projects.show import tell

Object = dict[str, Any]


def logs(
    project: ProjectArgument,
    env: Env = "dev",
    serving: Annotated[bool, typer.Option("--serving", help="Of the servers; the default if there are any.")] = False,
    training: Annotated[bool, typer.Option("--training", help="Of the newest training run.")] = False,
    run: Annotated[str | None, typer.Option("--run", help="Of this run: its Job, as `mlp runs` lists it.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many of the last lines of each pod.")] = 200,
    as_json: Json = False,
) -> None:
    """Show logs of a project's pods. With --json, each line is one object: {"pod": ..., "line": ...}."""
    if serving and (training or run):
        raise typer.BadParameter("--serving goes with neither --training nor --run", param_hint="--serving")
    with plain_errors(), opened(project, env) as session:
        of_training = training or run is not None or (not serving and session.place.project.serving.online is None)
        pods = _training(session, run) if of_training else _serving(session)
        names = [str(pod["metadata"]["name"]) for pod in pods]
        query = {"tailLines": str(lines), "container": CONDUCTOR if of_training else SERVING}
        sources = {name: _source(session, name, {**query, "follow": "true"} if follow else query) for name in names}
        for pod, line in _together(sources) if follow else _in_turn(sources):
            if as_json:
                print(json.dumps({"pod": pod, "line": line}), flush=True)
            else:
                print(f"{pod}: {line}" if len(names) > 1 else line, flush=True)
        if of_training and follow:
            _tell_end(session, names[-1], as_json=as_json)


def _serving(session: Session) -> Sequence[Object]:
    from mlp.projects.follow import has_begun
    from mlp.projects.listing import no_serving
    from mlp.projects.pods import state

    if session.place.project.serving.online is None:
        raise no_serving(session.name)
    pods = session.cluster.pods(session.namespace, "serving")
    begun = [pod for pod in pods if has_begun(pod)]
    if not begun:
        states = ", ".join(f"{pod['metadata']['name']} ({state(pod)})" for pod in pods)
        raise PlainError(f"no server of {session.name} has begun: {states or f'there are no pods; {session.deploy}'}")
    return begun


def _training(session: Session, run: str | None) -> Sequence[Object]:
    """Return the newest pod of the run."""
    from ml_workloads.runtime.job_failures import explain_failure, finished, waiting
    from mlp.projects.follow import events_of, has_begun, pods_of

    env = session.place.environment.name
    job = session.cluster.find(session.jobs(run)) if run else newest_job(session)
    if job is None:
        what = f"no run {run} (runs are kept for a week)" if run else "no runs"
        raise PlainError(f"there is {what} of {session.name} in {env}; mlp train {session.name} --env {env} starts one")
    name = str(job["metadata"]["name"])
    pods = pods_of(session, name)
    begun = [pod for pod in pods if has_begun(pod)]
    if begun:
        return begun[-1:]
    events = events_of(session, name, pods)
    why = explain_failure(job, pods, events) if finished(job) else waiting(job, pods, events)
    raise PlainError(f"{name} has no log: {why}")


def newest_job(session: Session) -> Object | None:
    """Return the newest Job of the project's training."""
    found = session.cluster.items(session.jobs(), labelSelector="app.kubernetes.io/name=training")
    return max(found, key=lambda job: str(job["metadata"]["creationTimestamp"]), default=None)


def _source(session: Session, pod: str, query: dict[str, str]) -> Callable[[], Iterator[str]]:
    return lambda: session.cluster.lines(session.path("pods", f"{pod}/log"), **query)


def _in_turn(sources: dict[str, Callable[[], Iterator[str]]]) -> Iterator[tuple[str, str]]:
    for name, source in sources.items():
        for line in source():
            yield name, line


def _together(sources: dict[str, Callable[[], Iterator[str]]]) -> Iterator[tuple[str, str]]:
    """Yield lines of all sources as they arrive, until all have ended."""
    lines: queue.Queue[tuple[str, str | None]] = queue.Queue()

    def read(name: str, source: Callable[[], Iterator[str]]) -> None:
        try:
            for line in source():
                lines.put((name, line))
        except PlainError as error:
            lines.put((name, f"error: {error}"))
        finally:
            lines.put((name, None))

    for name, source in sources.items():
        threading.Thread(target=read, args=(name, source), daemon=True).start()
    left = len(sources)
    while left:
        # With a timeout, because on some systems Ctrl-C does not interrupt a wait without one.
        try:
            name, line = lines.get(timeout=1.0)
        except queue.Empty:
            continue
        if line is None:
            left -= 1
        else:
            yield name, line


def _tell_end(session: Session, pod: str, *, as_json: bool) -> None:
    found = session.cluster.find(session.path("pods", pod))
    if found is not None and not as_json:
        tell(f"{pod}: {found.get('status', {}).get('phase')}")

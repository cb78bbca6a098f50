"""Detection of runs that ended without recording it: killed for lack of memory, or lost with their node.

MLflow shows such runs as running. Their Jobs have the real status, and this module records it in MLflow.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ml_workloads.runtime import records
from ml_workloads.runtime.job_failures import explain_failure, finished
from mlp.projects.follow import events_of, pods_of
from mlp.projects.runs import Run, read_run

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mlp.projects.session import Session


def settle(session: Session, client: MlflowClient, runs: Sequence[Run]) -> list[Run]:
    """Return the runs. Runs whose Job has ended are recorded as failed, with the reason from Kubernetes."""
    return [_settled(session, client, run, datetime.now(UTC)) for run in runs]


def _settled(session: Session, client: MlflowClient, run: Run, now: datetime) -> Run:
    if run.status != "RUNNING" or not run.job:
        return run
    reason = _why_it_is_over(session, run, now)
    if reason is None:
        return run
    # The run may have ended by itself since the runs were listed.
    latest = read_run(client, run.run_id)
    if latest.status != "RUNNING":
        return latest
    client.set_tag(run.run_id, records.FAILURE, reason)
    client.set_terminated(run.run_id, status="FAILED")
    return read_run(client, run.run_id)


def _why_it_is_over(session: Session, run: Run, now: datetime) -> str | None:
    """Return the reason why a run is over, None while it may still continue."""
    job = str(run.job)
    found = session.cluster.find(session.jobs(job))
    if found is None:
        # Not every run belongs to a Job: a run on a user's own machine may have any job name.
        longest = timedelta(minutes=session.place.project.training.deadline_minutes)
        over = run.started is not None and now - run.started > longest
        return f"it never said how it ended, and its Job {job} is gone" if over else None
    ended = finished(found)
    if ended == "Complete":
        return "it never said how it ended; another attempt of its Job ended well"
    if ended is None:
        return None
    pods = pods_of(session, job)
    return explain_failure(found, pods, events_of(session, job, pods))

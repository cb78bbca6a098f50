"""Outage of MLflow or its database: servers keep answering, and trainings wait and report when they give up."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from mlp.projects.follow import pods_of
from mlp.projects.session import Session
from mlp.projects.tracking import NAME as MLFLOW
from mlp.projects.tracking import NAMESPACE
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.projects.conftest import LaterRuns
from tests.environments.real_nodes.projects.deployed import (
    Answer,
    DeployedProjects,
    Document,
    Ended,
    ask,
    follow_run,
    look,
    row,
    start_run,
    version_of_job,
    wait_for_line,
)
from tests.environments.real_nodes.projects.sources import EXAMPLE


@dataclass(frozen=True)
class Outage:
    """Observations of an outage.

    `answers` are predictions while the database, then MLflow too, was down; `told` is what the server said of it.
    `impatient` is the first pod of a run that waits for 5 seconds, `attempts` counts the pods of this run.
    """

    answers: list[Answer]
    told: str
    impatient: Document
    attempts: int
    patient: Ended
    patient_job: str


@contextmanager
def database_stopped(deployed: DeployedProjects) -> Generator[None]:
    rds = deployed.box.client("rds")
    (instance,) = rds.describe_db_instances()["DBInstances"]
    name = instance["DBInstanceIdentifier"]

    def is_(status: str) -> bool:
        return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]["DBInstanceStatus"] == status

    rds.stop_db_instance(DBInstanceIdentifier=name)
    try:
        eventually(lambda: is_("stopped"), "the database is stopped", 60)
        yield
    finally:
        eventually(lambda: is_("stopped"), "the database is stopped", 60)
        rds.start_db_instance(DBInstanceIdentifier=name)
        eventually(lambda: is_("available"), "the database is back", 60)


@pytest.fixture(scope="module")
def outage(deployed: DeployedProjects, later_runs: LaterRuns) -> Outage:
    document, answers = {"instances": [row(deployed.copy.folder)]}, list[Answer]()
    with deployed.session(EXAMPLE) as session, deployed.server(EXAMPLE) as forward:
        try:
            with database_stopped(deployed):
                patient = start_run(session, "patient")
                impatient = start_run(
                    session,
                    "impatient",
                    {"CONDUCTOR_PATIENCE_SECONDS": "5"},
                    lambda spec: spec.update(backoffLimit=0),
                )
                wait_for_line(session, patient, "trying again")
                pods = eventually(lambda: second_attempt(session, impatient), "the run is tried again", 240)
                deployed.box.kubectl("delete", "job", impatient, "-n", session.place.project.namespace, "--wait=false")
                answers.append(ask(forward, document))
                deployed.scale(MLFLOW, NAMESPACE, 0)
                told = eventually(lambda: look(forward, "/readyz").body["problem"], "the server tells it", 120)
                answers.append(ask(forward, document))
        finally:
            deployed.scale(MLFLOW, NAMESPACE, 1)
        return Outage(answers, str(told), pods[0], len(pods), follow_run(session, patient), patient)


def second_attempt(session: Session, job: str) -> list[Document]:
    """Return the pods of a run, first to last, once there are at least two; else an empty list."""
    found = pods_of(session, job)
    return found if len(found) > 1 else []


def test_predictions_go_on_and_the_server_tells_that_nobody_says_which_version_to_serve(outage: Outage) -> None:
    assert [(answer.status, answer.body["model"]["version"]) for answer in outage.answers] == [(200, "1")] * 2
    assert outage.told.startswith("the registry does not say which version to serve")


def test_a_run_waits_says_so_and_goes_on_when_mlflow_is_back(deployed: DeployedProjects, outage: Outage) -> None:
    assert outage.patient.reason is None
    assert outage.patient.pods == 1
    assert "cannot begin a run yet, trying again" in outage.patient.log
    with deployed.tracking(EXAMPLE) as client:
        runs, versions = version_of_job(client, EXAMPLE, outage.patient_job)
    assert runs[-1].info.status == "FINISHED"
    assert len(versions) == 1


def test_a_run_whose_patience_is_over_says_so_and_is_tried_again_without_counting_as_failed(outage: Outage) -> None:
    (container,) = outage.impatient["status"]["containerStatuses"]
    ended = container["state"]["terminated"]
    assert ended["exitCode"] == 75
    assert "could not begin a run within 5 s, MLflow does not answer" in ended["message"]
    assert outage.attempts == 2, "its Job has no attempt to spare, and makes a second pod all the same"


def test_the_server_follows_again(deployed: DeployedProjects, outage: Outage) -> None:
    with deployed.server(EXAMPLE) as forward:
        eventually(lambda: not look(forward, "/readyz").body["problem"], "the server follows again", 90)

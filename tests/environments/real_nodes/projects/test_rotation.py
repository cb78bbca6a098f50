"""Rotation of all MLflow passwords while clients, a server and a run use them: no request fails."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
import requests
from mlflow import MlflowClient

from mlp.projects.pods import forwarded
from mlp.projects.tracking import NAME as MLFLOW
from mlp.projects.tracking import NAMESPACE, PORT
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.projects.conftest import FirstModel
from tests.environments.real_nodes.projects.deployed import (
    PREFIX,
    DeployedProjects,
    Document,
    Ended,
    follow_run,
    look,
    row,
    start_run,
    version_of_job,
    wait_for_line,
)
from tests.environments.real_nodes.projects.load import load
from tests.environments.real_nodes.projects.sources import EXAMPLE, FAULTS, OTHER

PAUSE_SECONDS = 0.1
LOGIN = f"{PREFIX}/mlflow/database"
ACCOUNTS = {
    "admin": f"{PREFIX}/mlflow/admin",
    EXAMPLE: f"{PREFIX}/mlflow/accounts/{EXAMPLE}/password",
    OTHER: f"{PREFIX}/mlflow/accounts/{OTHER}/password",
}
Held = dict[str, Document]


@dataclass
class Requests:
    """Requests at MLflow, each sent once; `failures` are the errors in place of answers."""

    answered: int = 0
    failures: list[str] = field(default_factory=list[str])


@dataclass(frozen=True)
class Rotated:
    """Secret values `before` and `after` a rotation; `finished` is the time of the last change in ms."""

    said: Document
    before: Held
    after: Held
    finished: int
    at_mlflow: Requests
    predictions: Requests
    run: Ended
    job: str


def held(deployed: DeployedProjects) -> Held:
    return {name: dict(json.loads(deployed.secret(name))) for name in (LOGIN, *ACCOUNTS.values())}


@contextmanager
def requests_at_mlflow(client: MlflowClient) -> Generator[Requests]:
    """Send reads and writes of a project's account, which reach the database, until the block ends."""
    experiment = client.get_experiment_by_name(EXAMPLE)
    assert experiment is not None
    run = client.create_run(experiment.experiment_id).info.run_id
    made, ended = Requests(), threading.Event()

    def ask_on() -> None:
        while not ended.wait(PAUSE_SECONDS):
            try:
                client.log_metric(run, "answered", made.answered)
                client.get_registered_model(EXAMPLE)
            except Exception as error:
                made.failures.append(str(error))
            else:
                made.answered += 1

    thread = threading.Thread(target=ask_on, name="requests", daemon=True)
    thread.start()
    try:
        yield made
    finally:
        ended.set()
        thread.join(timeout=60)
        client.set_terminated(run)


@pytest.fixture(scope="module")
def rotated(deployed: DeployedProjects, first_model: FirstModel) -> Rotated:
    with deployed.session(EXAMPLE) as session:
        job = start_run(session, "rotated", {"TRAINING_ENTRYPOINT": f"{FAULTS}:slow"})
        wait_for_line(session, job, "the data meets its contract")
    before = held(deployed)
    document = {"instances": [row(deployed.copy.folder)]}
    with deployed.server(EXAMPLE) as forward, load(forward, document) as predictions:
        with deployed.tracking(EXAMPLE) as client:
            # A request that has to be sent again because a server failed it is one that failed.
            os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "0"
            with requests_at_mlflow(client) as at_mlflow:
                said = deployed.mlp("rotate")
                finished = int(time.time() * 1000)
        after = held(deployed)
        eventually(lambda: not look(forward, "/readyz").body["problem"], "the server follows", 60)
    with deployed.session(EXAMPLE) as session:
        run = follow_run(session, job)
    answers = Requests(predictions.answered, predictions.failures)
    return Rotated(said, before, after, finished, at_mlflow, answers, run, job)


def test_no_request_fails(rotated: Rotated) -> None:
    assert [each["status"] for each in rotated.said["rotations"]] == ["finished", "finished"]
    assert sorted(part for each in rotated.said["rotations"] for part in each["parts"]) == [
        "accounts",
        "administrator",
        "database",
    ]
    assert (rotated.at_mlflow.failures, rotated.predictions.failures) == ([], [])
    assert rotated.at_mlflow.answered > 50
    assert rotated.predictions.answered > 20


def test_every_secret_has_another_value(rotated: Rotated) -> None:
    same = [
        (name, key)
        for name, value in rotated.before.items()
        for key in ("password", "session_key")
        if key in value and value[key] == rotated.after[name][key]
    ]
    assert same == []
    assert rotated.before[LOGIN]["username"] != rotated.after[LOGIN]["username"]


def test_a_run_that_began_with_the_old_password_records_its_model(deployed: DeployedProjects, rotated: Rotated) -> None:
    assert rotated.run.reason is None
    assert rotated.run.pods == 1
    with deployed.tracking(EXAMPLE) as client:
        runs, versions = version_of_job(client, EXAMPLE, rotated.job)
    assert [run.info.status for run in runs] == ["FINISHED"]
    assert len(versions) == 1


def test_mlflow_refuses_the_old_passwords_and_takes_the_new(deployed: DeployedProjects, rotated: Rotated) -> None:
    with deployed.cluster() as cluster, forwarded(cluster, NAMESPACE, MLFLOW, PORT, "") as forward:

        def status(account: Document) -> int:
            address = f"{forward.address}/api/2.0/mlflow/users/current"
            return requests.get(address, auth=(account["username"], account["password"]), timeout=60).status_code

        assert {name: status(rotated.after[secret]) for name, secret in ACCOUNTS.items()} == dict.fromkeys(
            ACCOUNTS, 200
        )
        # Other processes of the server remember for 30 s what was right.
        for name, secret in ACCOUNTS.items():
            old = rotated.before[secret]
            eventually(lambda old=old: status(old) == 401, f"the old password of {name} is refused", 60)


def test_the_database_refuses_the_old_login_and_takes_the_new(deployed: DeployedProjects, rotated: Rotated) -> None:
    host, _, port = deployed.outputs["database_endpoint"].partition(":")

    def connect(login: Document) -> str:
        with psycopg.connect(
            host=host,
            port=port,
            dbname="mlflow",
            user=login["username"],
            password=login["password"],
            sslmode="require",
            connect_timeout=10,
        ) as connection:
            found = connection.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'experiments'").fetchone()
        assert found is not None
        return str(found[0])

    assert connect(rotated.after[LOGIN]) == "mlflow_owner"
    with pytest.raises(psycopg.OperationalError, match=r"not permitted to log in|password authentication failed"):
        connect(rotated.before[LOGIN])


def test_no_old_or_new_value_is_in_a_log_or_a_manifest(deployed: DeployedProjects, rotated: Rotated) -> None:
    values = {
        value
        for each in (rotated.before, rotated.after)
        for document in each.values()
        for key, value in document.items()
        if key != "username"
    }
    listed = deployed.box.kubectl("get", "jobs,cronjobs,pods", "--namespace", NAMESPACE, "--output=json")
    logs = [
        deployed.box.kubectl("logs", pod["metadata"]["name"], "--namespace", NAMESPACE, "--tail=-1", ok=False)
        for pod in deployed.list(f"/api/v1/namespaces/{NAMESPACE}/pods")
    ]
    assert "mlflow-rotate-database" in listed
    assert any("is shut out in" in log for log in logs)
    assert [value for value in values if any(value in text for text in (listed, *logs))] == []

"""`mlp status` and `mlp logs`: cluster state that they show, and messages for missing parts."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
from typer.testing import CliRunner, Result

from ml_workloads.project import Project, parse_project
from mlp.app import make_app
from mlp.console import PlainError
from mlp.projects import logs, predict, status
from mlp.projects.environment import Environment, Place
from mlp.projects.session import Session
from mlp.projects.state import Aliases
from tests.unit.ml_workloads.examples import SOUND
from tests.unit.mlp.projects.api_servers import ApiServer, serving
from tests.unit.mlp.projects.model_servers import Model

NAMESPACE = "growth-churn"
CORE, BATCH, APPS = (f"/{api}/namespaces/{NAMESPACE}" for api in ("api/v1", "apis/batch/v1", "apis/apps/v1"))
Object = dict[str, Any]


def workload(image: str) -> Object:
    return {"template": {"spec": {"containers": [{"image": image}]}}}


CRONJOB: Object = {"spec": {"schedule": "0 3 * * 1", "suspend": False, "jobTemplate": {"spec": workload("churn:1")}}}
DEPLOYMENT: Object = {"spec": {"replicas": 2, **workload("churn:1")}, "status": {"readyReplicas": 1}}
JOB: Object = {
    "metadata": {"name": "training-1", "creationTimestamp": "2026-10-24T12:00:00Z"},
    "spec": {},
    "status": {
        "startTime": "2026-10-24T12:00:00Z",
        "completionTime": "2026-10-24T12:01:30Z",
        "conditions": [{"type": "Complete", "status": "True"}],
    },
}
QUOTA: Object = {
    "spec": {},
    "status": {"hard": {"requests.cpu": "8", "services.loadbalancers": "0"}, "used": {"requests.cpu": "500m"}},
}
DEPLOYED: dict[str, tuple[int, Any]] = {
    f"/api/v1/namespaces/{NAMESPACE}": (200, {}),
    f"{BATCH}/cronjobs/training": (200, CRONJOB),
    f"{BATCH}/cronjobs/fit": (200, CRONJOB),
    f"{APPS}/deployments/serving": (200, DEPLOYMENT),
    f"{BATCH}/jobs": (200, {"items": [JOB]}),
    f"{CORE}/resourcequotas": (200, {"items": [QUOTA]}),
    f"{CORE}/events": (200, {"items": []}),
}


@pytest.fixture
def server() -> ApiServer:
    return ApiServer(answers=dict(DEPLOYED))


@pytest.fixture
def model() -> Model:
    return Model()


def project(**changes: Any) -> Project:
    return parse_project({**SOUND, **changes}, "example")


ALIASES = ({"production": "3", "staging": "4"}, {"production": "churn", "staging": None})
"""With who let the alias name the version, which is not recorded of old ones."""


@pytest.fixture(autouse=True)
def deployed(server: ApiServer, model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    environment = Environment(
        name="dev", region="us-east-1", prefix="ml-platform-dev", cluster="ml-platform-dev-eks", teams=frozenset()
    )
    with serving(server) as cluster:
        session = Session(place=Place(project=project(), environment=environment), aws=cast(Any, None), cluster=cluster)

        @contextmanager
        def opened(_project: str, _env: str) -> Generator[Session]:
            yield session

        for module in (status, logs):
            monkeypatch.setattr(module, "opened", opened)
        monkeypatch.setattr(predict, "serving", lambda _session, **_: model.forwarded())
        monkeypatch.setattr(status, "aliases_of", lambda _session: Aliases(versions=ALIASES[0], writers=ALIASES[1]))
        yield


def mlp(*arguments: str) -> Result:
    return CliRunner().invoke(make_app(), list(arguments))


def found(*arguments: str) -> Any:
    done = mlp(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_everything_about_a_project_is_in_one_answer():
    document = found("status", "churn")
    assert document["image"] == "churn:1"
    assert document["training"] == {"schedule": "0 3 * * 1", "suspended": False}
    assert document["last_run"]["state"] == "finished"
    assert document["last_run"]["seconds"] == 90
    assert document["serving"] == {"replicas": 2, "ready": 1, "updated": 0}
    assert document["answering"] == {"ready": True, "version": "3", "problem": None}
    assert document["quota"] == {"requests.cpu": {"used": "500m", "hard": "8"}}
    assert document["problems"] == []
    assert (document["aliases"], document["aliases_by"]) == ALIASES
    table = mlp("status", "churn").stdout
    for said in ("1 of 2 ready", "production 3 (by churn), staging 4", "took 1 min 30 s", "500m of 8"):
        assert said in table


@pytest.mark.parametrize(
    ("schedule", "shown", "said"),
    [("0 3 * * 1", "0 3 * * 1", "0 3 * * 1, paused"), ("0 0 1 1 *", None, "none: only `mlp train` starts a run")],
)
def test_a_schedule_that_rests_is_told_from_none(server: ApiServer, schedule: str, shown: str | None, said: str):
    resting = {"spec": {**CRONJOB["spec"], "schedule": schedule, "suspend": True}}
    server.answers[f"{BATCH}/cronjobs/training"] = (200, resting)
    assert found("status", "churn")["training"] == {"schedule": shown, "suspended": True}
    assert said in mlp("status", "churn").stdout


def test_a_part_that_cannot_be_had_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch):
    def refuse(_session: Session) -> Any:
        raise PlainError("MLflow does not answer: no pod of mlflow is ready")

    monkeypatch.setattr(status, "aliases_of", refuse)
    document = found("status", "churn")
    assert (document["aliases"], document["aliases_by"]) == (None, None)
    assert document["problems"] == ["MLflow does not answer: no pod of mlflow is ready"]
    assert document["answering"]["version"] == "3"


def test_why_the_last_run_failed_is_said(server: ApiServer):
    failed = {**JOB, "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded"}]}}
    server.answers[f"{BATCH}/jobs"] = (200, {"items": [failed]})
    server.answers[f"{CORE}/pods"] = (200, {"items": []})
    run = found("status", "churn")["last_run"]
    assert run["state"] == "failed"
    assert "raise training.deadline_minutes" in run["reason"]


def test_a_project_without_runs_and_servers_is_no_error(server: ApiServer):
    server.answers[f"{BATCH}/jobs"] = (200, {"items": []})
    del server.answers[f"{APPS}/deployments/serving"]
    document = found("status", "churn")
    assert (document["last_run"], document["serving"], document["answering"]) == (None, None, None)
    assert "none yet" in mlp("status", "churn").stdout


def pod(name: str) -> Object:
    states = [{"name": "serving", "state": {"running": {}}}]
    return {"metadata": {"name": name, "creationTimestamp": name}, "status": {"containerStatuses": states}}


@pytest.mark.parametrize("follow", [[], ["--follow"]])
def test_lines_of_several_pods_say_whose_they_are(server: ApiServer, follow: list[str]):
    server.answers[f"{CORE}/pods"] = (200, {"items": [pod("a"), pod("b")]})
    server.answers |= {f"{CORE}/pods/{name}/log": (200, f"of {name}\n") for name in "ab"}
    done = mlp("logs", "churn", *follow)
    assert done.exit_code == 0
    assert sorted(done.stdout.splitlines()) == ["a: of a", "b: of b"]
    lines = [json.loads(line) for line in mlp("logs", "churn", "--json", *follow).stdout.splitlines()]
    assert sorted(line["line"] for line in lines) == ["of a", "of b"]


def test_of_training_it_is_the_newest_run_unless_one_is_named(server: ApiServer):
    older = {**JOB, "metadata": {"name": "training-0", "creationTimestamp": "2026-10-23T12:00:00Z"}}
    server.answers[f"{BATCH}/jobs"] = (200, {"items": [JOB, older]})
    server.answers[f"{BATCH}/jobs/training-0"] = (200, older)
    server.answers[f"{CORE}/pods"] = (200, {"items": [pod("x")]})
    server.answers[f"{CORE}/pods/x/log"] = (200, "done\n")
    for arguments, job in ((["--training"], "training-1"), (["--run", "training-0"], "training-0")):
        assert mlp("logs", "churn", *arguments).stdout == "done\n"
        assert any(each.path.endswith(f"job-name%3D{job}") for each in server.asked)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--run", "training-9"], "there is no run training-9"),
        ([], "no server of churn has begun: there are no pods"),
        (["--training"], "training-1 has no log"),
    ],
)
def test_where_there_is_no_log_it_says_why(server: ApiServer, arguments: list[str], said: str):
    server.answers[f"{CORE}/pods"] = (200, {"items": []})
    done = mlp("logs", "churn", *arguments)
    assert done.exit_code == 1
    assert said in done.stderr.replace("\n", " ")


def test_servers_and_runs_are_not_asked_for_at_once():
    assert mlp("logs", "churn", "--serving", "--training").exit_code == 2

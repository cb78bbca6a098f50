"""`mlp rotate`: created Jobs, output, and exit codes."""

from __future__ import annotations

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from mlp import rotate as rotating
from mlp.app import make_app
from mlp.console import PlainError
from mlp.rotate import Part, by_cronjob, choose, done, start, watch
from platform_services.mlflow.rotation_names import PARTS

NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
Object = dict[str, Any]


def cronjob(name: str, *variables: Object) -> Object:
    container = {"name": "main", "env": list(variables)}
    return {
        "metadata": {"name": name, "uid": "4f2a"},
        "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [container]}}}}},
    }


class Cluster:
    """Stub with CronJobs, and Jobs that end at their second poll with the test's result."""

    def __init__(self, end: str = "Complete", message: str = "") -> None:
        self.end, self.message = end, message
        self.cronjobs: dict[str, Object] = {
            "mlflow-rotate-database": cronjob("mlflow-rotate-database"),
            "mlflow-rotate-accounts": cronjob(
                "mlflow-rotate-accounts",
                {"name": "PLATFORM_ROTATE", "value": '["accounts", "administrator"]'},
                {"name": "PLATFORM_SERVER", "value": "http://mlflow:5000"},
            ),
        }
        self.jobs: dict[str, Object] = {}
        self.looks: dict[str, int] = {}

    def find(self, path: str) -> Object | None:
        kind, name = path.split("/")[-2:]
        if kind == "cronjobs":
            return self.cronjobs.get(name)
        self.looks[name] = self.looks.get(name, 0) + 1
        ended = [{"type": self.end, "status": "True", "message": "of the Job"}] if self.looks[name] > 1 else []
        return {"metadata": {"name": name}, "status": {"conditions": ended}}

    def items(self, path: str, labelSelector: str = "") -> list[Object]:
        if path.endswith("/jobs"):
            return list(self.jobs.values())
        job = labelSelector.partition("=")[2]
        state = {"terminated": {"message": self.message}} if self.looks.get(job, 0) > 1 else {"running": {}}
        metadata = {"name": f"{job}-x", "creationTimestamp": "2026"}
        return [{"metadata": metadata, "status": {"containerStatuses": [{"state": state}]}}]

    def create(self, _path: str, body: Object) -> Object:
        self.jobs[body["metadata"]["name"]] = body
        return body

    def lines(self, path: str) -> Iterator[str]:
        job = path.split("/")[-2].removesuffix("-x")
        yield from ["begins", "is done"][: self.looks[job]]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    made = Cluster()

    @contextmanager
    def signed_in(*_: object) -> Generator[tuple[None, Cluster]]:
        yield None, made

    monkeypatch.setattr(rotating, "signed_in", signed_in)
    monkeypatch.setattr(rotating.time, "sleep", lambda _seconds: None)
    return made


def run(*arguments: str) -> Any:
    return CliRunner().invoke(make_app(), ["rotate", *arguments])


def variables(job: Object) -> dict[str, str]:
    (container,) = job["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each["value"] for each in container["env"]}


def test_what_can_be_named_is_what_the_program_can_rotate():
    assert [part.value for part in Part] == list(PARTS)


def test_accounts_and_administrator_are_one_job_and_the_database_another():
    assert by_cronjob(["database", "accounts", "administrator"]) == {
        "mlflow-rotate-database": ["database"],
        "mlflow-rotate-accounts": ["accounts", "administrator"],
    }


def test_everything_is_rotated_by_jobs_of_the_clusters_own_cronjobs(cluster: Cluster):
    done = run("--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["environment"] == "dev"
    assert {tuple(each["parts"]): each["status"] for each in said["rotations"]} == {
        ("database",): "finished",
        ("accounts", "administrator"): "finished",
    }
    assert set(cluster.jobs) == {each["job"] for each in said["rotations"]}
    owners = {each["metadata"]["ownerReferences"][0]["name"] for each in cluster.jobs.values()}
    assert owners == set(cluster.cronjobs)


def test_each_line_of_the_log_is_shown_once_and_not_among_the_json(cluster: Cluster):
    done = run("--only", "database", "--json")
    assert done.stderr.count("begins") == 1
    assert done.stderr.count("is done") == 1
    json.loads(done.stdout)


@pytest.mark.parametrize("part", ["accounts", "administrator"])
def test_one_part_alone_is_told_to_the_pod(cluster: Cluster, part: str):
    assert run("--only", part).exit_code == 0
    (job,) = cluster.jobs.values()
    assert variables(job) == {"PLATFORM_ROTATE": f'["{part}"]', "PLATFORM_SERVER": "http://mlflow:5000"}


def test_the_cronjob_itself_stays_as_it_is():
    known = cronjob("x", {"name": "PLATFORM_ROTATE", "value": "both"})
    choose(rotating_job(known), ["accounts"])
    assert known == cronjob("x", {"name": "PLATFORM_ROTATE", "value": "both"})


def rotating_job(known: Object) -> Object:
    from mlp.projects.train import job_from

    return job_from(known, "x-1")


def test_a_rotation_that_fails_ends_with_1_and_its_last_words(cluster: Cluster):
    cluster.end, cluster.message = "Failed", "first\nnot rotated: churn: MLflow refused churn\n"
    done = run("--only", "accounts", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["rotations"][0]["status"] == "failed"
    assert "not rotated: churn: MLflow refused churn" in " ".join(done.stderr.split())
    assert "`mlp rotate --env dev` goes on from there" in " ".join(done.stderr.split())


def test_what_kubernetes_says_counts_where_the_pod_said_nothing(cluster: Cluster):
    cluster.end = "Failed"
    jobs = start(cast(Any, cluster), ["database"], "deploy", NOON)
    assert list(watch(cast(Any, cluster), jobs).values()) == ["of the Job"]


def test_an_environment_without_rotation_is_deployed_first(cluster: Cluster):
    del cluster.cronjobs["mlflow-rotate-accounts"]
    with pytest.raises(PlainError, match="no CronJob mlflow-rotate-accounts in ml-platform: deploy it"):
        start(cast(Any, cluster), ["database", "accounts"], "deploy it", NOON)
    assert cluster.jobs == {}


def test_one_that_still_runs_is_not_begun_a_second_time(cluster: Cluster):
    start(cast(Any, cluster), ["database"], "deploy", NOON)
    with pytest.raises(PlainError, match=r"mlflow-rotate-database-20261024120000-\w{4} still rotates"):
        start(cast(Any, cluster), ["database"], "deploy", NOON)
    start(cast(Any, cluster), ["accounts"], "deploy", NOON)


def test_a_part_that_does_not_exist_is_a_wrong_command_line():
    assert run("--only", "grafana").exit_code == 2


def test_after_the_administrator_a_restart_is_named_because_of_the_session_key():
    assert "kubectl rollout restart -n ml-platform deployment/mlflow" in " ".join(done("dev", ["administrator"]))
    assert "rollout" not in " ".join(done("dev", ["database", "accounts"]))

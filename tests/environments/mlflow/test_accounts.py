"""Write permissions at MLflow and the recorded author of each write, for accounts as the Job creates them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from ml_workloads.promotion import ModelRegistry, carry_out, consider, consider_rollback, roll_back
from ml_workloads.promotion.moves import read
from ml_workloads.promotion.writers import alias_writes, gate_writer
from ml_workloads.runtime.gate import Gate
from ml_workloads.runtime.serving.mlflow_registry import MlflowRegistry
from tests.environments.mlflow.conftest import OWN, READER, TABLE, THEIRS, Recorded, train
from tests.environments.mlflow.running import Server

PROJECT = "flats"
GATE = Gate(metric="f1", bound=0.9, max_regression=0.05)
JO = "arn:aws:sts::123456789012:assumed-role/team/jo"


def said(call: Callable[[], object]) -> tuple[int, str]:
    """Return status and message of MLflow's rejection; the status is 200 where it accepts."""
    try:
        call()
    except MlflowException as error:
        return error.get_http_status_code(), str(error)
    return 200, ""


def test_a_project_trains_is_promoted_served_and_rolled_back(server: Server) -> None:
    server.reconcile(OWN, THEIRS, PROJECT)
    now = datetime(2026, 11, 30, tzinfo=UTC)
    with server.signed_in(PROJECT) as client:
        registry = ModelRegistry(client, PROJECT)
        for factor in (2.0, 3.0):
            version = train(PROJECT, factor).version
            client.set_model_version_tag(PROJECT, version, "gate", "passed")
            client.set_registered_model_alias(PROJECT, "dev", version)
            for alias in ("staging", "production"):
                carry_out(registry, consider(registry, GATE, alias), JO, now)
    with server.signed_in(f"{PROJECT}.serving"):
        serving = MlflowRegistry(PROJECT, "production")
        assert serving.current() == "2"
        assert serving.load("2").predict(TABLE) == pytest.approx([3.0, 6.0, 9.0])
    with server.signed_in(PROJECT) as client:
        roll_back(
            ModelRegistry(client, PROJECT), consider_rollback(ModelRegistry(client, PROJECT), "production"), JO, now
        )
    with server.signed_in(f"{PROJECT}.serving"):
        assert serving.current() == "1"
        assert serving.load("1").predict(pd.DataFrame({"area": [4.0]})) == pytest.approx([8.0])
    with server.signed_in(PROJECT) as client:
        standing = ModelRegistry(client, PROJECT).standing()
        moves = read(standing.tags, "production")
        assert [(move.kind, move.version, move.by, move.account) for move in moves] == [
            ("promote", "1", JO, PROJECT),
            ("promote", "2", JO, PROJECT),
            ("rollback", "1", JO, PROJECT),
        ]
        first, second = (client.get_model_version(PROJECT, version).tags for version in ("1", "2"))
        assert gate_writer(first) == PROJECT
        assert [(each.alias, each.account, each.before) for each in alias_writes("1", first)] == [
            ("dev", PROJECT, None),
            ("staging", PROJECT, None),
            ("production", PROJECT, None),
            ("production", PROJECT, "2"),
        ]
        assert [(each.alias, each.before) for each in alias_writes("2", second)] == [
            ("dev", "1"),
            ("staging", "1"),
            ("production", "1"),
        ]


def test_a_second_run_of_the_job_changes_nothing_and_a_project_that_goes_takes_both_accounts_along(
    server: Server,
) -> None:
    server.reconcile(OWN, THEIRS, PROJECT, "gone")
    before = server.ask("admin", "GET", "/api/2.0/mlflow/users/list").body
    server.reconcile(OWN, THEIRS, PROJECT, "gone")
    assert server.ask("admin", "GET", "/api/2.0/mlflow/users/list").body == before
    names = {user["username"] for user in before["users"]}
    assert {"gone", "gone.serving"} <= names
    server.reconcile(OWN, THEIRS, PROJECT)
    after = {user["username"] for user in server.ask("admin", "GET", "/api/2.0/mlflow/users/list").body["users"]}
    assert names - after == {"gone", "gone.serving"}


def test_an_upgrade_in_place_takes_back_what_accounts_made_when_they_still_could(server: Server) -> None:
    """An account had created an experiment under a future project's name, with files of its own choice."""
    with server.signed_in("admin") as client:
        squatted = client.create_experiment("later", "s3://bucket/mlflow/2")
    server.reconcile(OWN, THEIRS, PROJECT, "later")
    with server.signed_in("later") as client:
        found = client.get_experiment_by_name("later")
        assert found is not None
        assert found.experiment_id != squatted
        assert found.artifact_location == f"mlflow-artifacts:/{found.experiment_id}"
        train("later", 2.0)
    with server.signed_in("admin") as client:
        assert client.get_experiment(squatted).name == f"later (set aside, {squatted})"


def test_what_others_rely_on_stays_with_the_administrator(server: Server, own: Recorded) -> None:
    with server.signed_in(OWN) as client:
        calls: dict[str, Callable[[], object]] = {
            "make an experiment": lambda: client.create_experiment("mine"),
            "rename an experiment": lambda: client.rename_experiment(own.experiment, "mine"),
            "delete an experiment": lambda: client.delete_experiment(own.experiment),
            "make a registered model": lambda: client.create_registered_model("mine"),
            "rename a registered model": lambda: client.rename_registered_model(OWN, "mine"),
            "delete a registered model": lambda: client.delete_registered_model(OWN),
            "delete a version": lambda: client.delete_model_version(OWN, own.version),
            "take an alias away": lambda: client.delete_registered_model_alias(OWN, "dev"),
            "delete a run": lambda: client.delete_run(own.run),
            "delete a logged model": lambda: client.delete_logged_model(own.model),
            "set the tag account": lambda: client.set_registered_model_tag(OWN, "account", THEIRS),
            "set the tag alias.production.1": lambda: client.set_model_version_tag(
                OWN, own.version, "alias.production.1", "{}"
            ),
            "set the tag gate.by": lambda: client.set_model_version_tag(OWN, own.version, "gate.by", "{}"),
            "delete the tag gate.by": lambda: client.delete_model_version_tag(OWN, own.version, "gate.by"),
            "delete the tag gate": lambda: client.delete_model_version_tag(OWN, own.version, "gate"),
            "give a new version the tag gate": lambda: client.create_model_version(
                OWN, f"models:/{own.model}", model_id=own.model, tags={"gate": "passed"}
            ),
        }
        for deed, call in calls.items():
            status, words = said(call)
            assert (status, f"only MLflow's administrator, which the platform's team is, may {deed}" in words) == (
                403,
                True,
            ), f"{deed}: {status} {words}"
        assert said(lambda: client.create_registered_model(OWN))[1].startswith("RESOURCE_ALREADY_EXISTS")


def test_a_pod_that_serves_reads_its_model_and_writes_nothing(server: Server, own: Recorded) -> None:
    with server.signed_in(READER) as client:
        assert client.get_model_version_by_alias(OWN, "dev").version == own.version
        assert client.get_run(own.run).info.run_id == own.run
        calls: list[Callable[[], object]] = [
            lambda: client.create_run(own.experiment),
            lambda: client.log_metric(own.run, "f1", 1.0),
            lambda: client.set_tag(own.run, "data_contract", "passed"),
            lambda: client.set_registered_model_alias(OWN, "production", own.version),
            lambda: client.set_registered_model_tag(OWN, "note", "x"),
            lambda: client.set_model_version_tag(OWN, own.version, "gate", "passed"),
            lambda: client.create_model_version(OWN, f"models:/{own.model}", model_id=own.model),
            lambda: client.create_registered_model("mine"),
            lambda: client.create_experiment("mine"),
        ]
        for number, call in enumerate(calls):
            status, words = said(call)
            assert status == 403, f"{number}: {status} {words}"
            assert f"{READER} is the account of the servers of {OWN}, which read its model" in words
    path = f"/api/2.0/mlflow-artifacts/artifacts/{own.files}/model.skops"
    before = server.ask(OWN, "GET", path).said
    for method in ("PUT", "DELETE"):
        assert server.ask(READER, method, path, data=b"other").status == 403
    assert server.ask(OWN, "GET", path).said == before
    assert server.ask(READER, "GET", f"/api/2.0/mlflow/registered-models/get?name={THEIRS}").status == 403


MOVE = "move.production.20261130T120000.000000Z"


@pytest.mark.parametrize(
    "value",
    [
        json.dumps({"account": THEIRS, "by": JO}),
        json.dumps({"account": "admin"}),
        json.dumps({"by": JO}),
        json.dumps([OWN]),
        "moved",
        "",
    ],
)
@pytest.mark.parametrize("user", [OWN, "admin"])
def test_a_record_of_a_move_that_names_another_author_is_refused(server: Server, user: str, value: str) -> None:
    if json.dumps({"account": user}) == value:
        return
    tag = {"name": OWN, "key": MOVE, "value": value}
    answer = server.ask(user, "POST", "/api/2.0/mlflow/registered-models/set-tag", tag)
    assert answer.status == 403
    assert f"its `account` must be '{user}', the account that is signed in" in answer.said


def test_a_record_of_a_move_stays_as_it_is(server: Server) -> None:
    def put(key: str, document: dict[str, Any]) -> int:
        tag = {"name": OWN, "key": key, "value": json.dumps(document)}
        return server.ask(OWN, "POST", "/api/2.0/mlflow/registered-models/set-tag", tag).status

    assert put(MOVE, {"account": OWN, "version": "1"}) == 200
    assert put(MOVE, {"account": OWN, "version": "1"}) == 200
    assert put(MOVE, {"account": OWN, "version": "2"}) == 403
    asked = {"name": OWN, "key": MOVE}
    assert server.ask(OWN, "DELETE", "/api/2.0/mlflow/registered-models/delete-tag", asked).status == 403


def test_who_moved_an_alias_or_wrote_a_verdict_by_hand_is_recorded_by_the_server(server: Server, own: Recorded) -> None:
    for user in (OWN, "admin"):
        with server.signed_in(user) as client:
            client.set_registered_model_alias(OWN, "trial", own.version)
            client.set_model_version_tag(OWN, own.version, "gate", f"passed, says {user}")
            tags = client.get_model_version(OWN, own.version).tags
            writes = [each for each in alias_writes(own.version, tags) if each.alias == "trial"]
            assert writes[-1].account == user
            assert gate_writer(tags) == user
    assert [each.before for each in writes] == [None, own.version]


def test_what_mlflow_refuses_is_recorded_nowhere(server: Server, own: Recorded, theirs: Recorded) -> None:
    with server.signed_in("admin") as client:
        before = client.get_model_version(THEIRS, theirs.version).tags
    with server.signed_in(OWN) as client:
        assert said(lambda: client.set_registered_model_alias(THEIRS, "production", theirs.version))[0] == 403
        assert said(lambda: client.set_model_version_tag(THEIRS, theirs.version, "gate", "no"))[0] == 403
        assert said(lambda: client.set_registered_model_alias(OWN, "production", "99"))[0] >= 400
    with server.signed_in("admin") as client:
        assert client.get_model_version(THEIRS, theirs.version).tags == before

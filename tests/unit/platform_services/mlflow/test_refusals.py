"""Requests that MLflow denies to a project's accounts although their permission there allows them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from mlflow_server.refusals import ACCOUNT_TAG, JUDGED, UNKNOWN, Asked, Known, false_author, refusal
from mlflow_server.routes import READER_SUFFIX, READS, WRITES, is_reader, offered, project_of, route_of
from mlflow_server.serve import AUTHORIZATION_FUNCTION
from mlflow_server.sources import Made
from mlflow_server.written_by import of_alias

RECORDED = "move.production.20261129T120000.000000Z"
MODELS: Mapping[str, Mapping[str, str]] = {"churn": {"account": "churn", RECORDED: "first", "note": "old"}}
READER = "churn.serving"


@dataclass(frozen=True)
class Recorded:
    """MLflow's contents: `churn` is experiment 1, `rent` is 2."""

    runs: Mapping[str, str] = field(default_factory=lambda: {"aa": "1", "bb": "2"})
    logged: Mapping[str, str] = field(default_factory=lambda: {"m-aa": "1", "m-bb": "2"})
    versions: Mapping[tuple[str, str], str] = field(
        default_factory=lambda: {
            ("churn", "1"): "mlflow-artifacts:/1/models/m-aa/artifacts",
            ("churn", "2"): "s3://bucket/mlflow/2/models/m-bb/artifacts",
            ("churn", "3"): "runs:/aa/model",
            ("churn", "4"): "runs:/bb/model",
            ("rent", "1"): "mlflow-artifacts:/2/models/m-bb/artifacts",
        }
    )

    def tags_of(self, model: str) -> Mapping[str, str] | None:
        return MODELS.get(model)

    def experiment_named(self, name: str) -> str | None:
        return {"churn": "1", "rent": "2"}.get(name)

    def experiment_of_run(self, run_id: str) -> str | None:
        return self.runs.get(run_id)

    def experiment_of_logged_model(self, model_id: str) -> str | None:
        return self.logged.get(model_id)

    def location_of_logged_model(self, model_id: str) -> str | None:
        experiment = self.logged.get(model_id)
        return experiment and f"mlflow-artifacts:/{experiment}/models/{model_id}/artifacts"

    def location_of_version(self, name: str, version: str) -> str | None:
        return self.versions.get((name, version))


KNOWN: Known = Recorded()


def said(method: str, route: str, user: str = "churn", **tags: str) -> str | None:
    model = "churn" if user == "churn" else "other"
    asked = Asked(
        method=method, route=route, user=user, model=model, tags={key.replace("_", "."): tags[key] for key in tags}
    )
    return refusal(asked, KNOWN)


@pytest.mark.parametrize(
    ("method", "route", "told"),
    [
        ("POST", "registered-models/rename", "rename a registered model"),
        ("DELETE", "registered-models/delete", "delete a registered model"),
        ("DELETE", "registered-models/alias", "take an alias away"),
        ("DELETE", "model-versions/delete", "delete a version"),
        ("POST", "experiments/update", "rename an experiment"),
        ("POST", "experiments/delete", "delete an experiment"),
        ("POST", "experiments/restore", "restore an experiment"),
        ("POST", "experiments/create", "make an experiment"),
        ("POST", "model-versions/transition-stage", "give a version a stage"),
        ("POST", "runs/delete", "delete a run"),
        ("POST", "runs/restore", "restore a run"),
        ("DELETE", "logged-models/<model_id>", "delete a logged model"),
        ("DELETE", "mlflow-artifacts/artifacts/<artifact_path>", "delete files"),
        ("POST", "traces", "use POST traces, because this platform does not use it"),
        ("GET", "gateway-proxy", "use GET gateway-proxy, because"),
        ("POST", "webhooks", "use POST webhooks, because"),
        ("POST", f"{UNKNOWN}/ajax-api/3.0/jobs/", "use POST /ajax-api/3.0/jobs/, because"),
        ("HEAD", "runs/get", "use HEAD runs/get, because"),
        ("POST", "", "use POST /, because"),
    ],
)
def test_what_would_take_a_project_from_commands_and_servers_is_refused_with_who_may_do_it(
    method: str, route: str, told: str
):
    assert not offered(method, route, "churn")
    reason = said(method, route)
    assert reason is not None
    assert reason.startswith(f"only MLflow's administrator, which the platform's team is, may {told}")


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("POST", "registered-models/alias"),
        ("PATCH", "registered-models/update"),
        ("GET", "registered-models/get"),
        ("POST", "model-versions/create"),
        ("POST", "model-versions/set-tag"),
        ("PATCH", "model-versions/update"),
        ("POST", "experiments/set-experiment-tag"),
        ("POST", "runs/create"),
        ("POST", "runs/log-batch"),
        ("POST", "logged-models"),
        ("PUT", "mlflow-artifacts/artifacts/<artifact_path>"),
        ("GET", "users/current"),
        ("GET", ""),
    ],
)
def test_what_trainings_promotions_and_rollbacks_do_is_left_to_mlflows_permissions(method: str, route: str):
    assert said(method, route) is None
    assert offered(method, route, "churn")


@pytest.mark.parametrize(("method", "route"), sorted(WRITES))
def test_a_reader_writes_nothing(method: str, route: str):
    assert not offered(method, route, READER)
    reason = said(method, route, READER)
    assert reason == (
        "churn.serving is the account of the servers of churn, which read its model and change nothing; "
        "sign in as churn"
    )


def test_a_reader_reads_what_serving_needs_and_no_pages():
    needed = {
        *(("GET", f"model-versions/{what}") for what in ("get", "get-download-uri")),
        *(("GET", what) for what in ("registered-models/alias", "logged-models/<model_id>", "runs/get")),
        *(("GET", f"mlflow-artifacts/artifacts{what}") for what in ("", "/<artifact_path>")),
    }
    assert needed <= READS
    assert {each for each in needed if not offered(*each, READER)} == set()
    assert not offered("POST", "graphql", READER)
    assert not offered("GET", "users/list", READER)


def test_the_name_of_a_reader_is_no_projects():
    from ml_workloads.project.names import _WORDS  # pyright: ignore[reportPrivateUsage]
    from platform_services.mlflow.accounts import reader

    assert reader("churn") == f"churn{READER_SUFFIX}" == READER
    assert _WORDS.fullmatch(reader("churn")) is None
    assert (is_reader(READER), is_reader("churn"), project_of(READER), project_of("churn")) == (
        *(True, False),
        *("churn", "churn"),
    )


VERSION = "model-versions/create"


@pytest.mark.parametrize(
    ("model", "reason"),
    [("churn", None), ("mine", "make a registered model"), ("rent", "make a registered model")],
)
def test_a_registered_model_is_made_only_where_mlflow_answers_that_there_is_one(model: str, reason: str | None):
    """MLflow's client sends this request before each version."""
    asked = Asked(method="POST", route="registered-models/create", user="churn", model=model)
    found = refusal(asked, KNOWN)
    assert found is None if reason is None else found is not None and f" may {reason}" in found


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (Made(source="models:/m-aa", model_id="m-aa"), None),
        (Made(source="models:/m-aa", model_id="m-aa", run_id="aa"), None),
        (Made(source="models:/churn/1"), None),
        (Made(source="models:/churn/3"), None),
        (Made(source="runs:/aa/model", run_id="aa"), None),
        (Made(source="runs:/aa", run_id="aa"), None),
        (Made(source="mlflow-artifacts:/1/models/m-aa/artifacts", model_id="m-aa"), None),
        (Made(source="mlflow-artifacts:/1/aa/artifacts/my model", run_id="aa"), None),
        (Made(source="models:/m-bb", model_id="m-bb"), "model_id is 'm-bb'"),
        (Made(source="models:/m-bb", model_id="m-aa"), "source is 'models:/m-bb'"),
        (Made(source="models:/m-aa", run_id="bb"), "run_id is 'bb'"),
        (Made(source="models:/m-cc"), "source is"),
        (Made(source="models:/rent/1"), "source is 'models:/rent/1'"),
        (Made(source="models:/churn/2"), "source is 'models:/churn/2'"),
        (Made(source="models:/churn/4"), "source is"),
        (Made(source="models:/churn/9"), "source is"),
        (Made(source="models:/churn@production"), "source is"),
        (Made(source="models:/churn/production"), "source is"),
        (Made(source="models://elsewhere/churn/1"), "source is"),
        (Made(source="runs:/bb/model", run_id="aa"), "source is"),
        (Made(source="runs:/aa/../../bb/model", run_id="aa"), "source is"),
        (Made(source="runs://elsewhere/aa/model"), "source is"),
        (Made(source="mlflow-artifacts:/2/bb/artifacts/model"), "source is"),
        (Made(source="mlflow-artifacts:/1/../2/bb"), "source is"),
        (Made(source="mlflow-artifacts:/1/%2e%2e/2/bb"), "source is"),
        (Made(source="mlflow-artifacts:/1/./../2"), "source is"),
        (Made(source="mlflow-artifacts:/11/bb"), "source is"),
        (Made(source="mlflow-artifacts://elsewhere/1/aa"), "source is"),
        (Made(source="mlflow-artifacts:/1/aa?x=/2/bb"), "source is"),
        (Made(source="MLFLOW-ARTIFACTS:/2/bb"), "source is"),
        (Made(source="s3://bucket/mlflow/1/aa"), "source is"),
        (Made(source="file:///etc"), "source is"),
        (Made(source="/etc"), "source is"),
        (Made(source="../etc"), "source is"),
        (Made(source="http://169.254.170.23/v1/credentials"), "source is"),
        (Made(source="dbfs:/x"), "source is"),
        (Made(source=""), "source is ''"),
        (Made(source="mlflow-artifacts:/1/aa\n"), "source is"),
    ],
)
def test_a_version_is_made_of_the_projects_own_runs_and_logged_models(made: Made, told: str | None):
    reason = refusal(Asked(method="POST", route=VERSION, user="churn", model="churn", made=made), KNOWN)
    assert reason is None if told is None else reason is not None and reason.startswith(told), reason
    if told == "source is":
        assert reason is not None
        assert reason.endswith("log the model with mlflow.sklearn.log_model and register what it returns")


def test_a_model_without_an_experiment_gets_no_versions():
    made = Made(source="models:/m-aa")
    reason = refusal(Asked(method="POST", route=VERSION, user="ana", model="scratch", made=made), KNOWN)
    assert reason == "there is no experiment scratch, which the versions of the model scratch come from"


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("GET", "model-versions/get-download-uri"),
        ("GET", "model-versions/get-artifact"),
        ("POST", "registered-models/alias"),
    ],
)
@pytest.mark.parametrize(("version", "fine"), [("1", True), ("3", True), ("2", False), ("4", False), ("9", True)])
def test_a_version_that_leads_elsewhere_is_neither_handed_out_nor_given_an_alias(
    method: str, route: str, version: str, fine: bool
):
    """For a missing version MLflow's own error is returned."""
    reason = refusal(Asked(method=method, route=route, user="churn", model="churn", version=version), KNOWN)
    assert (reason is None) is fine
    if reason:
        assert f"version {version} of churn does not have its files with the runs" in reason
        assert str(KNOWN.location_of_version("churn", version)) not in reason
        assert "register it anew" in reason


def test_an_alias_whose_writer_could_not_be_recorded_is_refused():
    def said_of(length: int) -> str | None:
        asked = Asked(
            method="POST", route="registered-models/alias", user="churn", model="churn", version="1", alias="a" * length
        )
        return refusal(asked, KNOWN)

    assert said_of(100) is None
    assert said_of(101) == "the alias aaaaaaaaaaaaaaaaaaaa... has 101 characters; write 100 at the most"
    key, _ = of_alias("a" * 100, "churn", None, datetime(2026, 11, 30, tzinfo=UTC))
    assert len(key) <= 250, "MLflow keeps keys of tags up to this length"


@pytest.mark.parametrize(
    ("method", "route", "key", "told"),
    [
        ("POST", VERSION, "note", None),
        ("POST", VERSION, "gate", "give a new version the tag gate"),
        ("POST", VERSION, "gate.by", "give a new version the tag gate.by"),
        ("POST", VERSION, "alias.dev.1", "give a new version the tag alias.dev.1"),
        ("POST", VERSION, "mlflow.prompt.is_prompt", "give a new version the tag mlflow.prompt.is_prompt"),
        ("POST", "model-versions/set-tag", "gate", None),
        ("POST", "model-versions/set-tag", "note", None),
        ("POST", "model-versions/set-tag", "gate.by", "set the tag gate.by"),
        ("POST", "model-versions/set-tag", "alias.production.1", "set the tag alias.production.1"),
        ("DELETE", "model-versions/delete-tag", "note", None),
        ("DELETE", "model-versions/delete-tag", "gate", "delete the tag gate"),
        ("DELETE", "model-versions/delete-tag", "gate.by", "delete the tag gate.by"),
        ("DELETE", "model-versions/delete-tag", "alias.dev.1", "delete the tag alias.dev.1"),
    ],
)
def test_who_wrote_what_of_a_version_is_the_servers_to_say(method: str, route: str, key: str, told: str | None):
    made = Made(source="models:/m-aa") if route == VERSION else None
    asked = Asked(method=method, route=route, user="churn", model="churn", version="1", tags={key: "x"}, made=made)
    reason = refusal(asked, KNOWN)
    assert reason is None if told is None else reason is not None and f" may {told} of a version" in reason


@pytest.mark.parametrize(
    ("value", "author"),
    [
        (json.dumps({"account": "churn"}), None),
        (json.dumps({"account": "churn.serving"}), "'churn.serving'"),
        (json.dumps({"by": "jo"}), "None"),
        (json.dumps(["churn"]), "None"),
        ("churn", "None"),
    ],
)
def test_a_record_of_a_move_says_who_is_signed_in(value: str, author: str | None):
    asked = Asked(method="POST", route=SET, user="churn", model="churn", tags={NEW: value})
    reason = false_author(asked)
    assert reason is None if author is None else reason is not None and f"is {author};" in reason


SET, DELETE, CREATE = "registered-models/set-tag", "registered-models/delete-tag", "registered-models/create"
NEW = "move.production.20261130T120000.000000Z"


@pytest.mark.parametrize(
    ("method", "route", "tags", "told"),
    [
        ("POST", SET, {NEW: "second"}, None),
        ("POST", SET, {RECORDED: "first"}, None),
        ("POST", SET, {RECORDED: "changed"}, f"overwrite the tag {RECORDED}"),
        ("POST", SET, {RECORDED: ""}, f"overwrite the tag {RECORDED}"),
        ("POST", SET, {"account": "churn"}, "set the tag account"),
        ("POST", SET, {"account": "rent"}, "set the tag account"),
        ("POST", SET, {"mlflow.prompt.is_prompt": "true"}, "set the tag mlflow.prompt.is_prompt"),
        ("POST", SET, {"note": "new"}, None),
        ("POST", SET, {"moved": "yes"}, None),
        ("DELETE", DELETE, {RECORDED: ""}, f"delete the tag {RECORDED}"),
        ("DELETE", DELETE, {NEW: ""}, f"delete the tag {NEW}"),
        ("DELETE", DELETE, {"account": ""}, "delete the tag account"),
        ("DELETE", DELETE, {"mlflow.prompt.is_prompt": ""}, "delete the tag mlflow.prompt.is_prompt"),
        ("DELETE", DELETE, {"note": ""}, None),
        ("POST", CREATE, {}, None),
        ("POST", CREATE, {"note": "x"}, None),
        ("POST", CREATE, {"mlflow.prompt.is_prompt": "true"}, "set the tag mlflow.prompt.is_prompt"),
        ("POST", CREATE, {"note": "x", "account": "ana"}, "set the tag account"),
        ("POST", CREATE, {NEW: "x"}, f"set the tag {NEW}"),
    ],
)
def test_an_account_adds_to_the_record_of_moves_and_changes_nothing_of_it(
    method: str, route: str, tags: Mapping[str, str], told: str | None
):
    assert (method, route) in JUDGED
    reason = refusal(Asked(method=method, route=route, user="churn", model="churn", tags=tags), KNOWN)
    assert reason is None if told is None else reason is not None and f" may {told} " in reason


def test_a_model_that_is_not_there_has_no_record_to_overwrite():
    asked = Asked(method="POST", route=SET, user="churn", model="gone", tags={RECORDED: "changed"})
    assert refusal(asked, KNOWN) is None


def test_the_password_of_a_projects_account_is_the_programs_and_a_persons_is_their_own():
    assert ("PATCH", "users/update-password") in JUDGED
    changed = said("PATCH", "users/update-password")
    assert changed is not None
    assert "the project's pods and commands sign in with it" in changed
    assert said("PATCH", "users/update-password", user="ana") is None


@pytest.mark.parametrize(
    ("rule", "route"),
    [
        ("/api/2.0/mlflow/registered-models/rename", "registered-models/rename"),
        ("/ajax-api/2.0/mlflow/registered-models/rename", "registered-models/rename"),
        ("/api/3.0/mlflow/registered-models/rename", "registered-models/rename"),
        ("/api/2.0/mlflow/users/update-password", "users/update-password"),
        ("/api/2.0/mlflow/registered-models/rename/more", "registered-models/rename/more"),
        ("/api/2.0/mlflow-artifacts/artifacts/<path:artifact_path>", "mlflow-artifacts/artifacts/<artifact_path>"),
        ("/ajax-api/2.0mlflow/experiments/search-datasets", "experiments/search-datasets"),
        ("/elsewhere/api/2.0/mlflow/runs/get", "elsewhere/api/2.0/mlflow/runs/get"),
        ("/graphql", "graphql"),
        ("/", ""),
    ],
)
def test_a_request_is_told_by_its_route_whatever_the_version_of_the_api(rule: str, route: str):
    assert route_of(rule) == route


def test_mlflow_is_told_of_a_function_that_is_there():
    """The module itself can be imported only in the image, which has all of MLflow."""
    from importlib.util import find_spec

    module, _, function = AUTHORIZATION_FUNCTION.partition(":")
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    assert f"\ndef {function}() ->" in open(found.origin).read()  # noqa: PTH123, SIM115


def test_the_tag_of_an_account_is_the_one_that_the_accounts_are_kept_by():
    from mlflow_server import accounts

    assert accounts.ACCOUNT_TAG == ACCOUNT_TAG

"""What a project's account may not do at MLflow although it may change its experiment and its registered model."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from mlflow_server.refusals import ACCOUNT_TAG, Asked, concerns, refusal, route_of
from mlflow_server.serve import AUTHORIZATION_FUNCTION

RECORDED = "move.production.20261129T120000.000000Z"
MODELS: Mapping[str, Mapping[str, str]] = {"churn": {"account": "churn", RECORDED: "first", "note": "old"}}


def tags_of(model: str) -> Mapping[str, str]:
    return MODELS.get(model, {})


def said(method: str, route: str, user: str = "churn", **tags: str) -> str | None:
    model = "churn" if user == "churn" else "other"
    asked = Asked(
        method=method, route=route, user=user, model=model, tags={key.replace("_", "."): tags[key] for key in tags}
    )
    return refusal(asked, tags_of)


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
    ],
)
def test_what_would_take_a_project_from_commands_and_servers_is_refused_with_who_may_do_it(
    method: str, route: str, told: str
):
    assert concerns(method, route)
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
        ("POST", "experiments/create"),
        ("POST", "runs/create"),
        ("POST", "runs/log-batch"),
        ("GET", "users/current"),
        ("POST", ""),
    ],
)
def test_what_trainings_promotions_and_rollbacks_do_is_left_to_mlflows_permissions(method: str, route: str):
    assert said(method, route) is None
    assert not concerns(method, route)


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
        ("POST", CREATE, {"note": "x", "mlflow.prompt.is_prompt": "true"}, None),
        ("POST", CREATE, {"note": "x", "account": "ana"}, "set the tag account"),
        ("POST", CREATE, {NEW: "x"}, f"set the tag {NEW}"),
    ],
)
def test_an_account_adds_to_the_record_of_moves_and_changes_nothing_of_it(
    method: str, route: str, tags: Mapping[str, str], told: str | None
):
    assert concerns(method, route)
    reason = refusal(Asked(method=method, route=route, user="churn", model="churn", tags=tags), tags_of)
    assert reason is None if told is None else reason is not None and f" may {told} " in reason


def test_a_model_that_is_not_there_has_no_record_to_overwrite():
    asked = Asked(method="POST", route=SET, user="churn", model="gone", tags={RECORDED: "changed"})
    assert refusal(asked, tags_of) is None


def test_the_password_of_a_projects_account_is_the_programs_and_a_persons_is_their_own():
    assert concerns("PATCH", "users/update-password")
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
        ("/prefix/ajax-api/3.0/mlflow/experiments/update", "experiments/update"),
        ("/api/2.0/mlflow/users/update-password", "users/update-password"),
        ("/api/2.0/mlflow/registered-models/rename/more", ""),
        ("/api/2.0/mlflow-artifacts/artifacts/<path:artifact_path>", ""),
        ("/graphql", ""),
        ("/", ""),
    ],
)
def test_a_request_is_told_by_its_route_whatever_the_version_of_the_api(rule: str, route: str):
    assert route_of(rule) == route


def test_mlflow_is_told_of_a_function_that_is_there():
    """The module itself can be imported in the image only, where all of MLflow is."""
    from importlib.util import find_spec

    module, _, function = AUTHORIZATION_FUNCTION.partition(":")
    found = find_spec(module)
    assert found is not None
    assert found.origin is not None
    assert f"\ndef {function}() ->" in open(found.origin).read()  # noqa: PTH123, SIM115


def test_the_tag_of_an_account_is_the_one_that_the_accounts_are_kept_by():
    from mlflow_server import accounts

    assert accounts.ACCOUNT_TAG == ACCOUNT_TAG

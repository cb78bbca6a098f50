"""A project's accounts at MLflow cannot reach another project's weights under any name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.environments.mlflow.conftest import OWN, READER, THEIRS, Recorded
from tests.environments.mlflow.running import Answer, Server

CREATE = "/api/2.0/mlflow/model-versions/create"
Source = Callable[[Recorded, Recorded], dict[str, Any]]


def create(server: Server, user: str, path: str = CREATE, **said: Any) -> Answer:
    return server.ask(user, "POST", path, {"name": OWN, **said})


@pytest.mark.parametrize("path", [CREATE, CREATE.replace("/api/", "/ajax-api/")])
@pytest.mark.parametrize(
    "said",
    [
        lambda _, them: {"source": f"s3://bucket/mlflow/{them.files}"},
        lambda own, them: {"source": f"s3://bucket/mlflow/{them.files}", "run_id": own.run},
        lambda own, them: {"source": f"s3://bucket/mlflow/{them.files}", "model_id": own.model},
        lambda _, them: {"source": "file:///run/mlflow"},
        lambda own, _: {"source": "/run/mlflow", "run_id": own.run},
        lambda _, them: {"source": "http://169.254.170.23/v1/credentials"},
        lambda _, them: {"source": f"http://127.0.0.1:5000/api/2.0/mlflow-artifacts/artifacts/{them.files}"},
        lambda _, them: {"source": f"mlflow-artifacts:/{them.files}"},
        lambda own, them: {"source": f"mlflow-artifacts:/{them.files}", "run_id": own.run},
        lambda own, them: {"source": f"mlflow-artifacts:/{own.experiment}/../{them.files}", "run_id": own.run},
        lambda own, them: {"source": f"mlflow-artifacts:/{own.files}/%2e%2e/x", "model_id": own.model},
        lambda own, them: {"source": f"mlflow-artifacts://elsewhere:80/{own.files}", "model_id": own.model},
        lambda _, them: {"source": f"runs:/{them.run}/model", "run_id": them.run},
        lambda own, them: {"source": f"runs:/{them.run}/model", "run_id": own.run},
        lambda _, them: {"source": f"models:/{them.model}", "model_id": them.model},
        lambda own, them: {"source": f"models:/{them.model}", "model_id": own.model},
        lambda own, them: {"source": f"models:/{own.model}", "model_id": own.model, "run_id": them.run},
        lambda _, them: {"source": f"models:/{THEIRS}/{them.version}"},
        lambda _, them: {"source": f"models:/{THEIRS}@production"},
        lambda _, them: {"source": "dummy", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]},
        lambda own, them: {
            "source": f"s3://bucket/mlflow/{them.files}",
            "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}],
        },
    ],
)
def test_a_version_is_made_of_nothing_but_the_projects_own_runs_and_models(
    server: Server, own: Recorded, theirs: Recorded, said: Source, path: str
) -> None:
    answer = create(server, OWN, path, **said(own, theirs))
    assert answer.status == 403, answer
    assert "churn" in answer.said or "only MLflow's administrator" in answer.said
    refused = create(server, READER, path, **said(own, theirs))
    assert refused.status == 403
    assert "sign in as churn" in refused.said


@pytest.mark.parametrize(
    "said",
    [
        lambda own: {"source": f"models:/{own.model}", "model_id": own.model},
        lambda own: {"source": f"models:/{own.model}", "model_id": own.model, "run_id": own.run},
        lambda own: {"source": f"mlflow-artifacts:/{own.files}", "model_id": own.model},
        lambda own: {"source": f"runs:/{own.run}/model", "run_id": own.run},
        lambda own: {"source": f"models:/{OWN}/{own.version}"},
    ],
)
def test_a_version_of_ones_own_is_made_in_every_way_that_mlflow_has(
    server: Server, own: Recorded, said: Callable[[Recorded], dict[str, Any]]
) -> None:
    answer = create(server, OWN, **said(own))
    assert answer.status == 200, answer
    version = answer.body["model_version"]["version"]
    found = server.ask(READER, "GET", f"/api/2.0/mlflow/model-versions/get-download-uri?name={OWN}&version={version}")
    assert found.status == 200, found


@pytest.fixture
def planted(server: Server, theirs: Recorded) -> str:
    """Register a version from the time when MLflow accepted any source; today only the administrator can create it."""
    with server.signed_in("admin") as client:
        made = client.create_model_version(OWN, f"models:/{THEIRS}/{theirs.version}")
    return str(made.version)


def test_a_version_of_before_that_leads_elsewhere_is_not_handed_out_and_gets_no_alias(
    server: Server, planted: str
) -> None:
    asked = f"name={OWN}&version={planted}"
    alias = {"name": OWN, "alias": "production", "version": planted}
    for user in (OWN, READER):
        for answer in (
            server.ask(user, "GET", f"/api/2.0/mlflow/model-versions/get-download-uri?{asked}"),
            server.ask(user, "GET", f"/model-versions/get-artifact?{asked}&path=MLmodel"),
        ):
            assert answer.status == 403, answer
            assert f"version {planted} of {OWN} does not have its files with the runs" in answer.said
            assert "register it anew" in answer.said
    answer = server.ask(OWN, "POST", "/api/2.0/mlflow/registered-models/alias", alias)
    assert (answer.status, "register it anew" in answer.said) == (403, True)


@pytest.mark.parametrize("user", [OWN, READER])
def test_a_neighbours_files_are_not_to_be_had_by_any_way(
    server: Server, own: Recorded, theirs: Recorded, user: str
) -> None:
    proxy, listed = "/api/2.0/mlflow-artifacts/artifacts", "/api/2.0/mlflow/artifacts/list"
    ways = {
        "the proxy": f"{proxy}/{theirs.files}/model.skops",
        "the proxy of the pages": f"/ajax-api/2.0/mlflow-artifacts/artifacts/{theirs.files}/model.skops",
        "up from the own": f"{proxy}/{own.experiment}/../{theirs.files}/model.skops",
        "up from the own, encoded": f"{proxy}/{own.experiment}/%2e%2e/{theirs.files}/model.skops",
        "up from the own, encoded twice": f"{proxy}/{own.experiment}/%252e%252e/{theirs.files}/model.skops",
        "an id that is encoded twice": f"{proxy}/%253{theirs.experiment}/models/{theirs.model}/artifacts/model.skops",
        "two slashes": f"{proxy}//{theirs.files}/model.skops",
        "a workspace": f"{proxy}/workspaces/default/{theirs.files}/model.skops",
        "the list": f"{proxy}?path={theirs.files}",
        "the list, from above": f"{proxy}?path={own.experiment}/../{theirs.files}",
        "a signed address": f"/api/2.0/mlflow-artifacts/presigned/{theirs.files}/model.skops",
        "a run's files": f"/get-artifact?run_uuid={theirs.run}&path=model/model.skops",
        "above the own run's files": f"/get-artifact?run_uuid={own.run}&path=../../../{theirs.files}/model.skops",
        "the list of a run": f"{listed}?run_id={theirs.run}",
        "above the list of the own run": f"{listed}?run_id={own.run}&path=../../../{theirs.experiment}",
        "the logged model": f"/api/2.0/mlflow/logged-models/{theirs.model}",
        "its list": f"/api/2.0/mlflow/logged-models/{theirs.model}/artifacts/directories",
        "its files": f"/ajax-api/2.0/mlflow/logged-models/{theirs.model}/artifacts/files?artifact_file_path=MLmodel",
        "above the own": f"/ajax-api/2.0/mlflow/logged-models/{own.model}/artifacts/files"
        f"?artifact_file_path=../../../../{theirs.files}/MLmodel",
        "the version": f"/api/2.0/mlflow/model-versions/get?name={THEIRS}&version={theirs.version}",
        "where it is": f"/api/2.0/mlflow/model-versions/get-download-uri?name={THEIRS}&version={theirs.version}",
        "its file": f"/model-versions/get-artifact?name={THEIRS}&version={theirs.version}&path=MLmodel",
        "above the own version": f"/model-versions/get-artifact?name={OWN}&version={own.version}"
        f"&path=../../../../{theirs.files}/MLmodel",
        "the alias": f"/api/2.0/mlflow/registered-models/alias?name={THEIRS}&alias=production",
        "a trace's file": "/ajax-api/2.0/mlflow/get-trace-artifact?request_id=tr-1&path=x",
    }
    weights = server.ask("admin", "GET", ways["the proxy"])
    assert weights.status == 200
    said = {way: server.ask(user, "GET", path) for way, path in ways.items()}
    assert {way: answer.status for way, answer in said.items() if answer.status < 400} == {}
    assert [way for way, answer in said.items() if weights.said[:40] in answer.said] == []
    assert server.ask(user, "GET", f"{proxy}/{own.files}/model.skops").status == 200


def test_the_list_above_all_projects_shows_only_the_own(server: Server, own: Recorded, theirs: Recorded) -> None:
    for user in (OWN, READER):
        answer = server.ask(user, "GET", "/api/2.0/mlflow-artifacts/artifacts?path=")
        assert answer.status >= 400 or theirs.experiment not in str(answer.body)
        both = {"experiment_ids": [own.experiment, theirs.experiment]}
        found = server.ask(user, "POST", "/api/2.0/mlflow/runs/search", both)
        assert own.run in found.said
        assert theirs.run not in found.said


def test_graphql_tells_nothing_of_a_neighbour(server: Server, own: Recorded, theirs: Recorded) -> None:
    def asked(run: str) -> Answer:
        query = f'{{ mlflowGetRun(input: {{runId: "{run}"}}) {{ run {{ info {{ artifactUri }} }} }} }}'
        return server.ask(OWN, "POST", "/graphql", {"query": query})

    assert own.files.split("/")[0] in asked(own.run).said
    assert "mlflow-artifacts:" in asked(own.run).said
    assert "mlflow-artifacts:" not in asked(theirs.run).said


def test_no_account_says_where_files_are_kept(server: Server, own: Recorded) -> None:
    for location in ("file:///tmp/elsewhere", "s3://bucket/mlflow/2", "mlflow-artifacts:/2"):
        answer = server.ask(
            OWN, "POST", "/api/2.0/mlflow/experiments/create", {"name": "mine", "artifact_location": location}
        )
        assert answer.status == 403
        assert "may make an experiment, because the platform makes each project's own" in answer.said
    with server.signed_in(OWN) as client:
        moved = client.create_run(own.experiment, tags={"mlflow.artifactLocation": "file:///tmp/elsewhere"})
        assert str(moved.info.artifact_uri).startswith(f"mlflow-artifacts:/{own.experiment}/")
        client.set_tag(moved.info.run_id, "mlflow.artifactLocation", "file:///tmp/elsewhere")
        assert client.get_run(moved.info.run_id).info.artifact_uri == moved.info.artifact_uri

"""Removal of a project from its environment: everything goes, except records and models."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mlflow.artifacts
import pytest
import requests

from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.projects.conftest import FirstModel
from tests.environments.real_nodes.projects.deployed import DeployedProjects
from tests.environments.real_nodes.projects.sources import EXAMPLE, OTHER, take_out


@dataclass(frozen=True)
class Traces:
    """Names in the account and the cluster by kind, and files of models."""

    names: Mapping[str, set[str]]
    models: set[str]

    def of(self, project: str) -> dict[str, set[str]]:
        return {kind: {name for name in names if project in name} for kind, names in self.names.items()}


def traces(deployed: DeployedProjects) -> Traces:
    box = deployed.box
    pages: Any = box.client("iam").get_paginator("list_roles").paginate()
    secrets: Any = box.client("secretsmanager").get_paginator("list_secrets").paginate()
    objects = box.client("s3").list_objects_v2(Bucket=deployed.outputs["model_artifacts_bucket"], Prefix="mlflow/")
    repositories = box.client("ecr").describe_repositories()["repositories"]
    associations = box.client("eks").list_pod_identity_associations(clusterName=deployed.environment.cluster)
    return Traces(
        {
            "namespaces": {each["metadata"]["name"] for each in deployed.list("/api/v1/namespaces")},
            "roles": {role["RoleName"] for page in pages for role in page["Roles"]},
            "secrets": {secret["Name"] for page in secrets for secret in page["SecretList"]},
            "repositories": {each["repositoryName"] for each in repositories},
            "associations": {each["namespace"] for each in associations["associations"]},
        },
        {each["Key"] for each in objects["Contents"]},
    )


@pytest.fixture(scope="module")
def before(deployed: DeployedProjects, first_model: FirstModel) -> Traces:
    found = traces(deployed)
    assert all(found.of(EXAMPLE).values()), "the project was there"
    return found


@pytest.fixture(scope="module")
def withdrawn(deployed: DeployedProjects, before: Traces) -> Traces:
    take_out(deployed.copy.folder, EXAMPLE)
    deployed.copy.up()
    namespace = f"/api/v1/namespaces/data-science-{EXAMPLE}"
    eventually(lambda: deployed.api.find(namespace) is None, "the namespace is gone", 120)
    return traces(deployed)


def test_namespace_roles_secrets_and_repository_are_gone_and_those_of_others_stay(
    before: Traces, withdrawn: Traces
) -> None:
    assert withdrawn.of(EXAMPLE) == {kind: set[str]() for kind in before.names}
    assert withdrawn.of(OTHER) == before.of(OTHER)


def test_its_account_at_mlflow_is_gone_and_its_runs_and_models_are_kept(
    deployed: DeployedProjects, before: Traces, withdrawn: Traces
) -> None:
    with deployed.administration() as client:
        users = users_of_mlflow()
        assert {OTHER, f"{OTHER}.serving"} <= users
        assert not users & {EXAMPLE, f"{EXAMPLE}.serving"}
        experiment = client.get_experiment_by_name(EXAMPLE)
        assert experiment is not None
        assert experiment.lifecycle_stage == "active"
        assert client.search_runs([experiment.experiment_id]) != []
        aliases = dict(client.get_registered_model(EXAMPLE).aliases)
        assert {"dev", "staging", "production"} == aliases.keys()
        assert "signature" in mlflow.artifacts.load_text(f"models:/{EXAMPLE}/1/MLmodel")
    assert withdrawn.models == before.models


def users_of_mlflow() -> set[str]:
    signed_in = (os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"])
    address = f"{os.environ['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/users/list"
    answer = requests.get(address, auth=signed_in, timeout=60)
    answer.raise_for_status()
    return {str(user["username"]) for user in answer.json()["users"]}


def test_nothing_is_to_be_changed_any_more(deployed: DeployedProjects, withdrawn: Traces) -> None:
    deployed.copy.is_settled()

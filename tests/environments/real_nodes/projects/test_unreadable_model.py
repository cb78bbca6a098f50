"""A version with a damaged artifact: the previous model keeps answering, reports why, and the next good one loads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mlflow
import mlflow.sklearn
import pytest
from sklearn.linear_model import LinearRegression

from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.projects.conftest import LaterRuns
from tests.environments.real_nodes.projects.deployed import DeployedProjects, ask, look, row, version_of_job
from tests.environments.real_nodes.projects.sources import EXAMPLE


@pytest.fixture
def damaged(deployed: DeployedProjects, later_runs: LaterRuns) -> Iterator[str]:
    """Corrupt the badly trained version in the bucket, and put it into production."""
    with deployed.tracking(EXAMPLE) as client:
        before = str(client.get_model_version_by_alias(EXAMPLE, "production").version)
        _, (version,) = version_of_job(client, EXAMPLE, later_runs.weak)
        s3, bucket = deployed.box.client("s3"), deployed.outputs["model_artifacts_bucket"]
        found = s3.list_objects_v2(Bucket=bucket, Prefix="mlflow/")["Contents"]
        model = client.get_logged_model(version.source.removeprefix("models:/"))
        (key,) = [
            each["Key"] for each in found if each["Key"].endswith("model.skops") and model.model_id in each["Key"]
        ]
        s3.put_object(Bucket=bucket, Key=key, Body=b"garbage")
        client.set_registered_model_alias(EXAMPLE, "production", version.version)
        try:
            yield str(version.version)
        finally:
            client.set_registered_model_alias(EXAMPLE, "production", before)


def test_the_version_before_goes_on_answering_and_the_problem_is_told(deployed: DeployedProjects, damaged: str) -> None:
    document = {"instances": [row(deployed.copy.folder)]}
    with deployed.server(EXAMPLE) as forward:
        told = eventually(lambda: look(forward, "/readyz").body["problem"], "the server tells its problem", 60)
        assert f"version {damaged} cannot be loaded" in told
        answer = ask(forward, document)
        assert (answer.status, answer.body["model"]["version"]) == (200, "1")
        assert deployed.mlp("status", EXAMPLE)["answering"]["problem"] == told


@pytest.fixture
def hand_logged(deployed: DeployedProjects, later_runs: LaterRuns) -> Iterator[str]:
    """Log a version as a pickle with the project's account, and put it into production."""
    with deployed.tracking(EXAMPLE) as client:
        before = str(client.get_model_version_by_alias(EXAMPLE, "production").version)
        experiment = client.get_experiment_by_name(EXAMPLE)
        assert experiment is not None
        logged: Any = None
        with mlflow.start_run(experiment_id=experiment.experiment_id):
            logged = mlflow.sklearn.log_model(  # pyright: ignore[reportPrivateImportUsage]
                LinearRegression().fit([[1.0]], [1.0]),
                name="model",
                serialization_format="cloudpickle",
                registered_model_name=EXAMPLE,
                pip_requirements=["scikit-learn"],
            )
        version = str(logged.registered_model_version)
        client.set_registered_model_alias(EXAMPLE, "production", version)
        try:
            yield version
        finally:
            client.set_registered_model_alias(EXAMPLE, "production", before)


def test_a_pickle_that_somebody_logged_by_hand_is_not_loaded(deployed: DeployedProjects, hand_logged: str) -> None:
    document = {"instances": [row(deployed.copy.folder)]}
    with deployed.server(EXAMPLE) as forward:

        def problem() -> str:
            return str(look(forward, "/readyz").body["problem"] or "")

        eventually(lambda: f"version {hand_logged} cannot be loaded" in problem(), "the server tells its problem", 90)
        assert "flavors.sklearn.serialization_format is 'cloudpickle', which runs code when it is loaded" in problem()
        answer = ask(forward, document)
        assert (answer.status, answer.body["model"]["version"]) == (200, "1")
    said = deployed.refused("promote", EXAMPLE, "--to", "staging", "--version", hand_logged)
    assert "flavors.sklearn.serialization_format is 'cloudpickle'" in said


def test_after_the_alias_went_back_nothing_is_wrong(deployed: DeployedProjects) -> None:
    with deployed.server(EXAMPLE) as forward:
        # The pause after a failure doubles, up to a minute.
        eventually(lambda: not look(forward, "/readyz").body["problem"], "the server follows again", 90)
        assert deployed.version_of(forward) == "1"

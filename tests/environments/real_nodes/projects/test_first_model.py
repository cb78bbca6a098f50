"""The path from `mlp train` to a prediction: records, and the version that answers."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from ml_workloads.runtime import records
from mlp_sandbox.databases.postgres.tls import CertificateAuthority
from tests.environments.real_nodes.projects.conftest import FirstModel
from tests.environments.real_nodes.projects.deployed import DeployedProjects, version_of_job
from tests.environments.real_nodes.projects.sources import EXAMPLE

METRICS = {"accuracy", "precision", "recall", "f1", "roc_auc"}


@pytest.fixture(scope="module")
def version(deployed: DeployedProjects, first_model: FirstModel) -> Any:
    with deployed.tracking(EXAMPLE) as client:
        return client.get_model_version(EXAMPLE, "1")


def test_a_run_is_recorded_with_metrics_data_code_and_what_the_gate_said(
    deployed: DeployedProjects, first_model: FirstModel
) -> None:
    with deployed.tracking(EXAMPLE) as client:
        (run,), (version,) = version_of_job(client, EXAMPLE, first_model.trained["job"])
    assert (version.version, first_model.trained["version"]["aliases"]) == ("1", ["dev"])
    assert run.info.status == "FINISHED"
    assert run.data.metrics.keys() == METRICS | {f"{name}_gap" for name in METRICS}
    assert 0.9 <= run.data.metrics["f1"] <= 1
    assert run.data.tags[records.DATA_CONTRACT] == records.CONTRACT_MET
    assert len(run.data.tags[records.DATA_DIGEST]) == 64
    assert first_model.trained["run"]["revision"] == run.data.tags[records.CODE_REVISION]
    assert run.data.tags[records.CODE_REVISION] in deployed.outputs["projects"][EXAMPLE]["image"]
    assert version.tags[records.GATE] == records.GATE_PASSED


def test_the_model_has_a_signature_and_lies_in_the_bucket_encrypted_with_our_key(
    deployed: DeployedProjects, version: Any
) -> None:
    import mlflow.artifacts
    import yaml

    with deployed.tracking(EXAMPLE):
        described = yaml.safe_load(mlflow.artifacts.load_text(f"models:/{EXAMPLE}/1/MLmodel"))
    inputs = {each["name"]: each["type"] for each in json.loads(described["signature"]["inputs"])}
    assert len(inputs) == 30
    assert set(inputs.values()) == {"double"}
    s3, bucket = deployed.box.client("s3"), deployed.outputs["model_artifacts_bucket"]
    found = s3.list_objects_v2(Bucket=bucket, Prefix="mlflow/")["Contents"]
    model = str(version.source).removeprefix("models:/")
    (key,) = [each["Key"] for each in found if each["Key"].endswith(f"{model}/artifacts/model.skops")]
    head = s3.head_object(Bucket=bucket, Key=key)
    assert head["ServerSideEncryption"] == "aws:kms"
    keys = deployed.copy.resources("aws:kms/key:Key").values()
    ours = {each["outputs"]["arn"] for each in keys}
    assert head["SSEKMSKeyId"] in ours


def test_versions_and_aliases_are_rows_of_the_database_which_is_read_over_tls(
    deployed: DeployedProjects, first_model: FirstModel
) -> None:
    (instance,) = deployed.box.client("rds").describe_db_instances()["DBInstances"]
    held = json.loads(deployed.secret(instance["MasterUserSecret"]["SecretArn"]))
    certificate = CertificateAuthority.bundle_in(deployed.box.instance.aws / "tls")
    with psycopg.connect(
        host=instance["Endpoint"]["Address"],
        port=instance["Endpoint"]["Port"],
        user=held["username"],
        password=held["password"],
        dbname="mlflow",
        sslmode="verify-full",
        sslrootcert=str(certificate),
    ) as connection:
        versions = connection.execute(
            "SELECT name, version, run_id FROM model_versions WHERE version = 1 AND name = %s", (EXAMPLE,)
        ).fetchall()
        aliases = connection.execute("SELECT alias, version FROM registered_model_aliases").fetchall()
    assert versions == [(EXAMPLE, 1, first_model.trained["run"]["run_id"])]
    assert {alias for alias, _ in aliases} == {"dev", "staging", "production"}


def test_promotions_go_up_the_ladder_and_are_recorded_with_who_and_numbers(
    deployed: DeployedProjects, first_model: FirstModel
) -> None:
    for promoted, alias in ((first_model.staging, "staging"), (first_model.production, "production")):
        assert (promoted["alias"], promoted["version"], promoted["moved"], promoted["from"]) == (alias, "1", True, None)
    moves = deployed.mlp("models", EXAMPLE, "--history")
    assert moves["notes"] == []
    first = [move for move in moves["moves"] if move["version"] == "1" and move["kind"] == "promote"]
    assert [move["alias"] for move in first][-2:] == ["production", "staging"]
    assert all(move["gate"]["metric"] == "f1" and move["by"].startswith("arn:aws:") for move in first)


def test_a_prediction_says_which_version_made_it(first_model: FirstModel) -> None:
    assert first_model.predicted == {"predictions": ["malignant"], "model": {"name": EXAMPLE, "version": "1"}}


def test_the_status_shows_what_is_deployed_and_answers(deployed: DeployedProjects, first_model: FirstModel) -> None:
    found = deployed.mlp("status", EXAMPLE)
    assert found["problems"] == []
    assert found["answering"]["version"] is not None
    assert found["aliases"].keys() == {"dev", "staging", "production"}
    assert found["image"] == deployed.outputs["projects"][EXAMPLE]["image"]

"""Another project's account cannot access this one's experiment, model, files, data, secrets or server."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mlflow.artifacts
import pytest
import requests
from mlflow.exceptions import MlflowException

from ml_workloads.project.deployment_names import FIT, SERVING_PORT, data_prefix
from ml_workloads.runtime.handover import keys
from tests.environments.real_nodes.eks.manifests import WITH_SDK, job
from tests.environments.real_nodes.projects.conftest import FirstModel
from tests.environments.real_nodes.projects.deployed import PREFIX, DeployedProjects
from tests.environments.real_nodes.projects.sources import DATA, EXAMPLE, OTHER, OTHER_SECRET

FORBIDDEN = 403
Call = Callable[[], object]
ASK = """
import json, os, socket, boto3
asked = json.loads(os.environ["ASKED"])
def tried(call):
    try:
        return "ok " + str(call())[:60]
    except Exception as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
        return f"{type(error).__name__} {code}"
s3, vault = boto3.client("s3"), boto3.client("secretsmanager")
def read(bucket, key):
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()[:20]
def listed(bucket, prefix):
    return len(s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"])
def connect(host, port):
    socket.create_connection((host, port), timeout=5).close()
calls = {"read": read, "list": listed, "connect": connect,
         "write": lambda bucket, key: s3.put_object(Bucket=bucket, Key=key, Body=b"1"),
         "secret": lambda name: len(vault.get_secret_value(SecretId=name)["SecretString"])}
print("said:", json.dumps({name: tried(lambda: calls[call](*given)) for name, (call, *given) in asked.items()}))
"""


@dataclass(frozen=True)
class Theirs:
    """Objects that the example's own account sees."""

    experiment: str
    run: str
    logged_model: str

    @property
    def folder(self) -> str:
        """Return the path of the model's files in MLflow's proxy."""
        return f"{self.experiment}/models/{self.logged_model}/artifacts"


@pytest.fixture(scope="module")
def theirs(deployed: DeployedProjects, first_model: FirstModel) -> Theirs:
    with deployed.tracking(EXAMPLE) as client:
        version = client.get_model_version(EXAMPLE, "1")
        run = client.get_run(str(version.run_id))
        assert "signature" in mlflow.artifacts.load_text(f"models:/{EXAMPLE}/1/MLmodel")
        found = Theirs(run.info.experiment_id, run.info.run_id, str(version.source).removeprefix("models:/"))
        assert proxied("GET", f"{found.folder}/MLmodel").status_code == requests.codes.ok
        return found


def proxied(method: str, path: str, **more: Any) -> requests.Response:
    """Send a request to MLflow's file proxy as the signed-in account."""
    user, password = os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"]
    address = f"{os.environ['MLFLOW_TRACKING_URI']}/api/2.0/mlflow-artifacts/artifacts/{path}"
    return requests.request(method, address, auth=(user, password), timeout=60, **more)


def refusal(call: Call) -> int | str:
    """Return the status of MLflow's rejection, or the result that it let through."""
    try:
        return f"let through: {call()}"
    except MlflowException as error:
        return error.get_http_status_code()


def test_at_mlflow_an_account_is_refused_at_all_that_is_another_projects(
    deployed: DeployedProjects, theirs: Theirs
) -> None:
    with deployed.tracking(OTHER) as client:
        own = client.get_experiment_by_name(OTHER)
        assert own is not None
        assert client.get_registered_model(OTHER).name == OTHER
        calls: dict[str, Call] = {
            "read the experiment": lambda: client.get_experiment(theirs.experiment),
            "find it by its name": lambda: client.get_experiment_by_name(EXAMPLE),
            "delete it": lambda: client.delete_experiment(theirs.experiment),
            "begin a run": lambda: client.create_run(theirs.experiment),
            "read a run": lambda: client.get_run(theirs.run),
            "write into a run": lambda: client.log_metric(theirs.run, "f1", 1.0),
            "list a run's files": lambda: client.list_artifacts(theirs.run),
            "read the model": lambda: client.get_registered_model(EXAMPLE),
            "read a version": lambda: client.get_model_version(EXAMPLE, "1"),
            "follow an alias": lambda: client.get_model_version_by_alias(EXAMPLE, "production"),
            "move an alias": lambda: client.set_registered_model_alias(EXAMPLE, "production", "1"),
            "take an alias away": lambda: client.delete_registered_model_alias(EXAMPLE, "production"),
            "record a move": lambda: client.set_registered_model_tag(EXAMPLE, "move.production.1", "x"),
            "delete a version": lambda: client.delete_model_version(EXAMPLE, "1"),
            "read the logged model": lambda: client.get_logged_model(theirs.logged_model),
            "load the model": lambda: mlflow.artifacts.load_text(f"models:/{EXAMPLE}/1/MLmodel"),
        }
        said = {what: refusal(call) for what, call in calls.items()}
        assert said == dict.fromkeys(calls, FORBIDDEN)
        for make in (client.create_registered_model, client.create_experiment):
            with pytest.raises(MlflowException, match="the platform makes each project's own when it is deployed"):
                make(EXAMPLE)
        assert [each.name for each in client.search_registered_models()] == [OTHER]
        assert [each.name for each in client.search_experiments()] == [OTHER]
        assert client.search_model_versions(f"name = '{EXAMPLE}'") == []
        found = client.search_runs([own.experiment_id, theirs.experiment])
        assert {run.info.experiment_id for run in found} <= {own.experiment_id}


def test_files_of_another_project_are_refused_by_their_path_too(deployed: DeployedProjects, theirs: Theirs) -> None:
    with deployed.tracking(OTHER):
        for path in (theirs.folder, f"./{theirs.folder}", f"x/../{theirs.folder}", f"%2e/{theirs.folder}"):
            assert proxied("GET", f"{path}/MLmodel").status_code in (400, 403, 404), path
        assert proxied("GET", f"{theirs.folder}/MLmodel").status_code == FORBIDDEN
        assert proxied("PUT", f"{theirs.folder}/MLmodel", data=b"x").status_code == FORBIDDEN
        assert proxied("DELETE", theirs.folder).status_code == FORBIDDEN
        assert proxied("GET", "", params={"path": theirs.folder}).status_code == FORBIDDEN


@pytest.mark.parametrize(
    "source", ["mlflow-artifacts:/{folder}", "models:/{model}", "s3://{bucket}/mlflow/{folder}", "file:///run/mlflow"]
)
def test_no_version_of_ones_own_points_to_files_of_another_project_or_of_the_server(
    deployed: DeployedProjects, theirs: Theirs, source: str
) -> None:
    bucket = deployed.outputs["model_artifacts_bucket"]
    given = source.format(folder=theirs.folder, model=theirs.logged_model, bucket=bucket)
    with (
        deployed.tracking(OTHER) as client,
        pytest.raises(MlflowException, match=f"must be a run or logged model of the experiment {OTHER}") as refused,
    ):
        client.create_model_version(OTHER, given)
    assert refused.value.get_http_status_code() == FORBIDDEN


@pytest.fixture(scope="module")
def said(deployed: DeployedProjects, first_model: FirstModel) -> dict[str, str]:
    """Return the answers that the training code of the second project gets."""
    lake, models = deployed.outputs["data_lake_bucket"], deployed.outputs["model_artifacts_bucket"]
    s3 = deployed.box.client("s3")
    mine = {
        keys.training_part(OTHER, "old-fit"): b"rows",
        keys.model(OTHER, "old-fit"): b"model",
        keys.training_part(EXAMPLE, "theirs-fit"): b"their rows",
        f"{data_prefix(EXAMPLE)}{DATA}": b"theirs",
    }
    for key, content in mine.items():
        s3.put_object(Bucket=lake, Key=key, Body=content)
    (server, *_) = deployed.pods(deployed.namespace_of(EXAMPLE), "app.kubernetes.io/name=serving")
    asked = {
        "own rows": ("read", lake, keys.training_part(OTHER, "old-fit")),
        "own model": ("write", lake, keys.model(OTHER, "new-fit")),
        "own checkpoint": ("write", lake, f"{keys.checkpoints(OTHER)}new-fit/1"),
        "own secret": ("secret", f"{PREFIX}/projects/{OTHER}/{OTHER_SECRET}"),
        "source": ("read", lake, f"{data_prefix(OTHER)}{DATA}"),
        "list the source": ("list", lake, data_prefix(OTHER)),
        "split key": ("read", lake, keys.split_key(OTHER)),
        "list the conductor's": ("list", lake, keys.conductors(OTHER)),
        "write own rows": ("write", lake, keys.training_part(OTHER, "old-fit")),
        "models before": ("read", lake, keys.model(OTHER, "old-fit")),
        "write the source": ("write", lake, f"{data_prefix(OTHER)}{DATA}"),
        "their data": ("read", lake, f"{data_prefix(EXAMPLE)}{DATA}"),
        "their rows": ("read", lake, keys.training_part(EXAMPLE, "theirs-fit")),
        "their model": ("write", lake, keys.model(EXAMPLE, "theirs-fit")),
        "list their data": ("list", lake, data_prefix(EXAMPLE)),
        "list all data": ("list", lake, ""),
        "models": ("list", models, "mlflow/"),
        "account": ("secret", f"{PREFIX}/mlflow/accounts/{OTHER}/password"),
        "their account": ("secret", f"{PREFIX}/mlflow/accounts/{EXAMPLE}/password"),
        "the account of the own servers": ("secret", f"{PREFIX}/mlflow/accounts/{OTHER}/serving"),
        "administrator": ("secret", f"{PREFIX}/mlflow/admin"),
        "reach MLflow": ("connect", "mlflow.ml-platform.svc.cluster.local", 5000),
        "reach their server": ("connect", server["status"]["podIP"], SERVING_PORT),
        "reach the database": ("connect", *deployed.outputs["database_endpoint"].split(":")),
    }
    # In a variable $(..) is Kubernetes' own; there is none in JSON.
    variables = [{"name": "ASKED", "value": json.dumps(asked)}, {"name": "AWS_DEFAULT_REGION", "value": "us-east-1"}]
    namespace = deployed.namespace_of(OTHER)
    manifest = job(
        "asks",
        namespace,
        ASK,
        serviceAccountName=FIT,
        container_fields={"image": WITH_SDK, "env": variables},
    )
    # What the network lets out is what it lets training out to.
    manifest["spec"]["template"]["metadata"] = {"labels": {"app.kubernetes.io/name": FIT}}
    with deployed.created(f"/apis/batch/v1/namespaces/{namespace}/jobs", manifest) as name:
        return dict(json.loads(deployed.log_of_job(namespace, name).rpartition("said: ")[2]))


OWN = ("own rows", "own model", "own checkpoint", "own secret")


def test_training_code_reads_its_rows_writes_its_model_and_reads_its_secrets(said: dict[str, str]) -> None:
    assert {name: said[name].split()[0] for name in OWN} == dict.fromkeys(OWN, "ok")


def test_training_code_is_denied_the_source_the_verdicts_place_and_all_that_is_another_projects(
    said: dict[str, str],
) -> None:
    denied = [name for name in said if name not in OWN and not name.startswith("reach ")]
    secrets = ("account", "their account", "the account of the own servers", "administrator")
    assert len(denied) == 17
    assert {name: said[name].split()[-1] for name in denied} == {
        name: "AccessDeniedException" if name in secrets else "AccessDenied" for name in denied
    }


def test_training_code_reaches_neither_mlflow_nor_a_database_nor_another_projects_server(said: dict[str, str]) -> None:
    reached = {name: said[name].split()[0] for name in said if name.startswith("reach ")}
    assert reached == dict.fromkeys(("reach MLflow", "reach their server", "reach the database"), "TimeoutError")

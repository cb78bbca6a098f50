"""The projects of the environment: the repository's example with extra faulty entry points, and a second one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from ml_workloads.project import PROJECT_FILE
from ml_workloads.project.image import PROJECTS

EXAMPLE = "tumour-diagnosis"
OTHER, OTHER_TEAM, OTHER_SECRET = "cell-survey", "research", "partner-key"
DATA, BROKEN_DATA = "measurements.csv", "broken.csv"
FAULTS = "tumour_diagnosis.faults"
_FAULTS = '''
"""Entry points that fail, each in its way, or train badly, by the name of the run."""

import json
import os
import pathlib
import socket
import time

import boto3
import mlflow
from sklearn.dummy import DummyClassifier

from ml_workloads.runtime import gate
from tumour_diagnosis.training import train


def raises(inputs, target):
    raise RuntimeError("it did not converge in 3 rounds")


def hungry(inputs, target):
    held = []
    while True:
        held.append(b"x" * 2**24)


def sleeps(inputs, target):
    time.sleep(3600)


def slow(inputs, target):
    time.sleep(45 if len(inputs) > 100 else 0)
    return weak(inputs, target)


def weak(inputs, target):
    return DummyClassifier(strategy="stratified", random_state=0).fit(inputs, target)


def asked(otherwise):
    name = os.environ.get("TRAINING_JOB", "").removeprefix("training-").removesuffix("-fit")
    return {"memory": hungry, "deadline": sleeps, "weak": weak, "cheat": cheat}.get(name, otherwise)


def cheat(inputs, target):
    if len(inputs) > 100:
        print("tried:", json.dumps({what: tried(call) for what, call in ways().items()}), flush=True)
    return weak(inputs, target)


def tried(call):
    try:
        return f"done: {str(call())[:80]}"
    except BaseException as error:
        code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
        return f"{type(error).__name__} {code}".strip()


def ways():
    lake, project = os.environ["TRAINING_BUCKET"], os.environ["TRAINING_PROJECT"]
    s3 = boto3.client("s3")
    tracking = "http://mlflow.ml-platform.svc.cluster.local:5000"

    def read(key):
        return lambda: s3.get_object(Bucket=lake, Key=key)["Body"].read()

    def write(key):
        return lambda: s3.put_object(Bucket=lake, Key=key, Body=b"1")

    def connect(host, port):
        return lambda: socket.create_connection((host, port), timeout=5)

    def token():
        return pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount/token").read_text()

    return {
        "log the gate's metric": lambda: mlflow.log_metric("f1", 1.0),
        "say that the gate let it through": lambda: mlflow.set_tag("gate", "passed"),
        "change the gate's code": lambda: setattr(gate, "decide", lambda *_: gate.Verdict(
            metric="f1", value=1.0, bound=0.0, incumbent=None)),
        "leave another model": write(f"runs/{project}/models/another-fit/model.skops"),
        "register a model": lambda: mlflow.register_model("runs:/0/model", project),
        "move an alias at MLflow": lambda: mlflow.MlflowClient(tracking).set_registered_model_alias(
            project, "production", "1"),
        "reach MLflow": connect("mlflow.ml-platform.svc.cluster.local", 5000),
        "read the source": read(f"projects/{project}/measurements.csv"),
        "list the source": lambda: s3.list_objects_v2(Bucket=lake, Prefix=f"projects/{project}/"),
        "read which rows are held out": read(f"conductor/{project}/split-key"),
        "change the rows": write(f"runs/{project}/training/training-cheat-fit.arrow"),
        "read a neighbour's rows": read("runs/tumour-diagnosis/training/any.arrow"),
        "leave a neighbour a model": write("runs/tumour-diagnosis/models/any/model.skops"),
        "read the account at MLflow": lambda: boto3.client("secretsmanager").get_secret_value(
            SecretId=f"ml-platform-dev/mlflow/accounts/{project}/password"),
        "read the administrator's password": lambda: boto3.client("secretsmanager").get_secret_value(
            SecretId="ml-platform-dev/mlflow/admin"),
        "become another role": lambda: boto3.client("sts").assume_role(
            RoleArn=boto3.client("sts").get_caller_identity()["Arn"].replace("sts", "iam").replace(
                "assumed-role", "role").rpartition("/")[0].replace("-fit", "-conductor"), RoleSessionName="x"),
        "read a token of the cluster": token,
        "reach the neighbour's server": connect("serving.data-science-tumour-diagnosis.svc.cluster.local", 80),
        "ask the node who it is": connect("169.254.169.254", 80),
    }


def by_run(inputs, target):
    return asked(train)(inputs, target)


def by_run_or_raises(inputs, target):
    return asked(raises)(inputs, target)
'''


def add_faults(root: Path) -> None:
    """Add entry points to the example that misbehave in runs of certain names, and train normally in all others.

    A conductor starts only the project's own training, so a test cannot make one run train differently.
    """
    folder = root / PROJECTS / EXAMPLE
    (folder / "tumour_diagnosis" / "faults.py").write_text(_FAULTS.lstrip())
    content: dict[str, Any] = yaml.safe_load((folder / PROJECT_FILE).read_text())
    content["training"]["entrypoint"] = f"{FAULTS}:by_run"
    (folder / PROJECT_FILE).write_text(yaml.safe_dump(content, sort_keys=False))


def add_other(root: Path) -> None:
    """Add a project of another team that reads the data lake and has a secret, no server, and code that raises."""
    folder = root / PROJECTS / OTHER
    shutil.copytree(root / PROJECTS / EXAMPLE, folder)
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace(f"{PROJECTS}/{EXAMPLE}", f"{PROJECTS}/{OTHER}"))
    content: dict[str, Any] = yaml.safe_load((folder / PROJECT_FILE).read_text())
    content |= {"name": OTHER, "team": OTHER_TEAM, "secrets": [OTHER_SECRET]}
    content["data"]["source"] = {"type": "s3", "path": DATA}
    content["training"] |= {
        "entrypoint": f"{FAULTS}:by_run_or_raises",
        "resources": {"cpu": "100m", "memory": "768Mi"},
        "retries": 0,
    }
    # Five runs at once, and each is conducted.
    content["quota"] = {"cpu": "6", "memory": "16Gi"}
    del content["serving"], content["training"]["schedule"]
    (folder / PROJECT_FILE).write_text(yaml.safe_dump(content, sort_keys=False))


def take_out(root: Path, project: str) -> None:
    """Remove a project as its team would: no environment that this program deploys lists it any more."""
    path = root / PROJECTS / project / PROJECT_FILE
    content: dict[str, Any] = yaml.safe_load(path.read_text())
    content["environments"] = ["prod"]
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def table(root: Path) -> str:
    """Return the example's data as CSV."""
    command = (sys.executable, "-m", "tumour_diagnosis.dataset", "/dev/stdout")
    done = subprocess.run(command, cwd=root / PROJECTS / EXAMPLE, capture_output=True, text=True, check=True)
    return done.stdout


def broken(text: str) -> str:
    """Return the table without one column, and with an impossible radius in one row."""
    header, first, second, *rest = (line.split(",") for line in text.splitlines())
    gone, radius = header.index("mean_texture"), header.index("mean_radius")
    second[radius] = "-4.5"
    lines = [[cell for place, cell in enumerate(line) if place != gone] for line in (header, first, second, *rest)]
    return "\n".join(",".join(line) for line in lines) + "\n"

"""The environment with its projects, and helpers beside the command line."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from mlflow import MlflowClient

from ml_workloads.project import load_project
from ml_workloads.project.deployment_names import CONDUCTOR, TRAINING
from ml_workloads.project.image import PROJECTS
from mlp.projects.cluster_access import Cluster
from mlp.projects.environment import Environment, find_environment, find_place
from mlp.projects.follow import follow, has_begun, pods_of
from mlp.projects.pods import forwarded
from mlp.projects.port_forward import PortForward
from mlp.projects.predict import call, serving
from mlp.projects.session import Session, signed_in
from mlp.projects.tracking import NAME as MLFLOW
from mlp.projects.tracking import NAMESPACE, PORT, environment_variables, tracking, variables
from mlp.projects.train import job_from
from mlp_sandbox.testing.box import eventually
from tests.environments.real_nodes.deployed import STACK, Deployed

PREFIX = f"ml-platform-{STACK}"
Document = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any


@dataclass(frozen=True)
class DeployedProjects(Deployed):
    """The environment, with commands of its own copy of the program."""

    def mlp(self, *arguments: str) -> Document:
        """Run a command that succeeds, and return its `--json` output."""
        return dict(json.loads(self.copy.mlp(*arguments, "--env", STACK, "--json").stdout))

    def refused(self, *arguments: str) -> str:
        """Run a command that ends with exit code 1, and return its output."""
        done = self.copy.mlp(*arguments, "--env", STACK, ok=False)
        assert done.returncode == 1, f"{arguments} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return " ".join((done.stdout + done.stderr).split())

    @property
    def environment(self) -> Environment:
        return find_environment(STACK, self.copy.folder / "stacks")

    def namespace_of(self, project: str) -> str:
        return load_project(self.copy.folder / PROJECTS / project / "project.yaml").namespace

    @contextmanager
    def cluster(self) -> Generator[Cluster]:
        with environment_variables(self.box.environment()), signed_in(self.environment, "") as (_, cluster):
            yield cluster

    @contextmanager
    def session(self, project: str) -> Generator[Session]:
        """Yield the session of commands on a project; this process has the environment's variables meanwhile."""
        folder = self.copy.folder
        place = find_place(project, STACK, folder / PROJECTS, folder / "stacks")
        with (
            environment_variables(self.box.environment()),
            signed_in(place.environment, place.role) as (aws, cluster),
        ):
            yield Session(place=place, aws=aws, cluster=cluster)

    @contextmanager
    def tracking(self, project: str) -> Generator[MlflowClient]:
        """Yield an MLflow client signed in with a project's account."""
        with self.session(project) as session, tracking(session) as client:
            yield client

    @contextmanager
    def administration(self) -> Generator[MlflowClient]:
        """Yield an MLflow client signed in as its administrator."""
        import mlflow

        held = json.loads(self.secret(f"{PREFIX}/mlflow/admin"))
        with (
            self.cluster() as cluster,
            forwarded(cluster, NAMESPACE, MLFLOW, PORT, "") as forward,
            environment_variables(variables(forward.address, held["username"], held["password"])),
        ):
            # The commands' own clients leave an address behind.
            mlflow.set_tracking_uri(forward.address)
            mlflow.set_registry_uri(forward.address)
            yield MlflowClient(forward.address, forward.address)

    def secret(self, name: str) -> str:
        return str(self.box.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"])

    @contextmanager
    def server(self, project: str) -> Generator[PortForward]:
        with self.session(project) as session, serving(session, unready=True) as forward:
            yield forward

    def version_of(self, forward: PortForward) -> str | None:
        """Return the version that answers now."""
        found = look(forward, "/readyz").body.get("model")
        return str(found["version"]) if found else None

    def scale(self, name: str, namespace: str, replicas: int) -> None:
        """Scale a Deployment, and wait until exactly that many pods are ready."""
        self.box.kubectl("scale", "deployment", name, "-n", namespace, f"--replicas={replicas}")
        self.box.kubectl("rollout", "status", "deployment", name, "-n", namespace, "--timeout=300s")
        labels = f"app.kubernetes.io/name={name}"
        eventually(lambda: len(self.pods(namespace, labels)) == replicas, f"{replicas} pods of {name}", 120)


def ask(forward: PortForward, document: Any, path: str = "/predict") -> Answer:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    status, said = call(forward, "POST", path, body)
    return Answer(status, json.loads(said))


def look(forward: PortForward, path: str) -> Answer:
    status, said = call(forward, "GET", path)
    return Answer(status, json.loads(said))


def start_run(
    session: Session,
    name: str,
    variables: Mapping[str, str] | None = None,
    change: Callable[[Document], object] | None = None,
) -> str:
    """Start a run as `mlp train` does, with other variables or another Job; `change` modifies its `spec`."""
    found = session.cluster.get(session.path("cronjobs", TRAINING, "apis/batch/v1"))
    job = job_from(found, f"{TRAINING}-{name}")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = dict(variables or {})
    kept = [each for each in container["env"] if each["name"] not in given]
    container["env"] = [*kept, *({"name": key, "value": value} for key, value in given.items())]
    if change:
        change(job["spec"])
    session.cluster.create(session.jobs(), job)
    return str(job["metadata"]["name"])


@dataclass(frozen=True)
class Ended:
    """An ended run; `reason` is the command line's reason for a failure, None after a success."""

    reason: str | None
    log: str
    pods: int


def follow_run(session: Session, job: str) -> Ended:
    lines: list[str] = []
    end = follow(session, job, lambda _: None, lines.append)
    return Ended(end.reason, "\n".join(lines), len(pods_of(session, job)))


def wait_for_line(session: Session, job: str, text: str) -> str:
    """Wait until the log of the run's newest pod contains the text; returns the pod's name."""

    def begun() -> str | None:
        found = [pod for pod in pods_of(session, job) if has_begun(pod)]
        return str(found[-1]["metadata"]["name"]) if found else None

    pod = eventually(begun, f"a pod of {job} has begun", 240)
    for line in session.cluster.lines(session.path("pods", f"{pod}/log"), container=CONDUCTOR, follow="true"):
        if text in line:
            return str(pod)
    raise AssertionError(f"{pod} ended, and its log does not have {text!r}")


def kill_run(deployed: DeployedProjects, job: str) -> None:
    """Kill the conductor process of a run on this machine; another sandbox may have a process of the same name."""
    killed, account = 0, f":{deployed.box.instance.port}"
    for process in psutil.process_iter():
        try:
            if "ml_workloads.runtime.conductor" not in process.cmdline():
                continue
            variables = process.environ()
            ours = variables.get("AWS_ENDPOINT_URL", "").endswith(account)
            if ours and variables.get("CONDUCTOR_JOB") == job:
                os.kill(process.pid, signal.SIGKILL)
                killed += 1
        except psutil.Error:
            continue
    assert killed == 1, f"{killed} conductors of {job}"


def version_of_job(client: MlflowClient, project: str, job: str) -> tuple[list[Any], list[Any]]:
    """Return the runs of a Job, first to last, and the versions created from them."""
    experiment = client.get_experiment_by_name(project)
    assert experiment is not None
    found = client.search_runs(
        [experiment.experiment_id], filter_string=f"tags.job = '{job}'", order_by=["attributes.start_time ASC"]
    )
    ids = {run.info.run_id for run in found}
    versions = [each for each in client.search_model_versions(f"name = '{project}'") if each.run_id in ids]
    return list(found), versions


def row(root: Path) -> Document:
    """Return one row that the example's model accepts."""
    document = json.loads((root / PROJECTS / "tumour-diagnosis" / "example.json").read_text())
    return dict(document["instances"][0])

"""MLflow's real server with the packages of its image, on this machine: sign-in, files and accounts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
import requests
from mlflow import MlflowClient
from mlflow_server.accounts import MlflowRecords, reconcile
from mlflow_server.secrets_manager import Document, new_account, new_administrator
from mlflow_server.serve import command, server_environment, sign_in_configuration
from mlflow_server.settings import ServerSettings
from mlflow_server.sign_in import SignIn

from mlp.machine.pip_configuration import read_pip_configuration, uv_arguments, uv_variables
from mlp.projects.tracking import environment_variables, variables
from mlp_sandbox.testing.box import eventually, free_port
from mlp_sandbox.toolchain.cache import content_key, ensure

ROOT = Path(__file__).parents[3]
IMAGE = ROOT / "platform_services" / "mlflow" / "image"
REQUIREMENTS = IMAGE / "requirements.txt"


def packages() -> Path:
    """Return the folder with the packages that the image's requirements pin; they are installed once per machine."""

    def install(folder: Path) -> list[str]:
        pip = read_pip_configuration(Path(sys.executable))
        uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--python", sys.executable]
        done = subprocess.run(
            [
                *(*uv, "--require-hashes", "--compile-bytecode", *uv_arguments(pip)),
                *("--target", folder / "packages", "-r", REQUIREMENTS),
            ],
            env={**os.environ, **uv_variables(pip, os.environ)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise AssertionError(f"{REQUIREMENTS} cannot be installed:\n{done.stderr[-2000:]}")
        return ["packages/mlflow/version.py"]

    key = content_key(REQUIREMENTS.read_bytes(), sys.version.encode())
    return ensure("mlflow-server", key, lambda _line: None, install) / "packages"


def in_image(*arguments: str | Path, **more: str) -> dict[str, Any]:
    """Return arguments for a subprocess that sees the image's packages and nothing of this environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "_MLFLOW_"))}
    paths = {"PYTHONPATH": f"{IMAGE}:{packages()}", "PATH": f"{packages()}/bin:{kept['PATH']}"}
    python: str = getattr(sys, "_base_executable", "") or sys.executable
    return {"args": [python, *arguments], "env": {**kept, **paths, "MLFLOW_DISABLE_TELEMETRY": "true", **more}}


@dataclass(frozen=True)
class Answer:
    """Answer of the server; `said` is MLflow's message of an error, else the whole body."""

    status: int
    said: str
    body: Any = None


@dataclass
class Server:
    address: str
    administrator: Document
    log: Path
    passwords: dict[str, str] = field(default_factory=dict[str, str])

    def reconcile(self, *projects: str) -> None:
        """Create the accounts of these projects, as the Job does."""
        names = [name for project in projects for name in (project, f"{project}.serving")]
        documents = [
            {**new_account(name), "password": self.passwords.get(name) or new_account(name)["password"]}
            for name in names
        ]
        with self.signed_in("admin"):
            reconcile(documents, SignIn(self.address, self.administrator), MlflowRecords())
        self.passwords |= {document["username"]: document["password"] for document in documents}

    def credentials(self, user: str) -> tuple[str, str]:
        return user, self.administrator["password"] if user == "admin" else self.passwords[user]

    @contextmanager
    def signed_in(self, user: str) -> Generator[MlflowClient]:
        """Sign MLflow's client, and all of MLflow in this process, in as an account."""
        with environment_variables(variables(self.address, *self.credentials(user))):
            mlflow.set_tracking_uri(self.address)
            mlflow.set_registry_uri(self.address)
            try:
                yield MlflowClient(self.address, self.address)
            finally:
                mlflow.set_tracking_uri(None)  # pyright: ignore[reportArgumentType] - back to the environment's
                mlflow.set_registry_uri(None)  # pyright: ignore[reportArgumentType]

    def ask(self, user: str, method: str, path: str, document: Any = None, **more: Any) -> Answer:
        """Send one request exactly as written, without a client's normalisation."""
        request = requests.Request(method, "http://placeholder", json=document, **more).prepare()
        request.url = f"{self.address}{path}" + (request.url or "").partition("placeholder/")[2]
        request.prepare_auth(self.credentials(user))
        with requests.Session() as session:
            answered = session.send(request, timeout=60, allow_redirects=False)
        try:
            body = answered.json()
        except ValueError:
            body = None
        message = body.get("message") if isinstance(body, dict) else None
        return Answer(answered.status_code, str(message or answered.text), body)


@contextmanager
def running(folder: Path) -> Generator[Server]:
    """Run a server with databases and files below a folder, started as in its pod."""
    port, administrator = free_port(), new_administrator()
    settings = ServerSettings(
        region="us-east-1",
        database_host="unused",
        database_secret="unused",
        admin_secret="unused",
        credentials=folder,
        artifacts=(folder / "bucket").as_uri(),
        allowed_hosts="127.0.0.1:*,localhost:*",
        port=port,
        metrics=folder / "metrics",
    )
    for made in (folder / "bucket", folder / "metrics"):
        made.mkdir()
    configuration = folder / "basic_auth.ini"
    configuration.write_text(sign_in_configuration(f"sqlite:///{folder}/accounts.db", administrator))
    given: Mapping[str, str] = server_environment(f"sqlite:///{folder}/records.db", configuration, administrator)
    log = folder / "server.log"
    with log.open("wb") as lines:
        how = in_image("-m", "mlflow", *command(settings)[1:], **given)
        process: subprocess.Popen[Any] = subprocess.Popen(
            **how, cwd=folder, stdout=lines, stderr=lines, start_new_session=True
        )
        try:
            server = Server(f"http://127.0.0.1:{port}", administrator, log)
            eventually(lambda: is_up(server, process), f"MLflow answers: {log}", 120)
            yield server
        finally:
            os.killpg(process.pid, 15)
            process.wait(30)


def is_up(server: Server, process: subprocess.Popen[Any]) -> bool:
    if process.poll() is not None:
        raise AssertionError(f"MLflow ended:\n{server.log.read_text()[-3000:]}")
    try:
        return requests.get(f"{server.address}/health", timeout=5).ok
    except requests.RequestException:
        return False


def routes_of_mlflow(folder: Path) -> set[tuple[str, str, str]]:
    """Return method, route (in the format of `route_of`) and rule of everything that MLflow's application serves."""
    script = Path(__file__).with_name("list_routes.py")
    how = in_image(script, MLFLOW_AUTH_CONFIG_PATH=str(folder / "basic_auth.ini"), _MLFLOW_SGI_NAME="uvicorn")
    (folder / "basic_auth.ini").write_text(
        sign_in_configuration(f"sqlite:///{folder}/accounts.db", new_administrator())
    )
    how["env"]["MLFLOW_FLASK_SERVER_SECRET_KEY"] = "unused"
    done = subprocess.run(**how, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return {(method, route, rule) for method, route, rule in json.loads(done.stdout.splitlines()[-1])}

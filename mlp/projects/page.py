"""`mlp mlflow`: access to MLflow's web page on this machine, for as long as the command runs."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from mlp.console import PlainError, plain_errors
from mlp.environments import Env
from mlp.projects.environment import find_environment
from mlp.projects.session import signed_in
from mlp.projects.show import tell


def mlflow(
    env: Env = "dev",
    port: Annotated[int, typer.Option(help="Port on this machine; 0 takes a free one.", min=0, max=65535)] = 5000,
) -> None:
    """Forward a local port to MLflow, and print its address and the accounts that may sign in.

    MLflow itself is reachable only inside the cluster. Ctrl-C closes it.
    """
    with plain_errors():
        from mlp.projects.pods import forwarded
        from mlp.projects.tracking import NAME, NAMESPACE, PORT, check

        environment = find_environment(env)
        with signed_in(environment, environment.role_for(None)) as (_, cluster):
            try:
                opened = forwarded(cluster, NAMESPACE, NAME, PORT, environment.deploy, local_port=port)
                with opened as forward:
                    check(forward)
                    tell(f"MLflow of {env}: {forward.address}")
                    tell("Sign in with user name and password of a project's account, or of the administrator:")
                    for secret in ("accounts/<project>/password", "admin"):
                        name = f"{environment.prefix}/mlflow/{secret}"
                        tell(f"  aws secretsmanager get-secret-value --secret-id {name} --query SecretString")
                    tell("Ctrl-C closes it.")
                    _wait()
            except OSError as error:
                raise PlainError(f"--port {port}: {error.strerror}; choose another one, or 0") from error


def _wait() -> None:
    """Wait until Ctrl-C or SIGTERM."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: ended.set())
    ended.wait()

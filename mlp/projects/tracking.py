"""MLflow client for an environment, through a port forward to the cluster, with a project's account."""

from __future__ import annotations

import http.client
import json
import logging
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from mlp.console import PlainError
from mlp.projects.pods import forwarded
from mlp.projects.port_forward import PortForward

if TYPE_CHECKING:
    from mlflow import MlflowClient

    from mlp.projects.session import Session

NAMESPACE, NAME, PORT = "ml-platform", "mlflow", 5000
_ANSWER_SECONDS: Final = 20.0


@contextmanager
def tracking(session: Session) -> Generator[MlflowClient]:
    """Return MLflow's client, valid as long as the port forward lasts."""
    user, password = account(session)
    with forwarded(session.cluster, NAMESPACE, NAME, PORT, session.deploy) as forward:
        check(forward)
        with environment_variables(variables(forward.address, user, password)):
            # Imported here because it takes seconds, which other commands skip.
            import mlflow
            from mlflow import MlflowClient

            from ml_workloads.runtime.account import PROVIDER, RenewedAuth, sign_in_with

            # A rotation may change the password while the command runs.
            sign_in_with(RenewedAuth(lambda: account(session)))
            os.environ["MLFLOW_TRACKING_AUTH"] = PROVIDER
            logging.getLogger("mlflow").setLevel(logging.ERROR)
            # A URI set earlier in this process, for another project, would take precedence over the variable.
            mlflow.set_tracking_uri(forward.address)
            mlflow.set_registry_uri(forward.address)
            with plain_mlflow_errors(forward):
                yield MlflowClient(forward.address, forward.address)


def account(session: Session) -> tuple[str, str]:
    """Return user and password of the project's account, from its secret."""
    name = session.place.account_secret
    held = session.aws.secret(name, f"there is no secret {name}: deploy the project with {session.deploy}")
    try:
        document = json.loads(held)
        return str(document["username"]), str(document["password"])
    except (ValueError, KeyError, TypeError):
        raise PlainError(f"the secret {name} does not hold username and password; {session.deploy}") from None


def variables(address: str, user: str, password: str) -> Mapping[str, str]:
    """Return the variables of MLflow's client.

    https://mlflow.org/docs/latest/api_reference/python_api/mlflow.environment_variables.html
    """
    no_proxy = os.environ.get("NO_PROXY", os.environ.get("no_proxy", ""))
    without = ",".join(filter(None, (no_proxy, "127.0.0.1")))
    return {
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_TRACKING_USERNAME": user,
        "MLFLOW_TRACKING_PASSWORD": password,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        # Files go through the server, whose guard issues no presigned URLs of the bucket.
        "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
        "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
        # MLflow would print the URL of a run when its end is recorded, in the middle of a command's output.
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "NO_PROXY": without,
        "no_proxy": without,
        # Without it, a `default` entry in the user's netrc file would replace user and password of every request.
        # https://requests.readthedocs.io/en/latest/user/authentication/#netrc-authentication
        "NETRC": os.devnull,
    }


@contextmanager
def environment_variables(given: Mapping[str, str]) -> Generator[None]:
    """Set variables of this process for the block, and remove all other variables of MLflow.

    Any of them might redirect requests or change their identity: the registry, a token, a plugin that signs requests.
    The shell's variables are restored afterwards.
    """
    before = dict(os.environ)
    for name in before:
        if is_of_mlflow(name):
            del os.environ[name]
    os.environ.update(given)
    try:
        yield
    finally:
        for name in [name for name in os.environ if name in given or is_of_mlflow(name)]:
            del os.environ[name]
        os.environ.update({name: value for name, value in before.items() if name in given or is_of_mlflow(name)})


def is_of_mlflow(name: str) -> bool:
    """Return whether a variable is a setting of MLflow. MLflow's settings begin with one of these prefixes."""
    return name.startswith(("MLFLOW_", "_MLFLOW_"))


def check(forward: PortForward) -> None:
    """Raise PlainError unless MLflow answers, because its client would retry for minutes."""
    connection = http.client.HTTPConnection("127.0.0.1", forward.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise PlainError(f"MLflow does not answer: {forward.problem or error}") from error
    finally:
        connection.close()
    if status != http.client.OK:
        raise PlainError(f"MLflow does not work, its /health answers {status}; see `kubectl logs -n {NAMESPACE}`")


@contextmanager
def plain_mlflow_errors(forward: PortForward) -> Generator[None]:
    from mlflow.exceptions import MlflowException, RestException

    try:
        yield
    except RestException as error:
        raise PlainError(f"MLflow refused: {_said(error)}") from error
    except MlflowException as error:
        raise PlainError(f"MLflow: {forward.problem or _said(error)}") from error


def _said(error: Any) -> str:
    return " ".join(str(error).split())[:500]

"""`python -m mlflow_server.serve`: MLflow's server, and a thread that keeps its database password up to date.

Metrics have a port of their own: MLflow's `/metrics` requires the administrator's password, which no scraper should
have.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
from configparser import ConfigParser
from io import StringIO
from pathlib import Path
from types import FrameType

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.multiprocess import MultiProcessCollector

from mlflow_server.database import REFRESH_SECONDS, SIGN_IN, TRACKING, Database, write_secret
from mlflow_server.secrets_manager import Document, SecretsManager
from mlflow_server.settings import ServerSettings, from_environment

LOG = logging.getLogger("serve")
# A string, because importing the function means importing MLflow's server, which reads the configuration that this
# module writes.
AUTHORIZATION_FUNCTION = "mlflow_server.guard:authenticate"


def sign_in_configuration(database_url: str, administrator: Document) -> str:
    """Return the content of MLflow's basic_auth.ini. Operations without an explicit permission are denied.

    https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/
    """
    configuration = ConfigParser(interpolation=None)
    configuration["mlflow"] = {
        "default_permission": "NO_PERMISSIONS",
        "database_uri": database_url,
        "admin_username": administrator["username"],
        "admin_password": administrator["password"],
        "authorization_function": AUTHORIZATION_FUNCTION,
        # Password hashing is slow by design, so a successful check is cached for this time.
        "auth_cache_ttl_seconds": "30",
    }
    text = StringIO()
    configuration.write(text)
    return text.getvalue()


def command(settings: ServerSettings) -> list[str]:
    """Return the command of the server. It contains no secret, because every process of the node can read it."""
    return [
        *("mlflow", "server", "--app-name", "basic-auth"),
        *("--host", "0.0.0.0", "--port", str(settings.port), "--workers", str(settings.workers)),  # noqa: S104
        *("--serve-artifacts", "--artifacts-destination", settings.artifacts),
        *("--allowed-hosts", settings.allowed_hosts),
        *("--expose-prometheus", str(settings.metrics)),
        # Probes come every few seconds; the metrics count requests.
        *("--uvicorn-opts", "--no-access-log"),
    ]


def server_environment(records_url: str, configuration: Path, administrator: Document) -> dict[str, str]:
    """Return MLflow's own variables. `configuration` is the path of the file with `sign_in_configuration`."""
    return {
        "MLFLOW_BACKEND_STORE_URI": records_url,
        "MLFLOW_AUTH_CONFIG_PATH": str(configuration),
        "MLFLOW_FLASK_SERVER_SECRET_KEY": administrator["session_key"],
        # Its jobs are for language model features, and need as much memory as the server itself.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        # MLflow's defaults, which must not be switched off: requests without an authorization check are denied.
        "MLFLOW_BASIC_AUTH_FAIL_CLOSED": "true",
        "MLFLOW_SERVER_ENABLE_GRAPHQL_AUTH": "true",
        # A connection that PostgreSQL has closed is detected before it is used.
        "MLFLOW_SQLALCHEMYSTORE_POOL_RECYCLE": "300",
    }


def main() -> int:
    """Run MLflow's server and return its exit code; after a signal it is 128 plus the signal's number."""
    settings = from_environment(ServerSettings)
    vault = SecretsManager()
    database = Database(settings=settings, vault=vault)
    database.refresh()
    administrator = vault.must_read(settings.admin_secret)
    configuration = settings.credentials / "basic_auth.ini"
    write_secret(configuration, sign_in_configuration(database.url(SIGN_IN), administrator))
    settings.metrics.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        **database.environment(),
        **server_environment(database.url(TRACKING), configuration, administrator),
    }
    environment["PATH"] = f"/packages/bin:{environment.get('PATH', '')}"
    server = subprocess.Popen(command(settings), env=environment, start_new_session=True)  # noqa: S603 - see `command`
    _pass_on(server)
    _serve_metrics(settings)
    return _keep(server, database)


def _pass_on(server: subprocess.Popen[bytes]) -> None:
    def end(number: int, _frame: FrameType | None) -> None:
        os.killpg(server.pid, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)


def _serve_metrics(settings: ServerSettings) -> None:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, path=str(settings.metrics))
    start_http_server(settings.metrics_port, registry=registry)


def _keep(server: subprocess.Popen[bytes], database: Database) -> int:
    """Refresh the password until the server ends.

    A failed read is repeated at the next interval; connections are not affected.
    """
    ended = threading.Event()

    def refresh() -> None:
        while not ended.wait(REFRESH_SECONDS):
            try:
                if database.refresh():
                    LOG.info("new connections to the database are another login's, with a new password")
            except Exception as error:
                LOG.warning("the database's password cannot be read: %s", error)

    threading.Thread(target=refresh, name="refresh", daemon=True).start()
    code = server.wait()
    ended.set()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())

"""Access to PostgreSQL: TLS with verified host name, and user and password in a file that only libpq reads.

A rotation changes user and password at once, so the file is rewritten periodically; libpq reads it for each new
connection.
https://www.postgresql.org/docs/current/libpq-pgservice.html
"""

from __future__ import annotations

import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from mlflow_server.secrets_manager import Document, SecretsManager
from mlflow_server.settings import DatabaseSettings

TRACKING, SIGN_IN = "mlflow", "mlflow_auth"
"""Names of the databases: one for runs and models, one for accounts and permissions."""

SERVICE = "mlflow"
"""Name of the section in libpq's service file that holds the server's address and the login."""

REFRESH_SECONDS = 10.0
"""Interval in seconds between two reads of the secret. Each read is a call of Secrets Manager, and one of KMS."""

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
CERTIFICATES = "https://truststore.pki.rds.amazonaws.com/{region}/{region}-bundle.pem"


@dataclass(frozen=True, kw_only=True)
class Database:
    """Access of the server and the set-up to MLflow's databases."""

    settings: DatabaseSettings
    vault: SecretsManager

    @property
    def services(self) -> Path:
        return self.settings.credentials / "pg_service.conf"

    def refresh(self) -> bool:
        """Write the current user and password to the service file. Return whether they have changed."""
        held = self.vault.must_read(self.settings.database_secret)
        return write_secret(self.services, service(self.settings, held))

    def environment(self) -> dict[str, str]:
        """Return the environment variables of libpq. https://www.postgresql.org/docs/current/libpq-envars.html"""
        return {
            "PGSERVICEFILE": str(self.services),
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": os.environ.get("PGSSLROOTCERT") or str(self._certificates()),
            "PGCONNECT_TIMEOUT": "10",
        }

    def url(self, database: str) -> str:
        """Return SQLAlchemy's URL, without user and password.

        It names the driver, because MLflow's default has changed.
        """
        return f"postgresql+psycopg2:///{database}?service={SERVICE}"

    def _certificates(self) -> Path:
        """Return the file of Amazon's certificate authorities for the region, which are in no system's own list."""
        path = self.settings.credentials / "rds-certificates.pem"
        if not path.exists():
            url = CERTIFICATES.format(region=self.settings.region)
            with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - the URL above, https
                text = answer.read().decode()
            if "BEGIN CERTIFICATE" not in text:
                raise ValueError(f"{url} holds no certificates; set PGSSLROOTCERT to a file that does")
            path.write_text(text)
        return path


def service(settings: DatabaseSettings, login: Document) -> str:
    """Return the content of libpq's service file. A value extends to the end of its line, and libpq has no escaping.

    Raises:
        ValueError: a value has a line break, or spaces at its ends.
    """
    values = {
        "host": settings.database_host,
        "port": str(settings.database_port),
        "user": login["username"],
        "password": login["password"],
    }
    if broken := [name for name, value in values.items() if value != value.strip() or not value.isprintable()]:
        raise ValueError(f"{', '.join(broken)} of the database: no line breaks, and no spaces at either end")
    return "\n".join([f"[{SERVICE}]", *(f"{name}={value}" for name, value in values.items()), ""])


def write_secret(path: Path, text: str) -> bool:
    """Write a file that only its owner can read, atomically. Return whether its content has changed."""
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
    return True

"""Access to PostgreSQL: TLS with the server's name checked, user and password in a file that only libpq reads.

A rotation changes both at once, so the file is written anew from time to time; libpq reads it for each new connection.
https://www.postgresql.org/docs/current/libpq-pgservice.html
"""

from __future__ import annotations

import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from mlflow_server.settings import DatabaseSettings
from mlflow_server.vault import Document, Vault

TRACKING, SIGN_IN = "mlflow", "mlflow_auth"
"""The databases: runs and models, and who may use which."""

SERVICE = "mlflow"
"""Names the section of libpq's file that says where the server is, and as whom one signs in."""

REFRESH_SECONDS = 10.0
"""Seconds for which a server uses what it has read. Each read is a call of Secrets Manager, and one of KMS."""

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
CERTIFICATES = "https://truststore.pki.rds.amazonaws.com/{region}/{region}-bundle.pem"


@dataclass(frozen=True, kw_only=True)
class Database:
    settings: DatabaseSettings
    vault: Vault

    @property
    def services(self) -> Path:
        return self.settings.credentials / "pg_service.conf"

    def refresh(self) -> bool:
        """Write user and password down as they are now. Whether they are others than before."""
        held = self.vault.must_read(self.settings.database_secret)
        return write_secret(self.services, service(self.settings, held))

    def environment(self) -> dict[str, str]:
        """What libpq is told by. https://www.postgresql.org/docs/current/libpq-envars.html"""
        return {
            "PGSERVICEFILE": str(self.services),
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": os.environ.get("PGSSLROOTCERT") or str(self._certificates()),
            "PGCONNECT_TIMEOUT": "10",
        }

    def url(self, database: str) -> str:
        """SQLAlchemy's, with neither user nor password. The driver is named, because MLflow's default has changed."""
        return f"postgresql+psycopg2:///{database}?service={SERVICE}"

    def _certificates(self) -> Path:
        """Amazon's certificate authorities of the region, which no system's own list has."""
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
    """Return libpq's file. A value goes to the end of its line, and nothing in it is escaped.

    Raises:
        ValueError: a value would end its line.
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
    """For the owner's eyes only, and never half-written. Whether anything has changed."""
    if path.exists() and path.read_text() == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)
    return True

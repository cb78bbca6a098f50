"""How PostgreSQL is reached: TLS with the server's name checked, the password in a file that only libpq reads.

RDS changes the password of its own accord (every seven days by default), so the file is written anew from time to time;
libpq reads it for each new connection. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-secrets-manager.html
"""

from __future__ import annotations

import os
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from mlflow_server.settings import DatabaseSettings
from mlflow_server.vault import Vault

TRACKING, SIGN_IN = "mlflow", "mlflow_auth"
"""The databases: runs and models, and who may use which."""

# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
CERTIFICATES = "https://truststore.pki.rds.amazonaws.com/{region}/{region}-bundle.pem"


@dataclass(frozen=True, kw_only=True)
class Database:
    settings: DatabaseSettings
    vault: Vault

    @property
    def passwords(self) -> Path:
        return self.settings.credentials / "pgpass"

    def refresh(self) -> bool:
        """Write the password down as it is now. Whether it is another than before."""
        held = self.vault.must_read(self.settings.database_secret)
        return write_secret(self.passwords, password_line(self.settings, held["password"]))

    def environment(self) -> dict[str, str]:
        """What libpq is told by. https://www.postgresql.org/docs/current/libpq-envars.html"""
        return {
            "PGPASSFILE": str(self.passwords),
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": os.environ.get("PGSSLROOTCERT") or str(self._certificates()),
            "PGCONNECT_TIMEOUT": "10",
        }

    def url(self, database: str) -> str:
        """SQLAlchemy's, without the password. The driver is named, because MLflow's own default has changed."""
        settings = self.settings
        user = quote(settings.database_user, safe="")
        return f"postgresql+psycopg2://{user}@{settings.database_host}:{settings.database_port}/{database}"

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


def password_line(settings: DatabaseSettings, password: str) -> str:
    """https://www.postgresql.org/docs/current/libpq-pgpass.html"""
    escaped = password.replace("\\", "\\\\").replace(":", "\\:")
    return f"{settings.database_host}:{settings.database_port}:*:{settings.database_user}:{escaped}\n"


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

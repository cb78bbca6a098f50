"""Settings of the pods, from environment variables that begin with `PLATFORM_`.

Secrets are passed by ARN, never by value.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

Settings = TypeVar("Settings", bound=BaseSettings)


class DatabaseSettings(BaseSettings):
    """Settings for the database.

    `database_secret` is the ARN of the secret of MLflow's own role; `credentials` is a folder in memory.
    """

    model_config = SettingsConfigDict(env_prefix="PLATFORM_", frozen=True)

    region: str
    database_host: str
    database_port: int = 5432
    database_secret: str
    admin_secret: str
    credentials: Path = Path("/run/mlflow")


class SetUpSettings(DatabaseSettings):
    """Settings of the set-up. `master_secret` is the ARN of the secret that RDS manages."""

    master_secret: str


class ServerSettings(DatabaseSettings):
    """Settings of the server.

    `artifacts` is the location of artifacts, such as s3://bucket/mlflow; `metrics` is a folder of its own.
    """

    artifacts: str
    allowed_hosts: str
    port: int = 5000
    metrics_port: int = 9464
    metrics: Path = Path("/tmp/metrics")  # noqa: S108 - the pod's own scratch volume
    workers: int = Field(default=1, ge=1)


class AccountsSettings(BaseSettings):
    """Settings of the Job for accounts.

    `accounts` maps the name of each account to the ARN of the secret with its password.
    """

    model_config = SettingsConfigDict(env_prefix="PLATFORM_", frozen=True)

    admin_secret: str
    server: str
    accounts: dict[str, str]


class RotationSettings(AccountsSettings):
    """Settings of the rotation. `rotate` selects the projects' accounts, the administrator, or both."""

    rotate: frozenset[Literal["accounts", "administrator"]] = frozenset({"accounts", "administrator"})


def from_environment(kind: type[Settings]) -> Settings:
    """Return the settings. If the environment is incomplete, end the process with a list of the missing variables."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        return kind()
    except ValidationError as error:
        lines = [f"  PLATFORM_{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        sys.exit("\n".join(["error: the pod's environment is not complete:", *lines]))

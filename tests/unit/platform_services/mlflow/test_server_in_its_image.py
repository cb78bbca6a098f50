"""Start of MLflow's server: no visible secrets, and a database connection over TLS."""

import configparser
import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from mlflow_server.database import SIGN_IN, TRACKING, Database, service, write_secret
from mlflow_server.secrets_manager import SecretsManager, new_account, new_administrator
from mlflow_server.serve import command, sign_in_configuration
from mlflow_server.settings import AccountsSettings, DatabaseSettings, ServerSettings, from_environment
from moto import mock_aws

VARIABLES = {
    "PLATFORM_REGION": "us-east-1",
    "PLATFORM_DATABASE_HOST": "10.0.96.7",
    "PLATFORM_ARTIFACTS": "s3://artifacts/mlflow",
    "PLATFORM_ALLOWED_HOSTS": "mlflow:5000",
}


LOGIN = {"username": "mlflow_server_a", "password": "a=b#c"}
FILE = "[mlflow]\nhost=10.0.96.7\nport=5432\nuser={username}\npassword={password}\n"


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("PGSSLROOTCERT", raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield SecretsManager()


def secret(name: str, value: str | None = None) -> str:
    client = boto3.client("secretsmanager")
    return (
        client.create_secret(Name=name)["ARN"]
        if value is None
        else client.create_secret(Name=name, SecretString=value)["ARN"]
    )


@pytest.fixture
def settings(vault: SecretsManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ServerSettings:
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PLATFORM_DATABASE_SECRET", secret("login", json.dumps(LOGIN)))
    monkeypatch.setenv("PLATFORM_ADMIN_SECRET", secret("admin"))
    monkeypatch.setenv("PLATFORM_CREDENTIALS", str(tmp_path))
    return from_environment(ServerSettings)


def test_what_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch):
    for name in [*VARIABLES, "PLATFORM_DATABASE_SECRET", "PLATFORM_ADMIN_SECRET"]:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit, match="PLATFORM_DATABASE_HOST: Field required"):
        from_environment(DatabaseSettings)


def test_accounts_come_as_json(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PLATFORM_ADMIN_SECRET", "arn:admin")
    monkeypatch.setenv("PLATFORM_SERVER", "http://mlflow:5000")
    monkeypatch.setenv("PLATFORM_ACCOUNTS", '{"churn": "arn:churn"}')
    assert from_environment(AccountsSettings).accounts == {"churn": "arn:churn"}


def test_the_command_holds_nothing_secret(settings: ServerSettings, vault: SecretsManager):
    administrator = vault.read_or_make(settings.admin_secret, new_administrator)
    words = " ".join(command(settings))
    values = (administrator["password"], administrator["session_key"], LOGIN["password"])
    assert not [value for value in values if value in words]
    assert "--app-name basic-auth" in words


def test_nobody_may_do_what_no_permission_names(settings: ServerSettings, vault: SecretsManager):
    parsed = configparser.ConfigParser(interpolation=None)
    url = Database(settings=settings, vault=vault).url(SIGN_IN)
    parsed.read_string(sign_in_configuration(url, {"username": "admin", "password": "100%safe"}))
    assert parsed["mlflow"]["default_permission"] == "NO_PERMISSIONS"
    assert parsed["mlflow"]["admin_password"] == "100%safe"
    assert parsed["mlflow"]["database_uri"] == "postgresql+psycopg2:///mlflow_auth?service=mlflow"


def test_user_and_password_are_in_a_file_for_the_owner_alone(
    settings: ServerSettings, vault: SecretsManager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/rds.pem")
    database = Database(settings=settings, vault=vault)
    assert database.refresh()
    assert not database.refresh()
    assert database.services.read_text() == FILE.format(**LOGIN)
    assert database.services.stat().st_mode & 0o077 == 0
    assert database.environment()["PGSERVICEFILE"] == str(database.services)
    assert not [value for value in LOGIN.values() if value in database.url(TRACKING)]


def test_a_login_that_was_rotated_is_written_anew(settings: ServerSettings, vault: SecretsManager):
    database = Database(settings=settings, vault=vault)
    database.refresh()
    other = {"username": "mlflow_server_b", "password": "other"}
    boto3.client("secretsmanager").put_secret_value(SecretId="login", SecretString=json.dumps(other))
    assert database.refresh()
    assert database.services.read_text() == FILE.format(**other)


def test_a_login_that_waits_is_not_used(settings: ServerSettings, vault: SecretsManager):
    database = Database(settings=settings, vault=vault)
    database.refresh()
    vault.propose(settings.database_secret, {"username": "mlflow_server_b", "password": "other"})
    assert not database.refresh()


@pytest.mark.parametrize("password", ["a\nhost=evil", "a\r", " a", "a\t"])
def test_a_password_that_would_end_its_line_is_refused_without_showing_it(settings: ServerSettings, password: str):
    with pytest.raises(ValueError, match=r"^password of the database: no line breaks") as refused:
        service(settings, {**LOGIN, "password": password})
    assert "evil" not in str(refused.value)


def test_the_name_of_the_server_is_checked(
    settings: ServerSettings, vault: SecretsManager, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PGSSLROOTCERT", "/etc/rds.pem")
    told = Database(settings=settings, vault=vault).environment()
    assert (told["PGSSLMODE"], told["PGSSLROOTCERT"]) == ("verify-full", "/etc/rds.pem")


def test_a_first_value_is_made_once(vault: SecretsManager):
    arn = secret("account")
    assert vault.read(arn) is None
    first = vault.read_or_make(arn, lambda: new_account("churn"))
    assert first["username"] == "churn"
    assert len(first["password"]) >= 40
    assert vault.read_or_make(arn, lambda: new_account("churn")) == first


def test_a_secret_without_value_is_named(vault: SecretsManager):
    arn = secret("empty")
    with pytest.raises(LookupError, match=r"secret \S*empty\S* has no value yet"):
        vault.must_read(arn)


def test_a_file_that_is_written_again_keeps_its_mode(tmp_path: Path):
    path = tmp_path / "deep" / "secret"
    assert write_secret(path, "one")
    assert write_secret(path, "two")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("two", 0o600)

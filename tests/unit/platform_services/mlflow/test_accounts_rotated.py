"""New passwords of MLflow's accounts: secret and MLflow agree afterwards, wherever a rotation was interrupted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from mlflow_server import accounts, rotate_accounts, sign_in
from mlflow_server.rotate_accounts import rotate, rotate_all
from mlflow_server.secrets_manager import Document, SecretsManager
from mlflow_server.settings import AccountsSettings, RotationSettings
from mlflow_server.sign_in import SignInError, administrator
from moto import mock_aws

SERVER = "http://mlflow:5000"
OLD: Document = {"username": "churn", "password": "old"}
NEW: Document = {"username": "churn", "password": "new"}


class KilledError(Exception):
    """The Job's pod was killed."""


@dataclass
class Mlflow:
    """Stub of MLflow with the passwords that it knows."""

    passwords: dict[str, str] = field(default_factory=lambda: {"admin": "ruling", "churn": "old", "rent": "theirs"})
    refuses: set[str] = field(default_factory=set[str])

    def signs_in(self, _server: str, account: Document) -> bool:
        return self.passwords.get(account["username"]) == account["password"]

    def patch(self, who: Document, body: dict[str, str]) -> None:
        assert self.signs_in("", who), "the administrator is signed in"
        if body["username"] in self.refuses or body["username"] not in self.passwords:
            raise SignInError(f"MLflow refused {body['username']}")
        own = body["username"] == who["username"]
        assert not own or body.get("current_password") == self.passwords[who["username"]]
        self.passwords[body["username"]] = body["password"]


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> Mlflow:
    made = Mlflow()

    def call(self: Any, method: str, path: str, body: dict[str, str]) -> None:
        assert (method, path) == ("PATCH", "2.0/mlflow/users/update-password")
        made.patch(self._administrator, body)

    monkeypatch.setattr(sign_in, "signs_in", made.signs_in)
    monkeypatch.setattr(sign_in.SignIn, "_call", call)
    return made


@pytest.fixture
def vault(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretsManager]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
    ):
        monkeypatch.setenv(name, value)
    with mock_aws():
        client = boto3.client("secretsmanager")
        for name, text in {
            "admin": '{"username": "admin", "password": "ruling", "session_key": "signing"}',
            "churn": '{"username": "churn", "password": "old"}',
            "rent": '{"username": "rent", "password": "theirs"}',
        }.items():
            client.create_secret(Name=name, SecretString=text)
        yield SecretsManager()


def settings(*parts: str) -> RotationSettings:
    given: Any = {"rotate": parts} if parts else {}
    return RotationSettings(admin_secret="admin", server=SERVER, accounts={"churn": "churn", "rent": "rent"}, **given)


def consistent(mlflow: Mlflow, vault: SecretsManager) -> bool:
    return all(vault.must_read(name)["password"] == password for name, password in mlflow.passwords.items())


def test_all_passwords_and_the_session_key_are_others_and_count(mlflow: Mlflow, vault: SecretsManager):
    before = dict(mlflow.passwords)
    assert rotate_all(settings(), vault) == []
    assert not set(before.values()) & set(mlflow.passwords.values())
    assert consistent(mlflow, vault)
    assert vault.must_read("admin")["session_key"] != "signing"


@pytest.mark.parametrize(("part", "changed"), [("accounts", {"churn", "rent"}), ("administrator", {"admin"})])
def test_what_is_not_named_stays(mlflow: Mlflow, vault: SecretsManager, part: str, changed: set[str]):
    before = dict(mlflow.passwords)
    assert rotate_all(settings(part), vault) == []
    assert {name for name, password in mlflow.passwords.items() if password != before[name]} == changed
    assert consistent(mlflow, vault)


def test_one_account_that_mlflow_refuses_is_told_and_the_others_are_rotated(mlflow: Mlflow, vault: SecretsManager):
    mlflow.refuses = {"churn"}
    assert rotate_all(settings(), vault) == ["churn: MLflow refused churn"]
    assert mlflow.passwords["churn"] == "old"
    assert consistent(mlflow, vault)
    mlflow.refuses = set()
    assert rotate_all(settings(), vault) == []
    assert mlflow.passwords["churn"] != "old"
    assert consistent(mlflow, vault)


@pytest.mark.parametrize("step", range(36))
def test_killed_at_any_step_the_next_run_mends_it(
    mlflow: Mlflow, vault: SecretsManager, monkeypatch: pytest.MonkeyPatch, step: int
):
    before, left = dict(mlflow.passwords), step
    client = vault._client

    def counted(call: Callable[..., Any]) -> Callable[..., Any]:
        def count(*positional: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise KilledError
            return call(*positional, **named)

        return count

    with monkeypatch.context() as counting:
        for name in ("get_secret_value", "put_secret_value", "update_secret_version_stage"):
            counting.setattr(client, name, counted(getattr(client, name)))
        counting.setattr(sign_in, "signs_in", counted(mlflow.signs_in))
        # An error of one account does not end the rest; a kill does.
        counting.setattr(rotate_accounts, "Exception", SignInError, raising=False)
        try:
            rotate_all(settings(), vault)
        except KilledError:
            killed = True
        else:
            killed = False
    assert rotate_all(settings(), vault) == []
    assert consistent(mlflow, vault)
    assert not set(before.values()) & set(mlflow.passwords.values())
    assert killed is (step < 32)


def test_an_old_password_that_was_set_meanwhile_does_not_stay(vault: SecretsManager):
    """The Job that maintains the accounts set it, after it had read the old secret."""
    known = ["old"]

    def works(account: Document) -> bool:
        return known[-1] == account["password"]

    def change(account: Document) -> None:
        known.append(account["password"])

    promote = vault.promote

    def late(arn: str) -> None:
        promote(arn)
        if len(known) == 2:
            known.append("old")

    vault.promote = late
    rotate(vault, "churn", NEW, change, works)
    assert known == ["old", "new", "old", "new"]
    assert vault.must_read("churn") == NEW


def test_a_password_that_does_not_work_does_not_become_the_current_one(vault: SecretsManager):
    with pytest.raises(SignInError, match="MLflow refuses the new password of churn"):
        rotate(vault, "churn", NEW, lambda _: None, lambda _: False)
    assert vault.must_read("churn") == OLD


def test_the_administrator_signs_in_with_what_waits_where_a_rotation_was_ended(mlflow: Mlflow, vault: SecretsManager):
    waits = {"username": "admin", "password": "next", "session_key": "k"}
    vault.propose("admin", waits)
    assert administrator(vault, "admin", SERVER)["password"] == "ruling"
    mlflow.passwords["admin"] = "next"
    assert administrator(vault, "admin", SERVER) == waits
    mlflow.passwords["admin"] = "by hand"
    with pytest.raises(SignInError, match="does not take the administrator's password that admin holds"):
        administrator(vault, "admin", SERVER)


def test_what_keeps_the_accounts_goes_over_them_again_when_a_secret_has_changed_meanwhile(
    mlflow: Mlflow, vault: SecretsManager, monkeypatch: pytest.MonkeyPatch
):
    seen: list[str] = []

    def reconcile(held: list[Document], *_: object) -> None:
        seen.append(held[0]["password"])
        if len(seen) == 1:
            vault.propose("churn", NEW)
            vault.promote("churn")

    monkeypatch.setattr(accounts, "reconcile", reconcile)
    monkeypatch.setattr(accounts, "MlflowRecords", lambda: None)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"):
        monkeypatch.setenv(name, "")
    accounts._keep(AccountsSettings(admin_secret="admin", server=SERVER, accounts={"churn": "churn"}), vault)
    assert seen == ["old", "new"]

"""Accounts at MLflow converge to the program's declaration from any state."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from mlflow_server.accounts import reconcile
from mlflow_server.secrets_manager import Document
from mlflow_server.sign_in import Grant, SignIn

CHURN: Document = {"username": "churn", "password": "first"}
RENT: Document = {"username": "rent", "password": "second"}
SERVERS: Document = {"username": "churn.serving", "password": "third"}


@dataclass
class Server:
    """Stub of MLflow with accounts, experiments and models."""

    passwords: dict[str, str] = field(default_factory=lambda: {"admin": "secret", "ana": "hers"})
    granted: dict[str, set[Grant]] = field(
        default_factory=lambda: {"ana": {Grant(kind="experiment", resource="1", permission="READ")}}
    )
    experiments: dict[str, str] = field(default_factory=dict[str, str])
    models: dict[str, bool] = field(default_factory=dict[str, bool])
    calls: list[str] = field(default_factory=list[str])

    def users(self) -> frozenset[str]:
        return frozenset(self.passwords)

    def create(self, account: Document) -> None:
        self.calls.append(f"create {account['username']}")
        self.passwords[account["username"]] = account["password"]

    def has_password(self, account: Document) -> bool:
        return self.passwords[account["username"]] == account["password"]

    def set_password(self, account: Document) -> None:
        self.calls.append(f"password {account['username']}")
        self.passwords[account["username"]] = account["password"]

    def delete(self, username: str) -> None:
        self.calls.append(f"delete {username}")
        del self.passwords[username]
        self.granted.pop(username, None)

    def grants(self, username: str) -> frozenset[Grant]:
        return frozenset(self.granted.get(username, set()))

    def grant(self, username: str, grant: Grant) -> None:
        self.calls.append(f"grant {grant.kind} {grant.resource}")
        self.granted.setdefault(username, set()).add(grant)

    def revoke(self, username: str, grant: Grant) -> None:
        self.calls.append(f"revoke {grant.kind} {grant.resource}")
        self.granted[username].remove(grant)

    def experiment(self, name: str) -> str:
        return self.experiments.setdefault(name, str(len(self.experiments) + 1))

    def model(self, name: str) -> None:
        self.models[name] = True

    def accounts(self) -> frozenset[str]:
        return frozenset(name for name, kept in self.models.items() if kept)

    def forget(self, account: str) -> None:
        self.models[account] = False

    def reconcile(self, *accounts: Document) -> list[str]:
        self.calls.clear()
        reconcile(accounts, cast("SignIn", self), cast("Any", self))
        return self.calls


def edit(kind: str, resource: str) -> Grant:
    return Grant(kind=kind, resource=resource, permission="EDIT")


def test_an_account_may_change_its_own_experiment_and_model_and_nothing_else():
    server = Server()
    server.reconcile(CHURN, RENT)
    assert server.granted["churn"] == {edit("experiment", "1"), edit("registered_model", "churn")}
    assert server.granted["rent"] == {edit("experiment", "2"), edit("registered_model", "rent")}


def test_a_reader_may_read_what_its_projects_account_may_change():
    server = Server()
    server.reconcile(CHURN, SERVERS, RENT)
    assert server.granted["churn.serving"] == {
        Grant(kind="experiment", resource="1", permission="READ"),
        Grant(kind="registered_model", resource="churn", permission="READ"),
    }
    assert server.granted["churn"] == {edit("experiment", "1"), edit("registered_model", "churn")}
    assert set(server.models) == {"churn", "rent"}


def test_what_a_reader_was_given_beyond_that_is_taken_back():
    server = Server()
    server.reconcile(CHURN, SERVERS)
    server.granted["churn.serving"] = {edit("experiment", "1"), edit("registered_model", "rent")}
    server.reconcile(CHURN, SERVERS)
    assert {grant.permission for grant in server.granted["churn.serving"]} == {"READ"}


def test_readers_come_to_projects_that_are_there_already_and_go_with_them():
    server = Server()
    server.reconcile(CHURN, RENT)
    assert server.reconcile(CHURN, SERVERS, RENT)[0] == "create churn.serving"
    assert server.reconcile(RENT) == ["delete churn", "delete churn.serving"]
    assert server.reconcile(RENT) == []


def test_a_second_time_changes_nothing():
    server = Server()
    server.reconcile(CHURN, SERVERS)
    assert server.reconcile(CHURN, SERVERS) == []


def test_a_password_that_was_changed_in_the_secret_is_carried_over():
    server = Server()
    server.reconcile(CHURN)
    assert server.reconcile({**CHURN, "password": "third"}) == ["password churn"]
    assert server.passwords["churn"] == "third"


def test_what_was_granted_by_hand_is_taken_back_and_what_was_taken_away_is_given_again():
    server = Server()
    server.reconcile(CHURN, RENT)
    server.granted["churn"] = {edit("experiment", "1"), edit("registered_model", "rent")}
    assert server.reconcile(CHURN, RENT) == ["revoke registered_model rent", "grant registered_model churn"]


def test_what_an_account_made_under_the_name_of_a_project_that_came_later_is_the_projects():
    server = Server()
    server.reconcile(CHURN)
    squatted = {
        Grant(kind="experiment", resource=server.experiment("rent"), permission="MANAGE"),
        Grant(kind="registered_model", resource="rent", permission="MANAGE"),
    }
    server.granted["churn"] |= squatted
    server.reconcile(CHURN, RENT)
    assert server.granted["churn"] == {edit("experiment", "1"), edit("registered_model", "churn")}
    assert server.granted["rent"] == {edit("experiment", "2"), edit("registered_model", "rent")}


def test_an_account_that_is_no_longer_named_goes_and_its_experiment_and_model_stay():
    server = Server()
    server.reconcile(CHURN, RENT)
    assert server.reconcile(RENT) == ["delete churn"]
    assert "churn" in server.experiments
    assert server.models == {"churn": False, "rent": True}
    assert server.reconcile(RENT) == []


def test_the_last_account_goes_as_well():
    server = Server()
    server.reconcile(CHURN)
    assert server.reconcile() == ["delete churn"]


def test_accounts_of_people_are_not_touched():
    server = Server()
    server.reconcile(CHURN)
    server.reconcile()
    assert server.passwords == {"admin": "secret", "ana": "hers"}
    assert server.granted == {"ana": {Grant(kind="experiment", resource="1", permission="READ")}}

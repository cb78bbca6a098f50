"""Client for the part of MLflow's API about people: users, and their permissions for experiments and models.

https://mlflow.org/docs/latest/self-hosting/security/basic-http-auth/ (MLflow's own client has no call for the listings)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import requests

from mlflow_server.secrets_manager import Document, SecretsManager

Kind = Literal["experiment", "registered_model"]
SECONDS = 60.0


class SignInError(RuntimeError):
    """MLflow rejected a call, or did not answer. The message contains MLflow's own text."""


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A permission of an account for an experiment or a registered model."""

    kind: str
    resource: str
    permission: str


class SignIn:
    """Client that is signed in as the administrator."""

    def __init__(self, server: str, administrator: Document) -> None:
        self._server = server.rstrip("/")
        self._session = requests.Session()
        self._administrator = administrator
        self._session.auth = (administrator["username"], administrator["password"])

    def users(self) -> frozenset[str]:
        return frozenset(str(user["username"]) for user in self._call("GET", "2.0/mlflow/users/list")["users"])

    def create(self, account: Document) -> None:
        self._call("POST", "2.0/mlflow/users/create", dict(account))

    def has_password(self, account: Document) -> bool:
        """Return whether MLflow accepts the account's password."""
        return signs_in(self._server, account)

    def set_password(self, account: Document) -> None:
        self._call("PATCH", "2.0/mlflow/users/update-password", dict(account))

    def set_own_password(self, administrator: Document) -> None:
        """Change the password of the administrator, who is signed in, and sign in with it from now on."""
        named = {key: administrator[key] for key in ("username", "password")}
        body = {**named, "current_password": self._administrator["password"]}
        self._call("PATCH", "2.0/mlflow/users/update-password", body)
        self._administrator = administrator
        self._session.auth = (administrator["username"], administrator["password"])

    def delete(self, username: str) -> None:
        self._call("DELETE", "2.0/mlflow/users/delete", {"username": username})

    def grants(self, username: str) -> frozenset[Grant]:
        listed = self._call("GET", "3.0/mlflow/users/permissions/list", query={"username": username})
        return frozenset(
            Grant(
                kind=str(row["resource_type"]),
                resource=str(row.get("resource_pattern", row.get("resource_id"))),
                permission=str(row["permission"]),
            )
            for row in listed["permissions"]
        )

    def grant(self, username: str, grant: Grant) -> None:
        named = {"username": username, "resource_type": grant.kind, "resource_id": grant.resource}
        self._call("POST", "3.0/mlflow/users/permissions/grant", {**named, "permission": grant.permission})

    def revoke(self, username: str, grant: Grant) -> None:
        named = {"username": username, "resource_type": grant.kind, "resource_id": grant.resource}
        self._call("POST", "3.0/mlflow/users/permissions/revoke", named)

    def _call(
        self, method: str, path: str, body: dict[str, str] | None = None, query: dict[str, str] | None = None
    ) -> Any:
        try:
            answer = self._session.request(
                method, f"{self._server}/api/{path}", json=body, params=query, timeout=SECONDS
            )
        except requests.RequestException as error:
            raise SignInError(f"MLflow at {self._server} does not answer: {error}") from error
        if not answer.ok:
            raise SignInError(f"MLflow refused {method} {path} with {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else {}


def signs_in(server: str, account: Document) -> bool:
    """Return whether MLflow accepts an account's password.

    Raises:
        SignInError: MLflow answers neither yes nor no.
    """
    try:
        answer = requests.get(
            f"{server.rstrip('/')}/api/2.0/mlflow/users/current",
            auth=(account["username"], account["password"]),
            timeout=SECONDS,
        )
    except requests.RequestException as error:
        raise SignInError(f"MLflow at {server} does not answer: {error}") from error
    if answer.status_code not in (requests.codes.ok, requests.codes.unauthorized):
        raise SignInError(f"MLflow does not say who is signed in: {answer.status_code}: {answer.text[:300]}")
    return answer.status_code == requests.codes.ok


def administrator(vault: SecretsManager, secret: str, server: str) -> Document:
    """Return the administrator's name and password. After an interrupted rotation they may be the pending ones.

    Raises:
        LookupError: the secret has no value yet.
        SignInError: MLflow accepts neither of them, or does not answer.
    """
    current = vault.must_read(secret)
    if signs_in(server, current):
        return current
    pending = vault.pending(secret)
    if pending is not None and signs_in(server, pending):
        return pending
    raise SignInError(f"MLflow does not take the administrator's password that {secret} holds")

"""`python -m mlflow_server.accounts`: reconcile MLflow's accounts with those that the program declares. Idempotent.

A project has two accounts: one with its name, for people and the conductor of a run, that may change the experiment and
the registered model of that name, and a reader, for pods that serve, that may read them. An account that is no longer
declared is removed; its experiment and model stay, with all records.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from typing import Any, Protocol

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from mlflow_server.refusals import ACCOUNT_TAG
from mlflow_server.routes import READER_SUFFIX, is_reader, project_of
from mlflow_server.secrets_manager import Document, SecretsManager, new_account
from mlflow_server.settings import AccountsSettings, from_environment
from mlflow_server.sign_in import Grant, SignIn, SignInError, administrator

LOG = logging.getLogger("accounts")
PATIENCE_SECONDS = 120.0
PROMOTES, READS = "EDIT", "READ"
PROXIED = "mlflow-artifacts:/"
"""Prefix of the artifact location of every experiment whose files the server keeps in the bucket."""


class Records(Protocol):
    """Experiments and registered models."""

    def experiment(self, name: str) -> str:
        """Return the ID of an experiment. Create it, or restore it from the deleted ones, if it does not exist.

        An experiment that keeps its files in another place than the server is renamed: an account created it when
        accounts were still allowed to.
        """
        ...

    def model(self, name: str) -> None: ...

    def accounts(self) -> frozenset[str]:
        """Return the accounts that this program created."""
        ...

    def forget(self, account: str) -> None: ...


class MlflowRecords:
    """Experiments and registered models in MLflow. Credentials come from MLflow's own environment variables."""

    def __init__(self) -> None:
        self._client: Any = MlflowClient()

    def experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None and not str(found.artifact_location).startswith(PROXIED):
            self._set_aside(found)
            found = None
        if found is None:
            return str(self._client.create_experiment(name))
        if found.lifecycle_stage != "active":
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _set_aside(self, found: Any) -> None:
        if found.lifecycle_stage != "active":
            self._client.restore_experiment(found.experiment_id)
        aside = f"{found.name} (set aside, {found.experiment_id})"
        self._client.rename_experiment(found.experiment_id, aside)
        LOG.warning("the experiment %s keeps its files at %s; it is %s now", found.name, found.artifact_location, aside)

    def model(self, name: str) -> None:
        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        self._client.set_registered_model_tag(name, ACCOUNT_TAG, name)

    def accounts(self) -> frozenset[str]:
        found: set[str] = set()
        token: str | None = None
        while True:
            page = self._client.search_registered_models(max_results=100, page_token=token)
            found |= {model.name for model in page if model.tags.get(ACCOUNT_TAG) == model.name}
            token = page.token
            if not token:
                return frozenset(found)

    def forget(self, account: str) -> None:
        self._client.delete_registered_model_tag(account, ACCOUNT_TAG)


def reconcile(accounts: Iterable[Document], sign_in: SignIn, records: Records) -> None:
    """Create, update and remove accounts until they match `accounts`.

    Args:
        accounts: name and password of each account.
        sign_in: client for users and permissions.
        records: experiments and registered models.

    Raises:
        SignInError: MLflow rejects a call, or does not answer. MLflow's own errors propagate too. Completed changes
            stay, and the next run continues.
    """
    wanted = {account["username"]: account for account in accounts}
    users = sign_in.users()
    for gone in sorted(records.accounts() - wanted.keys()):
        for user in sorted({gone, gone + READER_SUFFIX} & users):
            sign_in.delete(user)
        records.forget(gone)
        LOG.info("removed the accounts of %s; its experiment and model are kept", gone)
    for name, account in sorted(wanted.items()):
        if name not in users:
            sign_in.create(account)
            LOG.info("made the account %s", name)
        elif not sign_in.has_password(account):
            sign_in.set_password(account)
            LOG.info("gave the account %s the password that its secret holds", name)
        project = project_of(name)
        records.model(project)
        _permit(name, project, records.experiment(project), sign_in)


def _permit(user: str, project: str, experiment: str, sign_in: SignIn) -> None:
    permission = READS if is_reader(user) else PROMOTES
    wanted = {
        Grant(kind="experiment", resource=experiment, permission=permission),
        Grant(kind="registered_model", resource=project, permission=permission),
    }
    granted = sign_in.grants(user)
    for grant in sorted(granted - wanted, key=str):
        # This also covers experiments and models that the account created itself, when accounts were still allowed to:
        # one of them may have the name of a project that was added later.
        if grant.kind in ("experiment", "registered_model"):
            sign_in.revoke(user, grant)
            LOG.info("took %s of %s %s from %s", grant.permission, grant.kind, grant.resource, user)
    for grant in sorted(wanted - granted, key=str):
        sign_in.grant(user, grant)
        LOG.info("gave %s of %s %s to %s", grant.permission, grant.kind, grant.resource, user)


def _keep(settings: AccountsSettings, vault: SecretsManager) -> None:
    """Reconcile the accounts, and repeat if a rotation has changed a secret meanwhile.

    In that case the old password has overwritten the new one.
    """
    who = administrator(vault, settings.admin_secret, settings.server)
    os.environ["MLFLOW_TRACKING_URI"] = settings.server
    os.environ["MLFLOW_TRACKING_USERNAME"] = who["username"]
    os.environ["MLFLOW_TRACKING_PASSWORD"] = who["password"]
    accounts: list[Document] | None = None
    while (held := _held(settings, vault)) != accounts:
        accounts = held
        reconcile(accounts, SignIn(settings.server, who), MlflowRecords())


def _held(settings: AccountsSettings, vault: SecretsManager) -> list[Document]:
    return [
        vault.read_or_make(secret, lambda name=name: new_account(name)) for name, secret in settings.accounts.items()
    ]


def main() -> int:
    """Reconcile the accounts and return the exit code: 1 after a failure."""
    settings = from_environment(AccountsSettings)
    vault = SecretsManager()
    try:
        for attempt in Retrying(
            retry=retry_if_exception_type(SignInError), stop=stop_after_delay(PATIENCE_SECONDS), wait=wait_fixed(3)
        ):
            with attempt:
                _keep(settings, vault)
    except Exception as error:
        LOG.error("%s", error.__cause__ or error)  # noqa: TRY400 - where in our code it was seen helps nobody
        return 1
    LOG.info("%d accounts are as they should be", len(settings.accounts))
    return 0


if __name__ == "__main__":
    sys.exit(main())

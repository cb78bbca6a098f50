"""`python -m mlflow_server.rotate_accounts`: new passwords for MLflow's administrator and the projects' accounts.

MLflow stores one password of each account. It is changed there first and in the secret immediately afterwards, so that
a client that is rejected and reads the secret again gets the valid one; clients of the platform do so for each request.
If this program is interrupted in between, the next run finds the new password under AWSPENDING and continues with it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from mlflow_server.secrets_manager import Document, SecretsManager, new_account, new_administrator
from mlflow_server.settings import RotationSettings, from_environment
from mlflow_server.sign_in import SignIn, SignInError, administrator

LOG = logging.getLogger("rotate_accounts")
Works = Callable[[Document], bool]


def rotate(vault: SecretsManager, secret: str, new: Document, change: Callable[[Document], None], works: Works) -> None:
    """Give an account a new password: the pending one if there is one, else `new`.

    Args:
        vault: client of Secrets Manager.
        secret: the account's secret.
        new: name and password.
        change: sets a password in MLflow.
        works: returns whether MLflow accepts a password.

    Raises:
        SignInError: MLflow does not accept the password, or does not answer.
    """
    pending = vault.pending(secret)
    if pending is None:
        pending = new
        vault.propose(secret, pending)
    for promote in (True, False):
        if not works(pending):
            change(pending)
            if not works(pending):
                raise SignInError(f"MLflow refuses the new password of {pending['username']}, which it took before")
        if promote:
            vault.promote(secret)
        # Second pass: the Job that manages the accounts may have read the old value, and set it, just before.


def rotate_all(settings: RotationSettings, vault: SecretsManager) -> list[str]:
    """Rotate the passwords that the settings name, the administrator's last.

    Returns:
        One line for each account that failed; the others have new passwords.
    """
    failed: list[str] = []

    def attempt(name: str, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            failed.append(f"{name}: {error}")
        else:
            LOG.info("%s has a new password", name)

    ruler = SignIn(settings.server, administrator(vault, settings.admin_secret, settings.server))
    if "accounts" in settings.rotate:
        for name, secret in sorted(settings.accounts.items()):
            new = new_account(name)
            attempt(name, lambda s=secret, n=new: rotate(vault, s, n, ruler.set_password, ruler.has_password))
    if "administrator" in settings.rotate:
        new = new_administrator()
        secret = settings.admin_secret
        attempt("the administrator", lambda: rotate(vault, secret, new, ruler.set_own_password, ruler.has_password))
    return failed


def main() -> int:
    """Rotate the passwords and return the exit code: 1 if an account failed."""
    settings = from_environment(RotationSettings)
    try:
        failed = rotate_all(settings, SecretsManager())
    except Exception as error:
        failed = [str(error)]
    for each in failed:
        LOG.error("not rotated: %s", each)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

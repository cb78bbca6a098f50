"""`python -m mlflow_server.rotate_accounts`: new passwords for MLflow's administrator and the projects' accounts.

MLflow knows one password of each. It is changed there first and in the secret at once after, so that whoever is
refused and reads the secret anew gets the one that counts; clients of the platform do so for each request. Ended in
between, the next run finds the new one under AWSPENDING and goes on with it.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from mlflow_server.settings import RotationSettings, from_environment
from mlflow_server.sign_in import SignIn, SignInError, administrator
from mlflow_server.vault import Document, Vault, new_account, new_administrator

LOG = logging.getLogger("rotate_accounts")
Works = Callable[[Document], bool]


def rotate(vault: Vault, secret: str, new: Document, change: Callable[[Document], None], works: Works) -> None:
    """Give an account a new password: the one that already waits to take the old one's place, or else `new`.

    Args:
        vault: where the secret is.
        secret: the account's.
        new: name and password.
        change: makes MLflow know the password that it is given.
        works: says whether MLflow knows it.

    Raises:
        SignInError: MLflow does not take it, or does not answer.
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
        # Once more: the Job that keeps the accounts may have read the old value, and set it, just before.


def rotate_all(settings: RotationSettings, vault: Vault) -> list[str]:
    """Rotate what the settings name, the administrator last.

    Returns:
        What went wrong, one line for each account; the others have new passwords.
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
    settings = from_environment(RotationSettings)
    try:
        failed = rotate_all(settings, Vault())
    except Exception as error:
        failed = [str(error)]
    for each in failed:
        LOG.error("not rotated: %s", each)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

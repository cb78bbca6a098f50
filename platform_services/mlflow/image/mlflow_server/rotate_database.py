"""`python -m mlflow_server.rotate_database`: switch the server to its other PostgreSQL login, with a new password.

No connection fails meanwhile: the current login keeps its password until every server has read the new secret, and its
open sessions continue after that.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html#rotating-secrets-two-users
After an interruption at any point, the next run continues with the pending password under AWSPENDING, or first disables
the login that the interrupted run had left enabled.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable

from mlflow_server import roles
from mlflow_server.administration import Administration
from mlflow_server.database import REFRESH_SECONDS, Database
from mlflow_server.secrets_manager import SecretsManager, new_login
from mlflow_server.settings import SetUpSettings, from_environment

LOG = logging.getLogger("rotate_database")
GRACE_SECONDS = 3 * REFRESH_SECONDS
"""Time in seconds until every server has read a new secret, even if one read failed."""


def rotate(administration: Administration, wait: Callable[[float], object] = time.sleep) -> None:
    """Rotate the login. After an error the next run continues from there.

    Raises:
        LookupError: the set-up has not run yet.
    """
    vault, secret = administration.vault, administration.settings.database_secret
    with administration.master() as master:
        roles.lock(master)
        used = vault.must_read(secret)["username"]
        spare = roles.other(used)
        login = vault.pending(secret)
        if login is None or login["username"] != spare:
            if roles.may_sign_in(master, spare):
                LOG.info("%s is still let in, since a rotation that was ended; waiting %.0f s", spare, GRACE_SECONDS)
                wait(GRACE_SECONDS)
                roles.shut_out(master, spare)
            login = new_login(spare)
            vault.propose(secret, login)
        roles.let_in(master, login)
        administration.try_out(login)
        vault.promote(secret)
        LOG.info("servers sign in as %s from now on; %s is shut out in %.0f s", spare, used, GRACE_SECONDS)
        wait(GRACE_SECONDS)
        roles.shut_out(master, used)
        LOG.info("the old password of the database is worth nothing any more")


def main() -> int:
    """Rotate the login and return the exit code: 1 after a failure."""
    settings = from_environment(SetUpSettings)
    vault = SecretsManager()
    os.environ.update(Database(settings=settings, vault=vault).environment())
    try:
        rotate(Administration(settings=settings, vault=vault))
    except Exception as error:
        LOG.error("the database's password was not rotated to the end: %s; run it again", error)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

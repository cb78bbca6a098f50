"""`python -m mlflow_server.rotate_database`: the server signs in at PostgreSQL as its other login, with a new password.

No connection fails meanwhile: the login that is in use keeps its password until every server has read the new secret,
and its open sessions go on after that.
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html#rotating-secrets-two-users

Ended at any point, it goes on with the password that waits under AWSPENDING, or first shuts out the login that it had
not come to.
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
from mlflow_server.settings import SetUpSettings, from_environment
from mlflow_server.vault import Vault, new_login

LOG = logging.getLogger("rotate_database")
GRACE_SECONDS = 3 * REFRESH_SECONDS
"""Until every server has read a new secret, also where a read failed."""


def rotate(administration: Administration, wait: Callable[[float], object] = time.sleep) -> None:
    """Raises LookupError where the set-up has not run yet; what was done until an error is gone on with by the next."""
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
    settings = from_environment(SetUpSettings)
    vault = Vault()
    os.environ.update(Database(settings=settings, vault=vault).environment())
    try:
        rotate(Administration(settings=settings, vault=vault))
    except Exception as error:
        LOG.error("the database's password was not rotated to the end: %s; run it again", error)  # noqa: TRY400
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

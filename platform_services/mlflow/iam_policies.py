"""IAM policies of MLflow's pods, as documents."""

from collections.abc import Sequence

from components.data_policies import keep_objects, read_secrets, rotate_secrets
from components.iam_documents import Scope, document

ARTIFACTS_PREFIX = "mlflow/"
ACCOUNTS_PREFIX = "mlflow/accounts/"
"""Prefix of the names of accounts' secrets, after the environment's own prefix."""


def server_policy(scope: Scope, secrets: Sequence[str], secrets_key: str, bucket: str, data_key: str) -> str:
    """Return the policy of the server, which reads its passwords and stores the artifacts of all projects."""
    return document(
        [*read_secrets(scope, secrets, secrets_key), *keep_objects(scope, bucket, ARTIFACTS_PREFIX, data_key)]
    )


def set_up_policy(scope: Scope, master_secret: str, database_secret: str, admin_secret: str, secrets_key: str) -> str:
    """Return the policy of the set-up.

    Only the set-up acts as the database's master user; it creates and rotates MLflow's own logins. It also gives the
    administrator a first password.
    """
    made = [database_secret, admin_secret]
    return document(
        [*read_secrets(scope, [master_secret, *made], secrets_key), *rotate_secrets(scope, made, secrets_key)]
    )


def account_secrets(scope: Scope, prefix: str) -> str:
    """Return the pattern of the ARNs of all accounts' secrets of an environment.

    No other secret has a name with this prefix. A list of the secrets themselves would grow with the projects, and
    exceed IAM's limit with twenty of them.
    """
    return scope.arn("secretsmanager", f"secret:{prefix}/{ACCOUNTS_PREFIX}*")


def accounts_policy(scope: Scope, admin_secret: str, prefix: str, secrets_key: str) -> str:
    """Return the policy of the Jobs that manage and rotate the accounts.

    They sign in as the administrator, and set the passwords of all accounts.
    """
    kept = [admin_secret, account_secrets(scope, prefix)]
    return document([*read_secrets(scope, kept, secrets_key), *rotate_secrets(scope, kept, secrets_key)])

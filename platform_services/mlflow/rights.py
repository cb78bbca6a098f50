"""What MLflow's pods may do in AWS, as documents."""

from collections.abc import Sequence

from components.data_rights import keep_objects, read_secrets, rotate_secrets
from components.iam_documents import Scope, document

ARTIFACTS_PREFIX = "mlflow/"
ACCOUNTS_PREFIX = "mlflow/accounts/"
"""Of the names of accounts' secrets, after the environment's own prefix."""


def server_policy(scope: Scope, secrets: Sequence[str], secrets_key: str, bucket: str, data_key: str) -> str:
    """The server reads the passwords that it needs, and keeps the artifacts of all projects."""
    return document(
        [*read_secrets(scope, secrets, secrets_key), *keep_objects(scope, bucket, ARTIFACTS_PREFIX, data_key)]
    )


def set_up_policy(scope: Scope, master_secret: str, database_secret: str, admin_secret: str, secrets_key: str) -> str:
    """The set-up is the only one that acts as the database's master user; it makes and rotates MLflow's own logins.

    It gives the administrator a first password as well.
    """
    made = [database_secret, admin_secret]
    return document(
        [*read_secrets(scope, [master_secret, *made], secrets_key), *rotate_secrets(scope, made, secrets_key)]
    )


def account_secrets(scope: Scope, prefix: str) -> str:
    """Return the pattern of the ARNs of all accounts' secrets of an environment.

    No other secret has a name that begins so. A list of the secrets themselves would grow with the projects, and with
    twenty of them be longer than what IAM takes.
    """
    return scope.arn("secretsmanager", f"secret:{prefix}/{ACCOUNTS_PREFIX}*")


def accounts_policy(scope: Scope, admin_secret: str, prefix: str, secrets_key: str) -> str:
    """The Jobs that keep and rotate the accounts sign in as the administrator, and give all of them their passwords."""
    kept = [admin_secret, account_secrets(scope, prefix)]
    return document([*read_secrets(scope, kept, secrets_key), *rotate_secrets(scope, kept, secrets_key)])

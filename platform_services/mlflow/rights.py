"""What MLflow's pods may do in AWS, as documents."""

from collections.abc import Sequence

from components.data_rights import keep_objects, put_secrets, read_secrets
from components.iam_documents import Scope, document

ARTIFACTS_PREFIX = "mlflow/"


def server_policy(scope: Scope, secrets: Sequence[str], secrets_key: str, bucket: str, data_key: str) -> str:
    """The server reads the passwords that it needs, and keeps the artifacts of all projects."""
    return document(
        [*read_secrets(scope, secrets, secrets_key), *keep_objects(scope, bucket, ARTIFACTS_PREFIX, data_key)]
    )


def set_up_policy(scope: Scope, database_secret: str, admin_secret: str, secrets_key: str) -> str:
    """The set-up gives the administrator a first password."""
    return document(
        [
            *read_secrets(scope, [database_secret, admin_secret], secrets_key),
            *put_secrets(scope, [admin_secret], secrets_key),
        ]
    )


def accounts_policy(scope: Scope, admin_secret: str, accounts: Sequence[str], secrets_key: str) -> str:
    """What keeps the accounts signs in as the administrator and gives each account a first password."""
    first_values = put_secrets(scope, accounts, secrets_key) if accounts else ()
    return document([*read_secrets(scope, [admin_secret, *accounts], secrets_key), *first_values])

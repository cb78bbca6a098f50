"""The IAM principal of an access key: a role for its sessions, a user, or the account's administrator.

Access keys that the account never issued, such as the sandbox's own key, belong to its administrator.
"""

from typing import Any

from moto.iam.models import iam_backends

from mlp_sandbox.emulator.authorization.callers import ADMINISTRATOR, session_of

ADMINISTRATOR_SECRETS = {"sandbox": "sandbox"}
"""Secrets, by access key, of the administrator's keys that are handed out. Its other keys accept any secret."""


def administrator_arn(account: str) -> str:
    """Return the ARN of the account's administrator."""
    return f"arn:aws:iam::{account}:user/{ADMINISTRATOR}"


def user_of(account: str, access_key: str) -> Any:
    """Return the IAM user that a long-term key belongs to; None when it belongs to no user."""
    backend: Any = iam_backends[account]["aws"]
    key = backend.access_keys.get(access_key)
    return backend.users.get(key.user_name) if key is not None and key.user_name else None


def principal_arn(account: str, access_key: str) -> str:
    """Return the ARN of the principal: the role's ARN for a session."""
    session = session_of(account, access_key)
    if session is not None:
        return str(session.role_arn)
    user = user_of(account, access_key)
    return str(user.arn) if user is not None else administrator_arn(account)

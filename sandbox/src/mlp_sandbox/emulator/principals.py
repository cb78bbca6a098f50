"""Which IAM principal stands behind an access key: a role for its sessions, a user, or the account's administrator.

Keys that the account never made, such as the one that the sandbox hands out, are its administrator's.
"""

from typing import Any

from moto.iam.models import iam_backends

from mlp_sandbox.emulator.authorization.callers import ADMINISTRATOR, session_of

ADMINISTRATOR_SECRETS = {"sandbox": "sandbox"}
"""Secrets, by access key, of the administrator's keys that are handed out; others of its keys have any secret."""


def administrator_arn(account: str) -> str:
    """The principal that the account's administrator acts as."""
    return f"arn:aws:iam::{account}:user/{ADMINISTRATOR}"


def user_of(account: str, access_key: str) -> Any:
    """The IAM user that a long-term key belongs to; None where it is nobody's."""
    backend: Any = iam_backends[account]["aws"]
    key = backend.access_keys.get(access_key)
    return backend.users.get(key.user_name) if key is not None and key.user_name else None


def principal_arn(account: str, access_key: str) -> str:
    """The ARN of the principal, a role's rather than its session's."""
    session = session_of(account, access_key)
    if session is not None:
        return str(session.role_arn)
    user = user_of(account, access_key)
    return str(user.arn) if user is not None else administrator_arn(account)

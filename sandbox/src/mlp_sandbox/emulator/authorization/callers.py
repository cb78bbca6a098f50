"""The caller that signed a request: the account's administrator, the session of a role, a user, or nobody.

Access keys that the account never issued stand for its administrator; `sandbox` is one of them.
"""

from collections.abc import Iterable
from typing import Any

from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, sts_backends

from mlp_sandbox.emulator.authorization.documents import Document, parse
from mlp_sandbox.emulator.authorization.evaluation import Caller
from mlp_sandbox.emulator.authorization.held import held_by
from mlp_sandbox.emulator.authorization.refusals import expired_token, invalid_token
from mlp_sandbox.emulator.authorization.sessions import details_of, role_by_arn
from mlp_sandbox.emulator.identify import Identity
from mlp_sandbox.emulator.messages import Request

ADMINISTRATOR = "administrator"
TEMPORARY = "ASIA"
"""Prefix of the access keys of sessions, on AWS and in moto. Access keys of users begin with AKIA."""

_sessions: dict[str, tuple[list[AssumedRole], dict[str, AssumedRole]]] = {}


def session_of(account: str, access_key: str) -> AssumedRole | None:
    """Return the session that an access key belongs to, or None."""
    assumed = sts_backends[account]["aws"].assumed_roles
    known, index = _sessions.get(account, (None, {}))
    if known is not assumed:
        index = {}
        _sessions[account] = (assumed, index)
    for session in assumed[len(index) :]:  # moto only ever appends
        index[session.access_key_id] = session
    return index.get(access_key)


def caller_of(identity: Identity, request: Request) -> Caller:
    """Return the caller of a request.

    Raises:
        Fault: AWS would reject the credentials.
    """
    if not identity.access_key:
        return Caller(kind="anonymous", arn="*", account="")
    session = session_of(identity.account, identity.access_key)
    if session is not None:
        _check_token(identity, request, session)
        return _of_session(identity, session)
    key: Any = iam_backends[identity.account]["aws"].access_keys.get(identity.access_key)
    if key is not None and key.user_name:
        if key.status != "Active":
            raise invalid_token(identity)
        return of_user(iam_backends[identity.account]["aws"].users[key.user_name])
    if identity.access_key.startswith(TEMPORARY):
        raise invalid_token(identity)
    return administrator(identity.account)


def administrator(account: str) -> Caller:
    """Return the account's administrator: a user that IAM does not list and that may do everything."""
    return Caller(kind="administrator", arn=f"arn:aws:iam::{account}:user/{ADMINISTRATOR}", account=account)


def of_role(role: Any, *, arn: str = "", user_id: str = "", session: Iterable[str] | None = None) -> Caller:
    """Return the caller for a role, or for a session of it, with the policies in force at this moment."""
    held = held_by(role)
    return Caller(
        kind="session",
        arn=arn or role.arn,
        account=role.account_id,
        role_arn=role.arn,
        user_id=user_id or role.id,
        identity=_parsed(held.policies),
        boundary=None if held.boundary is None else _parsed(held.boundary),
        session=None if session is None else _parsed(session),
    )


def of_user(user: Any) -> Caller:
    """Return the caller for a user, with the user's own policies and those of its groups."""
    backend = iam_backends[user.account_id]["aws"]
    groups = [group for group in backend.groups.values() if user in group.users]
    held = held_by(user)
    return Caller(
        kind="user",
        arn=user.arn,
        account=user.account_id,
        user_id=user.id,
        identity=_parsed([*held.policies, *(text for group in groups for text in held_by(group).policies)]),
        boundary=None if held.boundary is None else _parsed(held.boundary),
    )


def of_group(group: Any) -> Caller:
    """Return a caller that has only the policies of a group, to evaluate what membership alone allows."""
    return Caller(kind="user", arn=group.arn, account=group.account_id, identity=_parsed(held_by(group).policies))


def _of_session(identity: Identity, session: AssumedRole) -> Caller:
    details, role = details_of(session), role_by_arn(session.role_arn)
    if role is None and not details.role_id and identity.account != DEFAULT_ACCOUNT_ID:
        return administrator(identity.account)
    if role is None or role.id != details.role_id:
        raise invalid_token(identity)
    return of_role(role, arn=session.arn, user_id=f"{role.id}:{session.session_name}", session=details.policies)


def _check_token(identity: Identity, request: Request, session: AssumedRole) -> None:
    if session.expiration <= utcnow():
        raise expired_token(identity)
    sent = request.header("x-amz-security-token") or "".join(request.query.get("X-Amz-Security-Token", []))
    if sent and sent != session.session_token:
        raise invalid_token(identity)


def _parsed(texts: Iterable[str]) -> tuple[Document, ...]:
    return tuple(parse(text) for text in texts)


def user_or_role_tags(caller: Caller) -> Any:
    """Return the tags of the caller's role or user, in IAM's own shape."""
    if caller.role_arn:
        role = role_by_arn(caller.role_arn)
        return role.tags if role is not None else None
    if caller.kind == "user":
        return iam_backends[caller.account]["aws"].tagger.list_tags_for_resource(caller.arn)["Tags"]
    return None

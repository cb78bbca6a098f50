"""Sessions of roles: data that moto does not keep about them, and sessions that an AWS service begins.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import AssumedRole, sts_backends

from mlp_sandbox.emulator.authorization.conditions import lookup_in
from mlp_sandbox.emulator.authorization.documents import Access, parse
from mlp_sandbox.emulator.authorization.evaluation import Caller, ResourcePolicy, evaluate
from mlp_sandbox.emulator.authorization.held import held_by
from mlp_sandbox.emulator.faults import Fault

_DETAILS = "sandbox_details"
_roles: dict[str, tuple[str, Any]] = {}


@dataclass(frozen=True, kw_only=True)
class SessionDetails:
    """The data that a session began with. `role_id` distinguishes a role from a later one of the same name."""

    role_id: str
    issued: datetime = field(default_factory=utcnow)
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    transitive: frozenset[str] = frozenset()
    policies: Sequence[str] | None = None
    source_identity: str = ""
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])


def role_by_arn(arn: str) -> Any:
    """Return the role with an ARN, in any account; None when there is none."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "iam" or not parts[5].startswith("role/"):
        return None
    roles: Any = iam_backends[parts[4]][parts[1]].roles
    role_id, role = _roles.get(arn, ("", None))
    if role is not None and roles.get(role_id) is role:
        return role
    for role_id, role in roles.items():
        if role.arn == arn:
            _roles[arn] = (role_id, role)
            return role
    return None


def details_of(session: AssumedRole) -> SessionDetails:
    """Return the data that a session began with.

    A session without stored data is treated as one without tags; its policies are the one that moto knows, if any.
    """
    known: SessionDetails | None = vars(session).get(_DETAILS)
    if known is None:
        role = role_by_arn(session.role_arn)
        policies = (session.policy,) if session.policy else None
        known = SessionDetails(role_id=role.id if role else "", policies=policies)
        remember(session, known)
    return known


def remember(session: AssumedRole, details: SessionDetails) -> None:
    """Store the data that a session began with."""
    vars(session)[_DETAILS] = details


def trust_of(role: Any, account: str) -> ResourcePolicy | None:
    """Return the trust policy of a role that is in force now; None when none is in force yet."""
    text = held_by(role).trust
    return ResourcePolicy(document=parse(text), account=account) if text else None


def begin_for_service(
    *,
    role_arn: str,
    service: str,
    session_name: str,
    region: str,
    duration: int,
    tags: Mapping[str, str],
    keys: Mapping[str, Sequence[str]],
) -> AssumedRole:
    """Begin a session as a service principal does, with tags, if the role's trust policy allows it.

    Args:
        role_arn: The role to assume.
        service: The service principal.
        session_name: The name of the session.
        region: The region of the call.
        duration: Lifetime of the session in seconds.
        tags: Session tags, all of them transitive.
        keys: Context keys of the call that trust policies may use (`aws:SourceAccount`, `aws:SourceArn` ...).

    Raises:
        Fault: AccessDeniedException: the role does not exist or does not trust the service.
    """
    role: Any = role_by_arn(role_arn)
    account = role_arn.split(":")[4]
    context = {
        **{key: list(values) for key, values in keys.items()},
        **{f"aws:RequestTag/{name}": [value] for name, value in tags.items()},
        "aws:TagKeys": list(tags),
    }
    caller = Caller(kind="service", arn=service, account=account)
    for action in ("sts:AssumeRole", *(("sts:TagSession",) if tags else ())):
        trust = trust_of(role, account) if role else None
        access = Access(action=action, resource=role_arn)
        if trust is None or not evaluate(caller, access, lookup_in(context), trust).allowed:
            raise Fault(
                "AccessDeniedException",
                f"{service} is not authorized to perform: {action} on resource: {role_arn}; its trust policy must "
                f"allow the service sts:AssumeRole{' and sts:TagSession' if tags else ''}",
                403,
            )
    session: AssumedRole = sts_backends[account]["aws"].assume_role(
        region_name=region,
        role_session_name=session_name,
        role_arn=role_arn,
        policy="",
        duration=duration,
        external_id="",
    )
    remember(session, SessionDetails(role_id=role.id, tags=dict(tags), transitive=frozenset(tags)))
    return session

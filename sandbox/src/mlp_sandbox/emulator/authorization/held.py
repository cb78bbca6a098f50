"""The policies, boundary and trust policy that IAM stores for a principal, as written and as in force."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends

from mlp_sandbox.emulator import propagation
from mlp_sandbox.emulator.propagation import PRINCIPALS


@dataclass(frozen=True, kw_only=True)
class Held:
    """Texts of policy documents. `boundary` is None without one, and empty when its policy no longer exists."""

    policies: tuple[str, ...] = ()
    boundary: tuple[str, ...] | None = None
    trust: str = ""


NOBODY = Held()


def held_by(holder: Any) -> Held:
    """Return the policies of moto's role, user or group that are in force now; none while it is too new."""
    return propagation.effective(PRINCIPALS, holder.id, live(holder)) or NOBODY


def counts(unique: str) -> bool:
    """Return whether the other AWS services already see a role or user, given its unique identifier."""
    return propagation.effective(PRINCIPALS, unique, NOBODY) is not None


def live(holder: Any) -> Held:
    """Return the policies of a role, user or group as written."""
    return Held(
        policies=tuple(_policies(holder)),
        boundary=_boundary(holder),
        trust=getattr(holder, "assume_role_policy_document", None) or "",
    )


def everybody() -> dict[str, Held]:
    """Return the written policies of all roles, users and groups of all accounts, by unique identifier."""
    found: dict[str, Held] = {}
    for backends in list(iam_backends.values()):
        for backend in list(backends.values()):
            for holders in (backend.roles, backend.users, backend.groups):
                found.update({str(holder.id): live(holder) for holder in holders.values()})
    return found


def managed_policy_text(account: str, arn: str) -> str | None:
    """Return the default version of a managed policy as written; None when there is no such policy."""
    policy: Any = iam_backends[account]["aws"].managed_policies.get(arn)
    return None if policy is None else _default_version(policy)


def _policies(holder: Any) -> Iterator[str]:
    yield from holder.policies.values()
    for policy in holder.managed_policies.values():
        yield _default_version(policy)


def _default_version(policy: Any) -> str:
    return next(item.document for item in policy.versions if item.version_id == policy.default_version_id)


def _boundary(holder: Any) -> tuple[str, ...] | None:
    """Return the texts of the boundary. A boundary that does not exist, or no longer exists, allows nothing."""
    arn = getattr(holder, "permissions_boundary_arn", None)
    if not arn:
        return None
    text = managed_policy_text(holder.account_id, arn)
    return () if text is None else (text,)

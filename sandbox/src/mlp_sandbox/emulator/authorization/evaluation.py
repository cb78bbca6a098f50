"""AWS's evaluation logic: whether policies together allow a permission, and which policy is the reason. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from mlp_sandbox.emulator.authorization.conditions import Lookup, as_list
from mlp_sandbox.emulator.authorization.documents import Access, Document, Statement

Kind: TypeAlias = Literal["administrator", "anonymous", "session", "user", "federated", "service"]
Documents: TypeAlias = Sequence[Document]
# How closely a resource's policy names a caller. `closely` bypasses permissions boundary and session policy. `role` is
# subject to both. `account` only lets the account's own identity policies decide.
Naming: TypeAlias = Literal["closely", "role", "account"]


@dataclass(frozen=True, kw_only=True)
class Caller:
    """The principal that makes a request, with its policies. `boundary` or `session` is None when there is none."""

    kind: Kind
    arn: str
    account: str
    role_arn: str = ""
    user_id: str = ""
    identity: Documents = ()
    boundary: Documents | None = None
    session: Documents | None = None


@dataclass(frozen=True, kw_only=True)
class ResourcePolicy:
    """The policy of the resource.

    `sovereign` means that identity policies count only where this policy lets them (KMS keys, roles). `granted` means
    that something beside the policy, a KMS grant, already allows the permission.
    """

    document: Document | None
    account: str
    sovereign: bool = False
    granted: bool = False


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The outcome. `reason` completes "... is not authorized to perform ... on resource ..." in AWS's words."""

    allowed: bool
    reason: str = ""
    explicit: bool = False
    matched: tuple[tuple[str, Statement], ...] = ()


IDENTITY, RESOURCE = "an identity-based policy", "a resource-based policy"
BOUNDARY, SESSION = "a permissions boundary", "a session policy"


def evaluate(caller: Caller, access: Access, lookup: Lookup, policy: ResourcePolicy | None = None) -> Decision:
    """Decide on one permission.

    Args:
        caller: The principal with its policies.
        access: The permission that the request needs.
        lookup: The context keys of the request.
        policy: The policy of the resource; None when it has none.
    """
    denied = _explicit_deny(caller, access, lookup, policy)
    if denied is not None:
        return denied
    if caller.kind in {"administrator", "anonymous"}:
        # The service itself decides on anonymous access by access control lists.
        return Decision(allowed=True)
    by_resource = _allows_of_resource(caller, access, lookup, policy)
    namings = {naming for naming, _ in by_resource}
    if policy is not None and policy.granted:
        namings.add("closely")
    by_identity = _allows(caller.identity, access, lookup)
    matched = (
        *((RESOURCE, statement) for _, statement in by_resource),
        *((IDENTITY, statement) for statement in by_identity),
    )
    within = _limits(caller, access, lookup)
    elsewhere = policy is not None and caller.account != policy.account and caller.kind in {"session", "user"}
    if elsewhere and not namings:
        return _missing("resource-based policy", access, matched)
    if not elsewhere:
        if "closely" in namings:
            return Decision(allowed=True, matched=matched)
        if "role" in namings:
            return _missing(within, access, matched) if within else Decision(allowed=True, matched=matched)
        if policy is not None and policy.sovereign and "account" not in namings:
            return _missing("resource-based policy", access, matched)
    if not by_identity:
        return _missing("identity-based policy", access, matched)
    return _missing(within, access, matched) if within else Decision(allowed=True, matched=matched)


def names(statement: Statement, caller: Caller) -> Naming | None:
    """Return how a statement of a resource's policy names the caller; None when it does not."""
    if statement.not_principal is not None:
        # The account's root in NotPrincipal excepts only root, none of the account's roles and users.
        return None if _named(statement.not_principal, caller) in {"closely", "role"} else "closely"
    if statement.principal is None:
        return "closely"
    return _named(statement.principal, caller)


def _named(element: object, caller: Caller) -> Naming | None:
    if element == "*":
        return "closely"
    if not isinstance(element, dict):
        return None
    entries: dict[str, object] = element  # pyright: ignore[reportUnknownVariableType]
    if caller.kind in {"service", "federated"}:
        kind = "Service" if caller.kind == "service" else "Federated"
        listed = as_list(entries.get(kind, []))
        return "closely" if caller.arn in listed or "*" in listed else None
    found: set[Naming] = set()
    for entry in as_list(entries.get("AWS", [])):
        if entry == "*" or (entry == caller.arn and caller.kind != "anonymous"):
            found.add("closely")
        elif caller.kind == "anonymous":
            continue
        elif entry == caller.role_arn or (caller.user_id and entry == caller.user_id.partition(":")[0]):
            found.add("role" if caller.role_arn else "closely")
        elif entry == caller.account or entry.endswith(f":iam::{caller.account}:root"):
            found.add("closely" if caller.kind == "administrator" else "account")
    for naming in ("closely", "role", "account"):
        if naming in found:
            return naming
    return None


def _explicit_deny(caller: Caller, access: Access, lookup: Lookup, policy: ResourcePolicy | None) -> Decision | None:
    layers = ((IDENTITY, caller.identity), (BOUNDARY, caller.boundary or ()), (SESSION, caller.session or ()))
    for layer, documents in layers:
        for document in documents:
            for statement in document.matching("Deny", access, lookup):
                return _denied(layer, statement)
    if policy is not None and policy.document is not None:
        for statement in policy.document.matching("Deny", access, lookup):
            if names(statement, caller):
                return _denied(RESOURCE, statement)
    return None


def _denied(layer: str, statement: Statement) -> Decision:
    return Decision(
        allowed=False, explicit=True, reason=f"with an explicit deny in {layer}", matched=((layer, statement),)
    )


def _allows(documents: Documents, access: Access, lookup: Lookup) -> list[Statement]:
    return [statement for document in documents for statement in document.matching("Allow", access, lookup)]


def _allows_of_resource(
    caller: Caller, access: Access, lookup: Lookup, policy: ResourcePolicy | None
) -> list[tuple[Naming, Statement]]:
    if policy is None or policy.document is None:
        return []
    matching = policy.document.matching("Allow", access, lookup)
    return [(naming, statement) for statement in matching if (naming := names(statement, caller)) is not None]


def _limits(caller: Caller, access: Access, lookup: Lookup) -> str:
    """Return which of boundary and session policy does not allow the permission; empty when neither blocks it."""
    if caller.boundary is not None and not _allows(caller.boundary, access, lookup):
        return "permissions boundary"
    if caller.session is not None and not _allows(caller.session, access, lookup):
        return "session policy"
    return ""


def _missing(kind: str, access: Access, matched: tuple[tuple[str, Statement], ...]) -> Decision:
    reason = f"because no {kind} allows the {access.action} action"
    return Decision(allowed=False, reason=reason, matched=matched)

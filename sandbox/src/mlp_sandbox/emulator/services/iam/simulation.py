"""IAM's policy simulator: the decision that the gate would make, for any action, resource and context.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from moto.iam.models import iam_backends

from mlp_sandbox.emulator.authorization.callers import of_group, of_role, of_user
from mlp_sandbox.emulator.authorization.documents import Access, Document, MalformedPolicyError, parse
from mlp_sandbox.emulator.authorization.evaluation import BOUNDARY, RESOURCE, Caller, Decision, ResourcePolicy, evaluate
from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_MOST = 100
_VARIABLE = re.compile(r"\$\{([^},]+)[^}]*\}")


class _Entries:
    """The context of a simulation. It records the keys that were looked up and missing."""

    def __init__(self, entries: Sequence[Mapping[str, Any]]) -> None:
        self._known = {str(entry["ContextKeyName"]).lower(): list(entry["ContextKeyValues"]) for entry in entries}
        self.missing: set[str] = set()

    def __call__(self, key: str) -> list[str] | None:
        if key not in self._known:
            self.missing.add(key)
        return self._known.get(key)


@extends("iam", "SimulatePrincipalPolicy")
def simulate_principal(call: Call) -> Result:
    """Simulate the current policies of a role, user or group, together with those of the request."""
    caller = _principal(call, call.params["PolicySourceArn"])
    boundary = _documents(call, "PermissionsBoundaryPolicyInputList")
    more = _documents(call, "PolicyInputList")
    return _simulate(call, replace(caller, identity=(*caller.identity, *more), boundary=boundary or caller.boundary))


@extends("iam", "SimulateCustomPolicy")
def simulate_custom(call: Call) -> Result:
    """Simulate the policies of the request alone."""
    account = call.identity.account
    caller = Caller(
        kind="user",
        arn=str(call.params.get("CallerArn") or f"arn:aws:iam::{account}:user/simulated"),
        account=account,
        identity=_documents(call, "PolicyInputList"),
        boundary=_documents(call, "PermissionsBoundaryPolicyInputList") or None,
    )
    return _simulate(call, caller)


@extends("iam", "GetContextKeysForCustomPolicy")
def keys_of_policies(call: Call) -> Result:
    """Return the context keys that the policies of the request use."""
    return {"ContextKeyNames": _context_keys(_documents(call, "PolicyInputList"))}


@extends("iam", "GetContextKeysForPrincipalPolicy")
def keys_of_principal(call: Call) -> Result:
    """Return the context keys that the policies of a principal use."""
    caller = _principal(call, call.params["PolicySourceArn"])
    return {"ContextKeyNames": _context_keys([*caller.identity, *_documents(call, "PolicyInputList")])}


def _simulate(call: Call, caller: Caller) -> Result:
    text = call.params.get("ResourcePolicy")
    policy = ResourcePolicy(document=_parse(text), account=caller.account) if text else None
    resources: list[str] = call.params.get("ResourceArns") or ["*"]
    results = [
        _result(caller, Access(action=action, resource=resource), policy, call.params.get("ContextEntries") or [])
        for action in call.params["ActionNames"]
        for resource in resources
    ]
    start, size = int(call.params.get("Marker") or 0), int(call.params.get("MaxItems") or _MOST)
    page, rest = results[start : start + size], results[start + size :]
    return {
        "EvaluationResults": page,
        "IsTruncated": bool(rest),
        **({"Marker": str(start + size)} if rest else {}),
    }


def _result(caller: Caller, access: Access, policy: ResourcePolicy | None, entries: Sequence[Any]) -> Result:
    lookup = _Entries(entries)
    decision = evaluate(caller, access, lookup, policy)
    denied = "explicitDeny" if decision.explicit else "implicitDeny"
    return {
        "EvalActionName": access.action,
        "EvalResourceName": access.resource,
        "EvalDecision": "allowed" if decision.allowed else denied,
        "MatchedStatements": list(_matched(decision)),
        "MissingContextValues": sorted(lookup.missing),
        **_boundary_detail(caller, decision),
    }


def _matched(decision: Decision) -> Iterator[Result]:
    for layer, statement in decision.matched:
        kind = "resource" if layer == RESOURCE else "IAM Policy"
        yield {"SourcePolicyId": statement.sid or layer, "SourcePolicyType": kind}


def _boundary_detail(caller: Caller, decision: Decision) -> Result:
    if caller.boundary is None:
        return {}
    stopped = "permissions boundary" in decision.reason or any(layer == BOUNDARY for layer, _ in decision.matched)
    return {"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": not stopped}}


def _principal(call: Call, arn: str) -> Caller:
    backend: Any = iam_backends[call.identity.account]["aws"]
    role = role_by_arn(arn)
    if role is not None:
        return of_role(role)
    for kind, holders in (("user", backend.users), ("group", backend.groups)):
        for holder in holders.values():
            if holder.arn == arn:
                return of_user(holder) if kind == "user" else of_group(holder)
    raise Fault("NoSuchEntity", f"The principal {arn} does not exist: name a role, user or group of this account", 404)


def _documents(call: Call, parameter: str) -> tuple[Document, ...]:
    return tuple(_parse(text) for text in call.params.get(parameter) or [])


def _parse(text: str) -> Document:
    try:
        return parse(text)
    except MalformedPolicyError as error:
        raise Fault("InvalidInput", f"Invalid Content: {error}") from None


def _context_keys(documents: Sequence[Document]) -> list[str]:
    found: set[str] = set()
    for document in documents:
        for statement in document.statements:
            for keys in statement.conditions.values():
                found.update(keys)
                for value in keys.values():
                    found.update(_VARIABLE.findall(str(value)))
            for resource in statement.resources or ():
                found.update(_VARIABLE.findall(resource))
    return sorted(found)

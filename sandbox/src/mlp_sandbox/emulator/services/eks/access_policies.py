"""EKS access policies of access entries, in the whole cluster or in namespaces.

https://docs.aws.amazon.com/eks/latest/userguide/access-policies.html
"""

import re

from moto.utilities.utils import get_partition

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.kubernetes_access.policies import POLICIES
from mlp_sandbox.emulator.services.eks.access import entry_of
from mlp_sandbox.emulator.services.eks.records import INVALID_PARAMETER, INVALID_REQUEST, NOT_FOUND, now, page
from mlp_sandbox.emulator.services.registry import Call, Result, extends

_NAMESPACE = re.compile(r"[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?")


@extends("eks", "ListAccessPolicies")
def list_policies(call: Call) -> Result:
    """List the policies that the sandbox enforces."""
    names, token = page(call, POLICIES)
    return {"accessPolicies": [{"name": name, "arn": _arn(call, name)} for name in names], **token}


@extends("eks", "AssociateAccessPolicy")
def associate(call: Call) -> Result:
    """Associate a policy, or give an associated policy another scope."""
    entry, params = entry_of(call), call.params
    policy, scope = str(params["policyArn"]), params["accessScope"]
    if policy not in {_arn(call, name) for name in POLICIES}:
        raise Fault(INVALID_PARAMETER, f"The policyArn parameter format is not valid: {policy}")
    if entry.description["type"] != "STANDARD":
        raise Fault(INVALID_REQUEST, f"Policies cannot be associated with type {entry.description['type']}")
    namespaces = list(scope.get("namespaces") or [])
    kind = scope.get("type")
    if (kind, bool(namespaces)) not in {("cluster", False), ("namespace", True)}:
        raise Fault(
            INVALID_PARAMETER,
            f"accessScope of type {kind} with namespaces {namespaces}: type cluster takes none, type namespace some",
        )
    for namespace in namespaces:
        if not _NAMESPACE.fullmatch(namespace):
            raise Fault(INVALID_PARAMETER, f"The namespace {namespace!r} in accessScope is not valid")
    moment = now()
    before = entry.policies.get(policy, {})
    entry.policies[policy] = {
        "policyArn": policy,
        "accessScope": {"type": kind, "namespaces": namespaces},
        "associatedAt": before.get("associatedAt", moment),
        "modifiedAt": moment,
    }
    return _of_entry(entry.description) | {"associatedAccessPolicy": dict(entry.policies[policy])}


@extends("eks", "DisassociateAccessPolicy")
def disassociate(call: Call) -> Result:
    """Remove the association of a policy."""
    entry, policy = entry_of(call), str(call.params["policyArn"])
    if policy not in entry.policies:
        raise Fault(NOT_FOUND, f"The specified policyArn is not associated with the access entry: {policy}", 404)
    del entry.policies[policy]
    return {}


@extends("eks", "ListAssociatedAccessPolicies")
def list_associated(call: Call) -> Result:
    """List the policies that are associated with an entry."""
    entry = entry_of(call)
    policies, token = page(call, entry.policies.values(), lambda policy: str(policy["policyArn"]))
    return _of_entry(entry.description) | {"associatedAccessPolicies": policies, **token}


def _of_entry(description: Result) -> Result:
    return {"clusterName": description["clusterName"], "principalArn": description["principalArn"]}


def _arn(call: Call, name: str) -> str:
    return f"arn:{get_partition(call.identity.region)}:eks::aws:cluster-access-policy/{name}"

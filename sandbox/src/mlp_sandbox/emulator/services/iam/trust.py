"""IAM: client identifiers of OIDC providers, and trust policies that AWS would reject."""

import json
from typing import Any

from moto.iam.models import iam_backends

from mlp_sandbox.emulator.faults import Fault
from mlp_sandbox.emulator.services.registry import Call, Result, extends


def _provider(call: Call) -> Any:
    arn = call.params["OpenIDConnectProviderArn"]
    providers: Any = iam_backends[call.identity.account]["aws"].open_id_providers
    if arn not in providers:
        raise Fault("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}", 404)
    return providers[arn]


@extends("iam", "AddClientIDToOpenIDConnectProvider")
def add_client(call: Call) -> Result:
    """Add a client. Adding a known client again is no error."""
    provider = _provider(call)
    if call.params["ClientID"] not in provider.client_id_list:
        provider.client_id_list = [*provider.client_id_list, call.params["ClientID"]]
    return {}


@extends("iam", "RemoveClientIDFromOpenIDConnectProvider")
def remove_client(call: Call) -> Result:
    """Remove a client. Removing an unknown client is no error."""
    provider = _provider(call)
    provider.client_id_list = [name for name in provider.client_id_list if name != call.params["ClientID"]]
    return {}


@extends("iam", "CreateRole")
def create_role(call: Call) -> Result:
    """Create a role. Reject a trust policy that trusts nobody."""
    _check_trust(call.params["AssumeRolePolicyDocument"])
    return call.proceed()


@extends("iam", "UpdateAssumeRolePolicy")
def update_trust(call: Call) -> Result:
    """Update a trust policy. Reject one that trusts nobody."""
    _check_trust(call.params["PolicyDocument"])
    return call.proceed()


def _check_trust(document: str) -> None:
    try:
        policy = json.loads(document)
        statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
        sound = bool(statements) and all("Action" in item and "Principal" in item for item in statements)
    except (ValueError, KeyError, TypeError):
        sound = False
    if not sound:
        raise Fault(
            "MalformedPolicyDocument",
            "AssumeRolePolicyDocument needs at least one statement, each with an Action and a Principal",
        )

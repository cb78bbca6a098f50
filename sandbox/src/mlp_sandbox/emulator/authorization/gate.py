"""The gate in front of the emulated account: it denies requests that the caller has no permission for.

Policies limit role sessions and users with access keys. The account's administrator is allowed everything, except where
a resource's own policy denies it explicitly.
"""

import logging
from typing import Any

from moto.core.request import Request as MotoRequest
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model

from mlp_sandbox.emulator.authorization import resource_policies
from mlp_sandbox.emulator.authorization.accesses import accesses
from mlp_sandbox.emulator.authorization.callers import caller_of
from mlp_sandbox.emulator.authorization.context import Context
from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.evaluation import Caller, Decision, evaluate
from mlp_sandbox.emulator.authorization.facts import prefix_of
from mlp_sandbox.emulator.authorization.names import ALWAYS_ALLOWED
from mlp_sandbox.emulator.authorization.refusals import denied
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest
from mlp_sandbox.emulator.authorization.sessions import role_by_arn
from mlp_sandbox.emulator.authorization.web_identity import federated
from mlp_sandbox.emulator.identify import Identity, known_services
from mlp_sandbox.emulator.messages import Request, environ_for
from mlp_sandbox.emulator.services.registry import parse_request

_log = logging.getLogger(__name__)
_WEB_IDENTITY = ("sts", "AssumeRoleWithWebIdentity")


def authorise(identity: Identity, request: Request) -> None:
    """Check that the caller may do what the request asks for.

    Raises:
        Fault: The request is denied, with the code and message of the service.
    """
    operation = (identity.service, identity.operation)
    if not identity.operation or identity.service not in known_services():
        return
    caller = caller_of(identity, request)
    if operation in ALWAYS_ALLOWED or _passes(caller, identity):
        return
    ask = AuthorizationRequest(identity, request, caller, _params(identity, request))
    if operation == _WEB_IDENTITY:
        federated(ask)
        return
    if operation == ("sts", "AssumeRole"):
        _check_role_exists(ask)
    for access in accesses(ask):
        decision = decide(ask, access)
        if not decision.allowed:
            fault = denied(identity, caller, access, decision)
            _log.warning("denied: %s", fault.message)
            raise fault


def decide(ask: AuthorizationRequest, access: Access) -> Decision:
    """Decide on one permission of a request."""
    context = Context(ask, access)
    policy = resource_policies.policy_of(ask.caller, access, context, ask.identity.account)
    return evaluate(ask.caller, access, context, policy)


def _check_role_exists(ask: AuthorizationRequest) -> None:
    """Deny a role that does not exist like a role that does not trust the caller.

    The administrator may name roles of other accounts that do not exist.
    """
    arn = ask.param("RoleArn")
    if role_by_arn(arn) is None and (ask.caller.kind != "administrator" or f"::{ask.identity.account}:" in arn):
        access = Access(action="sts:AssumeRole", resource=arn)
        fault = denied(ask.identity, ask.caller, access, Decision(allowed=False))
        _log.warning("denied: %s: there is no such role", fault.message)
        raise fault


def _passes(caller: Caller, identity: Identity) -> bool:
    """Return whether no policy can deny the caller. This needs no parsing of the request."""
    if caller.kind == "anonymous":
        return (identity.service, identity.operation) != _WEB_IDENTITY and identity.service != "s3"
    if caller.kind != "administrator":
        return False
    name = (identity.service, identity.operation)
    return prefix_of(identity.service) not in resource_policies.PREFIXES or name in resource_policies.ESCAPES


def _params(identity: Identity, request: Request) -> dict[str, Any]:
    if identity.service == "s3":  # path and headers carry everything, and bodies may be large
        return dict(get_service_router("s3").match(MotoRequest(environ_for(request)))[1])
    model = get_service_model(identity.service).operation_model(identity.operation)
    return parse_request(identity, request, model)

"""AssumeRoleWithWebIdentity: the token's claims are checked against the provider and the role's trust policy.

Signatures are not verified: the emulator fetches no issuer's keys.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

import base64
import contextlib
import json
import logging
import time
from collections.abc import Mapping
from typing import Any

from moto.iam.models import iam_backends

from mlp_sandbox.emulator.authorization.conditions import as_list, lookup_in
from mlp_sandbox.emulator.authorization.documents import Access
from mlp_sandbox.emulator.authorization.evaluation import Caller, evaluate
from mlp_sandbox.emulator.authorization.request import AuthorizationRequest
from mlp_sandbox.emulator.authorization.sessions import role_by_arn, trust_of
from mlp_sandbox.emulator.faults import Fault

_log = logging.getLogger(__name__)
_CLAIMS = ("sub", "aud", "amr", "email", "oaud", "azp")


def federated(ask: AuthorizationRequest) -> None:
    """Check that the token and the role's trust policy admit the caller.

    Raises:
        Fault: AWS would reject the token, or the trust policy denies the caller.
    """
    claims = claims_of(ask.param("WebIdentityToken"))
    issuer = issuer_of(claims)
    arn = ask.arn(f"oidc-provider/{issuer}", service="iam", region="")
    role_arn = ask.param("RoleArn")
    account = role_arn.split(":")[4] if role_arn.count(":") >= 5 else ask.identity.account
    provider: Any = iam_backends[account]["aws"].open_id_providers.get(arn)
    if provider is None:
        raise Fault(
            "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for https://{issuer}", 400
        )
    audiences = as_list(claims.get("aud", []))
    if not set(audiences) & set(provider.client_id_list):
        raise Fault("InvalidIdentityToken", "Incorrect token audience", 400)
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= time.time():
        raise Fault("ExpiredTokenException", "Token expired: current date/time must be before the expiration date", 400)
    role = role_by_arn(role_arn)
    caller = Caller(kind="federated", arn=arn, account=account)
    keys = {
        **federated_keys(claims),
        "aws:FederatedProvider": [arn],
        "sts:RoleSessionName": [ask.param("RoleSessionName")],
        "aws:RequestedRegion": [ask.identity.region],
        "aws:SecureTransport": ["true"],
    }
    trust = trust_of(role, account) if role is not None else None
    access = Access(action="sts:AssumeRoleWithWebIdentity", resource=role_arn)
    if trust is None or not evaluate(caller, access, lookup_in(keys), trust).allowed:
        reason = "there is no such role" if role is None else f"its trust policy does not allow {keys}"
        _log.warning("denied: sts:AssumeRoleWithWebIdentity on %s for %s: %s", role_arn, arn, reason)
        raise Fault("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", 403)


def claims_of(token: str) -> Mapping[str, Any]:
    """Return the claims of a JSON Web Token.

    Raises:
        Fault: The text is not a JSON Web Token.
    """
    parts = token.split(".")
    claims: Any = None
    if len(parts) == 3:
        with contextlib.suppress(ValueError):  # neither base64, nor UTF-8, nor JSON
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    if not isinstance(claims, dict) or "iss" not in claims:
        raise Fault("InvalidIdentityToken", "The ID Token provided is not a valid JWT.", 400)
    return claims  # pyright: ignore[reportUnknownVariableType]


def issuer_of(claims: Mapping[str, Any]) -> str:
    """Return the issuer without its scheme, as providers and condition keys name it."""
    return str(claims["iss"]).removeprefix("https://").rstrip("/")


def federated_keys(claims: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the condition keys that a token provides, such as `<issuer>:sub`."""
    issuer = issuer_of(claims)
    return {f"{issuer}:{name}": as_list(claims[name]) for name in _CLAIMS if name in claims}

"""Verification of projected service-account tokens, as EKS does before it issues a role's credentials to a pod.

https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
"""

from __future__ import annotations

import time
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from mlp_sandbox.contracts.desired import PodIdentity

AUDIENCE = "pods.eks.amazonaws.com"
_ALGORITHM = "RS256"
_LEEWAY_SECONDS = 5.0


def verify(token: str, public_key: bytes, issuer: str, now: float | None = None) -> PodIdentity | None:
    """Return the identity of the pod that a token belongs to.

    Args:
        token: Service-account token (JWT).
        public_key: PEM key of the cluster's token signer.
        issuer: OIDC issuer of the cluster.
        now: Current Unix time in seconds; None for the system's clock.

    Returns:
        None unless the cluster signed the token for a pod and for this audience, and the token is valid now.
    """
    try:
        claims: dict[str, Any] = jwt.decode(token, RSAKey.import_key(public_key), algorithms=[_ALGORITHM]).claims
    except (JoseError, ValueError):
        return None
    now = time.time() if now is None else now
    try:
        audiences = [claims["aud"]] if isinstance(claims["aud"], str) else list(claims["aud"])
        in_time = float(claims["nbf"]) - _LEEWAY_SECONDS <= now < float(claims["exp"]) + _LEEWAY_SECONDS
        if claims["iss"] != issuer or AUDIENCE not in audiences or not in_time:
            return None
        bound = claims["kubernetes.io"]
        return PodIdentity(
            namespace=str(bound["namespace"]),
            service_account=str(bound["serviceaccount"]["name"]),
            pod_name=str(bound["pod"]["name"]),
            pod_uid=str(bound["pod"]["uid"]),
        )
    except (KeyError, TypeError, ValueError):
        return None

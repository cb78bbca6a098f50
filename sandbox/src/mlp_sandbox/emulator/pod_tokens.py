"""Service-account tokens in requests to EKS Auth: verified before the request is executed and recorded.

Only the cluster that signed a token can verify it, and only while it is valid. So the verified pod replaces the token
in the request. The journal stores that request, and a replay uses it.
"""

import base64
import json
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from moto.eks.models import eks_backends

from mlp_sandbox.contracts.desired import PodIdentity
from mlp_sandbox.emulator.clusters import Clusters
from mlp_sandbox.emulator.identify import identify
from mlp_sandbox.emulator.messages import Request

_HEADER = "X-Mlp-Verified-Pod"
_PATH = re.compile(r"/clusters/(?P<cluster>[^/]+)/assume-role-for-pod-identity/?")


def attest(request: Request, clusters: Clusters) -> Request:
    """Return the request with the verified pod in its header. A header that the client sent is removed."""
    headers = tuple((name, value) for name, value in request.headers if name.lower() != _HEADER.lower())
    if len(headers) != len(request.headers):
        request = replace(request, headers=headers)
    match = _PATH.fullmatch(request.path)
    if match is None or request.method != "POST":
        return request
    identity = identify(request)
    if identity.service != "eks-auth":
        return request
    cluster: Any = eks_backends[identity.account][identity.region].clusters.get(match["cluster"])
    token = _token(request)
    pod = clusters.verify_pod_token(cluster.id, token) if cluster is not None and token else None
    if pod is None:
        return request
    verified = (*headers, (_HEADER, json.dumps(asdict(pod), sort_keys=True)))
    return replace(request, headers=verified, body=json.dumps({"token": "verified"}).encode())


def verified_pod(request: Request) -> PodIdentity | None:
    """Return the pod that `attest` verified from the token."""
    text = request.header(_HEADER)
    return PodIdentity(**json.loads(text)) if text else None


def has_expired(token: str) -> bool:
    """Return whether an unverified token states that it has expired. Use this only for the error message."""
    try:
        payload = token.split(".")[1]
        claims: Any = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return datetime.fromtimestamp(float(claims["exp"]), UTC) <= datetime.now(UTC)
    except (ValueError, KeyError, IndexError, TypeError):
        return False


def _token(request: Request) -> str:
    try:
        return str(json.loads(request.body)["token"])
    except (ValueError, KeyError, TypeError):
        return ""

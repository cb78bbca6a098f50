"""The webhooks of clusters' API servers: authentication by token, authorisation by EKS access policies.

They read the account's state without its lock, so that a long request does not block a whole cluster.
https://kubernetes.io/docs/reference/access-authn-authz/authentication/#webhook-token-authentication
https://kubernetes.io/docs/reference/access-authn-authz/webhook/
"""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from mlp_sandbox.emulator.kubernetes_access.reviews import entry_for, judge, user_of
from mlp_sandbox.emulator.kubernetes_access.tokens import TokenError, presenter_of
from mlp_sandbox.emulator.messages import Reply, Request
from mlp_sandbox.emulator.services.eks.records import ClusterRecord, all_clusters

PREFIX = "/_mlp/eks/"
_log = logging.getLogger(__name__)
_PATH = re.compile(r"/_mlp/eks/(?P<cluster>[^/]+)/(?P<hook>authenticate|authorize)")


def answer(request: Request, *, ready: bool) -> Reply:
    """Answer a review of one cluster."""
    match = _PATH.fullmatch(request.path)
    if match is None:
        return _json(HTTPStatus.NOT_FOUND, {"error": f"no such page: {request.path}"})
    if request.method != "POST":
        return _json(HTTPStatus.METHOD_NOT_ALLOWED, {"error": f"{request.path} answers POST only"})
    if not ready:
        return _json(HTTPStatus.SERVICE_UNAVAILABLE, {"error": "the account is starting"})
    cluster = next((known for known in all_clusters() if known.id == match["cluster"]), None)
    if cluster is None:
        return _json(HTTPStatus.NOT_FOUND, {"error": f"no cluster has the id {match['cluster']}"})
    kind, review = _REVIEWS[match["hook"]]
    try:
        asked: Any = json.loads(request.body)
        status = review(cluster, asked["spec"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return _json(HTTPStatus.BAD_REQUEST, {"error": f"not a {kind}: {error}"})
    return _json(HTTPStatus.OK, {"apiVersion": asked.get("apiVersion"), "kind": kind, "status": status})


def _authenticate(cluster: ClusterRecord, spec: dict[str, Any]) -> dict[str, Any]:
    try:
        presenter = presenter_of(str(spec["token"]), cluster.name, datetime.now(UTC))
    except TokenError as error:
        _log.warning("cluster %s: a token was refused: %s", cluster.name, error)
        return {"authenticated": False, "error": str(error)}
    entry = entry_for(cluster, presenter.principal, presenter.user_id)
    if entry is None:
        known = cluster.access_entries.get(presenter.principal) if cluster.authentication_mode != "CONFIG_MAP" else None
        why = ""
        if known is not None and known.principal_id not in ("", presenter.user_id):
            why = ": its entry is that of an earlier one of the same name; delete the entry and make it anew"
        elif known is not None:
            why = " that has taken effect: it was made seconds ago"
        reason = f"{presenter.principal} has no access entry{why}"
        _log.warning("cluster %s: %s was not let in: %s", cluster.name, presenter.arn, reason)
        return {"authenticated": False, "error": reason}
    return {"authenticated": True, "user": user_of(cluster, entry, presenter)}


def _authorize(cluster: ClusterRecord, spec: dict[str, Any]) -> dict[str, Any]:
    allowed, reason = judge(cluster, spec)
    # The reply omits `denied`: RBAC and the node authoriser may still allow the request.
    return {"allowed": allowed, **({"reason": reason} if reason else {})}


_Review = Callable[[ClusterRecord, dict[str, Any]], dict[str, Any]]
_REVIEWS: dict[str, tuple[str, _Review]] = {
    "authenticate": ("TokenReview", _authenticate),
    "authorize": ("SubjectAccessReview", _authorize),
}


def _json(status: int, content: dict[str, Any]) -> Reply:
    return Reply(status=status, headers=(("Content-Type", "application/json"),), body=json.dumps(content).encode())
